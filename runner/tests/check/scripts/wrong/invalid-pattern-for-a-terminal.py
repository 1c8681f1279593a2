# expect: 3:37 error invalid-regex
# expect: 4:44 error invalid-regex
machine.wait_until_tty_matches("1", "login++(")
machine.wait_until_tty_matches("1", regexp="(?P<1a>x)")
