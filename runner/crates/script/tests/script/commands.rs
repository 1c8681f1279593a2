//! Running commands: what is run, and what is said of it.

use crate::fake::run;

#[test]
fn options_of_commands() {
    let script = r#"
import datetime, pathlib
server.execute("echo a", wait_for_output=True)
server.execute("echo b", True, True, 3.5, wait_for_output=False)
server.succeed("echo c", pathlib.Path("true"), wait_for_output=True, timeout=datetime.timedelta(milliseconds=1500))
server.fail("false", timeout=0)
server.wait_until_succeeds("echo d", 10, wait_for_output=True)
server.wait_until_fails(command="false", timeout=None)
server.wait_until_succeeds("echo e", timeout=60, attempt_timeout=2)
server.sleep(duration=datetime.timedelta(seconds=90))
server.sleep(0.5)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn what_is_no_command() {
    let mut script = String::new();
    for call in [
        "server.succeed(1)",
        "server.succeed('true', None)",
        "server.succeed(['a', 'b'])",
        "server.fail(b'x')",
        "server.execute({})",
        "server.wait_until_succeeds(print)",
        "server.execute('true', wait_for_output=True, timeout='long')",
        "server.execute('true', True, True, 3, True)",
        "server.sleep()",
        "server.sleep(3, duration=4)",
        "server.sleep('long')",
    ] {
        script += &format!("try:\n    {call}\nexcept TypeError as e:\n    print(e)\n");
    }
    script += "print(server.booted)";
    insta::assert_snapshot!(crate::fake::printed(&script));
}

#[test]
fn copies_by_the_shell_come_in_parts() {
    let script = r#"
import base64, os, pathlib, tempfile
source = pathlib.Path(tempfile.mkdtemp(dir="/tmp")) / "source"
source.write_bytes(os.urandom(100_000))
sent = []
class Far(Machine):
    def __init__(self):
        self.name = "far"
    def execute(self, command, check_return=True, check_output=True, timeout=900):
        sent.append(command)
        return 0, ""
Far().copy_from_host_via_shell(source, "/srv/x")
parts = [base64.b64decode(c.split()[1]) for c in sent[1:]]
print(sent[0], len(sent), b"".join(parts) == source.read_bytes(), max(len(c) for c in sent) < 100_000)
try:
    Far().copy_from_host("/etc/passwd", "/tmp/x")
except RuntimeError as e:
    print(e)
"#;
    insta::assert_snapshot!(crate::fake::printed(script));
}

#[test]
fn copies() {
    let script = r#"
server.copy_from_host("/etc/passwd", "/tmp/adir")
server.copy_from_host("/etc/passwd", "relative")
server.copy_from_host_via_shell("/dev/null", "/tmp/$name")
server.copy_from_host_via_shell("/dev/null", "/readonly/x")
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn commands_of_a_subclass_serve_all_that_needs_only_commands() {
    let script = r#"
class Remote(Machine):
    def __init__(self, base):
        self.base = base
        self.name = "remote"

    def execute(self, command, check_return=True, check_output=True, timeout=900):
        return self.base.execute(command, timeout=timeout)

    def __getattr__(self, name):
        print("asked for", name)
        return getattr(self.base, name)

remote = Remote(server)
remote.wait_for_open_port(3000)
remote.wait_for_closed_port(80)
remote.wait_for_file("/x")
remote.wait_for_unit("late.service", timeout=10)
remote.wait_until_tty_matches("1", "login")
print(remote.get_window_names(), remote.get_unit_property("x", "ActiveState"))
print(remote.pid, remote.connected, remote.state_dir, remote.own)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn a_subclass_may_pass_on_what_it_lacks_to_another_machine() {
    // As the class IncusMachine of nixpkgs does.
    let script = r#"
class Host(Machine):
    def __init__(self, base):
        base.wait_for_unit("x.service")
        self._parent = base

    def __getattr__(self, name):
        return getattr(self._parent, name)

    def inside(self, command):
        return super().succeed(f"echo {command}")

host = Host(server)
print(repr(host.inside("hi")), host.name, host.booted, host.is_up(), host.pid == server.pid)
with host.nested("a step"):
    host.wait_for_file("/x")
host.sleep(1)
host.crash()
print(server.booted, host.callbacks is server.callbacks)
host.connected = False
print(server.connected, host.connected)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn overridden_methods_are_called_by_others() {
    let script = r#"
class Logged(Machine):
    def __init__(self):
        self.name = "logged"
    def get_unit_property(self, unit, property, user=None):
        print("property", unit, property, user)
        return "active"
    def get_unit_info(self, unit, user=None):
        print("info", unit, user)
        return {"ActiveState": "inactive"}
    def systemctl(self, q, user=None):
        print("systemctl", q, user)
        return 0, "No jobs"
    def execute(self, command):
        print("execute", command)
        return 0, ""
    def send_monitor_command(self, command):
        print("monitor", command)
    def get_tty_text(self, tty):
        return "tty " + tty
    def get_window_names(self):
        return ["a window"]
    def get_screen_text_variants(self):
        return ["one", "two"]

logged = Logged()
logged.wait_for_unit("a.service")
logged.wait_for_unit("b.service", "alice", attempt_timeout=3)
logged.wait_for_unit_active_state("c.service", "active", timeout=10)
logged.require_unit_state("d.service", "inactive")
print(logged.start_job("e"), logged.stop_job("f", "bob"))
logged.wait_for_job("g.service")
logged.wait_for_file("/x", attempt_timeout=1)
logged.send_chars("h?", 0)
logged.wait_until_tty_matches(3, "tty 3")
logged.wait_for_window("window")
logged.wait_for_text("two")
logged.dump_tty_contents(1)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn methods_put_on_an_object_are_used() {
    let script = r#"
def execute(command, check_return=True, check_output=True, timeout=900):
    print("instead:", command)
    return 0, "out"
server.execute = execute
print(server.succeed("x"))
server.wait_for_file("/y")
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn names_that_nearly_are() {
    insta::assert_snapshot!(run("server.wait_for_unti('x')").text());
}

#[test]
fn files_of_a_guest_are_found_where_commands_run() {
    let script = r#"
server.copy_from_machine("relative/x", "below")
server.copy_from_vm("y")
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn commands_have_no_nul_characters() {
    let script = r#"
print(server.succeed("echo 'a\0b'", "echo \0"))
server.execute("true\0", check_output=False)
"#;
    insta::assert_snapshot!(run(script).text().replace('\0', "␀"));
}

#[test]
fn a_machine_that_goes_away_is_no_error_where_nobody_asks_for_the_status() {
    let script = r#"
for end in ("close", "die", "panic", "break"):
    print(end, server.execute(end, check_return=False))
    server.crash()
"#;
    assert_eq!(
        crate::fake::printed(script),
        "close (-1, '')\ndie (-1, '')\npanic (-1, '')\nbreak (-1, '')"
    );
}
