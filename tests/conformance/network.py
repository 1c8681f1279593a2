# The network, from outside.


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@good("Machine.forward_port", "has a port of the host lead to one of the guest")
def _():
    debian.succeed("systemctl start echo.socket")
    port = free_port()
    t.assertIsNone(debian.forward_port(port, guest_port=3000))
    with socket.create_connection(("127.0.0.1", port), timeout=SOON) as connection:
        connection.sendall(b"through the port\n")
        with connection.makefile("rb") as replies:
            t.assertEqual(replies.readline(), b"through the port\n")


@fails(
    "Machine.forward_port",
    "the host's port must be free",
    raises=RequestedAssertionFailed,
    text="the host's port \\d+ cannot lead to the guest's port 3000: ",
)
def _():
    with socket.create_server(("0.0.0.0", 0)) as taken:
        debian.forward_port(taken.getsockname()[1], 3000)


fails(
    "Machine.forward_port",
    "a port is a number",
    lambda: debian.forward_port(1 << 17),
    ValueError,
    "^not a TCP port: 131072$",
)

CARRIER = "test $(cat /sys/class/net/eth1/carrier) = {}"


@good("Machine.block Machine.unblock", "take out the cables, and plug them in again")
def _():
    small.wait_until_succeeds("ping -c 1 -W 5 debian", timeout=SOON)
    t.assertIsNone(debian.block())
    debian.wait_until_succeeds(CARRIER.format(0), timeout=SOON)
    small.fail("ping -c 1 -W 1 debian")
    t.assertIsNone(debian.unblock())
    debian.wait_until_succeeds(CARRIER.format(1), timeout=SOON)
    small.wait_until_succeeds("ping -c 1 -W 5 debian", timeout=SOON)
