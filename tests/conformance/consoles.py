# The serial console and the virtual terminals.


@good("Machine.wait_for_console_text", "finds a text that comes, or has come since the last wait")
def _():
    debian.succeed("echo on the console: one > /dev/ttyS0")
    t.assertIsNone(debian.wait_for_console_text("console: o.e", timeout=SOON))
    at_once(
        lambda: debian.wait_for_console_text("console: two", timeout=SOON),
        lambda: debian.succeed("echo on the console: two > /dev/ttyS0"),
    )


@good("Machine.wait_for_console_text", "a match may span lines")
def _():
    debian.succeed("printf 'first of two\\nsecond of two\\n' > /dev/ttyS0")
    debian.wait_for_console_text(re.compile("first.*second", re.DOTALL), timeout=SOON)


@good("Machine.wait_for_console_text", "a message of the kernel in the middle of a match does not matter")
def _():
    for part in ("printf 'begin of a ' > /dev/ttyS0", "echo '<1>in between' > /dev/kmsg", "echo sentence > /dev/ttyS0"):
        debian.succeed(part)
    debian.wait_for_console_text("begin of a sentence", timeout=SOON)


@fails(
    "Machine.wait_for_console_text",
    "what one wait has taken is gone for the next",
    raises=RequestedAssertionFailed,
    text="^action timed out after .* \\(timeout=0.3\\): waiting for console: one to appear on console$",
)
def _():
    debian.wait_for_console_text("console: one", timeout=BRIEFLY)


fails(
    "Machine.wait_for_console_text",
    "the pattern must be one",
    lambda: debian.wait_for_console_text("("),
    re.error,
    "unterminated subpattern",
)
good(
    "Machine.get_console_log",
    "has all that was shown",
    lambda: debian.get_console_log(),
    re.compile("Linux version [^$]*console: one"),
)
fails("Machine.get_console_log", "needs a virtual machine", lambda: Bare().get_console_log(), RuntimeError, NO_MACHINE)


@good("Machine.send_console", "types on the console, where somebody can log in")
def _():
    debian.wait_for_unit("serial-getty@ttyS0.service", timeout=SOON)
    t.assertIsNone(debian.send_console("root\n"))
    debian.wait_for_console_text("root@debian:~#", timeout=SOON)
    debian.send_console("tty > /run/typed-on\n")
    debian.wait_for_file("/run/typed-on", timeout=SOON)
    debian.wait_until_succeeds("grep -x /dev/ttyS0 /run/typed-on", timeout=SOON)


def write_on_tty(text):
    """Writes on the first terminal, which is on the screen, with nothing else on it."""
    debian.succeed("systemctl stop getty@tty1.service", f"printf '\\033c{text}' > /dev/tty1")


@good("Machine.get_tty_text", "returns the lines of a terminal")
def _():
    write_on_tty("first line\\nsecond line\\n")
    lines = debian.get_tty_text(1).splitlines()
    t.assertEqual([line.rstrip() for line in lines[:3]], ["first line", "second line", ""])
    t.assertGreaterEqual(len(lines), 25)
    t.assertEqual(debian.get_tty_text("1").splitlines(), lines)


fails("Machine.get_tty_text", "needs a machine", lambda: Bare().get_tty_text(1), RuntimeError, NO_MACHINE)
good("Machine.get_tty_text", "a terminal that is none has no text", lambda: debian.get_tty_text("99"), "")
good(
    "Machine.wait_until_tty_matches",
    "waits for a text",
    lambda: at_once(
        lambda: debian.wait_until_tty_matches("1", "l[a-z]+e line", SOON),
        lambda: write_on_tty("late line"),
    ),
)
fails(
    "Machine.wait_until_tty_matches",
    "says when the time is over",
    lambda: debian.wait_until_tty_matches(1, "never shown", BRIEFLY),
    RequestedAssertionFailed,
    "^action timed out after .* \\(timeout=0.3\\): waiting for never shown to appear on tty 1$",
)


@good("Machine.dump_tty_contents", "writes the text to the journal")
def _():
    write_on_tty("for the journal of the guest")
    t.assertIsNone(debian.dump_tty_contents(1))
    debian.wait_until_succeeds("journalctl --boot --output cat | grep -q '^for the journal of the guest'", timeout=SOON)


fails("Machine.dump_tty_contents", "needs a machine", lambda: Bare().dump_tty_contents(1), RuntimeError, NO_MACHINE)
