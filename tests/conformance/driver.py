# The driver, and the functions that every script finds defined.


@good("Driver.start_all start_all", "starts all machines, and waits for none")
def _():
    start_all()
    t.assertEqual([machine.booted for machine in machines], [True, True])
    if not RESTORED:
        t.assertFalse(debian.connected, "it has not had the time to boot")


@good("Machine.early", "runs commands before the guest is up")
def _():
    t.assertIsInstance(debian.early, Machine)
    t.assertEqual(debian.early.succeed("echo early"), "early\n")
    if not RESTORED:
        t.assertFalse(debian.connected, "it has not had the time to boot")
    debian.connect()
    t.assertTrue(debian.connected)


@fails(
    "Driver.start_all start_all",
    "says which machine it could not start",
    raises=MachineError,
    text="^never: cannot start: .*cannot be done today",
)
def _():
    os.environ["CONFORMANCE"] = "today"
    never = create_machine("echo cannot be done $CONFORMANCE >&2; exit 3", name="never")
    driver.machines_qemu.append(never)
    try:
        start_all()
    finally:
        driver.machines_qemu.remove(never)


@good("Driver.create_machine create_machine", "makes a machine that is off and in no list")
def _():
    web = create_machine("/somewhere/bin/run-web-vm", keep_machine_state=True)
    t.assertIsInstance(web, Machine)
    t.assertEqual((web.name, web.booted, web.keep_machine_state), ("web", False, True))
    t.assertNotIn(web, machines)
    t.assertTrue(web.state_dir.is_dir())
    t.assertEqual(create_machine("qemu", name="named").name, "named")
    old = create_machine({"name": "old", "startCommand": "run-it"})
    t.assertEqual((old.name, old.start_command), ("old", "run-it"))


fails(
    "Driver.create_machine create_machine",
    "needs a name that a folder can have",
    lambda: create_machine("qemu", name="a/b"),
    RequestedAssertionFailed,
    "a machine cannot be called `a/b`: folders have its name",
)


@good("Driver.subtest subtest Logger.subtest", "is a context manager that lets failures through")
def _():
    for make in (subtest, driver.subtest, log.subtest):
        with make("a subtest in a subtest"):
            inside = True
        t.assertTrue(inside)


def fail_in(block):
    with block:
        raise ValueError("from the block")


fails("Driver.subtest subtest", "lets failures through", lambda: fail_in(subtest("x")), ValueError, "^from the block$")
fails("Logger.subtest", "lets failures through", lambda: fail_in(log.subtest("x")), ValueError, "^from the block$")

good(
    "Driver.parallel parallel",
    "returns the results in order",
    lambda: parallel(lambda: debian.succeed("echo one"), lambda: small.succeed("echo two")),
    ["one\n", "two\n"],
)


@good("Driver.parallel parallel", "calls functions at once")
def _():
    meeting = threading.Barrier(3, timeout=SOON)
    parallel(meeting.wait, meeting.wait, meeting.wait)


fails(
    "Driver.parallel parallel",
    "raises what a function raises",
    lambda: parallel(lambda: debian.succeed("true"), lambda: debian.succeed("false")),
    RequestedAssertionFailed,
    "^command `false` failed \\(exit code 1\\)$",
)

good(
    "Driver.group group machines machines_qemu Driver.machines Driver.machines_qemu",
    "a method of a list is called on all of its machines",
    lambda: [list(some.succeed("hostname")) for some in (group(small, debian), machines, machines_qemu)],
    [["small\n", "debian\n"], ["debian\n", "small\n"], ["debian\n", "small\n"]],
)


@fails(
    "Driver.group group machines machines_qemu Driver.machines Driver.machines_qemu",
    "says on which machine a method failed",
    raises=RequestedAssertionFailed,
    text="^on machine small$",
)
def _():
    for some in (group(debian, small), machines_qemu, machines):
        failure = raised(lambda: some.succeed("test -e /etc/debian_version"))
        notes = failure.__notes__
        t.assertIn("on machine small", notes)
    raise RequestedAssertionFailed(notes[0]) from failure


fails(
    "Machines.copy",
    "a list has the methods of machines and no other",
    lambda: machines.copy().no_such_method(),
    AttributeError,
    "^a list of machines has no method 'no_such_method'",
)
good(
    "Machines.copy",
    "copies broadcast, too",
    lambda: machines.copy().execute("exit 3"),
    [(3, ""), (3, "")],
)
good(
    "Driver.machines_nspawn machines_nspawn NspawnMachine",
    "there are no containers",
    lambda: (list(machines_nspawn), isinstance(debian, NspawnMachine)),
    ([], False),
)
cannot_fail("Driver.machines_nspawn machines_nspawn", "an empty list")
good(
    "Machine BaseMachine QemuMachine",
    "are the class of all machines",
    lambda: [isinstance(debian, kind) for kind in (Machine, BaseMachine, QemuMachine)],
    [True, True, True],
)
good(
    "Machine",
    "makes a machine, as classes derived from it do",
    lambda: Machine(driver.out_dir, debian.tmp_dir, "qemu", log, name="made").state_dir.name,
    "vm-state-made",
)
for machine_class in ("Machine", "BaseMachine", "QemuMachine", "NspawnMachine"):
    fails(
        machine_class,
        "needs to know all that a machine is made of",
        lambda name=machine_class: globals()[name](name="x"),
        TypeError,
        "missing required argument: 'out_dir'",
    )

good("vlans Driver.vlans", "has the network of the machines", lambda: [vlan.nr for vlan in vlans], [1])
cannot_fail("vlans Driver.vlans", "a list")
good("os", "is the module", lambda: os.sep, "/")
cannot_fail("os", "Python's own")
good("t", "asserts", lambda: t.assertIn("a", "abc"))
fails("t", "fails the test", lambda: t.assertIn("x", "abc"), RequestedAssertionFailed, "'x' not found in 'abc'")
good(
    "AssertionTester.failureException",
    "is what fails a test",
    lambda: importlib.import_module("test_driver.driver").AssertionTester.failureException,
    lambda kind: kind is RequestedAssertionFailed,
)
cannot_fail("AssertionTester.failureException", "a class")


@good("Driver.retry retry", "calls until it is true")
def _():
    answers = [0, "", None, "yes"]
    lasts = []
    retry(lambda last: lasts.append(last) or answers.pop(0), timeout_seconds=SOON)
    t.assertEqual(lasts, [False] * 4)

    t.assertIsNone(retry(lambda last: True, timeout=datetime.timedelta(seconds=1)))


fails(
    "Driver.retry retry",
    "takes one time-out",
    lambda: retry(lambda last: True, 1, timeout=2),
    TypeError,
    "got both 'timeout' and 'timeout_seconds'",
)


@fails(
    "Driver.retry retry",
    "says when the time is over, after one last call",
    raises=RequestedAssertionFailed,
    text="^action timed out after 0\\.\\d\\d seconds \\(timeout=0.3\\)$",
)
def _():
    lasts = []
    try:
        driver.retry(lasts.append, timeout_seconds=BRIEFLY)
    finally:
        t.assertEqual((lasts[0], lasts[-1]), (False, True))


def console_line(text, change):
    change()
    debian.succeed(f"echo console-line-{text} > /dev/ttyS0")
    debian.wait_for_console_text(f"console-line-{text}", timeout=SOON)


good(
    "Driver.serial_stdout_off serial_stdout_off Driver.serial_stdout_on serial_stdout_on Logger.print_serial_logs",
    "hides the console in the log, and shows it again",
    lambda: [console_line("hidden", serial_stdout_off), console_line("shown", serial_stdout_on)],
    [None, None],
)


good(
    "Logger.print_serial_logs",
    "does the same",
    lambda: [
        console_line(text, lambda: log.print_serial_logs(text == "also-shown")) for text in ("gone", "also-shown")
    ],
    [None, None],
)
fails(
    "Logger.print_serial_logs",
    "needs to know which",
    lambda: log.print_serial_logs(),
    TypeError,
    "missing required argument: 'enable'",
)
cannot_fail(
    "Driver.serial_stdout_off serial_stdout_off Driver.serial_stdout_on serial_stdout_on",
    "only the log changes",
)
good("Driver.dump_machine_ssh dump_machine_ssh", "has nothing to say", lambda: dump_machine_ssh())
cannot_fail("Driver.dump_machine_ssh dump_machine_ssh", "it says nothing")

good("driver", "is the driver", lambda: type(driver).__name__, "Driver")
fails("driver", "has no other attributes", lambda: driver.no_such_thing, AttributeError, "no_such_thing")
good("Driver.logger log", "is the log", lambda: (type(log), type(driver.logger)), lambda kinds: kinds[0] is kinds[1])
cannot_fail("Driver.logger", "an object")
good("Driver.debug debug", "is a place for breakpoints", lambda: type(debug).__name__, "Debug")
cannot_fail("Driver.debug", "an object")
good("Debug.breakpoint", "does nothing in a build", lambda: debug.breakpoint())
fails(
    "Debug.breakpoint debug",
    "takes a host and a port",
    lambda: debug.breakpoint("a", 1, 2),
    TypeError,
    "takes at most 2 positional arguments but 3 were given",
)
good(
    "Debug.breakpoint_on_failure Debug.attach Debug.logger",
    "say that nobody debugs",
    lambda: (debug.breakpoint_on_failure, debug.attach, type(debug.logger).__name__),
    (False, None, "Logger"),
)
cannot_fail("Debug.breakpoint_on_failure Debug.attach Debug.logger", "attributes")

good(
    "Driver.out_dir", "is the test's output", lambda: driver.out_dir == debian.out_dir and driver.out_dir.is_dir(), True
)
good("Driver.tests", "is the script", lambda: "Driver.tests" in driver.tests, True)
good(
    "Driver.config",
    "describes the test",
    lambda: (sorted(driver.config.vms), driver.config.containers, driver.config.vlans),
    (["debian", "small"], {}, [1]),
)
good("Driver.global_timeout", "is the runner's affair", lambda: driver.global_timeout)
good("Driver.race_timer", "never runs", lambda: driver.race_timer.is_alive(), False)
good(
    "Driver.keep_machine_state Driver.interactive",
    "are off",
    lambda: (driver.keep_machine_state, driver.interactive),
    (False, False),
)
good(
    "Driver.test_symbols",
    "is what every script finds defined",
    lambda: {symbol["name"] for symbol in api()["symbols"]} - set(driver.test_symbols()),
    set(),
)
cannot_fail(
    "Driver.out_dir Driver.tests Driver.config Driver.global_timeout Driver.race_timer Driver.keep_machine_state "
    "Driver.interactive Driver.test_symbols",
    "they only say what is so",
)


def run_again(name, end):
    """Has this script run in itself, where its last part does nothing but this."""
    driver.end_again = end
    try:
        globals()[name]()
    finally:
        del driver.end_again


@good("Driver.test_script test_script Driver.run_tests run_tests", "run the script")
def _():
    ends = []
    for name in ("test_script", "run_tests"):
        run_again(name, lambda: ends.append(name))
    t.assertEqual(ends, ["test_script", "run_tests"])


for name in ("test_script", "run_tests"):
    fails(
        f"Driver.{name} {name}",
        "fails as the script does",
        lambda name=name: run_again(name, lambda: 1 / 0),
        ZeroDivisionError,
        "division by zero",
    )
