# expect: 4:8 error invalid-exception-caught
try:
    machine.succeed("false")
except "failed":
    pass
