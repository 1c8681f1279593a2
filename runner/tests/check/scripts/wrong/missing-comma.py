# expect: 2:31 error invalid-syntax `,`
machine.wait_for_open_port(80 timeout=3)
