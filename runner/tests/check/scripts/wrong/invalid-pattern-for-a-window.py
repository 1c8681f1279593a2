# expect: 2:25 error invalid-regex
machine.wait_for_window("Firefox (Nightly")
