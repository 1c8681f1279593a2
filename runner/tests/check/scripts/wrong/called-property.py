# expect: 3:7 error call-non-callable
# expect: 4:4 error call-non-callable
print(machine.name())
if machine.booted():
    machine.shutdown()
