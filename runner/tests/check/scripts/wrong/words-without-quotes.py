# expect: 2:23 error unresolved-reference `nginx`
machine.wait_for_unit(nginx)
