# expect: 2:13 error invalid-argument-type `str`
machine.log(machine.get_console_log)
