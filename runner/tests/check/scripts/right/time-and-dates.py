import time
from datetime import datetime, timedelta, timezone

begin = time.monotonic()
machine.wait_for_unit("multi-user.target")
assert time.monotonic() - begin < 600
time.sleep(0.1)
now = datetime.now(timezone.utc)
guest = datetime.fromtimestamp(int(machine.succeed("date +%s")), tz=timezone.utc)
assert abs(guest - now) < timedelta(minutes=5)
deadline = time.time() + 60
while time.time() < deadline:
    if machine.execute("test -e /run/ready")[0] == 0:
        break
    time.sleep(1)
stamp = now.strftime("%Y-%m-%d")
machine.succeed(f"test $(date +%F) '>' {stamp} || true")
print(time.strftime("%H:%M"), timedelta(hours=1).total_seconds())
