# machines: alpha, beta
assert len(machines) == 2
for machine in machines:
    machine.start()
for index, machine in enumerate(machines):
    machine.succeed(f"echo {index} > /etc/number")
machines[0].succeed("true")
first, *rest = machines
by_name = {m.name: m for m in machines}
by_name["beta"].succeed("true")
for m in sorted(machines, key=lambda m: m.name, reverse=True):
    print(m.name, m in machines)
others = [m for m in machines if m is not alpha]
some = machines.copy()
some.remove(beta)
some.wait_for_unit("multi-user.target")
for m in machines[1:]:
    m.shutdown()
for m in machines_qemu:
    print(m)
assert not machines_nspawn
any(m.is_up() for m in machines) and print("some are up")
machines.append(create_machine("run-vm", name="gamma"))
