# expect: 2:7 error not-subscriptable
print(machine.succeed["hostname"])
