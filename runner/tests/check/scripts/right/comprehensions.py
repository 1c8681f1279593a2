# machines: a, b
names = [m.name for m in machines]
pairs = [(x, y) for x in names for y in names if x != y]
lengths = {name: len(name) for name in names}
initials = {name[0] for name in names}
matrix = [[m.succeed(f"echo {n}") for n in range(2)] for m in machines]
flat = [cell for row in matrix for cell in row]
m = "this m is not the one of the comprehension"
print(m.upper(), pairs, lengths, initials, flat)


class Table:
    size = 3
    cells = [0 for _ in range(size)]


print(Table.cells, all(x for x in [1, 2]), max(len(n) for n in names))
for source, target in pairs:
    print(f"{source} -> {target}")
