# expect: 3:31 warning shell-syntax
# expect: 4:29 warning shell-syntax
status, out = machine.execute("echo $(hostname")
machine.wait_until_succeeds("test ${x -eq 1")
