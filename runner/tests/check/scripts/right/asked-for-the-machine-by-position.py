# machines: server, client
first = machines[0]
second = driver.machines[-1]
assert first.name == "client" and second.name == "server"
for index in range(len(machines)):
    machines[index].wait_for_unit("multi-user.target")
pairs = list(zip(machines, machines[1:]))
print(pairs, [m.name for m in reversed(machines)])
total = sum(int(m.succeed("nproc")) for m in machines)
print(total, max(machines, key=lambda m: int(m.succeed("nproc"))).name)
