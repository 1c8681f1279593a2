from pathlib import Path

assert machine.name == "machine"
assert machine.state_dir.name == "vm-state-machine"
disk = machine.state_dir / "machine.qcow2"
print(disk.stat().st_size if disk.exists() else 0)
out: Path = machine.out_dir
(out / "sub").mkdir(exist_ok=True)
(machine.shared_dir / "from-host").write_text("hello")
machine.succeed("grep hello /tmp/shared/from-host")
print(machine.tmp_dir, machine.start_command, machine.pid, machine.process)
machine.allow_reboot = True
machine.booted = False
machine.keep_machine_state = True
machine.state_dir = Path("/tmp/other-state")
machine.callbacks.append(lambda: print("still waiting"))
machine.run_callbacks()
print(machine.last_lines.qsize())
