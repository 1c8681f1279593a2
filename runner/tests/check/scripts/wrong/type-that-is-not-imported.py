# expect: 2:17 error unresolved-reference `Optional`
def check(user: Optional[str] = None):
    print(user)


check()
