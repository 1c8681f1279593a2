for attempt in range(10):
    status, out = machine.execute("systemctl is-active app")
    if status == 0:
        break
    machine.sleep(1)
else:
    raise Exception(f"not active after {attempt + 1} tries: {out}")
print(attempt, status, out)

for line in machine.succeed("cat /proc/meminfo").splitlines():
    if line.startswith("MemTotal:"):
        total = int(line.split()[1])
        break
assert total > 1000

while True:
    state = machine.succeed("cat /run/state").strip()
    if state == "done":
        break
print(state)
