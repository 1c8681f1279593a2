# expect: 2:28 error invalid-argument-type
machine.wait_for_open_port([80, 443])
