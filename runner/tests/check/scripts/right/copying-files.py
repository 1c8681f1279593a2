from pathlib import Path

machine.copy_from_host("/nix/store/dddddddddddddddddddddddddddddddd-config/etc", "/etc/app")
machine.copy_from_host(Path("/tmp") / "input.txt", "/root/input.txt")
machine.copy_from_host_via_shell("/tmp/key", "/root/.ssh/id_ed25519")
machine.copy_from_machine("/var/log/app.log")
machine.copy_from_machine("/var/log/app.log", "logs")
machine.copy_from_machine(source="/var/log", target_dir=Path("logs"))
machine.copy_from_vm("/etc/os-release", "")
release = (machine.out_dir / "os-release").read_text()
assert "NAME=" in release
