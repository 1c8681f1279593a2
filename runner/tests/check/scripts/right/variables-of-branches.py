import json

if machine.execute("test -e /etc/a")[0] == 0:
    kind = "a"
elif machine.execute("test -e /etc/b")[0] == 0:
    kind = "b"
machine.succeed("touch /etc/kind")
print(kind)

try:
    data = json.loads(machine.succeed("cat /etc/data.json"))
except json.JSONDecodeError:
    data = {}
except Exception as e:
    print(f"other error {e}")
    raise
print(data)

try:
    out = machine.succeed("maybe")
except Exception:
    machine.log("no output")
else:
    print(out)

with subtest("variables of a block outlive it"):
    inner = machine.succeed("hostname")
print(inner)

value = None
if inner:
    value = inner.strip()
assert value is not None
print(value.upper())
