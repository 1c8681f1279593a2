//! Polling conditions.

use crate::fake::run;

#[test]
fn a_condition_is_checked_by_every_command_in_its_block() {
    let script = r#"
@polling_condition
def holds():
    "the service is up"
    server.succeed("echo checked")

server.connect()
server.succeed("echo before")
with holds:
    server.succeed("echo one")
    server.sleep(1)
    import time; time.sleep(3)
    server.succeed("echo three")
server.succeed("echo after")
print(holds.condition.description, holds.condition.entered, server.callbacks, driver.polling_conditions)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn a_condition_that_fails_fails_the_test() {
    let script = r#"
ok = True

@polling_condition(seconds_interval=0, description="all is well")
def well():
    return ok

with well:
    server.succeed("echo good")
    ok = False
    server.succeed("echo bad")
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn waiting_honours_the_interval_of_the_condition() {
    let script = r#"
from datetime import timedelta
import _vmtest
times = []

def third():
    times.append(_vmtest.now())
    return len(times) == 3

condition = polling_condition(third, interval=timedelta(seconds=7))
condition.wait()
print([round(time - times[0]) for time in times])
never = polling_condition(lambda: False, seconds_interval=10)
for wait in (lambda: never.wait(25), lambda: never.wait(timeout=timedelta(seconds=5)), lambda: never.wait(1, timeout=2)):
    try:
        wait()
    except Exception as e:
        print(type(e).__name__, e)
for wrong in (lambda: polling_condition(third, seconds_interval=1, interval=2), lambda: polling_condition(interval="x")):
    try:
        wrong()
    except TypeError as e:
        print(e)
def raises():
    raise ValueError("not yet")
try:
    polling_condition(raises, seconds_interval=1, description="d").wait(1)
except Exception as e:
    print(type(e).__name__, e)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn conditions_nest() {
    let script = r#"
inner = polling_condition(lambda: True, description="inner")
outer = polling_condition(lambda: None, description="outer")
with outer:
    with inner as value:
        print(value, [c.description for c in driver.polling_conditions])
        driver.check_polling_conditions()
    print(len(driver.polling_conditions), inner.condition.overdue, inner.condition.nested_message)
"#;
    insta::assert_snapshot!(run(script).text());
}
