# machines: server, client
out = server.succeed("seq 3")
out = out.split()
out = [int(x) for x in out]
out = sum(out)
assert out == 6
result = None
result = server.execute("true")
result = result[0]
value = 1
value = "two"
value = value.upper()
for item in (1, 2):
    print(item)
for item in "ab":
    print(item.upper())
env = server.succeed("env")
env = dict(line.split("=", 1) for line in env.splitlines() if "=" in line)
print(env.get("PATH"))
machine = server
machine.succeed("true")
machine = client
machine.succeed("true")


def check(node):
    return node.succeed("true")


def check(node, command):
    return node.succeed(command)


check(server, "true")


def convert(value):
    value = int(value)
    return value + 1


print(convert("3"))
