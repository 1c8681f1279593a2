# QEMU: its monitor, its machine protocol, and its process.

from test_driver.machine.qmp import QMPAPIError, QMPSession

good(
    "Machine.send_monitor_command",
    "returns what the monitor prints",
    lambda: debian.send_monitor_command("info name").strip(),
    "debian",
)
good(
    "Machine.send_monitor_command",
    "a wrong command is told in that",
    lambda: debian.send_monitor_command("no-such-command"),
    re.compile("unknown command: 'no-such-command'"),
)
good("Machine.wait_for_monitor_prompt", "returns the prompt", lambda: debian.wait_for_monitor_prompt(), "(qemu) ")

good(
    "QMPSession.send",
    "returns QEMU's reply",
    lambda: debian.qmp_client.send("query-name"),
    {"return": {"name": "debian"}},
)


@fails(
    "QMPSession.send QMPAPIError.class_name QMPAPIError.description QMPAPIError.transaction_id",
    "QEMU may refuse",
    raises=QMPAPIError,
    text="\\[CommandNotFound\\]: .*no-such-command",
)
def _():
    failure = raised(lambda: debian.qmp_client.send("no-such-command", {"a": 1}))
    t.assertEqual((failure.class_name, failure.transaction_id), ("CommandNotFound", None))
    t.assertIn("no-such-command", failure.description)
    raise failure


good(
    "QMPAPIError.class_name QMPAPIError.description QMPAPIError.transaction_id",
    "are what it is made of",
    lambda: str(QMPAPIError("Class", "words", "7")),
    "<QMP API error related to transaction 7 [Class]: words>",
)


def stop_and_go():
    """Causes the events STOP and RESUME."""
    list(debian.qmp_client.events(0))
    debian.qmp_client.send("stop")
    debian.qmp_client.send("cont")


def names(events):
    return [event["event"] for event in events]


good(
    "Machine.wait_for_qmp_event",
    "returns the event that the filter wants",
    lambda: [stop_and_go(), debian.wait_for_qmp_event(lambda event: event["event"] == "RESUME", timeout=SOON)["event"]],
    [None, "RESUME"],
)
good(
    "QMPSession.wait_for_event",
    "takes events in their order",
    lambda: [stop_and_go(), names(debian.qmp_client.wait_for_event(timeout=SOON) for _ in range(2))],
    [None, ["STOP", "RESUME"]],
)
good(
    "QMPSession.events",
    "takes all events that there are",
    lambda: [stop_and_go(), names(debian.qmp_client.events())[:2], list(debian.qmp_client.events(0))],
    [None, ["STOP", "RESUME"], []],
)
fails(
    "Machine.wait_for_qmp_event",
    "says when the time is over",
    lambda: debian.wait_for_qmp_event(lambda event: False, timeout=BRIEFLY),
    TimeoutError,
    "^no QMP event that the filter wants within 0.3 seconds",
)
fails(
    "QMPSession.wait_for_event",
    "says when the time is over",
    lambda: debian.qmp_client.wait_for_event(timeout=BRIEFLY),
    TimeoutError,
    "^no QMP event within 0.3 seconds$",
)
fails("QMPSession.events", "a time-out is a duration", lambda: debian.qmp_client.events("soon"), TypeError, "got str$")
good(
    "QMPSession.read_pending_messages QMPSession.close",
    "do nothing",
    lambda: [debian.qmp_client.read_pending_messages(), debian.qmp_client.close()],
    [None, None],
)
good(
    "QMPSession.send",
    "the connection is there still",
    lambda: debian.qmp_client.send("query-status")["return"]["status"],
    "running",
)
fails(
    "QMPSession.read_pending_messages",
    "takes nothing",
    lambda: debian.qmp_client.read_pending_messages(1),
    TypeError,
    "takes at most 0 positional",
)
fails("QMPSession.close", "takes nothing", lambda: debian.qmp_client.close(1), TypeError, "takes at most 0 positional")
fails(
    "QMPSession.from_path",
    "there is only one connection",
    lambda: QMPSession.from_path("/x"),
    RuntimeError,
    "use machine.qmp_client$",
)
cannot_be_good("QMPSession.from_path", "there is only one connection, which the runner holds")

NOTHING = "sock reader writer results pending_events".split()
for name in NOTHING:
    good(f"QMPSession.{name}", "is None here", lambda name=name: getattr(debian.qmp_client, name))
    fails(
        f"QMPSession.{name}",
        "cannot be written",
        lambda name=name: setattr(debian.qmp_client, name, 1),
        AttributeError,
        f"'{name}' cannot be written",
    )

good(
    "Process.pid Process.poll Process.returncode",
    "say that QEMU runs",
    lambda: [debian.process.pid == debian.pid, debian.process.poll(), debian.process.returncode],
    [True, None, None],
)
for name in ("pid", "returncode", "stdin"):
    fails(
        f"Process.{name}",
        "cannot be written",
        lambda name=name: setattr(debian.process, name, 1),
        AttributeError,
        f"'{name}' cannot be written",
    )
fails(
    "Process.poll", "takes nothing", lambda: debian.process.poll(1), TypeError, "takes at most 0 positional arguments"
)
fails(
    "Process.wait",
    "says when the time is over",
    lambda: debian.process.wait(BRIEFLY),
    subprocess.TimeoutExpired,
    "virtual machine debian.* timed out after 0.3 seconds",
)


@good("Process.write Process.flush Process.stdin", "type on the serial console")
def _():
    stdin = debian.process.stdin
    # The shell of whoever has logged in there.
    t.assertEqual(stdin.write(b"echo typed > /run/typed-on-stdin\n"), 33)
    t.assertIsNone(stdin.flush())
    debian.wait_until_succeeds("grep -x typed /run/typed-on-stdin", timeout=SOON)


fails(
    "Process.write",
    "needs to know what",
    lambda: debian.process.write(),
    TypeError,
    "missing required argument: 'data'",
)
fails(
    "Process.flush", "takes nothing", lambda: debian.process.flush(1), TypeError, "takes at most 0 positional arguments"
)


@good("Process.send_signal", "stops QEMU, and has it go on")
def _():
    def state():
        return Path(f"/proc/{debian.pid}/stat").read_text().rpartition(")")[2].split()[0]

    t.assertIsNone(debian.process.send_signal(signal.SIGSTOP))
    try:
        retry(lambda last: state() == "T", timeout_seconds=SOON)
    finally:
        debian.process.send_signal(signal.SIGCONT)
    t.assertEqual(debian.succeed("echo goes on"), "goes on\n")


fails(
    "Process.send_signal",
    "there must be such a signal",
    lambda: debian.process.send_signal(999),
    ValueError,
    "^no such signal: 999$",
)


def ended_by(method, **arguments):
    """How QEMU ends: what the process object says of it afterwards."""
    small.connect()
    process = small.process
    getattr(process, method)(**arguments)
    status = process.wait(SOON)
    small.wait_for_shutdown(SOON)
    return status == process.returncode == process.poll(), small.booted, small.pid


for method, arguments in (("terminate", {}), ("kill", {}), ("send_signal", {"signal": int(signal.SIGTERM)})):
    good(
        f"Process.{method} Process.wait",
        "ends QEMU",
        lambda m=method, a=arguments: ended_by(m, **a),
        (True, False, None),
    )
for method in ("terminate", "kill"):
    fails(
        f"Process.{method}",
        "takes nothing",
        lambda m=method: getattr(debian.process, m)(1),
        TypeError,
        "takes at most 0 positional",
    )


@good("Process.terminate Process.kill Process.send_signal", "do nothing with a QEMU that has ended")
def _():
    small.connect()
    ended = small.process
    small.crash()
    small.connect()
    for end in (ended.terminate, ended.kill, lambda: ended.send_signal(15)):
        t.assertIsNone(end())
    t.assertIsNot(small.process, ended)
    t.assertEqual(small.succeed("echo runs"), "runs\n")
