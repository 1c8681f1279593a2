import sys

if os.path.exists("/dev/kvm"):

    def patience():
        return 10

    FAST = True
else:

    def patience():
        return 100

    FAST = False

if sys.version_info >= (3, 11):
    from datetime import UTC
else:
    from datetime import timezone

    UTC = timezone.utc

# What Nix puts in: an empty string, or a 1.
with_gui = bool("")
if not with_gui:
    machine.succeed("systemctl get-default | grep multi-user")
if "networkd" == "networkd":
    machine.wait_until_succeeds("networkctl is-online", timeout=patience())
else:
    machine.wait_until_succeeds("ip route | grep default", timeout=patience())
if False:
    machine.succeed("never run")
if 0:
    machine.start()
print(FAST, UTC)
