# expect: 2:28 error unresolved-attribute `returncode`
if machine.succeed("true").returncode == 0:
    print("fine")
