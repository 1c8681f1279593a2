# machines: host
import shlex


class Guest(Machine):
    """A guest within a machine, reached by ssh."""

    def __init__(self, host, address):
        self.host = host
        self.address = address
        self.name = f"guest-{address}"

    def execute(self, command, check_return=True, check_output=True, timeout=900):
        return self.host.execute(f"ssh root@{self.address} -- {shlex.quote(command)}", timeout=timeout)

    def start(self):
        self.host.succeed(f"start-guest {self.address}")


class Loud(Machine):
    def succeed(self, *commands, **kwargs):
        print("running", *commands)
        return super().succeed(*commands, **kwargs)


guest = Guest(host, "10.0.0.2")
guest.start()
guest.succeed("true")
guest.wait_until_succeeds("test -e /ready", timeout=10)
guest.wait_for_unit("multi-user.target")
