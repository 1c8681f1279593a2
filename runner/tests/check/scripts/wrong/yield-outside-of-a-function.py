# expect: 2:1 error invalid-syntax `yield`
yield machine
