# expect: 3:1 error invalid-syntax indentation
machine.start()
  machine.succeed("true")
