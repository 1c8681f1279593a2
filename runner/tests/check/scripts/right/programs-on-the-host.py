import shutil
import subprocess
import sys

done = subprocess.run(["qemu-img", "info", "disk.img"], capture_output=True, text=True)
if done.returncode != 0:
    print(done.stderr, file=sys.stderr)
size = subprocess.check_output(["stat", "-c", "%s", "/etc/hostname"]).decode("utf-8").strip()
subprocess.check_call(["mkdir", "-p", "/tmp/x"])
proc = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
out, _ = proc.communicate(b"hello")
assert out == b"hello" and int(size) > 0
try:
    proc.wait(timeout=0.2)
except subprocess.TimeoutExpired:
    proc.kill()
if os.system("true") != 0:
    raise RuntimeError("no true")
print(shutil.which("qemu-img"), proc.poll(), sys.argv, sys.version_info.major)
