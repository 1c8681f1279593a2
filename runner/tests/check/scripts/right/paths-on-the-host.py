from pathlib import Path
import shutil
import tempfile

machine.copy_from_machine("/var/log/app.log")
report = Path(machine.out_dir) / "app.log"
assert report.exists() and report.read_text().count("\n") > 0
for file in sorted(machine.out_dir.glob("*.log")):
    print(file.name, file.suffix, file.stat().st_size)
with tempfile.TemporaryDirectory() as folder:
    target = Path(folder, "copy")
    shutil.copy(report, target)
    machine.copy_from_host(str(target), "/root/copy")
with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
    file.write("a = 1\n")
    file.flush()
    machine.copy_from_host(file.name, "/etc/a.conf")
print(os.path.getsize(report), machine.state_dir.parent)
state = str(machine.state_dir) + "/disk.img"
print(state, open(report).read())
