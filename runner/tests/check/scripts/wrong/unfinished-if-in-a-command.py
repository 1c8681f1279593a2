# expect: 2:17 warning shell-syntax
machine.succeed("if true; then echo a")
