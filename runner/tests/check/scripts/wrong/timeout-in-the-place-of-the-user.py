# expect: 3:32 error invalid-argument-type `str | None`
# expect: 4:32 error invalid-argument-type `str`
machine.wait_for_unit("nginx", 30)
machine.wait_for_open_port(80, 30)
