# expect: 4:26 warning shell-syntax
# expect: 5:17 warning shell-syntax
# expect: 6:17 warning shell-syntax
machine.wait_until_fails("done", timeout=3)
machine.succeed("for x in a b; echo $x; done")
machine.succeed("true && && false")
