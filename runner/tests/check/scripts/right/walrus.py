import re

if (status := machine.execute("test -e /etc/nixos")[0]) != 0:
    machine.log(f"status {status}")
while (state := machine.succeed("cat /run/state").strip()) != "done":
    machine.log(state)
    machine.sleep(1)
if m := re.search(r"up (\d+)", machine.succeed("uptime")):
    print(m.group(1))
lengths = [length for line in machine.succeed("ls /").split() if (length := len(line)) > 3]
print(lengths, length)
