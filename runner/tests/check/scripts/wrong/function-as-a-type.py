# expect: 3:19 error invalid-type-form `callable`
# expect: 3:32 error invalid-type-form `any`
def check(action: callable) -> any:
    return action()


check(machine.start)
