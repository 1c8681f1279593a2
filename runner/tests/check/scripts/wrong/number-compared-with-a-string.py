# expect: 3:8 error unsupported-operator `>`
free = machine.succeed("df --output=avail / | tail -n 1")
assert free > 1000
