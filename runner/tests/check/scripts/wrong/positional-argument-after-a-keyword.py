# expect: 2:37 error invalid-syntax ositional
machine.wait_for_unit(user="alice", "nginx")
