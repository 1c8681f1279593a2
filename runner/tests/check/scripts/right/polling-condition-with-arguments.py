from datetime import timedelta


@polling_condition(seconds_interval=5)
def disk_has_room():
    used = int(machine.succeed("df --output=pcent / | tail -n 1 | tr -dc 0-9"))
    return used < 90


@polling_condition(interval=timedelta(seconds=1), description="no errors in the journal")
def no_errors() -> bool:
    return machine.execute("journalctl -b -p err | grep -q .")[0] != 0


@polling_condition()
def plain():
    return True


disk_has_room.wait(timeout=30)
no_errors.wait(timeout_seconds=30)
with disk_has_room, no_errors, plain:
    machine.succeed("fallocate -l 10M /tmp/file")
print(disk_has_room.condition.description)
