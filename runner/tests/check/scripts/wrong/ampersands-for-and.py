# expect: 2:21 error invalid-syntax expression
if machine.is_up() && True:
    machine.shutdown()
