# machines: server, client
import contextlib
from contextlib import contextmanager, suppress


@contextmanager
def stopped(node, unit):
    node.stop_job(unit)
    try:
        yield node
    finally:
        node.start_job(unit)


class Blocked:
    def __init__(self, node: Machine):
        self.node = node

    def __enter__(self):
        self.node.block()
        return self

    def __exit__(self, kind, value, traceback):
        self.node.unblock()


with stopped(server, "nginx.service") as node:
    node.wait_for_closed_port(80)
with Blocked(client), subtest("the client is cut off"):
    server.fail("ping -c 1 -W 1 client")
with (
    subtest("several at once"),
    server.nested("with brackets"),
    stopped(client, "sshd.service"),
):
    client.wait_for_closed_port(22)
with contextlib.ExitStack() as stack:
    for m in machines:
        stack.enter_context(m.nested(f"on {m.name}"))
    stack.callback(server.log, "over")
with suppress(Exception):
    server.succeed("false")
with open("/tmp/note", "w") as note:
    note.write("x")
with contextlib.nullcontext():
    pass
