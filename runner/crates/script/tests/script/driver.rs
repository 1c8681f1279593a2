//! The object `driver` and the names that scripts find defined.

use crate::fake::{printed, run, run_with};

#[test]
fn machines_can_be_made() {
    let script = r#"
one = create_machine("/nix/store/x/bin/run-one-vm")
two = create_machine(start_command="cmd", name="two", keep_machine_state=True)
old = create_machine("cmd", name="old", keep_vm_state=True)
print(one, two.name, two.start_command, two in machines, isinstance(two, Machine))
two.succeed("echo x")
start_all()
driver.machines.append(two)
driver.machines_qemu.append(old)
print(machines, len(driver.machines), machines_nspawn)
start_all()
dictionary = create_machine({"startCommand": "qemu", "name": "dict", "allow_reboot": True})
dictionary.start()
qemu = create_machine({"hda": "/disk", "hdaInterface": "scsi", "qemuFlags": "-snapshot"})
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn attributes_of_the_driver() {
    let script = r#"
print(driver.vlans, driver.machines is driver.machines_qemu, driver.polling_conditions)
print(driver.config.vlans, list(driver.config.vms), driver.global_timeout, driver.interactive)
driver.race_timer.cancel()
driver.global_timeout = 5
driver.out_dir = driver.out_dir / "below"
print(driver.global_timeout, driver.out_dir, len(driver.tests) > 100)
print(sorted(driver.test_symbols()) == sorted(n for n in globals() if not n.startswith("__")))
serial_stdout_off()
driver.serial_stdout_on()
log.print_serial_logs(False)
print(vlan1.nr, vlan1.socket_dir, vlan1.tap_name, vlan1.process, vlan1.stop())
debug.breakpoint()
debug.breakpoint(port=1)
print(debug.breakpoint_on_failure, debug.attach, dump_machine_ssh())
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn terminated_tests_fail() {
    insta::assert_snapshot!(run("server.start()\ndriver.terminate_test()").text());
}

#[test]
fn levels_and_loggers() {
    let script = r#"
from test_driver.logger import LogLevel, AbstractLogger
class Mine(AbstractLogger):
    def __init__(self, prefix):
        self.prefix = prefix
    def info(self, *args, **kwargs):
        print(self.prefix, *args)
    def log(self, message, attributes={}):
        print(self.prefix, message, attributes)
log.add_logger(Mine("mine:"))
log.info("both", {"machine": "x"})
log.log("plain", {"a": "b"})
log.logger_list.clear()
log.debug("details")
log.set_log_level(LogLevel.DEBUG)
log.debug("no details any more")
log.set_log_level(LogLevel.ERROR)
log.warning("now details")
log.log_serial("a line", "server")
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn machines_win_over_other_names_with_a_warning() {
    let machines = ["a-b", "a.b", "class", "log", "print", "retry", "vlan7"];
    let script = "
import builtins
builtins.print(retry, a_b, driver.machines[2], type(driver.logger).__name__, vlan7)
";
    insta::assert_snapshot!(run_with(&machines, script).text());
}

#[test]
fn retry_takes_its_time_under_either_name() {
    let script = r#"
import datetime
tries = []
def attempt(last):
    tries.append(last)
    return last
retry(attempt, 0)
retry(attempt, timeout_seconds=0.01)
retry(attempt, timeout=datetime.timedelta(seconds=0))
retry(fn=attempt, timeout=0)
retry(fn=attempt, timeout=0)
print(tries)
for call in (lambda: retry(attempt, 1, 2), lambda: retry(attempt, timeout="1")):
    try:
        call()
    except TypeError as e:
        print(e)
try:
    retry(lambda last: False, 2)
except Exception as e:
    print(type(e).__name__, e)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn a_script_can_be_told_the_time_of_sleeping() {
    let script = r#"
import time
time.sleep(1000.5)
time.sleep(0)
for wrong in (-1, float("nan"), "x", None):
    try:
        time.sleep(wrong)
    except Exception as e:
        print(type(e).__name__, e)
"#;
    insta::assert_snapshot!(printed(script));
}

#[test]
fn retry_is_the_same_when_imported() {
    let script = r#"
import datetime
from test_driver.machine import retry as imported
second = datetime.timedelta(seconds=1)
for how in ({}, {"timeout_seconds": 1}, {"timeout": second}, {"timeout_seconds": None, "timeout": None}, {"timeout_seconds": 1, "timeout": second}):
    for function in (retry, imported):
        try:
            function(lambda last: False, **how)
        except Exception as e:
            print(type(e).__name__, e)
"#;
    insta::assert_snapshot!(printed(script));
}

#[test]
fn the_environment_names_the_output() {
    // A build has it there already.
    let out = std::env::var("out").unwrap_or_else(|_| "/fake/out".to_owned());
    assert_eq!(printed("print(os.environ['out'])"), out);
}

#[test]
fn attributes_of_messages_name_the_machine() {
    let script = r#"
log.info("one", {"machine": "a"})
log.warning("two", attributes={"machine": "b"})
log.log_test_error("three", {"other": "x"}, machine="c")
log.log("four", {"machine": "d"})
with log.nested("five", {"machine": "e"}):
    pass
with server.nested("six", {"machine": "f"}):
    pass
log.error("seven", {"machine": "g"})
"#;
    insta::assert_snapshot!(run(script).text());
}
