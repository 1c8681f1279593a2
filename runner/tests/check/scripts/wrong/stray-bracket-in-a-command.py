# expect: 4:17 warning shell-syntax
# expect: 5:17 warning shell-syntax
# expect: 6:17 warning shell-syntax
machine.succeed("echo a (b)")
machine.succeed("(cd /tmp && ls")
machine.succeed("true | ")
