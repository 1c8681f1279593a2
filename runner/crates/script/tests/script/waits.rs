//! Waiting: when tries are made, and what is said when the time is over. The clock is the fake's.

use crate::fake::run;

macro_rules! waits {
    ($($name:ident: $script:expr;)*) => {
        $(
            #[test]
            fn $name() {
                insta::assert_snapshot!(run($script).text());
            }
        )*
    };
}

waits! {
    success_on_the_first_try: "print(server.wait_until_succeeds('echo hi'))";
    success_after_some_tries: "print(server.wait_until_succeeds('after 5', timeout=10))";
    time_over: "server.wait_until_succeeds('after 500', timeout=2)";
    no_time_means_one_try: "server.wait_until_succeeds('echo x', 0)\nserver.wait_until_fails('echo y', -1)";
    failure_awaited: "print(repr(server.wait_until_fails('fail x')))";
    unit_fails: "server.wait_for_unit('broken.service')";
    unit_without_job: "server.wait_for_unit('asleep.service')";
    unit_unknown: "server.wait_for_unit('gone.service')";
    unit_too_late: "server.wait_for_unit('late.service', 'alice', 1)\n";
    unit_late: "server.wait_for_unit('late.service', None, 1.25)\n";
    unit_in_wrong_state: "server.require_unit_state('late.service')";
    file_too_late: "server.wait_for_file('/never', 0.5)";
    port_too_late: "server.wait_for_open_port(80, timeout=4)";
}

#[test]
fn retry_tells_the_last_try() {
    let script = r#"
import datetime
tries = []
def check(last):
    tries.append(last)
    return False
for how in ({"timeout_seconds": 1}, {"timeout": datetime.timedelta(seconds=1)}):
    tries.clear()
    try:
        retry(check, **how)
    except Exception as e:
        print(type(e).__name__, e, len(tries), tries[-2:])
retry(lambda last: [1])
retry(lambda _: True, 5)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn ports_by_the_names_of_services() {
    let script = r#"
server.wait_for_open_port("ssh")
server.wait_for_closed_port("http", "client", 3)
server.wait_for_open_port("3000")
server.wait_for_open_port("http", timeout=1)
"#;
    insta::assert_snapshot!(run(script).text());
}
