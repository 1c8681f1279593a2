# expect: 6:7 error invalid-argument-type
def ready():
    return machine.is_up()


retry(ready)
