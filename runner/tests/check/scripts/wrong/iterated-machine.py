# expect: 2:13 error not-iterable `Machine`
for node in machine:
    node.start()
