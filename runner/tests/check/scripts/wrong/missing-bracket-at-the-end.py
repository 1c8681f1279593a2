# expect: 5:1 error invalid-syntax
machine.wait_for_unit("nginx")
machine.succeed(
    "true",
