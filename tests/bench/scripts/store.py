# How fast a machine reads its root and its store; `tree` is the store path of the files.
from measure import Results, seconds

results = Results(driver.out_dir)
machine.wait_for_unit("multi-user.target")


def cold_and_warm(name, unit, figure, command):
    cold, warm = [], []
    for _ in range(3):
        machine.succeed("sync; echo 3 > /proc/sys/vm/drop_caches")
        cold.append(figure(seconds(lambda: machine.succeed(command))))
        warm.append(figure(seconds(lambda: machine.succeed(command))))
    results.add(f"{name}, cold", unit, cold)
    results.add(f"{name}, warm", unit, warm)


large = f"dd if={tree}/large/0 of=/dev/null bs=1M status=none"
cold_and_warm("read of a file of 64 MiB", "MiB/s", lambda time: 64 / time, large)

everything = f"(find / -xdev; find {tree})"
results.add("files of root and closure", "files", [int(machine.succeed(f"{everything} | wc -l"))])
cold_and_warm("find over root and closure", "s", lambda time: time, f"{everything} > /dev/null")

# tar does not read what it writes to /dev/null itself.
small = f"tar -C {tree}/small -cf - 0 1 2 3 | cat > /dev/null"
cold_and_warm("read of 4000 files of 8 KiB", "s", lambda time: time, small)
