# expect: 3:1 error invalid-syntax assignment
out = "x"
machine.succeed("true") = out
