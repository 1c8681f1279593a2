# expect: 4:6 error invalid-syntax `:`
if machine.is_up():
    machine.shutdown()
else if True:
    machine.start()
