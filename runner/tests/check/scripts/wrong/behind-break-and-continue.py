# expect: 6:9 warning unreachable-code
# expect: 9:9 warning unreachable-code
for n in range(3):
    if n == 1:
        continue
        machine.succeed("true")
    if n == 2:
        break
        machine.succeed("true")
