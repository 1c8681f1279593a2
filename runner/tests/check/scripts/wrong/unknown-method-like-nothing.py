# expect: 3:9 error unresolved-attribute `frobnicate`
machine.wait_for_unit("nginx")
machine.frobnicate()
