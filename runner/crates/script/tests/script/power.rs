//! A machine's life: starts, ends, what scripts write to its attributes, and its process.

use crate::fake::run;

#[test]
fn a_reboot_that_only_the_script_knows_of() {
    let script = r#"
server.connect()
server.connected = False
print(server.connected, server.is_up(), server.booted)
server.connect()
print(server.connected)
server.connected = False
server.succeed("echo after")
server.crash()
server.connected = False
server.connect()
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn attributes_stay_as_written() {
    let script = r#"
import pathlib
for name in ("out_dir", "tmp_dir", "state_dir", "shared_dir", "monitor_path", "shell_path", "qmp_path"):
    print(name, repr(getattr(server, name)))
print(server.process, server.pid, server.shell, server.qmp_client, server.booted, server.callbacks)
server.state_dir = "/elsewhere"
server.allow_reboot = True
server.out_dir = pathlib.Path("/pictures")
server.start_command = "run-it"
server.early.keep_vm_state
server.start()
print(server.state_dir, server.monitor_path, server.start_command)
server.screenshot("x")
server.copy_from_machine("/etc/hosts")
print(server.pid, server.process.pid, server.keep_machine_state)
del server.out_dir
print(server.out_dir)
server.name = "renamed"
server.log("hello")
print(server, type(server.logger).__name__)
for name in ("early", "nonsense"):
    try:
        setattr(server, name, 3)
        print(getattr(server, name))
    except AttributeError as e:
        print(e)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn the_process_is_like_that_of_subprocess() {
    let script = r#"
import signal, subprocess
server.start()
process = server.process
print(process.poll(), process.returncode, process.pid == server.pid, process is server.process)
try:
    process.wait(timeout=2)
except subprocess.TimeoutExpired as e:
    print(e)
try:
    server.wait_for_shutdown(timeout=1)
except subprocess.TimeoutExpired as e:
    print(e)
try:
    process.send_signal(999)
except ValueError as e:
    print(e)
process.stdin.write(b"typed\n")
process.stdin.flush()
process.terminate()
process.kill()
print(process.poll(), process.wait(), server.booted)
server.wait_for_shutdown()
print(server.booted, server.pid)
server.start()
print(server.process is process, process.returncode, server.process.returncode, server.pid)
server.release()
print(server.process.returncode)
server.release()
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn early_commands_do_not_wait_for_the_boot() {
    let script = r#"
server.callbacks.append(lambda: print("called"))
early = server.early
print(early, early.early is early, early.name)
early.succeed("echo early")
print(server.is_up())
early.wait_for_file("/run/x")
early.wait_until_succeeds("after 1", timeout=5)
server.succeed("echo late")
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn the_guest_goes_on_from_its_initrd() {
    insta::assert_snapshot!(run("server.switch_root()").text());
}

#[test]
fn state_can_be_deleted() {
    let script = r#"
import pathlib, tempfile
server.state_dir = pathlib.Path(tempfile.mkdtemp(dir="/tmp")) / "state"
(server.state_dir / "sub").mkdir(parents=True)
server.cleanup_statedir()
print(server.state_dir.exists())
try:
    server.cleanup_statedir()
except OSError as e:
    print("cannot delete" in str(e))
"#;
    assert_eq!(crate::fake::printed(script), "False\nTrue");
}

#[test]
fn callbacks_run_before_commands_and_during_waits() {
    let script = r#"
times = []
server.callbacks.append(lambda: times.append(1))
server.succeed("true")
print(len(times))
server.wait_for_file("/late", 10)
print(len(times))
server.send_monitor_command("stop")
print(len(times))
def broken():
    raise ValueError("the condition does not hold")
server.callbacks.append(broken)
server.wait_for_unit("late.service")
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn efi_variables_of_a_machine_that_is_off() {
    let script = r#"
import pathlib, tempfile, uuid
from test_driver.efi import EfiVariable
server.state_dir = pathlib.Path(tempfile.mkdtemp(dir="/tmp"))
print(server.efi_vars_path.name, server.read_efi_vars())
server.create_efi_vars()
print(server.efi_vars_path.exists(), server.read_efi_vars())
vendor = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
server.write_efi_vars([EfiVariable(vendor_uuid=vendor, name="Greeting", data=b"hello", flags=7)])
for variable in server.read_efi_vars():
    print(variable.name, variable.data, variable.boot_access, variable.runtime_access)
server.dump_efi_vars()
server.start()
for use in (server.read_efi_vars, server.create_efi_vars, server.dump_efi_vars, lambda: server.write_efi_vars([])):
    try:
        use()
    except AssertionError as e:
        print(e)
"#;
    insta::assert_snapshot!(crate::fake::printed(script));
}

#[test]
fn a_machine_that_ended_badly_has_ended() {
    let script = r#"
for end in ("die", "panic", "break"):
    server.execute(end, check_return=False)
    server.wait_for_shutdown()
    print(server.booted)
server.succeed("true")
server.execute("panic", check_return=False)
join_all()
print(server.booted)
server.execute("die", check_return=False)
server.shutdown()
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn a_guest_that_is_going_down_needs_not_be_told_so() {
    let script = r#"
server.execute("poweroff", check_return=False)
server.shutdown()
print(server.booted)
server.succeed("true")
"#;
    insta::assert_snapshot!(run(script).text());
}
