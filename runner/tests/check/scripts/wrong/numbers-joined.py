# expect: 2:7 error no-matching-overload
print(", ".join([1, 2]))
