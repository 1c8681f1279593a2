# expect: 2:48 error unresolved-reference `entries`
names = [machine.succeed(f"echo {x}") for x in entries]
print(names)
