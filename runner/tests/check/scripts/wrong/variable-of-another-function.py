# expect: 8:26 error unresolved-reference `token`
def first():
    token = machine.succeed("cat /run/token")
    return token


first()
machine.succeed("use " + token)
