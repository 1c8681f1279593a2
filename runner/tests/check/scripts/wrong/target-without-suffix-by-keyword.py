# expect: 3:28 warning unit-without-suffix multi-user.target
# expect: 4:28 warning unit-without-suffix local-fs.target
machine.wait_for_unit(unit="multi-user", timeout=60)
machine.require_unit_state("local-fs")
