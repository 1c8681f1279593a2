# expect: 3:12 error invalid-return-type `str`
def hostname() -> int:
    return machine.succeed("hostname")


hostname()
