# expect: 3:1 error call-non-callable
out = machine.succeed("hostname")
out()
