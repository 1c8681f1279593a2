# expect: 2:23 error invalid-argument-type `str`
machine.wait_for_unit(["nginx.service", "sshd.service"])
