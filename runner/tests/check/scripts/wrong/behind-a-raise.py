# expect: 4:5 warning unreachable-code
if not machine.is_up():
    raise Exception("down")
    machine.start()
