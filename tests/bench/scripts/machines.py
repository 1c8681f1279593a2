# How long it takes until all machines have answered a command, and what they and the runner take meanwhile.
import os
from pathlib import Path

from measure import Results, seconds

results = Results(driver.out_dir)


def own_cpu_seconds():
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:13]) / os.sysconf("SC_CLK_TCK")


def proportional_mib(process):
    for line in (process / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0



def start_and_ask():
    start_all()
    machines.succeed("true")


results.add("all have answered", "s", [seconds(start_and_ask)])
results.add("CPU time of the runner", "s", [own_cpu_seconds()])

# In the sandbox there is nothing but the runner and what it started.
qemu = []
for entry in os.listdir("/proc"):
    process = Path("/proc") / entry
    if entry.isdigit() and (process / "comm").read_text().startswith("qemu"):
        qemu.append(proportional_mib(process))
t.assertEqual(len(qemu), len(machines))
results.add("memory of all QEMUs (PSS)", "MiB", [sum(qemu)])
results.add("memory of the runner (PSS)", "MiB", [proportional_mib(Path("/proc/self"))])
