# What commands print, much of it, after their end, and in whatever bytes.

good(
    "Machine.execute",
    "bytes that are no text are replaced",
    lambda: debian.execute("printf 'a\\xff\\xfeb\\xc3\\xbc\\0c'"),
    (0, "a\ufffd\ufffdb\u00fc\0c"),
)
good(
    "Machine.execute",
    "ends of lines stay as they are",
    lambda: debian.execute("printf 'a\\r\\nb\\n\\nc'"),
    (0, "a\r\nb\n\nc"),
)


def peak_of(call):
    """What the call returns, and by how many MiB the program has needed more memory meanwhile."""
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    result = call()
    return result, (memory("VmHWM") - before) // 1024


def memory(field):
    return int(re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])


@good("Machine.succeed", "100 MB are no less")
def _():
    output, peak = peak_of(lambda: debian.succeed("head -c 100M /dev/zero | tr '\\0' x"))
    t.assertEqual((len(output), output.count("x")), (100 << 20, 100 << 20))
    t.assertLess(peak, 500, "the output is there more often than needed")


@good("Machine.succeed", "100 MB that the script does not get take no memory")
def _():
    output, peak = peak_of(lambda: debian.succeed("yes line | head -c 100M >&2 || true"))
    t.assertEqual(output, "")
    t.assertLess(peak, 50)


@fails(
    "Machine.succeed",
    "more than a script can hold is refused",
    raises=RequestedAssertionFailed,
    text="the command wrote more than 256 MiB",
)
def _():
    try:
        debian.succeed("head -c 300M /dev/zero; sleep 98766")
    finally:
        debian.wait_until_fails("pgrep -f '^sleep 98766'", timeout=SOON)


# Children that outlive their command.


@good("Machine.succeed", "returns when the command ends, whatever its children do")
def _():
    started = time.monotonic()
    t.assertEqual(debian.succeed("sleep 98767 & echo started"), "started\n")
    t.assertLess(time.monotonic() - started, SOON)
    debian.succeed("pkill -f '^sleep 98767'")


@good("Machine.succeed", "what a child prints later is shown in the log")
def _():
    debian.succeed("mkfifo /run/later")
    t.assertEqual(debian.succeed("(read word < /run/later; echo said later: $word) & echo at once"), "at once\n")
    debian.succeed("echo hello > /run/later")


def with_child(fifo, call):
    """What the call returns that starts a child, which prints a line when the call has to be over or be waiting for it."""
    debian.succeed(f"mkfifo /run/{fifo}")
    # Before the child is there: whichever of two processes prints first would be chance.
    command = f"echo early; (read word < /run/{fifo}; echo $word) & true"
    return at_once(lambda: call(command), lambda: debian.succeed(f"echo late > /run/{fifo}"))


good(
    "Machine.execute",
    "wait_for_output=True waits for the children, too",
    lambda: with_child("waits", lambda command: debian.execute(command, wait_for_output=True)),
    (0, "early\nlate\n"),
)
good(
    "Machine.succeed",
    "wait_for_output=True waits for the children, too",
    lambda: with_child("waits-succeed", lambda command: debian.succeed(command, wait_for_output=True)),
    "early\nlate\n",
)
good(
    "Machine.fail",
    "wait_for_output=True waits for the children, too",
    lambda: with_child("waits-fail", lambda command: debian.fail(f"{command}; exit 1", wait_for_output=True)),
    "early\nlate\n",
)
good(
    "Machine.wait_until_succeeds",
    "wait_for_output=True waits for the children, too",
    lambda: with_child("waits-until", lambda command: debian.wait_until_succeeds(command, SOON, wait_for_output=True)),
    "early\nlate\n",
)


@good("Machine.execute", "wait_for_output=True ends with the time-out")
def _():
    t.assertEqual(debian.execute("sleep 98768 & echo early", timeout=1, wait_for_output=True), (124, "early\n"))
    debian.fail("pgrep -f '^sleep 98768'")
