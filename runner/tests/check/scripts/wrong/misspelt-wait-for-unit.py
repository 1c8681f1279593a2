# expect: 3:9 error unresolved-attribute did you mean `wait_for_unit`
# expect: 4:9 error unresolved-attribute `wait_for_port_open`
machine.wait_for_units("nginx")
machine.wait_for_port_open(80)
