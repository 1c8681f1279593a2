# expect: 2:5 error invalid-assignment
for name, port, user in [("web", 80), ("db", 5432)]:
    machine.succeed(f"check {name} {port} {user}")
