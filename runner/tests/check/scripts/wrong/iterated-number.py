# expect: 3:10 error not-iterable
# expect: 5:10 error not-iterable
for n in 10:
    machine.succeed(f"echo {n}")
for m in len(machines):
    print(m)
