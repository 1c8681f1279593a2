id = machine.succeed("id -u").strip()
input = "text"
list_ = [1]
type = "simple"
dir = "/srv"
hash = machine.succeed("sha256sum /etc/hostname").split()[0]
file = f"{dir}/{hash}"
for next in ["a", "b"]:
    print(next.upper(), id.isdigit(), input.title(), type, file)
