# expect: 2:7 error invalid-syntax
print machine.succeed("hostname")
