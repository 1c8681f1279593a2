temporary = machine.succeed("hostname")
del temporary
temporary = 3
print(temporary)
_ = machine.succeed("date")
_, _, _ = 1, 2, 3
unused = machine.succeed("date")
table = {"a": 1, "b": 2}
del table["a"]
items = [1, 2, 3]
del items[0], items[-1]
a = b = c = 0
a += 1
b -= 1
c |= 4
print(a, b, c, table, items)
(x, y), z = (1, 2), 3
print(x, y, z)
