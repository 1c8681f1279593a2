# expect: 2:20 error not-iterable `int`
for status, out in machine.execute("x"):
    print(status, out)
