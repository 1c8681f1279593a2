machine.start()
machine.succeed("true", "echo two", timeout=10)
machine.succeed("sleep 1", wait_for_output=True)
machine.fail("false", "test -e /nowhere", timeout=5)
status, out = machine.execute("echo hello; exit 3")
assert (status, out) == (3, "hello\n")
status, _ = machine.execute("sleep 100", timeout=1)
assert status == 124
assert machine.execute("exit 4", check_return=False)[0] == -1
assert machine.execute("sleep 20", check_output=False) == (-2, "")
assert machine.execute("true", True, True, None)[0] == 0
machine.wait_until_succeeds("test -e /run/ready")
machine.wait_until_succeeds("test -e /run/ready", timeout=30)
machine.wait_until_succeeds("test -e /run/ready", 30, attempt_timeout=5)
listing = machine.wait_until_fails("pgrep starting", timeout=60)
assert listing.strip() == ""
machine.sleep(1)
machine.sleep(secs=0.5)
machine.sleep(duration=2)
