# expect: 3:11 error invalid-argument-type
# expect: 3:15 error no-matching-overload
print(len(5), sum(["1", "2"]))
