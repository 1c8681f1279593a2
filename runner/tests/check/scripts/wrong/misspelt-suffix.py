# expect: 5:23 warning unit-without-suffix foo.service
# expect: 6:23 warning unit-without-suffix sshd.socket
# expect: 7:23 warning unit-without-suffix multi-user.target
# expect: 8:23 warning unit-without-suffix nginx.service
machine.wait_for_unit("foo.sevice")
machine.wait_for_unit("sshd.sockets")
machine.wait_for_unit("multi-user.taget")
machine.wait_for_unit("nginx.services")
