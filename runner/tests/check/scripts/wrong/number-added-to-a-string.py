# expect: 3:7 error unsupported-operator `+`
# expect: 4:9 error unsupported-operator `+`
print("status: " + machine.execute("true")[0])
total = "a" + 1
