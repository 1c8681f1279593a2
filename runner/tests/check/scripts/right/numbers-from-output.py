import math

count = int(machine.succeed("wc -l < /etc/passwd"))
load = float(machine.succeed("cut -d' ' -f1 /proc/loadavg"))
used, size = map(int, machine.succeed("df --output=used,size / | tail -n 1").split())
GIB = 1024**3
assert 0 <= used <= size * 1024 <= 100 * GIB
quotient, remainder = divmod(count, 7)
numbers = [int(n) for n in machine.succeed("seq 10").splitlines()]
low, *_, high = sorted(numbers)
assert sum(numbers) == 55 and low < high
print(f"{count:,} {load:.2f} {count / 3:>8.1f} {100 * count // 7}% {1_000_000} {0x1F} {quotient, remainder}")
print(round(load, 1), abs(-1), min(1, 2), pow(2, 3), math.ceil(load), count ** 2, -count, ~count, count & 7 | 1)
before = int(machine.succeed("date +%s"))
after = int(machine.succeed("date +%s"))
assert after - before < 60
mem = dict(line.split(":") for line in machine.succeed("cat /proc/meminfo").splitlines())
print(int(mem["MemTotal"].split()[0]) // 1024)
