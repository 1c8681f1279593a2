top = os.environ["NIX_BUILD_TOP"]
os.environ["QEMU_OPTS"] = "-m 512"
os.makedirs(os.path.join(top, "folder"), exist_ok=True)
print(os.getcwd(), os.sep, os.environ.get("HOME"))
if os.path.exists("/dev/kvm"):
    machine.log("fast")
