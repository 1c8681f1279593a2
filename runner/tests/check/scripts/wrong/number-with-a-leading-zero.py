# expect: 2:15 error invalid-syntax
machine.sleep(010)
