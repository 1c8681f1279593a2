# expect: 2:7 error unsupported-operator `+`
print(machine.out_dir + "/x")
