# expect: 3:1 error unresolved-reference did you mean `print`
# expect: 4:10 error unresolved-reference did you mean `range`
pirnt(machine.succeed("hostname"))
for n in rang(3):
    machine.succeed(f"echo {n}")
