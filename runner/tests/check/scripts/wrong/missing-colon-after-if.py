# expect: 2:19 error invalid-syntax `:`
if machine.is_up()
    machine.shutdown()
