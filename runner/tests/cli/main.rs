//! The program as Nix starts it: exit codes, last words and reports of tests without machines.

mod driver;
mod results;
mod snapshot;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The program under test.
const VMTEST: &str = env!("CARGO_BIN_EXE_vmtest");

/// A folder for one run of the program.
struct Site(TempDir);

/// How a run ended.
struct End {
    code: Option<i32>,
    stderr: String,
    report: Option<Value>,
}

impl Site {
    fn new() -> Self {
        let site = Self(tempfile::tempdir().expect("folder"));
        // Nobody starts them: there are no machines.
        for tool in ["qemu", "agent", "mke2fs"] {
            fs::write(site.path(tool), "").expect("file");
        }
        fs::create_dir(site.path("scratch")).expect("folder");
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn attributes(&self, script: &str) -> Value {
        json!({
            "outputs": { "out": self.path("result") },
            "manifest": {
                "version": 1,
                "name": "alone",
                "system": "x86_64-linux",
                "testScript": script,
                "globalTimeout": 600,
                "acceleration": "never",
                "sharedDir": false,
                "waitForOutput": false,
                "serialStdout": true,
                "extraPythonPackages": [],
                "skipTypeCheck": false,
                "skipLint": false,
                "ignoredRules": [],
                "tools": { "qemu": self.path("qemu"), "agent": self.path("agent"), "mke2fs": self.path("mke2fs") },
                "nodes": {},
                "startScripts": {},
            },
        })
    }

    fn start(&self, attributes: &str) -> Child {
        fs::write(self.path("attrs.json"), attributes).expect("file");
        Command::new(VMTEST)
            .arg("build")
            .env("NIX_ATTRS_JSON_FILE", self.path("attrs.json"))
            .env("NIX_BUILD_TOP", self.path("scratch"))
            .env_remove("VMTEST_LOG")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }

    fn end(&self, child: Child) -> End {
        let output = child.wait_with_output().expect("the program ends");
        let report = fs::read(self.path("result/report.json")).ok();
        End {
            code: output.status.code(),
            stderr: String::from_utf8(output.stderr).expect("text"),
            report: report.map(|text| serde_json::from_slice(&text).expect("JSON")),
        }
    }

    fn run(&self, attributes: &Value) -> End {
        self.end(self.start(&attributes.to_string()))
    }
}

impl End {
    fn of_script(script: &str) -> Self {
        let site = Site::new();
        site.run(&site.attributes(script))
    }

    fn report(&self) -> &Value {
        self.report.as_ref().expect("a report")
    }
}

/// What a script without machines can come to.
#[test]
fn each_outcome_has_its_code() {
    let table = [
        ("print('fine')\n", 0, "passed", Value::Null),
        ("raise SystemExit\n", 0, "passed", Value::Null),
        ("import sys\nsys.exit(3)\n", 1, "assertion-failed", 2.into()),
        ("pass\nassert 1 == 2\n", 1, "assertion-failed", 2.into()),
        ("pass\npass\n1 / 0\n", 3, "script-error", 3.into()),
        ("pass\nif\n", 3, "script-error", 2.into()),
    ];
    for (script, code, outcome, line) in table {
        let end = End::of_script(script);
        assert_eq!(end.code, Some(code), "{script}: {}", end.stderr);
        assert_eq!(end.report()["outcome"], outcome, "{script}");
        assert_eq!(end.report()["exitCode"], code, "{script}");
        assert_eq!(end.report()["failure"]["line"], line, "{script}");
    }
}

#[test]
fn the_log_says_what_runs_and_how_it_ended() {
    let end = End::of_script("print('fine')\n");
    let lines: Vec<&str> = end.stderr.lines().collect();
    assert_eq!(
        lines.first(),
        Some(
            &"vmtest: machines run on emulation (TCG): the test asks for it (acceleration = \"never\")"
        )
    );
    assert!(lines.contains(&"fine"), "{lines:?}");
    let last = lines.last().expect("a last word");
    assert!(
        last.starts_with("vmtest: test `alone` passed in "),
        "{last}"
    );
    assert_eq!(end.report()["failure"], Value::Null);
}

/// A failed build has no output: what it would hold lies where Nix keeps it.
#[test]
fn results_of_a_failed_test_are_kept() {
    let site = Site::new();
    let attributes = site.attributes("assert False, 'as expected'\n");
    assert_eq!(site.run(&attributes).code, Some(1));
    let kept = fs::read(site.path("scratch/results/report.json")).expect("a report");
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    let message = kept["failure"]["message"].as_str().expect("a message");
    assert!(message.contains("as expected"), "{message}");

    let site = Site::new();
    assert_eq!(site.run(&site.attributes("pass\n")).code, Some(0));
    assert!(!site.path("scratch/results").exists(), "nothing has failed");
}

/// What was saved before lies there when a test is run again, and may fill the disk when it fails.
#[test]
fn nothing_is_left_of_a_snapshot_that_does_not_count() {
    let site = Site::new();
    let qemu = "#!/bin/sh\necho QEMU emulator version 10.0.2\n";
    fs::write(site.path("qemu"), qemu).expect("file");
    fs::set_permissions(site.path("qemu"), fs::Permissions::from_mode(0o755)).expect("set");
    let save = |script| {
        let mut attributes = site.attributes(script);
        attributes["manifest"]["snapshot"] =
            json!({ "save": { "required": true, "prepared": true } });
        site.run(&attributes)
    };
    for _ in 0..2 {
        let end = save("print('fine')\n");
        assert_eq!(end.code, Some(0), "{}", end.stderr);
        assert!(site.path("result/snapshot/state.blocks").exists());
    }
    assert_eq!(save("assert False\n").code, Some(1));
    assert!(site.path("scratch/results/report.json").exists());
    assert!(!site.path("scratch/results/snapshot").exists());
    assert!(!site.path("result/snapshot").exists());
}

#[test]
fn a_manifest_that_cannot_be_read() {
    let site = Site::new();
    let mut newer = site.attributes("pass\n");
    newer["manifest"]["version"] = json!(2);
    let mut more = site.attributes("pass\n");
    more["manifest"]["colour"] = json!("red");
    let table = [
        (
            "nonsense".to_owned(),
            "malformed manifest: expected ident at line 1 column 2",
        ),
        (
            newer.to_string(),
            "this runner reads manifests of version 1, and this one is of version 2",
        ),
        (
            more.to_string(),
            "malformed manifest: unknown field `colour`",
        ),
        (
            "{}".to_owned(),
            "the derivation has no attribute `manifest`",
        ),
    ];
    let place = format!(
        "vmtest: bad manifest: {}: ",
        site.path("attrs.json").display()
    );
    for (text, complaint) in table {
        let end = site.end(site.start(&text));
        assert_eq!(end.code, Some(6), "{text}");
        assert!(
            end.stderr.starts_with(&format!("{place}{complaint}")),
            "{complaint} in {}",
            end.stderr
        );
        assert_eq!(end.stderr.lines().count(), 1, "{}", end.stderr);
    }
    let absent = Command::new(VMTEST)
        .args([
            "build",
            "--attributes",
            "/no/attrs.json",
            "--scratch",
            "/tmp",
        ])
        .output()
        .expect("the program runs");
    assert_eq!(absent.status.code(), Some(6));
    assert_eq!(
        String::from_utf8_lossy(&absent.stderr),
        "vmtest: bad manifest: /no/attrs.json: No such file or directory (os error 2)\n"
    );
}

/// Modules of pure Python come from where the manifest says.
#[test]
fn scripts_import_from_extra_packages() {
    let site = Site::new();
    fs::create_dir(site.path("packages")).expect("folder");
    fs::write(site.path("packages/greeting.py"), "word = 'hello'\n").expect("file");
    let mut attributes = site.attributes("import greeting\nprint(greeting.word)\n");
    let without = site.run(&attributes);
    assert_eq!(without.code, Some(3), "{}", without.stderr);
    attributes["manifest"]["extraPythonPackages"] = json!([site.path("packages")]);
    let with = site.run(&attributes);
    assert_eq!(with.code, Some(0), "{}", with.stderr);
    assert!(with.stderr.lines().any(|line| line == "hello"));
}

#[test]
fn a_manifest_that_breaks_rules() {
    let site = Site::new();
    let mut attributes = site.attributes("pass\n");
    attributes["manifest"]["name"] = json!("");
    attributes["manifest"]["tools"]["qemu"] = json!("qemu");
    let end = site.run(&attributes);
    assert_eq!(end.code, Some(6));
    let complaints = "the manifest cannot be run:\n  name: is empty\n  tools.qemu: qemu: is not an absolute path";
    assert_eq!(end.report()["outcome"], "bad-manifest");
    assert_eq!(end.report()["failure"]["message"], complaints);
    assert_eq!(end.stderr.matches(complaints).count(), 1, "{}", end.stderr);
}

#[test]
fn a_host_that_cannot_run_the_machines() {
    let site = Site::new();
    let mut attributes = site.attributes("pass\n");
    // On a host with KVM, too: this QEMU is no program.
    attributes["manifest"]["acceleration"] = json!("require");
    let end = site.run(&attributes);
    assert_eq!(end.code, Some(4));
    assert_eq!(end.report()["outcome"], "machine-failed");
    let message = end.report()["failure"]["message"].as_str();
    let message = message.expect("a message");
    assert!(message.contains("requires KVM"), "{message}");
}

#[test]
fn wrong_usage_is_no_outcome() {
    let output = Command::new(VMTEST)
        .arg("biuld")
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
}

/// One that calls the runner is stopped there, one that does not wherever it is.
#[test]
fn a_script_without_end_runs_into_the_time_out() {
    for (script, lines) in [
        ("retry(lambda last: False)\n", 1..=1),
        ("while True:\n    pass\n", 1..=2),
    ] {
        let site = Site::new();
        let mut attributes = site.attributes(script);
        attributes["manifest"]["globalTimeout"] = json!(1);
        let start = Instant::now();
        let end = site.run(&attributes);
        assert!(start.elapsed() < Duration::from_secs(4), "{script}");
        assert_eq!(end.code, Some(5), "{}", end.stderr);
        assert_eq!(end.report()["outcome"], "timed-out");
        assert_eq!(
            end.report()["failure"]["message"],
            "the test did not end within 1 seconds (globalTimeout)"
        );
        let line = end.report()["failure"]["line"].as_u64();
        assert!(line.is_some_and(|line| lines.contains(&line)), "{line:?}");
    }
}

/// A script that says when it has begun, and does not end.
const AT_WORK: &str = "print('at work')\nretry(lambda last: False)\n";

/// What follows in the log of [such a script](AT_WORK).
fn log_at_work(child: &mut Child) -> BufReader<ChildStderr> {
    let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while line != "at work\n" {
        line.clear();
        assert_ne!(log.read_line(&mut line).expect("text"), 0, "it ended early");
    }
    log
}

#[test]
fn signals_end_the_test() {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        let site = Site::new();
        let mut child = site.start(&site.attributes(AT_WORK).to_string());
        let mut log = log_at_work(&mut child);
        let pid = Pid::from_child(&child);
        kill_process(pid, signal).expect("it runs");
        let mut rest = String::new();
        log.read_to_string(&mut rest).expect("text");
        let end = site.end(child);
        assert_eq!(end.code, Some(7), "{rest}");
        assert_eq!(end.report()["outcome"], "interrupted");
        assert_eq!(
            end.report()["failure"]["message"],
            format!("the runner got {name}")
        );
        // Where it stood; it may not have come far.
        let line = end.report()["failure"]["line"].as_u64();
        assert!(matches!(line, Some(1 | 2)), "{line:?}");
    }
}

/// The sandbox has no loader for it. (The segment that names one has type 3 in the table of an ELF file of 64 bits.)
#[test]
#[cfg_attr(
    not(target_feature = "crt-static"),
    ignore = "a program for developers"
)]
fn the_program_is_static() {
    const INTERPRETER: u32 = 3;
    let file = fs::read(VMTEST).expect("the program");
    let number = |at: usize, length: usize| {
        let mut bytes = [0; 8];
        bytes[..length].copy_from_slice(&file[at..at + length]);
        usize::try_from(u64::from_le_bytes(bytes)).expect("64 bits")
    };
    assert_eq!(&file[..5], b"\x7fELF\x02");
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    assert!(count > 0, "segments");
    for segment in 0..count {
        let kind = number(table + segment * size, 4);
        assert_ne!(kind, INTERPRETER as usize, "segment {segment}");
    }
}

#[test]
fn the_script_api_is_printed_in_three_ways() {
    let print = |way: &str| {
        let output = Command::new(VMTEST).args(["api", way]).output();
        let output = output.expect("the program runs");
        assert!(output.status.success(), "{way}: {output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let api: Value = serde_json::from_str(&print("--json")).expect("JSON");
    assert_eq!(api["classes"]["Machine"]["also"][0], "BaseMachine");
    assert!(print("--markdown").starts_with("# Test scripts\n"));
    assert!(print("--stubs").contains("\nclass Machine:\n"));
    let neither = Command::new(VMTEST).arg("api").output();
    assert_eq!(neither.expect("the program runs").status.code(), Some(2));
}
