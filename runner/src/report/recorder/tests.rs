use std::fs;

use vmtest_protocol::Stream;
use vmtest_script::event::{Level, StepId};

use vmtest_report::model::{Ending, FailedUnit};
use vmtest_switch::Counters;

use super::*;

fn machine(name: &str, state: State) -> Event {
    Event::Machine {
        machine: name.to_owned(),
        state,
    }
}

fn agent(name: &str) -> Event {
    Event::Agent {
        machine: name.to_owned(),
    }
}

fn begun(id: u64, parent: u64, machine: Option<&str>, message: &str) -> Event {
    Event::Script(ScriptEvent::StepStarted {
        id: StepId(id),
        parent: Some(StepId(parent)),
        machine: machine.map(str::to_owned),
        message: message.to_owned(),
    })
}

fn step(id: u64, seconds: u64, passed: bool) -> Event {
    Event::Script(ScriptEvent::StepFinished {
        id: StepId(id),
        machine: None,
        message: String::new(),
        elapsed: Duration::from_secs(seconds),
        passed,
    })
}

fn ran(step: u64, command: &str, code: i32) -> Event {
    Event::Ran {
        step: StepId(step),
        command: CommandReport {
            command: command.to_owned(),
            machine: "server".to_owned(),
            ending: Ending::ExitCode(code),
            duration: 0.5,
            stdout: "out".to_owned(),
            stderr: String::new(),
        },
    }
}

fn console(machine: &str, line: &str) -> Event {
    Event::Console {
        machine: machine.to_owned(),
        line: line.to_owned(),
    }
}

fn printed(machine: &str, stream: Stream, text: &str) -> Event {
    Event::Output {
        machine: machine.to_owned(),
        late: false,
        printed: Printed::Line {
            stream,
            text: text.to_owned(),
        },
    }
}

fn subtest_begun(id: u64, name: &str) -> Event {
    Event::Script(ScriptEvent::SubtestStarted {
        id: StepId(id),
        parent: Some(StepId(1)),
        name: name.to_owned(),
    })
}

fn subtest(id: u64, name: &str, seconds: u64, error: Option<&str>) -> Event {
    Event::Script(ScriptEvent::SubtestFinished {
        id: StepId(id),
        name: name.to_owned(),
        elapsed: Duration::from_secs(seconds),
        error: error.map(str::to_owned),
        failure: None,
    })
}

fn recorder(out: &Path, events: impl IntoIterator<Item = Event>) -> Recorder {
    let report = Report::new("story", ["server", "client", "spare"]);
    let mut recorder = Recorder::new(report, out);
    for (second, event) in (0..).zip(events) {
        recorder.record(&Stamped {
            at: Duration::from_secs(second),
            event,
        });
    }
    recorder
}

/// A test of three machines: one reboots and powers off, one dies, one is never started. One event a second.
fn story() -> Vec<Event> {
    let (booting, ready) = (
        State::Booting { allow_reboot: true },
        State::Ready { allow_reboot: true },
    );
    let died = End::Died("signal: 9 (SIGKILL)".into());
    vec![
        Event::Runner(Level::Info, "machines run on KVM".into()),
        machine("server", booting.clone()),
        agent("server"),
        machine("server", ready.clone()),
        begun(2, 1, Some("server"), "must succeed: true"),
        ran(2, "true", 0),
        step(2, 1, true),
        machine("client", booting.clone()),
        machine("server", booting),
        agent("server"),
        // A repeated hello does not move the time of the first.
        agent("server"),
        machine("server", ready),
        subtest_begun(3, "client reaches server"),
        begun(4, 3, Some("client"), "waiting for success: test -e /x"),
        ran(4, "test -e /x", 1),
        ran(4, "test -e /x", 2),
        machine("client", State::Off(Some(died))),
        step(4, 5, false),
        subtest(
            3,
            "client reaches server",
            6,
            Some("QEMU ended unexpectedly"),
        ),
        console(
            "server",
            "[    9.000000] Out of memory: Killed process 7 (tail)",
        ),
        Event::Journal {
            machine: "server".into(),
            priority: Some(4),
            unit: Some("a.service".into()),
            line: "[    9.000000] Out of memory: Killed process 7 (tail)".into(),
        },
        printed("server", Stream::Stdout, "total 0"),
        printed("server", Stream::Stderr, "no such file"),
        Event::Screenshot {
            machine: "server".into(),
            file: "/nowhere/screen.png".into(),
        },
        machine("server", State::Ending(End::PoweredOff)),
        machine("server", State::Off(Some(End::PoweredOff))),
        machine(
            "made by the script",
            State::Booting {
                allow_reboot: false,
            },
        ),
        // The script was left in the middle of this.
        begun(5, 1, None, "never ends"),
        Event::FailedUnits {
            machine: "server".into(),
            units: vec![FailedUnit {
                name: "a.service".into(),
                journal: vec!["[    9.000000] a: gone".into()],
            }],
        },
        Event::Traffic {
            vlan: 1,
            counters: Counters {
                frames: 3,
                bytes: 200,
                dropped: 1,
            },
        },
    ]
}

/// The names of the fields are what programs rely on: what goes here, or means something else, is another version.
#[test]
fn a_failed_test() {
    let out = tempfile::tempdir().expect("folder");
    let mut recorder = recorder(out.path(), story());
    recorder.record(&Stamped {
        at: Duration::from_secs(30),
        event: Event::Screenshot {
            machine: "server".into(),
            file: out.path().join("screen.png"),
        },
    });
    let failure = Failure {
        kind: FailureKind::Machine,
        message: "client: QEMU ended unexpectedly (signal: 9 (SIGKILL))".into(),
        traceback: "Traceback (most recent call last):\n".into(),
        script: "testScript".into(),
        line: Some(7),
        column: None,
        step: Some(StepId(4)),
    };
    recorder.report.acceleration = Some("machines run on KVM: a probe guest ran on it".into());
    recorder.report.failure = Some(failure_of(&failure));
    // The machine that was never started has no logs.
    for path in [
        "server/console.log",
        "server/journal.log",
        "client/qemu.log",
    ] {
        let path = out.path().join(LOGS).join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(path, "").expect("file");
    }
    let (report, _) = recorder.finish(Outcome::MachineFailed, Duration::from_millis(31_500));
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).expect("JSON"));
}

/// What the runner has stopped failed where it was.
#[test]
fn a_stopped_test_failed_in_its_last_step() {
    let events = [
        subtest_begun(2, "slow"),
        begun(3, 2, Some("server"), "waiting for success: false"),
        ran(3, "false", 1),
        step(3, 2, false),
        subtest(2, "slow", 3, Some("stopped")),
    ];
    let mut recorder = recorder(Path::new("/nowhere"), events);
    recorder.report.failure = Some(FailureReport::default());
    let (report, _) = recorder.finish(Outcome::TimedOut, Duration::from_secs(5));
    let failure = report.failure.expect("a failure");
    assert_eq!((failure.step, failure.subtest), (Some(3), Some(2)));
}

/// A failure that is in no step is in the subtest around it, if there is one.
#[test]
fn a_failed_assertion_is_in_its_subtest() {
    let events = || [subtest_begun(2, "a"), subtest(2, "a", 1, Some("no"))];
    for (step, subtest) in [(Some(2), Some(2)), (None, None)] {
        let mut recorder = recorder(Path::new("/nowhere"), events());
        recorder.report.failure = Some(FailureReport {
            step,
            ..FailureReport::default()
        });
        let (report, _) = recorder.finish(Outcome::AssertionFailed, Duration::from_secs(3));
        let failure = report.failure.expect("a failure");
        assert_eq!((failure.step, failure.subtest), (None, subtest));
    }
}

#[test]
fn ends_are_told_in_words() {
    let table = [
        (End::PoweredOff, "powered off"),
        (End::Reset, "reset"),
        (End::Killed, "ended by the test"),
        (End::Panicked("Kernel panic - x".into()), "Kernel panic - x"),
        (
            End::Died("exit status: 1".into()),
            "QEMU ended unexpectedly: exit status: 1",
        ),
    ];
    for (end, words) in table {
        assert_eq!(describe(&end), words);
    }
}

/// The first line that fails the test is told at once; others are in the report.
#[test]
fn lines_that_fail_the_test() {
    let (sender, mut receiver) = oneshot::channel();
    let mut recorder = recorder(Path::new("/nowhere"), []);
    let regex = |text| regex_lite::Regex::new(text).expect("an expression");
    let patterns = Patterns {
        fail_on: vec![regex("BUG")],
        except: vec![regex("known")],
    };
    recorder.look_for(patterns, sender);
    assert_eq!(recorder.line_that_fails(), None);
    for line in ["fine", "a known BUG", "a BUG", "another BUG"] {
        recorder.record(&Stamped {
            at: Duration::from_secs(1),
            event: console("server", line),
        });
    }
    let reason = "server: a line on its console fails the test (failOn, `BUG`): a BUG";
    assert_eq!(recorder.line_that_fails().as_deref(), Some(reason));
    assert_eq!(receiver.try_recv().as_deref(), Ok(reason));
    let found = recorder.report.findings.iter();
    let found: Vec<&str> = found.map(|finding| finding.text.as_str()).collect();
    assert_eq!(found, ["a BUG", "another BUG"]);
}

/// A script that goes on has its failures in the report, each with its place.
#[test]
fn failures_after_which_the_script_goes_on() {
    let failure = Failure {
        kind: FailureKind::Assertion,
        message: "no".into(),
        traceback: String::new(),
        script: "testScript".into(),
        line: Some(2),
        column: None,
        step: Some(StepId(3)),
    };
    let finished = Event::Script(ScriptEvent::SubtestFinished {
        id: StepId(2),
        name: "a".into(),
        elapsed: Duration::from_secs(1),
        error: Some("no".into()),
        failure: Some(failure.clone()),
    });
    let events = [
        subtest_begun(2, "a"),
        begun(3, 2, None, "x"),
        step(3, 1, false),
        finished,
    ];
    let mut recorder = recorder(Path::new("/nowhere"), events);
    recorder.report.failure = Some(failure_of(&failure));
    let (report, _) = recorder.finish(Outcome::AssertionFailed, Duration::from_secs(5));
    let places = report
        .failures()
        .map(|failure| (failure.step, failure.subtest));
    assert_eq!(places.collect::<Vec<_>>(), [(Some(3), Some(2))]);
}
