# expect: 2:1 error invalid-assignment
a, b = (1, 2, 3)
print(a, b)
