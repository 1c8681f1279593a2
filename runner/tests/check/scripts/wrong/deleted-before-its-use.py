# expect: 4:7 error unresolved-reference `out`
out = machine.succeed("hostname")
del out
print(out)
