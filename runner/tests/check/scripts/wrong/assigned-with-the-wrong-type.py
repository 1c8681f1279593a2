# expect: 2:14 error invalid-assignment `str`
count: int = machine.succeed("nproc")
print(count)
