//! Units of a service manager that is a fake.

use std::sync::Arc;
use std::thread;

use vmtest_protocol::Outcome;

use super::*;
use crate::serve::dbus::fake::Fake;
use crate::serve::queue::Queue;
use crate::serve::wait::until;

const UNIT: &str = "x.service";

fn watch(fake: &Fake, unit: &str, state: Option<&str>) -> UnitWatch {
    let watch = UnitWatch::new(unit, None, state.map(str::to_owned));
    UnitWatch {
        socket: fake.socket(),
        ..watch.expect("a unit of the system's")
    }
}

/// Waits for the unit on a thread of its own, while `act` is done.
fn wait_while(
    fake: &Fake,
    state: Option<&str>,
    timeout_ms: Option<u64>,
    act: impl FnOnce(),
) -> Result<Outcome, Failure> {
    let mut watch = watch(fake, UNIT, state);
    let task = Task::new(1, timeout_ms, Arc::new(Queue::default())).expect("room");
    thread::scope(|scope| {
        let waiting = scope.spawn(move || until(&task, &mut watch));
        act();
        waiting.join().expect("no panic")
    })
}

fn failure(text: &str) -> Result<Outcome, Failure> {
    Err(Failure(text.to_owned()))
}

#[test]
fn an_active_unit_is_not_waited_for() {
    let fake = Fake::new("active", 0);
    assert_eq!(
        wait_while(&fake, None, Some(0), || {}),
        Ok(Outcome::Complete)
    );
    assert_eq!(fake.looks(), 1);
}

#[test]
fn a_unit_is_looked_at_when_it_has_changed() {
    let fake = Fake::new("inactive", 1);
    let end = wait_while(&fake, None, None, || {
        fake.until_looked_at(1);
        fake.others_change();
        fake.change("activating", 1);
        fake.until_looked_at(2);
        fake.change("active", 0);
    });
    assert_eq!(end, Ok(Outcome::Complete));
    // What it was waited for is told with the change.
    assert_eq!(fake.looks(), 2);
}

#[test]
fn a_unit_that_has_failed_is_given_up() {
    let fake = Fake::new("activating", 0);
    let end = wait_while(&fake, None, None, || {
        fake.until_looked_at(1);
        fake.change("failed", 0);
    });
    assert_eq!(end, failure("unit \"x.service\" reached state \"failed\""));
}

#[test]
fn an_inactive_unit_is_given_up_with_the_last_job() {
    let idle = || failure("unit \"x.service\" is inactive and there are no pending jobs");
    let fake = Fake::new("inactive", 0);
    assert_eq!(wait_while(&fake, None, None, || {}), idle());
    let fake = Fake::new("inactive", 2);
    let end = wait_while(&fake, None, None, || {
        fake.until_looked_at(1);
        fake.end_job();
        fake.end_job();
    });
    assert_eq!(end, idle());
}

#[test]
fn what_starts_a_unit_may_be_on_its_way() {
    let fake = Fake::new("inactive", 0);
    let end = wait_while(&fake, None, None, || {
        fake.until_looked_at(1);
        fake.change("active", 0);
    });
    assert_eq!(end, Ok(Outcome::Complete));
}

#[test]
fn any_state_can_be_waited_for() {
    let fake = Fake::new("active", 0);
    let end = wait_while(&fake, Some("failed"), None, || {
        fake.until_looked_at(1);
        fake.change("inactive", 0);
        fake.until_looked_at(2);
        fake.change("failed", 0);
    });
    assert_eq!(end, Ok(Outcome::Complete));
}

#[test]
fn a_manager_that_starts_anew_is_asked_anew() {
    let fake = Fake::new("activating", 0);
    let end = wait_while(&fake, None, None, || {
        fake.until_looked_at(1);
        fake.start_anew();
        fake.until_looked_at(2);
        fake.change("active", 0);
    });
    assert_eq!(end, Ok(Outcome::Complete));
}

#[test]
fn the_last_state_is_told_when_the_time_is_over() {
    let fake = Fake::new("activating", 0);
    let last = "state activating".to_owned();
    assert_eq!(
        wait_while(&fake, None, Some(20), || {}),
        Ok(Outcome::TimedOut { last })
    );
}

#[test]
fn a_name_that_is_no_units_is_refused() {
    let fake = Fake::new("active", 0);
    let mut watch = watch(&fake, "no unit.service", None);
    let task = Task::new(1, None, Arc::new(Queue::default())).expect("room");
    assert_eq!(
        until(&task, &mut watch),
        failure("Unit name no unit.service is not valid.")
    );
}

#[test]
fn names_are_those_that_systemctl_takes() {
    let table = [
        ("nginx", "nginx.service"),
        ("nginx.service", "nginx.service"),
        ("multi-user.target", "multi-user.target"),
        ("getty@tty1", "getty@tty1.service"),
        ("a.b", "a.b.service"),
        ("/", "-.mount"),
        ("/var/lib/my disk", "var-lib-my\\x20disk.mount"),
        ("/home/a-b", "home-a\\x2db.mount"),
        ("/.hidden", "\\x2ehidden.mount"),
        ("/dev/vda", "dev-vda.device"),
        ("/devices", "devices.mount"),
    ];
    for (given, name) in table {
        assert_eq!(full_name(given), name, "{given}");
    }
}

#[test]
fn users_have_numbers() {
    let list = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:100::/home/alice:/bin/sh\nbroken\n";
    assert_eq!(in_list(list, "alice"), Some(1000));
    assert_eq!(in_list(list, "root"), Some(0));
    assert_eq!(in_list(list, "bob"), None);
    assert_eq!(number_of("root"), Ok(0));
    assert_eq!(
        number_of("nobody-of-this-name"),
        Err(Failure(
            "the guest has no user \"nobody-of-this-name\"".into()
        ))
    );
}
