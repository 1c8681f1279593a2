# Starts and ends of machines: nearly all of them are those of the small one.


def small_is(booted):
    """Has the small machine up, or off, whatever it was before."""
    if booted:
        small.connect()
    else:
        small.crash()


@good("Machine.start Machine.is_up Machine.connect", "start the machine, and wait until it is up")
def _():
    small_is(False)
    t.assertIsNone(small.start())
    t.assertTrue(small.booted)
    first = small.pid
    t.assertIsNone(small.start(), "does nothing with one that runs")
    t.assertIsNone(small.connect())
    t.assertEqual((small.is_up(), small.connected, small.pid), (True, True, first))


fails(
    "Machine.start",
    "takes one argument",
    lambda: small.start(True, True),
    TypeError,
    "takes at most 1 positional arguments but 2 were given",
)


@good("Machine.succeed", "starts a machine that is off")
def _():
    small_is(False)
    t.assertEqual(small.succeed("echo on"), "on\n")


@good("Machine.shutdown", "powers off, and waits for that")
def _():
    small_is(True)
    process = small.process
    t.assertIsNone(small.shutdown())
    t.assertEqual((small.booted, small.is_up(), small.pid, process.returncode), (False, False, None, 0))


@good("Machine.wait_for_shutdown", "waits until the guest has powered off")
def _():
    small_is(True)
    small.execute("poweroff", check_output=False)
    t.assertIsNone(small.wait_for_shutdown(timeout=SOON))
    t.assertFalse(small.booted)


@good("Machine.execute", "check_return=False lets the machine go")
def _():
    small_is(True)
    t.assertEqual(small.execute("poweroff -f; sleep 1000", check_return=False)[0], -1)
    small.wait_for_shutdown(SOON)


@fails(
    "Machine.execute",
    "a machine that goes meanwhile is an error",
    raises=MachineError,
    text="^small: the machine does not run any more: the guest powered off$",
)
def _():
    small_is(True)
    try:
        small.execute("poweroff -f; sleep 1000")
    finally:
        small.wait_for_shutdown(SOON)


@fails(
    "Machine.wait_for_shutdown",
    "says when the time is over",
    raises=subprocess.TimeoutExpired,
    text="virtual machine small.* timed out after 0.3 seconds",
)
def _():
    small_is(True)
    small.wait_for_shutdown(BRIEFLY)


@fails(
    "Machine.shutdown",
    "says that the guest does not power off",
    raises=RequestedAssertionFailed,
    text="^debian: `poweroff` failed: not today$",
)
def _():
    script = "#!/bin/sh\\necho not today >&2\\nexit 1\\n"
    debian.succeed(f"printf '{script}' > /usr/local/sbin/poweroff; chmod +x /usr/local/sbin/poweroff")
    try:
        debian.shutdown()
    finally:
        debian.succeed("rm /usr/local/sbin/poweroff")


@good("Machine.crash Machine.release", "end the machine at once")
def _():
    for end in (small.crash, small.release):
        small_is(True)
        t.assertIsNone(end())
        t.assertEqual((small.booted, small.pid), (False, None))


cannot_fail("Machine.crash", "whatever runs is ended")
fails("Machine.release", "needs a virtual machine", lambda: Bare().release(), RuntimeError, NO_MACHINE)


@good("Machine.reboot Machine.start", "a machine that may reboot is up again for the next command")
def _():
    small_is(False)
    small.start(allow_reboot=True)
    before, process = boot_id(small), small.pid
    small.succeed("touch /run/of-this-boot")
    t.assertIsNone(small.reboot())
    small.fail("test -e /run/of-this-boot")
    t.assertNotEqual(boot_id(small), before)
    t.assertEqual(small.pid, process)


@fails(
    "Machine.reboot",
    "a machine that may not reboot ends",
    raises=MachineError,
    text="the guest rebooted, which a machine survives only after start\\(allow_reboot=True\\)$",
)
def _():
    small_is(False)
    small.start()
    small.connect()
    small.reboot()
    try:
        small.succeed("true")
    finally:
        small.wait_for_shutdown(SOON)


@good("Machine.allow_reboot", "allows reboots to all starts")
def _():
    small_is(False)
    small.allow_reboot = True
    try:
        before = boot_id(small)
        small.reboot()
        t.assertNotEqual(boot_id(small), before)
    finally:
        small.allow_reboot = False


@good("Machine.connected Machine.connect", "a script may know of a reboot before anybody else does")
def _():
    small_is(False)
    small.start(allow_reboot=True)
    before = boot_id(small)
    small.execute("reboot", check_output=False)
    small.connected = False
    t.assertFalse(small.is_up())
    small.connect()
    t.assertNotEqual(boot_id(small), before)


@good("Machine.switch_root", "lets the initrd go on, and waits for what it leads to")
def _():
    small_is(False)
    small.start(allow_reboot=True)
    before = boot_id(small)
    small.wait_for_unit = lambda unit: waited.append(unit)
    waited = []
    try:
        t.assertIsNone(small.switch_root())
    finally:
        del small.wait_for_unit
    t.assertEqual((waited, boot_id(small) != before), (["initrd.target"], True))


fails(
    "Machine.switch_root",
    "needs a guest that waits in its initrd",
    lambda: debian.switch_root(),
    RequestedAssertionFailed,
    '^unit "initrd.target" is inactive and there are no pending jobs$',
)


@fails(
    "Machine.state_dir",
    "only machines that a command starts take over the disks of others",
    raises=RequestedAssertionFailed,
    text="^small: only a machine of create_machine\\(\\) can be started in another state directory$",
)
def _():
    small_is(False)
    small.state_dir = debian.state_dir
    try:
        small.start()
    finally:
        del small.state_dir


@good("Machine.cleanup_statedir", "deletes what the machine has left")
def _():
    web = create_machine("qemu", name="web")
    (web.state_dir / "disk").write_text("left over")
    t.assertIsNone(web.cleanup_statedir())
    t.assertFalse(web.state_dir.exists())


@fails("Machine.cleanup_statedir", "there must be something", raises=OSError, text="^cannot delete .*vm-state-web: ")
def _():
    web = create_machine("qemu", name="web")
    web.cleanup_statedir()
    web.cleanup_statedir()


DIED = "^small: QEMU ended unexpectedly \\(signal: 9"


@fails(
    "Machine.connect Machine.early",
    "a machine that has died is not started again unnoticed",
    raises=MachineError,
    text=DIED,
)
def _():
    small_is(True)
    os.kill(small.pid, signal.SIGKILL)
    for call in (lambda: small.succeed("true"), lambda: small.early.succeed("true")):
        t.assertRegex(str(raised(call)), DIED)
    try:
        small.connect()
    finally:
        small.crash()


good(
    "Machine.start",
    "starts one that has died and was given up",
    lambda: [small.start(), small.succeed("echo again")],
    [None, "again\n"],
)


@good("Machine.wait_for_shutdown", "warns of a machine that dies, which may start again then")
def _():
    small_is(True)
    os.kill(small.pid, signal.SIGKILL)
    t.assertIsNone(small.wait_for_shutdown(SOON))
    t.assertFalse(small.booted)
    t.assertEqual(small.succeed("echo again"), "again\n")


cannot_fail("Machine.is_up", "it asks for nothing")
