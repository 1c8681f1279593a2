# expect: 3:1 warning ignored-status
# expect: 4:1 warning ignored-status
machine.execute("true", check_return=True)
machine.execute(f"rm -f /tmp/{machine.name}")
