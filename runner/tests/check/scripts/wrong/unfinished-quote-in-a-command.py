# expect: 3:30 warning shell-syntax
# expect: 4:14 warning shell-syntax
machine.succeed("echo fine", "echo 'it is")
machine.fail('grep "x /etc/passwd')
