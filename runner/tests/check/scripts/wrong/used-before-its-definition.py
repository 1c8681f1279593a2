# expect: 2:28 error unresolved-reference `PORT`
machine.wait_for_open_port(PORT)
PORT = 80
