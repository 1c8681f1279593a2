# expect: 3:35 error unresolved-attribute did you mean `strip`
# expect: 4:31 error unresolved-attribute did you mean `splitlines`
out = machine.succeed("hostname").stripp()
lines = machine.succeed("ls").split_lines()
print(out, lines)
