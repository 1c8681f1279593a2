# expect: 2:8 error unsupported-operator `None`
line = "log: " + machine.log("x")
print(line)
