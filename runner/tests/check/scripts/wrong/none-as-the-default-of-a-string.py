# expect: 2:11 error invalid-parameter-default
def check(user: str = None):
    print(user)


check()
