# expect: 4:32 error invalid-argument-type `Literal["10"]`
# expect: 5:45 error invalid-argument-type
# expect: 6:37 error invalid-argument-type
machine.wait_for_unit("nginx", timeout="10")
machine.wait_for_open_port(80, "localhost", "10")
machine.wait_until_succeeds("true", "1m")
