//! Reports of tests that never were.

use std::time::Duration;

use vmtest_report::finding::{Finding, Kind};
use vmtest_report::model::lines::{OutputLine, Stream};
use vmtest_report::model::{
    Boot, CommandReport, Ending, FailedUnit, FailureReport, MachineReport, Screenshot, ScriptText,
    SnapshotReport, Step, Traffic,
};
use vmtest_report::{LogLine, Logs, Outcome, Report, Source};

/// A report, and what the machines have said.
pub(crate) struct Story {
    pub(crate) report: Report,
    pub(crate) logs: Logs,
}

const SCRIPT: &str = r#"start_all()
server.wait_for_unit("hello.service")

def check(text):
    out = client.succeed(f"echo {text} | nc -N server 3000")
    t.assertIn(text, out)

with subtest("client reaches server"):
    with subtest("by name <b>"):
        check("ping")
    check("<pong> & more")
    client.succeed("test -e /there")

with subtest("the machine goes off"):
    server.shutdown()
"#;

struct Line(
    u64,
    Option<u64>,
    Option<&'static str>,
    &'static str,
    f64,
    f64,
    bool,
);

impl From<&Line> for Step {
    fn from(line: &Line) -> Self {
        let Line(id, parent, machine, message, start, duration, passed) = line;
        let subtest = message.strip_prefix("subtest: ").map(str::to_owned);
        Self {
            id: *id,
            parent: *parent,
            error: (subtest.is_some() && !passed)
                .then(|| "command `test -e /there` failed (exit code 1)".to_owned()),
            subtest,
            machine: machine.map(str::to_owned),
            message: (*message).to_owned(),
            start: *start,
            duration: *duration,
            passed: *passed,
            commands: 0,
            command: None,
        }
    }
}

/// Steps by number, parent, machine, message, start, duration and success.
const STEPS: &[Line] = &[
    Line(
        3,
        Some(2),
        Some("server"),
        "waiting for unit hello.service",
        0.8,
        11.6,
        true,
    ),
    Line(
        6,
        Some(5),
        Some("client"),
        "must succeed: echo ping | nc -N server 3000",
        12.5,
        0.4,
        true,
    ),
    Line(5, Some(4), None, "subtest: by name <b>", 12.5, 0.4, true),
    Line(
        7,
        Some(4),
        Some("client"),
        "must succeed: echo <pong> & more | nc -N server 3000",
        12.9,
        0.3,
        true,
    ),
    Line(
        8,
        Some(4),
        Some("client"),
        "must succeed: test -e /there",
        13.2,
        0.1,
        false,
    ),
    Line(
        4,
        Some(2),
        None,
        "subtest: client reaches server",
        12.4,
        0.9,
        false,
    ),
    Line(2, None, None, "run the VM test script", 0.7, 12.6, false),
];

impl Story {
    /// Each with its name.
    pub(crate) fn all() -> [(&'static str, Self); 5] {
        [
            ("passed", Self::passed()),
            ("failed", Self::failed()),
            ("panicked", Self::panicked()),
            ("went_on", Self::went_on()),
            ("unread", Self::unread()),
        ]
    }

    fn new(name: &str) -> Self {
        let mut report = Report::new(name, ["client", "server"]);
        report.acceleration =
            Some("machines run on emulation (TCG): /dev/kvm does not work".into());
        report.scripts = vec![ScriptText {
            name: "testScript".into(),
            text: SCRIPT.into(),
        }];
        report.steps = STEPS.iter().map(Step::from).collect();
        for (machine, up) in [("client", 9.5), ("server", 8.75)] {
            let boot = Boot {
                restored: false,
                power_on: 0.75,
                agent: Some(3.25),
                up: Some(up),
                off: None,
            };
            let known = MachineReport {
                boots: vec![boot],
                console_log: Some(format!("machines/{machine}/console.log")),
                journal_log: Some(format!("machines/{machine}/journal.log")),
                qemu_log: None,
                ..MachineReport::default()
            };
            report.machines.insert(machine.into(), known);
        }
        report.vlans.insert(
            1,
            Traffic {
                frames: 1234,
                bytes: 567_890,
                dropped: 2,
            },
        );
        let mut logs = Logs::default();
        for number in 0_u8..40 {
            for (machine, source) in [
                ("server", Source::Console),
                ("server", Source::Journal),
                ("client", Source::Console),
            ] {
                let time = 1.0 + 0.2 * f64::from(number);
                let line = LogLine {
                    time,
                    unit: (source == Source::Journal)
                        .then(|| format!("unit{}.service", number % 3)),
                    priority: (source == Source::Journal).then_some(number % 8),
                    text: format!("[{time:12.6}] systemd[1]: line {number} <of> the {machine}"),
                };
                logs.push(machine, source, line);
            }
        }
        Self { report, logs }
    }

    pub(crate) fn passed() -> Self {
        let mut story = Self::new("hello");
        for step in &mut story.report.steps {
            step.passed = true;
            step.error = None;
        }
        story.report.snapshot = Some(SnapshotReport {
            from: "/nix/store/boot".into(),
            unused: None,
        });
        story.report.screenshots = vec![Screenshot {
            machine: "server".into(),
            time: 12.0,
            file: "screen.png".into(),
        }];
        story
            .report
            .finish(Outcome::Passed, Duration::from_millis(14_500));
        story
    }

    /// A command that fails in a subtest, a unit that has failed, a process that was killed.
    pub(crate) fn failed() -> Self {
        let mut story = Self::new("hello");
        let report = &mut story.report;
        report.failure = Some(FailureReport {
            message: "command `test -e /there` failed (exit code 1)\nstandard error:\n<nothing> is there".into(),
            traceback: "Traceback (most recent call last):\n  File \"testScript\", line 12, in <module>\n    \
                        client.succeed(\"test -e /there\")"
                .into(),
            script: Some("testScript".into()),
            line: Some(12),
            column: Some(5),
            step: Some(8),
            subtest: Some(4),
        });
        let step = report.steps.iter_mut().find(|step| step.id == 8);
        let step = step.expect("a step");
        step.commands = 1;
        step.command = Some(CommandReport {
            command: "test -e /there".into(),
            machine: "client".into(),
            ending: Ending::ExitCode(1),
            duration: 0.0625,
            stdout: String::new(),
            stderr: "<nothing> is there\n".into(),
        });
        report.findings = vec![Finding {
            kind: Kind::OomKill,
            machine: "server".into(),
            source: Source::Console,
            time: 11.5,
            text: "Out of memory: Killed process 99 (tail)".into(),
            pattern: None,
        }];
        let server = report.machines.get_mut("server").expect("a machine");
        server.failed_units = vec![FailedUnit {
            name: "broken.service".into(),
            journal: vec![
                "[   11.000000] systemd[1]: broken.service: Main process exited, code=exited, status=1/FAILURE".into(),
                "[   11.000001] systemd[1]: broken.service: Failed with result 'exit-code'.".into(),
            ],
        }];
        server.output.push(OutputLine {
            time: 12.75,
            stream: Stream::Stdout,
            late: false,
            text: "ping".into(),
        });
        report.finish(Outcome::AssertionFailed, Duration::from_millis(14_500));
        story
    }

    /// A kernel that panics while a command runs.
    pub(crate) fn panicked() -> Self {
        let mut story = Self::failed();
        let report = &mut story.report;
        let panic = "Kernel panic - not syncing: sysrq triggered crash";
        let failure = report.failure.as_mut().expect("a failure");
        failure.message = format!("client: the guest's kernel panicked: {panic}");
        report.findings = vec![Finding {
            kind: Kind::Panic,
            machine: "client".into(),
            source: Source::Console,
            time: 13.25,
            text: panic.into(),
            pattern: None,
        }];
        report
            .machines
            .get_mut("server")
            .expect("a machine")
            .failed_units = Vec::new();
        let client = report.machines.get_mut("client").expect("a machine");
        client.end = Some(panic.into());
        client.failed = true;
        client.boots[0].off = Some(13.3);
        let step = report.steps.iter_mut().find(|step| step.id == 8);
        let command = step.and_then(|step| step.command.as_mut());
        command.expect("a command").ending = Ending::Lost("the machine panicked".into());
        report.finish(Outcome::MachineFailed, Duration::from_millis(14_500));
        story
    }

    /// A test that goes on after a failed subtest.
    pub(crate) fn went_on() -> Self {
        let mut story = Self::failed();
        let report = &mut story.report;
        let first = report.failure.clone().expect("a failure");
        let mut second = first.clone();
        second.message = "AssertionError: 'pong' not found in ''".into();
        second.line = Some(15);
        second.step = None;
        second.subtest = Some(9);
        report.failed_subtests = vec![first, second];
        let line = Line(
            9,
            Some(2),
            None,
            "subtest: the machine goes off",
            13.4,
            0.5,
            false,
        );
        report.steps.push(Step::from(&line));
        report.findings = Vec::new();
        story
    }

    /// A manifest that breaks a rule: nothing was run.
    pub(crate) fn unread() -> Self {
        let mut report = Report::new("early", []);
        report.failure = Some(FailureReport {
            message: "nodes.a: the machine has no kernel".into(),
            ..FailureReport::default()
        });
        report.finish(Outcome::BadManifest, Duration::ZERO);
        Self {
            report,
            logs: Logs::default(),
        }
    }
}
