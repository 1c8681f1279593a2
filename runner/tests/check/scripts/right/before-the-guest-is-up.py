machine.start()
assert machine.early.succeed("echo early") == "early\n"
early = machine.early
early.wait_until_succeeds("test -e /run/systemd", timeout=30)
status, out = early.execute("systemctl is-system-running")
print(status, out)
