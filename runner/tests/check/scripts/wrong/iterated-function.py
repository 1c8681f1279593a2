# expect: 2:13 error not-iterable
for node in start_all:
    print(node)
