//! Drivers: tests as programs, run by hand in a folder of somebody's.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{AT_WORK, End, Site, VMTEST, log_at_work};

impl Site {
    /// Makes the driver of a test.
    fn driver(&self, attributes: &Value, flags: &[&str]) -> PathBuf {
        fs::write(self.path("driver.json"), attributes.to_string()).expect("file");
        let made = Command::new(VMTEST)
            .arg("driver")
            .args(flags)
            .env("NIX_ATTRS_JSON_FILE", self.path("driver.json"))
            .status();
        assert!(made.expect("the program runs").success());
        self.path("result/bin/nixos-test-driver")
    }

    /// Runs a driver in the folder `here`, and looks for its report in `out`.
    fn drive(&self, driver: &Path, flags: &[&str], out: &Path) -> End {
        let here = self.path("here");
        fs::create_dir_all(&here).expect("folder");
        let output = Command::new(driver)
            .args(flags)
            .current_dir(here)
            .env_remove("VMTEST_LOG")
            .stdin(Stdio::null())
            .output()
            .expect("the driver runs");
        let report = fs::read(out.join("report.json")).ok();
        End {
            code: output.status.code(),
            stderr: String::from_utf8(output.stderr).expect("text"),
            report: report.map(|text| serde_json::from_slice(&text).expect("JSON")),
        }
    }
}

#[test]
fn results_of_a_driver_lie_where_it_was_started_or_where_they_are_to() {
    let site = Site::new();
    let driver = site.driver(&site.attributes("print('fine')\n"), &[]);
    let script = fs::read_to_string(site.path("result/test-script")).expect("a script");
    assert_eq!(script, "print('fine')\n");
    let here = site.drive(&driver, &[], &site.path("here"));
    assert_eq!(here.code, Some(0), "{}", here.stderr);
    assert_eq!(here.report()["outcome"], "passed");
    for (number, flag) in ["-o", "--output-directory", "--output_directory"]
        .iter()
        .enumerate()
    {
        let out = site.path(&format!("out{number}"));
        let there = site.drive(&driver, &[flag, &out.display().to_string()], &out);
        assert_eq!(there.code, Some(0), "{}", there.stderr);
        assert_eq!(there.report()["outcome"], "passed", "{flag}");
    }
}

#[test]
fn a_driver_has_the_exit_codes_of_a_build() {
    for (script, code) in [
        ("raise SystemExit\n", 0),
        ("assert False\n", 1),
        ("1 / 0\n", 3),
    ] {
        let site = Site::new();
        let driver = site.driver(&site.attributes(script), &[]);
        let end = site.drive(&driver, &[], &site.path("here"));
        assert_eq!(end.code, Some(code), "{script}: {}", end.stderr);
    }
    let site = Site::new();
    let driver = site.driver(&site.attributes("pass\n"), &[]);
    let wrong = site.drive(&driver, &["--colour"], &site.path("here"));
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
}

/// Whether it is asked for once more or not. Nobody says that the test has passed, since it was not run.
#[test]
fn a_prompt_that_is_left_has_tested_nothing() {
    let site = Site::new();
    let driver = site.driver(&site.attributes("assert False\n"), &["--interactive"]);
    let out = site.path("out");
    let place = out.display().to_string();
    for flags in [
        vec!["-o", &place],
        vec!["--interactive", "-I", "-o", &place],
    ] {
        let end = site.drive(&driver, &flags, &out);
        assert_eq!(end.code, Some(0), "{}", end.stderr);
        let last = end.stderr.lines().last().expect("a last word");
        let expected = "vmtest: the prompt of test `alone` was left after ";
        assert!(last.starts_with(expected), "{last}");
        assert!(!end.stderr.contains("passed"), "{}", end.stderr);
        assert!(end.report.is_none());
    }
}

/// With its terminal, a driver ends, and leaves nothing behind. Whoever wants it to go on has it ignore the signal.
#[test]
fn a_driver_ends_with_its_terminal_unless_it_is_to_stay() {
    let ends = r#"exec env --default-signal=HUP "$0""#;
    let stays = r#"trap '' HUP; exec "$0""#;
    for (shell, signals, expected) in [
        (ends, &[Signal::HUP][..], "SIGHUP"),
        (stays, &[Signal::HUP, Signal::TERM], "SIGTERM"),
    ] {
        let site = Site::new();
        let driver = site.driver(&site.attributes(AT_WORK), &[]);
        for folder in ["here", "tmp"] {
            fs::create_dir(site.path(folder)).expect("folder");
        }
        let child = Command::new("/bin/sh")
            .args(["-c", shell])
            .arg(driver)
            .current_dir(site.path("here"))
            .env("TMPDIR", site.path("tmp"))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.expect("the driver runs");
        let mut log = log_at_work(&mut child);
        for &signal in signals {
            kill_process(Pid::from_child(&child), signal).expect("it runs");
        }
        let mut rest = String::new();
        log.read_to_string(&mut rest).expect("text");
        assert_eq!(child.wait().expect("it ends").code(), Some(7), "{rest}");
        assert!(
            rest.contains(&format!("the runner got {expected}")),
            "{rest}"
        );
        let left = fs::read_dir(site.path("tmp")).expect("folder").count();
        assert_eq!(left, 0, "{expected}");
    }
}

/// There is no snapshot for it to go on from.
#[test]
fn a_driver_prepares_its_machines_before_its_script() {
    let site = Site::new();
    let mut attributes = site.attributes("print('second')\n");
    attributes["manifest"]["snapshot"] = json!({ "boot": { "prepare": "print('first')\n" } });
    let driver = site.driver(&attributes, &[]);
    let end = site.drive(&driver, &[], &site.path("here"));
    assert_eq!(end.code, Some(0), "{}", end.stderr);
    let said = |line: &&str| matches!(*line, "first" | "second");
    let lines: Vec<&str> = end.stderr.lines().filter(said).collect();
    assert_eq!(lines, ["first", "second"]);
}

/// A folder of somebody's may hold anything, whatever we would call by that name.
#[test]
fn a_driver_removes_nothing_of_somebody_elses() {
    let site = Site::new();
    let notes = site.path("here/snapshot/notes");
    fs::create_dir_all(site.path("here/snapshot")).expect("folder");
    fs::write(&notes, "mine").expect("file");

    let driver = site.driver(&site.attributes("assert False\n"), &[]);
    assert_eq!(site.drive(&driver, &[], &site.path("here")).code, Some(1));
    assert!(notes.exists());

    fs::remove_dir_all(site.path("result")).expect("removed");
    let mut attributes = site.attributes("pass\n");
    attributes["manifest"]["snapshot"] = json!({ "save": { "required": true, "prepared": true } });
    let driver = site.driver(&attributes, &[]);
    let refused = site.drive(&driver, &[], &site.path("here"));
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    let message = refused.report()["failure"]["message"].as_str();
    let message = message.expect("a message");
    assert!(
        message.contains("/snapshot is to hold") && message.contains("no snapshot.json"),
        "{message}"
    );
    assert!(notes.exists());
}
