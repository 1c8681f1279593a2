# expect: 2:26 error invalid-syntax `]`
nodes = [machine, machine
for n in nodes:
    n.start()
