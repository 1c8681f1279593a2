# Shells in the guest, for scripts that speak to one themselves.


def said(shell, wanted):
    """What the shell prints until the wanted bytes are there."""
    text = b""
    while wanted not in text:
        part = shell.recv()
        if not part:
            raise AssertionError(f"the shell ended, having printed {text!r}")
        text += part
    return text


@good("Shell.send Shell.recv Shell.sendall Shell.settimeout", "what is sent is run, what is received is its output")
def _():
    shell = debian.shell
    t.assertIs(shell, debian.shell)
    t.assertIsNone(shell.settimeout(SOON))
    t.assertEqual(shell.send(b"echo begin $((6 * 7)) end\n"), 26)
    t.assertIn(b"begin 42 end\n", said(shell, b"end\n"))
    t.assertIsNone(shell.sendall(bytearray(b"echo error >&2; echo $HOME\n")))
    text = said(shell, b"/root\n")
    t.assertIn(b"error\n", text)


@good("Shell.recv", "gives at most as many bytes as wanted")
def _():
    debian.shell.sendall(b"echo 123456789\n")
    text = b""
    while not text.endswith(b"\n"):
        part = debian.shell.recv(4)
        t.assertLessEqual(len(part), 4)
        text += part
    t.assertEqual(text, b"123456789\n")


@good("Shell.close", "ends the shell; the next use starts another")
def _():
    shell = debian.shell
    shell.sendall(b"value=old; echo set\n")
    said(shell, b"set\n")
    t.assertIsNone(shell.close())
    shell.settimeout(SOON)
    shell.sendall(b"echo value=${value:-none}\n")
    said(shell, b"value=none\n")


@good("Shell.recv", "gives nothing once the shell has ended")
def _():
    shell = debian.shell
    shell.sendall(b"exit\n")
    t.assertEqual(shell.recv(), b"")
    shell.close()


@fails("Shell.recv Shell.settimeout", "time may be over", raises=TimeoutError, text="^timed out$")
def _():
    debian.shell.settimeout(BRIEFLY)
    try:
        debian.shell.recv()
    finally:
        debian.shell.settimeout(SOON)


fails("Shell.send", "takes bytes", lambda: debian.shell.send("text\n"), TypeError, "^a shell is sent bytes")
fails("Shell.sendall", "takes bytes", lambda: debian.shell.sendall("text\n"), TypeError, "^a shell is sent bytes")
fails("Shell.settimeout", "takes a time", lambda: debian.shell.settimeout("soon"), TypeError, "got str$")
fails("Shell.close", "takes nothing", lambda: debian.shell.close(1), TypeError, "takes at most 0 positional arguments")


@good("Machine.shell_interact", "connects a shell to a socket of the host")
def _():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SOON)
        port = listener.getsockname()[1]

        def other_side():
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as replies:
                connection.settimeout(SOON)
                connection.sendall(b"echo $HOSTNAME; exit\n")
                return replies.readline()

        result = parallel(lambda: debian.shell_interact(f"tcp:127.0.0.1:{port}"), other_side)
        t.assertEqual(result, [None, b"debian\n"])


fails(
    "Machine.shell_interact",
    "a build has no terminal",
    lambda: debian.shell_interact(),
    RuntimeError,
    "^shell_interact\\(\\) needs a terminal",
)
fails(
    "Machine.shell_interact",
    "the address must be one",
    lambda: debian.shell_interact("somewhere"),
    ValueError,
    "cannot understand the address `somewhere`",
)
fails(
    "Machine.shell_interact",
    "somebody must be there",
    lambda: debian.shell_interact("unix:/no/such/socket"),
    OSError,
    "cannot connect to unix-connect:/no/such/socket",
)
fails(
    "Machine.console_interact",
    "a build has no terminal",
    lambda: debian.console_interact(),
    RuntimeError,
    "^console_interact\\(\\) needs a terminal",
)
cannot_be_good("Machine.console_interact", "a build has no terminal")
fails(
    "Machine.ssh_backdoor_command",
    "there is no such door",
    lambda: debian.ssh_backdoor_command(),
    RuntimeError,
    "^machines have no SSH backdoor",
)
cannot_be_good("Machine.ssh_backdoor_command", "machines have no SSH backdoor")
