# expect: 4:32 error unknown-argument `time_out`
# expect: 5:32 error unknown-argument `host`
# expect: 6:25 error unknown-argument `check_return`
machine.wait_for_unit("nginx", time_out=5)
machine.wait_for_open_port(80, host="localhost")
machine.succeed("true", check_return=False)
