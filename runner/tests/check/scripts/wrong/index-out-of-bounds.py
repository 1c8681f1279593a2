# expect: 2:7 error index-out-of-bounds
print(machine.execute("true")[2])
