machine.execute("sleep 1000 >&2 &")
machine.execute("firefox https://example.org/ >&2 &")
machine.execute("(sleep 5; reboot) &")
machine.execute("pkill -9 stuck || true")
machine.execute("umount /mnt || :")
machine.execute("pkill stuck ||true ")
machine.execute("poweroff", check_return=False)
machine.execute("systemctl suspend &", check_return=False)
machine.execute("nohup server & ")
machine.execute(
    "xterm -e top &"
)
machine.execute(f"tail -f /var/log/{machine.name}.log > /dev/console &")
for user in ["alice", "bob"]:
    machine.execute("su - {} -c 'swaymsg exec terminal' &".format(user))
print(machine.execute("date"))
assert machine.execute("date")
result = machine.execute("date")
[machine.execute("date") for _ in range(2)]
status = machine.execute("date")[0] or machine.execute("true")[0]
