with subtest("two"):
  if True:
      machine.succeed("echo deeper by four")
  machine.succeed("echo two")
  for n in range(2):
   machine.succeed("echo three")
def f():
          return machine.succeed(
    "echo a bracket may begin anywhere"
          )
f()
if True: machine.succeed("true"); machine.succeed("true")
x = 1; y = 2
total = x + \
    y
assert total == 3, \
  "arithmetic"
