# machines: live, installed
import os
import subprocess
from pathlib import Path

BUILD = Path(os.environ["NIX_BUILD_TOP"])
CONFIGURATION = "/nix/store/3jx8n3y5xk5d5s0qk9f4c2g7m1p6w0rz-configuration.nix"
LAYOUT = [("swap", "linux-swap", "1GiB"), ("root", "ext4", "100%")]


class SecurityChip:
    """A TPM that another program plays, since the machine's is switched off."""

    program = "/nix/store/9c2v4n6k8j1h3g5f7d9s0a2q4w6e8r0t-swtpm/bin/swtpm"

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.runs = 0
        self.plug_in()

    def plug_in(self):
        self.runs += 1
        self.child = subprocess.Popen(
            [self.program, "socket", "--tpm2", "--tpmstate", f"dir={self.folder}"]
            + ["--ctrl", f"type=unixio,path={self.folder}/control"]
        )
        try:
            status = self.child.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            return
        raise Exception(f"the chip ended at once, with status {status}")

    """A text between methods is no mistake."""

    @property
    def works(self):
        return self.child.poll() in (None, 0)


chip = SecurityChip(BUILD / "chip")


@polling_condition(seconds_interval=10)
def chip_works():
    return chip.works


def boot_installed(name="freshly"):
    chip.plug_in()
    installed.start()
    installed.wait_for_unit("multi-user.target")
    assert installed.succeed("hostname").strip() == name, "another system was booted"


def partitions():
    begin = "1MiB"
    for number, (label, kind, end) in enumerate(LAYOUT, 1):
        yield f"parted -s /dev/vda -- mkpart {label} {kind} {begin} {end}"
        yield "udevadm settle"
        if kind == "linux-swap":
            yield f"mkswap -L {label} /dev/vda{number} && swapon -L {label}"
        else:
            yield f"mkfs.{kind} -L {label} /dev/vda{number}"
        begin = end


with chip_works:
    live.start()
    live.wait_for_unit("multi-user.target")

    with subtest("the disk is divided"):
        live.succeed("parted -s /dev/vda -- mklabel gpt", *partitions())
        live.succeed(
            # By label, as the installed system finds it.
            "mount /dev/disk/by-label/root /mnt",
            "findmnt --noheadings /mnt",
        )

    with subtest("a configuration is generated, and replaced"):
        live.succeed("nixos-generate-config --root /mnt")
        hardware = live.succeed("cat /mnt/etc/nixos/hardware-configuration.nix")
        for module in ("virtio_blk", "ahci"):
            if module not in hardware:
                live.log(f"{module} was not found")
        live.copy_from_host(CONFIGURATION, "/mnt/etc/nixos/configuration.nix")

    for turn in ("first", "second"):
        with subtest(f"the {turn} installation"):
            live.succeed("nixos-install --no-root-passwd </dev/null >&2", timeout=1800)

    with subtest("builds work in there"):
        live.succeed(
            """
            nixos-enter --root /mnt -c 'nix-build --expr "
              derivation {
                name = \\"tiny\\";
                builder = \\"/bin/sh\\";
                args = [ \\"-c\\" \\"echo > \\\\$out\\" ];
                system = builtins.currentSystem;
              }
            "'
            """
        )

    live.succeed("umount --recursive /mnt && sync")
    live.shutdown()

# Another machine, with the disks of the first.
installed.state_dir = live.state_dir
boot_installed()

with subtest("everything is where it was put"):
    mounts = installed.succeed("findmnt --real --noheadings --output TARGET").split()
    assert "/" in mounts and "/nix/store" in mounts, mounts
    installed.wait_for_unit("swap.target")
    mode, owner = installed.succeed("stat -c '%a %U' /root").split()
    assert (mode, owner) == ("700", "root")

with subtest("it can change itself"):
    installed.copy_from_host_via_shell(CONFIGURATION, "/etc/nixos/configuration.nix")
    generations = len(installed.succeed("ls -d /nix/var/nix/profiles/system-*-link").split())
    installed.succeed("nixos-rebuild boot >&2", timeout=1800)
    now = len(installed.succeed("ls -d /nix/var/nix/profiles/system-*-link").split())
    assert now == generations + 1, f"{generations} generations, then {now}"
    installed.succeed("""
      for link in /nix/var/nix/profiles/system-*-link; do
        if [[ ! -x $link/bin/switch-to-configuration ]]; then
          echo "$link cannot be switched to" >&2
          exit 1
        fi
      done
    """)
installed.shutdown()
boot_installed()
installed.shutdown()
print(f"the chip was plugged in {chip.runs} times")
