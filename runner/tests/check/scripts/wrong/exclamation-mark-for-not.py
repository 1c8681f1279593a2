# expect: 2:4 error invalid-syntax expression
if !machine.is_up():
    machine.start()
