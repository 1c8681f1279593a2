def lines(node, command):
    for line in node.succeed(command).splitlines():
        if line.strip():
            yield line


def pairs():
    yield "a", 1
    yield from [("b", 2), ("c", 3)]


def countdown(start: int):
    left = start
    while left > 0:
        reset = yield left
        left = reset if reset is not None else left - 1


for number, line in enumerate(lines(machine, "cat /etc/passwd"), 1):
    print(number, line.split(":")[0])
for name, value in pairs():
    machine.succeed(f"echo {name} {value}")
counter = countdown(3)
assert next(counter) == 3
assert counter.send(9) == 9
total = sum(int(x) for x in machine.succeed("seq 3").split())
assert total == 6
print(next((l for l in lines(machine, "ls /") if "nix" in l), None))
