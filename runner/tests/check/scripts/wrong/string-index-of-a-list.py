# machines: a, b
# expect: 3:1 error invalid-argument-type
machines["a"].start()
