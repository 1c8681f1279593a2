# expect: 7:7 error unresolved-attribute did you mean `wait`
@polling_condition
def alive():
    return machine.is_up()


alive.waits()
