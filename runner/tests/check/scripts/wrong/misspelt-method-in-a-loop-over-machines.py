# machines: server, client
# expect: 4:13 error unresolved-attribute did you mean `shutdown`
for machine in machines:
    machine.shutdwon()
