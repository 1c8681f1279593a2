# Machines that go back to what they were.


def draw(machine):
    return machine.succeed("head -c 16 /dev/urandom | od -A n -t x1")


@good("Machine.snapshot Machine.restore Snapshot.machines", "a machine goes back to what it was")
def _():
    debian.succeed("echo before > /root/state; sleep 1000 & echo $! > /root/pid")
    boot = boot_id(debian)
    before = debian.snapshot()
    t.assertEqual(before.machines, ["debian"])
    debian.succeed("echo after > /root/state; kill $(cat /root/pid)")
    with debian.nested("twice"):
        numbers = set()
        for _ in range(2):
            t.assertIsNone(debian.restore(before))
            t.assertEqual(debian.succeed("cat /root/state"), "before\n")
            debian.succeed("kill -0 $(cat /root/pid)")
            t.assertAlmostEqual(float(debian.succeed("date +%s.%N")), time.time(), delta=2)
            numbers.add(draw(debian))
    t.assertEqual(boot_id(debian), boot)
    t.assertEqual(len(numbers), 2)
    debian.succeed("kill $(cat /root/pid)")


def lag(machine):
    """By how much the machine's clock is late, in seconds: the least and the most that it can be."""
    before = time.time()
    shown = float(machine.succeed("date +%s.%N"))
    return before - shown, time.time() - shown


@good("Machine.snapshot", "the machine's clock is not late by the time that it was stopped for")
def _():
    _, most = lag(debian)
    list(debian.qmp_client.events(0))
    debian.snapshot()
    stopped, resumed = (debian.qmp_client.wait_for_event(timeout=SOON) for _ in range(2))
    t.assertEqual([stopped["event"], resumed["event"]], ["STOP", "RESUME"])

    def seconds(event):
        return event["timestamp"]["seconds"] + event["timestamp"]["microseconds"] / 1e6

    least, _ = lag(debian)
    t.assertLess(least - most, (seconds(resumed) - seconds(stopped)) / 2)


@good("Machine.snapshot", "a clock that the test has set stays set")
def _():
    small_is(True)
    small.succeed("date -s @1000000000")
    before = small.snapshot()
    t.assertLess(float(small.succeed("date +%s")), 1000001000)
    # Where it goes back, it tells the time.
    small.restore(before)
    t.assertAlmostEqual(float(small.succeed("date +%s")), time.time(), delta=3)


@good("Machine.restore", "starts a machine that has ended since, in whatever way")
def _():
    small_is(True)
    small.succeed("echo 1 > /state")
    before = small.snapshot()
    small.execute("poweroff -f", check_return=False)
    small.wait_for_shutdown(SOON)
    small.restore(before)
    t.assertEqual(small.succeed("cat /state"), "1\n")
    small.crash()
    small.restore(before)
    t.assertEqual(small.succeed("cat /state"), "1\n")


@fails(
    "Machine.restore",
    "ends what is under way",
    raises=MachineError,
    text="^small: the machine does not run any more: the script went back to a snapshot of it$",
)
def _():
    small_is(True)
    before = small.snapshot()

    def wait():
        small.succeed("touch /waiting; sleep 1000")

    def back():
        small.wait_for_file("/waiting", timeout=SOON)
        small.restore(before)

    at_once(wait, back)


@good("Machine.snapshot", "does not end what is under way")
def _():
    small_is(True)

    def wait():
        return small.succeed("rm -f /go; touch /waiting; while ! test -e /go; do sleep 0.1; done; echo gone")

    def save():
        small.wait_for_file("/waiting", timeout=SOON)
        kept = small.snapshot()
        small.succeed("touch /go")
        return kept

    t.assertEqual(at_once(wait, save), "gone\n")


@fails(
    "Machine.snapshot",
    "does not leave out a drive that the machine can write to",
    raises=RequestedAssertionFailed,
    text="^small: the machine cannot be saved: it can write to the drive null-co://, which is not one of its option `disks` and",
)
def _():
    small_is(True)
    small.qmp_client.send("blockdev-add", {"driver": "null-co", "node-name": "extra"})
    try:
        small.snapshot()
    finally:
        small.qmp_client.send("blockdev-del", {"node-name": "extra"})


fails("Machine.snapshot", "needs a virtual machine", lambda: Bare().snapshot(), RuntimeError, NO_MACHINE)
cannot_fail("Snapshot.machines", "it is a list of names")


@good("Driver.snapshot snapshot Driver.restore restore", "several machines at one moment")
def _():
    small_is(True)
    machines.succeed("echo 1 > /tmp/state")
    before = snapshot()
    t.assertEqual(before.machines, ["debian", "small"])
    machines.succeed("echo 2 > /tmp/state")
    t.assertIsNone(restore(before))
    t.assertEqual(machines.succeed("cat /tmp/state"), ["1\n", "1\n"])
    debian.succeed("ping -c 1 small")


@good("Driver.snapshot snapshot Driver.restore restore", "threads that save the same machines do so one after the other")
def _():
    small_is(True)
    at_once(lambda: snapshot(debian, small), lambda: snapshot(small, debian, small))


@good("Machines.snapshot Machines.restore", "a list of machines is saved at one moment, too")
def _():
    small_is(True)
    before = group(small).snapshot()
    small.succeed("echo 3 > /tmp/state")
    t.assertIsNone(machines.restore(before))
    t.assertEqual(small.succeed("cat /tmp/state"), "1\n")


@fails(
    "Driver.snapshot snapshot Machines.snapshot",
    "a machine that a command starts cannot be saved",
    raises=RequestedAssertionFailed,
    text="a machine of create_machine.* cannot be saved: nobody but its start command knows its disks$",
)
def _():
    made = create_machine("exec sleep 1000", name="made-to-be-saved")
    made.connected = True
    made.booted = True
    group(made).snapshot()


fails("Driver.restore restore", "needs a snapshot", lambda: restore(None), TypeError, "^expected a Snapshot, got NoneType$")
fails("Machines.restore", "needs a snapshot", lambda: machines.restore(3), TypeError, "^expected a Snapshot, got int$")


@good("Driver.pristine pristine", "a block leaves nothing behind, also when it fails")
def _():
    small_is(True)
    small.succeed("echo 1 > /tmp/state")
    with pristine(small) as before:
        t.assertEqual(before.machines, ["small"])
        small.succeed("echo 2 > /tmp/state")
    t.assertEqual(small.succeed("cat /tmp/state"), "1\n")
    with t.assertRaises(RequestedAssertionFailed), pristine([small]):
        small.succeed("echo 3 > /tmp/state; false")
    t.assertEqual(small.succeed("cat /tmp/state"), "1\n")


fails("Driver.pristine pristine", "needs machines", lambda: pristine(3).__enter__(), TypeError, "^expected a Machine, got int$")
