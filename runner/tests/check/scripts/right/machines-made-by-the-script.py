# machines: setup
import os

setup.succeed("mkdir /mnt")
setup.shutdown()
command = "qemu-system-x86_64 -m 1024 -drive file=" + os.environ.get("NIX_BUILD_TOP", "/build") + "/disk.qcow2"
target = create_machine(command, name="target", keep_machine_state=True)
driver.machines.append(target)
target.start()
target.wait_for_unit("multi-user.target")
machine = create_machine("/nix/store/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-nixos-vm/bin/run-nixos-vm")
machine.succeed("nix-store --verify")
machine.shutdown()
