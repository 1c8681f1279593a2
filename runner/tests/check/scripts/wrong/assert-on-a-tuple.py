# expect: 3:8 error assert-on-tuple
out = machine.succeed("hostname")
assert ("machine" in out, "odd name")
