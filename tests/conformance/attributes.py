# Attributes of machines, and of the objects that they have.


def attribute(name, what, call, gives=None, raises=AttributeError):
    """A good case; and an object without a virtual machine lacks it."""
    good(f"Machine.{name}", what, call, gives)
    fails(f"Machine.{name}", "needs a virtual machine", lambda: getattr(Bare(), name), raises, NO_MACHINE)


good(
    "Machine",
    "this class and the others have the names that are listed, and no more",
    lambda: names_beside_the_list(),
    [],
)

attribute("name", "is that of the test's nodes", lambda: [machine.name for machine in machines], ["debian", "small"])
attribute("booted", "is true once it is started", lambda: debian.booted, True)
attribute("connected", "is true once commands can be run", lambda: debian.connected, True)
attribute("early", "is the same machine", lambda: debian.early.name, "debian")
attribute(
    "pid",
    "is QEMU's process",
    lambda: b"-name\0debian\0" in Path(f"/proc/{debian.pid}/cmdline").read_bytes(),
    True,
)
attribute("process", "is QEMU's process, too", lambda: debian.process.pid == debian.pid, True)
attribute("allow_reboot", "is false", lambda: debian.allow_reboot, False)
attribute("out_dir", "is the test's output", lambda: (debian.out_dir, debian.out_dir.is_dir()), (driver.out_dir, True))
attribute("tmp_dir", "is a folder of the host", lambda: debian.tmp_dir.is_dir(), True)
attribute(
    "state_dir",
    "is one of the machine's own in it",
    lambda: (debian.state_dir == debian.tmp_dir / "vm-state-debian", debian.state_dir.is_dir()),
    (True, True),
)
attribute("keep_machine_state", "is false", lambda: debian.keep_machine_state, False)
attribute("keep_vm_state", "is its old name", lambda: debian.keep_vm_state, False)
attribute(
    "start_command",
    "is that of machines that have one",
    lambda: (debian.start_command, create_machine("qemu").start_command),
    (None, "qemu"),
)
attribute("shell", "is a shell in the guest", lambda: type(debian.shell).__name__, "Shell")
attribute("qmp_client", "is QEMU's machine protocol", lambda: type(debian.qmp_client).__name__, "QMPSession")
attribute(
    "full_console_log",
    "has the lines of the console",
    lambda: any("Linux version" in line for line in debian.full_console_log),
    True,
    raises=RuntimeError,
)
attribute(
    "efi_vars_path",
    "lies in the state directory",
    lambda: debian.efi_vars_path == debian.state_dir / "debian-efi-vars.fd",
    True,
)
attribute("efi_vars", "is for the variables of the firmware", lambda: type(debian.efi_vars).__name__, "EfiVars")
for socket_name in ("monitor", "qmp", "shell"):
    attribute(
        f"{socket_name}_path",
        "is where other drivers have a socket",
        lambda name=socket_name: getattr(debian, f"{name}_path") == debian.state_dir / name,
        True,
    )
for name in ("monitor", "serial_thread", "vsock_guest", "vsock_host"):
    attribute(name, "is None here", lambda name=name: getattr(debian, name))


@good("Machine.shared_dir", "is a folder that all machines see")
def _():
    (debian.shared_dir / "greeting").write_text("from the host\n")
    for machine in machines:
        t.assertEqual(machine.succeed("cat /tmp/shared/greeting"), "from the host\n")
    small.succeed("echo from small > /tmp/shared/greeting")
    t.assertEqual(debian.succeed("cat /tmp/shared/greeting"), "from small\n")


fails("Machine.shared_dir", "needs a virtual machine", lambda: Bare().shared_dir, AttributeError, NO_MACHINE)


@good("Machine.last_lines", "is a queue of the lines that no wait has taken")
def _():
    line = "line-for-the-queue"
    # A prompt may stand in the last line.
    debian.succeed(f"printf '\\n{line}\\n' > /dev/ttyS0")
    retry(lambda last: line in debian.last_lines.queue, timeout_seconds=SOON)
    debian.wait_for_console_text(line, timeout=SOON)
    t.assertNotIn(line, debian.last_lines.queue)
    debian.succeed("echo next-line > /dev/ttyS0")
    t.assertEqual(debian.last_lines.get(timeout=SOON), "next-line")


fails("Machine.last_lines", "needs a virtual machine", lambda: Bare().last_lines, RuntimeError, NO_MACHINE)
good("Machine.logger", "is the log", lambda: type(debian.logger).__name__, "Logger")
cannot_fail("Machine.logger", "there is a log wherever there is a test")


@good("Machine.callbacks Machine.run_callbacks", "are called before each command, and by run_callbacks()")
def _():
    calls = []
    debian.callbacks.append(lambda: calls.append("called"))
    try:
        debian.succeed("true")
        t.assertEqual(calls, ["called"])
        t.assertIsNone(debian.run_callbacks())
        t.assertEqual(calls, ["called"] * 2)
    finally:
        debian.callbacks.clear()


@fails(
    "Machine.callbacks Machine.run_callbacks", "what they raise ends the command", raises=ValueError, text="^not now$"
)
def _():
    debian.callbacks.append(lambda: fail_with(ValueError("not now")))
    try:
        t.assertIsInstance(raised(debian.run_callbacks), ValueError)
        debian.succeed("true")
    finally:
        debian.callbacks.clear()


def fail_with(failure):
    raise failure


@good("Machine.out_dir Machine.name Machine.allow_reboot", "scripts write attributes")
def _():
    made = create_machine("qemu")
    for name, value in (("out_dir", Path("/elsewhere")), ("name", "another"), ("allow_reboot", True)):
        setattr(made, name, value)
        t.assertEqual(getattr(made, name), value)
    t.assertEqual(repr(made), "<Machine 'another'>")


fails(
    "Machine.early",
    "cannot be written",
    lambda: setattr(debian, "early", None),
    AttributeError,
    "'early' cannot be written",
)
fails(
    "Machine.connected",
    "is true or false",
    lambda: setattr(debian, "connected", Unclear()),
    ValueError,
    "neither",
)


class Unclear:
    def __bool__(self):
        raise ValueError("neither")


good("VLan.nr", "is the number", lambda: vlan1.nr, 1)
good("VLan.logger", "is the log", lambda: type(vlan1.logger).__name__, "Logger")
good("VLan.stop", "does nothing: the network is the runner's", lambda: vlan1.stop())
good(
    "VLan.process VLan.plug_process VLan.pid",
    "are None: it is no process",
    lambda: [vlan1.process, vlan1.plug_process, vlan1.pid],
    [None] * 3,
)
good(
    "VLan.socket_dir VLan.tap_name",
    "are what other drivers have",
    lambda: (vlan1.socket_dir == debian.tmp_dir / "vde1.ctl", vlan1.tap_name),
    (True, "vde-tap1"),
)
cannot_fail(
    "VLan.nr VLan.logger VLan.process VLan.plug_process VLan.pid VLan.socket_dir VLan.tap_name",
    "they only say what is so",
)
fails("VLan.stop", "takes nothing", lambda: vlan1.stop(1), TypeError, "takes at most 0 positional arguments")
