# expect: 3:15 error unresolved-attribute did you mean `state_dir`
# expect: 4:12 error unresolved-attribute did you mean `booted`
print(machine.statedir)
if machine.boted:
    machine.shutdown()
