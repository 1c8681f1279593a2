"""Machines."""

import os
import shlex

import _vmtest
from _vmtest import Machine

BaseMachine = QemuMachine = Machine

# QEMU's names for the keys of characters that are not their own names, on the US layout.
CHAR_TO_KEY = _vmtest.char_to_key()


class NspawnMachine(Machine):
    """A container. There are none: all machines are virtual ones."""


class QemuStartCommand(str):
    """The command of the host's shell that starts a machine."""


StartCommand = NixStartScript = QemuStartCommand


class MachineDeprecationWrapper:
    """A machine under a name that should not be used any more."""

    def __init__(self, msg, machine):
        object.__setattr__(self, "msg", msg)
        object.__setattr__(self, "machine", machine)

    @property
    def __class__(self):
        return type(self.machine)

    def __getattr__(self, name):
        kind = type(self.machine).__name__
        _vmtest.warn_once(f"invoking '{kind}.{name}' is deprecated: {self.msg}")
        return getattr(self.machine, name)

    def __setattr__(self, name, value):
        setattr(self.machine, name, value)


def retry(fn, timeout_seconds=None, timeout=None):
    _vmtest.driver.retry(fn, timeout_seconds, timeout)


def make_command(args):
    return " ".join(map(shlex.quote, map(str, args)))


def start_command_of(options):
    """The command for the options that create_machine() took until 2023."""
    given = options.get("startCommand")
    if given is not None:
        return given
    backend = "-netdev user,id=net0"
    if options.get("netBackendArgs") is not None:
        backend += "," + options["netBackendArgs"]
    frontend = "-device virtio-net-pci,netdev=net0"
    if options.get("netFrontendArgs") is not None:
        frontend += "," + options["netFrontendArgs"]
    words = [options.get("qemuBinary", "qemu-kvm"), "-m 384", backend, frontend, "$QEMU_OPTS"]
    if "hda" in options:
        disk = os.path.abspath(options["hda"])
        if options.get("hdaInterface") == "scsi":
            words.append(f"-drive id=hda,file={disk},werror=report,if=none")
            words.append("-device scsi-hd,drive=hda")
        else:
            interface = options.get("hdaInterface", "ide")
            words.append(f"-drive file={disk},if={interface},werror=report")
    if "cdrom" in options:
        words.append(f"-cdrom {options['cdrom']}")
    if "usb" in options:
        words.append("-device usb-ehci")
        words.append(f"-drive id=usbdisk,file={options['usb']},if=none,readonly=on")
        words.append("-device usb-storage,drive=usbdisk")
    if "bios" in options:
        words.append(f"-bios {options['bios']}")
    words.append(options.get("qemuFlags", ""))
    return " ".join(words).strip()
