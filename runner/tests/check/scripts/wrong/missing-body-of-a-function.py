# expect: 4:1 error invalid-syntax indented block
def later():

machine.succeed("true")
