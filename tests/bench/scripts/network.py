# How fast two guests speak to each other.
import re

from measure import Results, seconds

MIB = 64

results = Results(driver.out_dir)
start_all()
machines.wait_for_unit("multi-user.target")
server.succeed("systemd-run --unit=sink sh -c 'exec nc -lk 5000 > /dev/null'")
server.wait_for_open_port(5000)
client.succeed("echo | nc -N server 5000")

send = f"dd if=/dev/zero bs=64k count={MIB * 16} status=none | nc -N server 5000"
results.add("TCP of 64 MiB between two guests", "MiB/s", [MIB / seconds(lambda: client.succeed(send)) for _ in range(3)])

replies = client.succeed("ping -c 20 -i 0.2 server")
results.add("ping between two guests", "ms", [float(time) for time in re.findall(r"time=([0-9.]+) ms", replies)])
