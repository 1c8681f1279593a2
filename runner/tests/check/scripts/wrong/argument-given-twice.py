# expect: 2:32 error parameter-already-assigned `unit`
machine.wait_for_unit("nginx", unit="nginx.service")
