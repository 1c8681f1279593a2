# expect: 2:17 warning shell-syntax
machine.succeed("sleep 10 &; sleep 10 &")
