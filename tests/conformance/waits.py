# Waits for files, ports and sockets. What is waited for comes while the wait may have begun, or not yet: both must do.


def timed_out(message):
    return f"^action timed out after \\d\\.\\d\\d seconds \\(timeout=0.3\\): {message}$"


good(
    "Machine.wait_for_file", "returns at once when it is there", lambda: debian.wait_for_file("/etc/passwd", timeout=0)
)
good(
    "Machine.wait_for_file",
    "waits for a file",
    lambda: at_once(lambda: debian.wait_for_file("/run/a-file", SOON), lambda: debian.succeed("touch /run/a-file")),
)
good(
    "Machine.wait_for_file",
    "waits for a file in a folder that is not there yet",
    lambda: at_once(
        lambda: debian.wait_for_file("/run/a-folder/b/c", SOON),
        lambda: debian.succeed("mkdir -p /run/a-folder/b", "echo new > /run/new; mv /run/new /run/a-folder/b/c"),
    ),
)
good(
    "Machine.wait_for_file",
    "the shell reads the name",
    lambda: at_once(
        lambda: debian.wait_for_file('/run/${HOME#/}-$(echo x)-"y z"-*.sock', SOON),
        lambda: debian.succeed("touch '/run/root-x-y z-1.sock'"),
    ),
)
good(
    "Machine.wait_for_file",
    "folders and devices are files",
    lambda: [debian.wait_for_file(name, 0) for name in ("/etc", "/dev/null")],
    [None, None],
)
fails(
    "Machine.wait_for_file",
    "says when the time is over",
    lambda: debian.wait_for_file("/no/file", BRIEFLY),
    RequestedAssertionFailed,
    timed_out("waiting for file '/no/file'"),
)
fails(
    "Machine.wait_for_file",
    "a time-out is a duration",
    lambda: debian.wait_for_file("/etc/passwd", "soon"),
    TypeError,
    "^expected a timedelta, int, or float duration, got str$",
)


@good("Machine.wait_for_open_port", "waits for a service")
def _():
    at_once(
        lambda: debian.wait_for_open_port(3000, timeout=SOON),
        lambda: debian.succeed("systemctl start echo.socket"),
    )
    t.assertEqual(debian.succeed("echo hello | nc -N localhost 3000"), "hello\n")


@good("Machine.wait_for_open_port", "is told of listeners by the kernel, and does not ask all the time")
def _():
    def listen():
        debian.wait_until_succeeds("readlink /proc/$(pgrep -o vmtest-agent)/fd/* | grep bpf-map", SOON)
        debian.execute("nc -l -p 3009 > /dev/null 2>&1", check_output=False)

    at_once(lambda: debian.wait_for_open_port(3009, timeout=SOON), listen)


good(
    "Machine.wait_for_open_port",
    "takes names, addresses, and numbers as text",
    lambda: [debian.wait_for_open_port("3000", address, SOON) for address in ("127.0.0.1", "::1", "debian")],
    [None] * 3,
)
good(
    "Machine.wait_for_open_port",
    "reaches other machines",
    lambda: small.wait_for_open_port(3000, "debian", timeout=SOON),
)
good(
    "Machine.wait_for_open_port",
    "looks once at least, whatever the time-out",
    lambda: debian.wait_for_open_port(3000, timeout=0),
)
fails(
    "Machine.wait_for_open_port",
    "says when the time is over",
    lambda: debian.wait_for_open_port(3001, timeout=BRIEFLY),
    RequestedAssertionFailed,
    timed_out("waiting for TCP port 3001 on localhost"),
)
fails(
    "Machine.wait_for_open_port",
    "there must be such a port",
    lambda: debian.wait_for_open_port(1 << 17, timeout=BRIEFLY),
    ValueError,
    "^not a TCP port: 131072$",
)
fails(
    "Machine.wait_for_open_port",
    "only the guest's commands know ports by name",
    lambda: debian.wait_for_open_port("no-such-service", timeout=BRIEFLY),
    RequestedAssertionFailed,
    timed_out("waiting for TCP port no-such-service on localhost"),
)
good(
    "Machine.wait_for_open_port",
    "waits for a UDP port",
    lambda: at_once(
        lambda: debian.wait_for_open_port(3002, timeout=SOON, is_datagram=True),
        lambda: debian.succeed("nc -u -l 3002 > /dev/null 2>&1 &"),
    ),
)
fails(
    "Machine.wait_for_open_port",
    "says when the time is over, of a UDP port, too",
    lambda: debian.wait_for_open_port(3000, timeout=BRIEFLY, is_datagram=True),
    RequestedAssertionFailed,
    timed_out("waiting for UDP port 3000"),
)
good(
    "Machine.wait_for_closed_port",
    "returns at once when it is closed",
    lambda: debian.wait_for_closed_port(3001, timeout=0),
)
fails(
    "Machine.wait_for_closed_port",
    "says when the time is over",
    lambda: debian.wait_for_closed_port(3000, timeout=BRIEFLY),
    RequestedAssertionFailed,
    timed_out("waiting for TCP port 3000 on localhost to be closed"),
)

good(
    "Machine.wait_for_open_unix_socket",
    "finds a socket of streams",
    lambda: debian.wait_for_open_unix_socket("/run/echo.stream", timeout=SOON),
)
good(
    "Machine.wait_for_open_unix_socket",
    "waits for a socket of datagrams",
    lambda: at_once(
        lambda: debian.wait_for_open_unix_socket("/run/mail.datagram", is_datagram=True, timeout=SOON),
        lambda: debian.succeed("systemctl start mail.socket"),
    ),
)
for path, is_datagram, kind in (
    ("/run/no.socket", False, "stream"),
    ("/run/echo.stream", True, "datagram"),
    ("/run/mail.datagram", False, "stream"),
    ("/etc/passwd", False, "stream"),
):
    fails(
        "Machine.wait_for_open_unix_socket",
        f"{path} takes no {kind}s",
        lambda path=path, is_datagram=is_datagram: debian.wait_for_open_unix_socket(path, is_datagram, BRIEFLY),
        RequestedAssertionFailed,
        timed_out(f"waiting for UNIX-domain {kind} on '{path}'"),
    )


good(
    "Machine.wait_for_closed_port",
    "waits until a service has ended",
    lambda: at_once(
        lambda: debian.wait_for_closed_port(3000, timeout=SOON),
        lambda: debian.succeed("systemctl stop echo.socket"),
    ),
)
fails(
    "Machine.wait_for_open_unix_socket",
    "a socket that nobody listens on any more is not open",
    lambda: debian.wait_for_open_unix_socket("/run/echo.stream", timeout=BRIEFLY),
    RequestedAssertionFailed,
    timed_out("waiting for UNIX-domain stream on '/run/echo.stream'"),
)
good(
    "Machine.wait_for_open_unix_socket",
    "waits until somebody listens again on one that was left behind",
    lambda: at_once(
        lambda: debian.wait_for_open_unix_socket("/run/echo.stream", timeout=SOON),
        lambda: debian.succeed("test -S /run/echo.stream", "systemctl start echo.socket"),
    ),
)
good(
    "Machine.wait_for_file",
    "works in a guest without systemd, too",
    lambda: at_once(lambda: small.wait_for_file("/run/a-file", SOON), lambda: small.succeed("touch /run/a-file")),
)
good(
    "Machine.wait_for_open_port",
    "works in a guest without systemd, too",
    lambda: at_once(
        lambda: small.wait_for_open_port(3000, timeout=SOON),
        lambda: small.succeed("nc -l -p 3000 -e cat > /dev/null 2>&1 &"),
    ),
)
