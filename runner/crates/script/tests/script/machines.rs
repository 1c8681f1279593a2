//! What scripts do with machines when all goes well: calls of the backend, steps and messages, in their order.

use crate::fake::{printed, run, run_with};

#[test]
fn first_real_script() {
    let script = r#"
start_all()
server.wait_for_unit("hello.service")
server.wait_for_open_port(3000)
with subtest("client reaches server"):
    out = client.succeed("echo ping")
    t.assertIn("ping", out)
server.copy_from_host("/etc/passwd", "/tmp/passwd")
server.copy_from_machine("/tmp/passwd", "copied")
server.shutdown()
"#;
    let text = run_with(&["client", "server"], script).text();
    // The machines start at once, in no order.
    let (before, rest) = text.split_once("> start all VMs\n").expect("a start");
    let (starts, after) = rest.split_once("(finished: start").expect("an end");
    let mut starts: Vec<&str> = starts.lines().collect();
    starts.sort_unstable();
    let starts = starts.join("\n");
    insta::assert_snapshot!(format!(
        "{before}> start all VMs\n{starts}\n(finished: start{after}"
    ));
}

#[test]
fn life_of_a_machine() {
    let script = r#"
print(server, server.booted, server.connected, server.pid, server.is_up())
server.start(allow_reboot=True)
server.start()
print(server.booted, server.connected, server.pid, server.is_up())
server.connect()
print(server.is_up())
server.reboot()
print(server.is_up())
server.succeed("true")
server.crash()
server.crash()
print(server.booted, server.pid)
server.succeed("true")
server.shutdown()
server.shutdown()
server.wait_for_shutdown()
server.wait_for_file("/run/x")
join_all()
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn results_of_commands() {
    let script = r#"
print(repr(server.succeed("echo a", "echo b")), repr(server.succeed()), repr(server.fail("fail x", "false")))
commands = ["echo 1", "echo 2"]
print(repr(server.succeed(*commands, timeout=5)))
status, out = server.execute("fail x")
print(status, repr(out), server.execute("echo x")[1])
print(server.execute("echo x", check_return=False), server.execute("close", False))
print(server.execute("echo x", check_output=False, timeout=None))
print(server.execute("hang"), server.execute("segv"), server.execute("bytes"))
server.sleep(3)
server.sleep(secs=2.5)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn systemctl_and_files() {
    let script = r#"
import datetime, pathlib
print(server.systemctl("list-jobs"), server.systemctl("status it's", "alice"))
print(server.get_unit_info("x.service"), server.get_unit_property("x.service", "ActiveState"))
print(server.start_job("x"), server.stop_job("x", user="bob"))
server.require_unit_state("x.service")
server.wait_for_unit("late.service", timeout=datetime.timedelta(minutes=1))
server.wait_for_closed_port(80, "client", 3)
server.wait_for_file("/tmp/*", 10)
server.copy_from_vm("/var/log/x")
server.copy_from_host(pathlib.Path("/etc/passwd"), pathlib.Path("/tmp/x"))
server.screenshot("shot")
server.screenshot("a.png")
server.screenshot("/tmp/b.c")
print(server.out_dir / "x", driver.out_dir, type(driver.out_dir).__name__)
print(server.shared_dir / "x")
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn names_of_machines() {
    let script = r#"
print(web_1.name, _lives.name, machines, [m.name for m in driver.machines])
print(vlan1, vlan7.nr, vlans)
print("machine" in globals())
"#;
    insta::assert_snapshot!(run_with(&["9lives", "web-1"], script).text());
}

#[test]
fn a_lone_machine_is_also_machine() {
    assert_eq!(
        printed("print(machine is server, machine.name)"),
        "True server"
    );
}

#[test]
fn messages() {
    let script = r#"
log.info("info"); log.warning("careful", machine="server"); log.debug("d"); log.log("plain", {"machine": "x"})
server.log("from the machine")
with log.nested("outside"):
    with server.nested("inside", {"image": "x"}):
        log.log_test_error("wrong")
with log.subtest("sub"):
    pass
driver.logger.info("same")
print("to stdout"); import sys; print("to stderr", file=sys.stderr)
print("no end", end="")
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn machines_are_values_and_can_be_subclassed() {
    let script = r#"
class Counting(Machine):
    def __init__(self, base):
        self.base = base
        self.count = 0
        self.name = "counting"

    def execute(self, command, check_return=True, check_output=True, timeout=900):
        self.count += 1
        return self.base.execute("echo through " + command, timeout=timeout)

class Own(Machine):
    pass

counting = Counting(server)
print(counting, repr(counting.succeed("x", timeout=4)), counting.count, isinstance(counting, Machine))
print(counting.wait_until_succeeds("y"), counting.systemctl("z")[0], counting.count)
method = server.succeed
print(method.__name__, repr(method("echo bound")), {m.name: m for m in machines})
server.anything = 3
server.state_dir = driver.out_dir
print(server.anything, server.state_dir)
class Made(Machine):
    def __init__(self, name):
        super().__init__(driver.out_dir, "/fake/tmp", "run-made-vm", log, name=name, callbacks=[lambda: print("called")])
made = Made("made")
print(made, made.start_command, made.succeed("echo made"), made.succeed("echo again"))
try:
    Made(name=None).super
except AttributeError as e:
    print(e)
try:
    Machine("out")
except TypeError as e:
    print(e)
try:
    Own().succeed("x")
except RuntimeError as e:
    print(e)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn steps_and_subtests_decorate_functions() {
    let script = r#"
@subtest("a test")
@server.nested("a step")
def double(x, *, add=0):
    "doubles"
    return 2 * x + add

print(double.__name__, double.__doc__, double(2), double(3, add=1))

@log.nested("down")
def down(n):
    return n and down(n - 1)

down(1)

class Suite:
    @log.subtest("method")
    def method(self):
        return self

suite = Suite()
print(suite.method() is suite)

@subtest("fails")
def fails():
    raise ValueError("no good")

fails()
"#;
    insta::assert_snapshot!(run(script).text());
}
