# expect: 2:1 error invalid-argument-type
@subtest
def check():
    machine.succeed("true")
