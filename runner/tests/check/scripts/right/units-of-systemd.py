import re
import subprocess
from datetime import datetime

UNIT = "worker.service"

machine.wait_for_x()
machine.wait_for_unit("default.target", "alice")


def show(unit, *properties, user=None):
    """Several properties of a unit, in the order asked for."""
    info = machine.get_unit_info(unit, user)
    return tuple(info[name] for name in properties)


def restarts(unit: str = UNIT) -> int:
    return int(machine.get_unit_property(unit, "NRestarts"))


with subtest("nothing failed while it booted"):
    broken = machine.succeed("systemctl --failed --plain --no-legend").split("\n")
    broken = [line.split()[0] for line in broken if line]
    assert not broken, f"failed: {', '.join(broken)}"
    assert machine.succeed("systemctl is-system-running --wait").strip() == "running"

with subtest("settings of the manager"):
    for scope in "system", "user":
        machine.succeed(f"grep -x seen /var/tmp/{scope}-environment")
    machine.fail("test -d /var/log/journal")

with subtest("users that are made up"):
    who = machine.succeed("systemd-run --pipe --wait -p DynamicUser=yes -p User=nobodyyet id -un")
    assert who.strip() == "nobodyyet"
    machine.fail("id nobodyyet")

with subtest("states"):
    state, sub = show(UNIT, "ActiveState", "SubState")
    assert (state, sub) in {("active", "running"), ("activating", "auto-restart")}, (state, sub)
    for unit in ("dbus.socket", "run-user-1000.mount", "logrotate.timer", "system.slice", "dev-vda.device"):
        machine.require_unit_state(unit)
    code, text = machine.systemctl(f"status {UNIT}")
    assert code in (0, 3), text
    accounting = re.search(r"^\s*CPU: (\S+)$", text, re.MULTILINE)
    assert accounting, text
    print("it used", accounting[1])

with subtest("what dies comes back"):
    before = restarts()
    (pid,) = show(UNIT, "MainPID")
    machine.succeed(f"kill -KILL {pid}")

    def is_back(last: bool) -> bool:
        if last:
            machine.log("it stays away")
        return restarts() > before and show(UNIT, "ActiveState") == ("active",)

    retry(is_back, timeout_seconds=60)

with subtest("limits are kept"):
    for setting, wanted in {"MemoryMax": 64 << 20, "TasksMax": 10}.items():
        assert int(machine.get_unit_property(UNIT, setting)) == wanted, setting
    machine.fail(f"systemd-run --wait --slice=tiny.slice -p MemoryMax=8M -- tail /dev/zero")

with subtest("timers, in their order"):
    stamps = []
    for line in machine.succeed("systemctl show '*.timer' -p LastTriggerUSec --value").splitlines():
        try:
            stamps.append(datetime.strptime(line, "%a %Y-%m-%d %H:%M:%S UTC"))
        except ValueError:
            continue
    print(f"{len(stamps)} have gone off, the last one at {max(stamps, default=None)}")

with subtest("a volume with a lock on it"):
    machine.succeed(
        "printf opensesame > /root/volume.key && chmod go= /root/volume.key",
        "cryptsetup luksFormat --batch-mode --key-file /root/volume.key /dev/vdb",
        "echo vault /dev/vdb /root/volume.key luks >> /etc/crypttab",
        "systemctl daemon-reload && systemctl start systemd-cryptsetup@vault.service",
    )
    machine.wait_for_unit("dev-mapper-vault.device")

with subtest("it goes down in good order"):
    machine.succeed("mkfs.ext2 -q /dev/mapper/vault && mount /dev/mapper/vault /mnt")
    machine.shutdown()
    disk = machine.state_dir / "empty0.qcow2"
    raw = subprocess.run(["qemu-img", "dd", f"if={disk}", "of=/dev/stdout", "bs=512", "count=1"], capture_output=True)
    assert raw.returncode == 0, raw.stderr.decode()
    assert raw.stdout[:4] == b"LUKS"
