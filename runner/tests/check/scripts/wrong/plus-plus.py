# expect: 3:8 error invalid-syntax expression
count = 0
count++
