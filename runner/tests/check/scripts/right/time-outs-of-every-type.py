from datetime import timedelta

MINUTE = timedelta(minutes=1)
machine.wait_for_unit("slow.service", timeout=2 * MINUTE)
machine.wait_for_open_port(80, timeout=MINUTE)
machine.wait_until_succeeds("true", timeout=10)
machine.wait_until_succeeds("true", timeout=0.5)
machine.wait_until_fails("false", MINUTE / 2)
machine.succeed("true", timeout=MINUTE)
machine.execute("sleep 3 &", timeout=None)
machine.sleep(timedelta(milliseconds=10))
factor = 3 if os.path.exists("/dev/kvm") else 30
machine.wait_for_file("/run/x", timeout=factor * 10)
