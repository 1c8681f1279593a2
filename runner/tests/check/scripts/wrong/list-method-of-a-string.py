# expect: 3:5 error unresolved-attribute `append`
out = machine.succeed("seq 3")
out.append("4")
