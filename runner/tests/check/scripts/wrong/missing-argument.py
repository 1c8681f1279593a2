# expect: 4:1 error missing-argument `unit`
# expect: 5:1 error missing-argument `command`
# expect: 6:7 error missing-argument `command`
machine.wait_for_unit()
machine.wait_until_succeeds(timeout=3)
print(machine.execute())
