//! Scripts that the runner stops.

use vmtest_script::failure::FailureKind;

use crate::fake::run;

/// Runs a script that is stopped while it does this.
fn stopped(during: &str) {
    let script =
        format!("server.connect()\nserver.succeed('stop-test')\n{during}\nprint('never')\n");
    let run = run(&script);
    let failure = run.result.expect_err("the script is stopped");
    assert_eq!(failure.kind, FailureKind::Aborted, "{failure}");
    assert!(
        failure.message.contains("its time of 60 seconds is over"),
        "{failure}"
    );
    assert!(failure.line.is_some_and(|line| line >= 2), "{failure}");
    assert!(!run.log.contains("never"), "{}", run.log);
}

#[test]
fn endless_loops_are_interrupted() {
    stopped("while True: pass");
    stopped("x = 0\nwhile True:\n    x += 1\n    y = [x, str(x)]");
    stopped("import itertools\nfor i in itertools.count():\n    pass");
}

#[test]
fn one_that_catches_everything_is_interrupted_again() {
    stopped(
        "
caught = 0
while caught < 2:
    try:
        while True: pass
    except BaseException:
        caught += 1
while True: pass",
    );
}

#[test]
fn waiting_for_parallel_functions_is_interrupted() {
    stopped(
        "
import threading
forever = threading.Event()
parallel(forever.wait, forever.wait)",
    );
}
