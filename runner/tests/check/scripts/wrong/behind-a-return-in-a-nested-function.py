# expect: 5:9 warning unreachable-code
def outer():
    def inner():
        return 1
        return 2

    return inner()


outer()
