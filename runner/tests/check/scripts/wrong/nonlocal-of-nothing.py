# expect: 3:5 error invalid-syntax `count`
def increment():
    nonlocal count
    count = 1


increment()
