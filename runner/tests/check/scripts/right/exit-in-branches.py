import sys

if machine.execute("test -e /etc/unsupported")[0] == 0:
    machine.log("nothing to test here")
    sys.exit(0)
if os.environ.get("QUICK"):
    exit()


def decide(number):
    if number > 3:
        return "big"
    elif number < 0:
        raise ValueError("negative")
    else:
        return "small"


def find(name):
    for line in machine.succeed("cat /etc/passwd").splitlines():
        if not line.startswith(name):
            continue
        return line
    return None


def forever():
    while True:
        if machine.is_up():
            return


def never():
    raise NotImplementedError


print(decide(4), find("root"))
forever()
try:
    sys.exit(1)
except SystemExit:
    print("not yet")
