# expect: 3:11 error invalid-raise
if not machine.is_up():
    raise "it is down"
