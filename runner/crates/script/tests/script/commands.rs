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
