# How fast files go in and come out.
import os

from measure import Results, seconds

MIB = 64

results = Results(driver.out_dir)
machine.wait_for_unit("multi-user.target")
source = driver.out_dir / "source"
source.write_bytes(os.urandom(MIB << 20))

into, out = [], []
for number in range(3):
    guest = f"/tmp/copy-{number}"
    into.append(MIB / seconds(lambda: machine.copy_from_host(source, guest)))
    out.append(MIB / seconds(lambda: machine.copy_from_machine(guest)))
    copy = driver.out_dir / f"copy-{number}"
    t.assertEqual(copy.stat().st_size, MIB << 20)
    copy.unlink()
    machine.succeed(f"rm {guest}")
source.unlink()
results.add("copy_from_host of 64 MiB", "MiB/s", into)
results.add("copy_from_machine of 64 MiB", "MiB/s", out)
