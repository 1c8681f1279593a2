import re


class Terminal:
    """Somebody who sits at the keyboard."""

    def __init__(self, node: Machine, number: int):
        self.node = node
        self.number = number

    def go(self):
        self.node.send_key(f"ctrl-alt-f{self.number}")
        retry(lambda last: self.node.succeed("fgconsole").strip() == str(self.number))
        return self

    def expect(self, pattern, timeout=60):
        self.node.wait_until_tty_matches(str(self.number), pattern, timeout)

    def type(self, text="", end="\n", **kwargs):
        self.node.send_chars(text + end, **kwargs)

    def lines(self):
        text = self.node.get_tty_text(self.number)
        return [line.rstrip() for line in text.splitlines() if line.strip()]

    def login(self, user, password, works=True):
        self.expect("login: $")
        self.type(user)
        self.expect("[Pp]assword: ?$")
        self.type(password, delay=0.05)
        if works:
            self.expect(rf"{re.escape(user)}@\S+")
        else:
            self.expect("incorrect")


PASSWORDS = {"alice": "foobar", "bob": "two words\\\\"}
PROMPT = re.compile(r"\[(?P<user>\w+)@(?P<host>[\w-]+):(?P<path>[^\]]*)\][#$]")

machine.wait_for_unit("getty.target")
machine.screenshot("before")

with subtest("accounts"):
    for user, password in PASSWORDS.items():
        machine.succeed(f"useradd --create-home {user}", f"echo '{user}:{password}' | chpasswd")

second = Terminal(machine, 2)

with subtest("another console is started when it is looked at"):
    machine.require_unit_state("getty@tty2.service", "inactive")
    second.go()
    machine.wait_for_unit("getty@tty2")

with subtest("alice comes"):
    second.login("alice", PASSWORDS["alice"])
    second.type("touch here; clear; expr 6 '*' 7")
    machine.wait_for_file("/home/alice/here")
    second.expect(r"(?m)^42\s*$")
    prompts = [m for line in second.lines() if (m := PROMPT.search(line)) is not None]
    assert all(m["user"] == "alice" for m in prompts), [m.groupdict() for m in prompts]

with subtest("the sound card is hers while she sits there"):
    rights = "getfacl --omit-header /dev/snd/seq"
    assert "user:alice:rw" in machine.succeed(rights)
    Terminal(machine, 1).go()
    machine.wait_until_fails(f"{rights} | grep alice")
    second.go()
    machine.wait_until_succeeds(f"{rights} | grep alice")

with subtest("she goes"):
    second.type("logout")
    machine.wait_until_fails("loginctl list-sessions | grep -w alice")
    second.expect("login: $")

with subtest("bob has forgotten his password"):
    second.login("bob", "one word", works=False)
    machine.wait_until_succeeds("journalctl -t login | grep -i 'failed login'")
    second.type()
    second.login("bob", PASSWORDS["bob"])
    for key in ("up", "up", "ctrl-c", "ctrl-d"):
        machine.send_key(key, delay=0.1)

with subtest("three fingers"):
    machine.send_key("ctrl-alt-delete")
    machine.wait_for_shutdown()
