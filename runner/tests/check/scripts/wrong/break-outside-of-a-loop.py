# expect: 3:5 error invalid-syntax `break`
if machine.is_up():
    break
