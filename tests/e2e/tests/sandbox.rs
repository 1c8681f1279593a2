//! Builds every test with `nix build` in the sandbox and compares how it ends with the table.

use std::collections::BTreeSet;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};
use e2e::expected::{Expected, TABLE};
use e2e::toolbox::Toolbox;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let mut trials = vec![
        trial("every_test_is_in_the_table", every_test_is_in_the_table),
        trial(
            "programs_are_static_and_small",
            programs_are_static_and_small,
        ),
        trial(
            "library_and_plugin_give_the_same_derivations",
            library_and_plugin_agree,
        ),
    ];
    for expected in TABLE {
        trials.push(trial(
            &format!("sandbox::{}", expected.test),
            move |toolbox| build(toolbox, expected),
        ));
    }
    // Two tests at a time would only make each other slower.
    let arguments = Arguments {
        test_threads: Some(1),
        ..Arguments::from_args()
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: &str, test: impl FnOnce(&Toolbox) -> Result<()> + Send + 'static) -> Trial {
    Trial::test(name, move || {
        let toolbox = Toolbox::find().map_err(|error| Failed::from(format!("{error:#}")))?;
        test(&toolbox).map_err(|error| Failed::from(format!("{error:#}")))
    })
}

fn every_test_is_in_the_table(toolbox: &Toolbox) -> Result<()> {
    let mut folders = BTreeSet::new();
    for entry in toolbox.tests().read_dir()? {
        let entry = entry?;
        // The stub is imported as nixpkgs is.
        if entry.file_name() != "nixpkgs-stub" && entry.path().join("default.nix").exists() {
            folders.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    let table: BTreeSet<String> = TABLE
        .iter()
        .map(|expected| expected.test.to_owned())
        .collect();
    ensure!(folders == table, "folders: {folders:?}\ntable: {table:?}");
    Ok(())
}

/// The programs as they lie in the store: what goes into a sandbox or a guest needs no libraries, and nothing has grown
/// beyond its budget.
fn programs_are_static_and_small(toolbox: &Toolbox) -> Result<()> {
    for program in ["runner", "agent"] {
        let path = toolbox.path(program)?;
        let output = Command::new("ldd").arg(&path).output().context("ldd")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            said.contains("not a dynamic executable"),
            "{program}: {said}"
        );
    }
    for (program, budget) in [
        ("agent", 1_600_000),
        ("plugin", 1_500_000),
        // Of that, 21 MB are the type checker with the stubs of Python's standard library.
        ("runner", 60_000_000),
    ] {
        let size = std::fs::metadata(toolbox.path(program)?)?.len();
        ensure!(
            size < budget,
            "{program} has {size} bytes, more than {budget}"
        );
    }
    Ok(())
}

/// `builtins.vmTest` and `lib.vmTest` give the same derivation, for every test.
fn library_and_plugin_agree(toolbox: &Toolbox) -> Result<()> {
    let plugin = toolbox.derivations("builtins.vmTest", &[])?;
    let library = format!(
        "(import {}/../lib {{ tools = {{ inherit ({}) system runner agent qemu e2fsprogs tesseract; }}; }}).vmTest",
        toolbox.tests().display(),
        toolbox.tools_expression()
    );
    let library = toolbox.derivations(&library, &["--option", "plugin-files", ""])?;
    ensure!(
        plugin.as_object().is_some_and(|tests| tests.len()
            == TABLE
                .iter()
                .filter(|test| test.evaluation.is_none())
                .count()),
        "not every test: {plugin}"
    );
    ensure!(
        plugin == library,
        "with the plugin: {plugin:#}\nwithout: {library:#}"
    );
    Ok(())
}

/// Builds one test; whatever it does, its machines are gone with it.
fn build(toolbox: &Toolbox, expected: &Expected) -> Result<()> {
    let before = running(expected.test)?;
    let compared = compare(toolbox, expected);
    let after = running(expected.test)?;
    let left: Vec<_> = after.difference(&before).cloned().collect();
    ensure!(left.is_empty(), "still running: {left:#?}");
    compared
}

fn compare(toolbox: &Toolbox, expected: &Expected) -> Result<()> {
    let build = [
        "build",
        "--print-out-paths",
        "--no-link",
        "--print-build-logs",
        expected.test,
    ];
    let mut arguments = build.to_vec();
    if let Some(words) = expected.evaluation {
        let output = toolbox.nix(&build)?;
        ensure!(!output.status.success(), "the test was evaluated");
        let said = String::from_utf8_lossy(&output.stderr);
        check_words(&said, words).with_context(|| format!("in:\n{said}"))?;
        arguments.extend(["--option", "plugin-files", ""]);
    }
    let output = toolbox.nix(&arguments)?;
    let said = String::from_utf8_lossy(&output.stderr);
    if expected.exit_code == 0 {
        ensure!(output.status.success(), "the test failed:\n{said}");
        let out = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        return check_passed(toolbox, expected, &out);
    }
    ensure!(!output.status.success(), "the test passed");
    let code = format!("failed with exit code {}", expected.exit_code);
    ensure!(said.contains(&code), "no `{code}` in:\n{said}");
    check_log(&said, expected).with_context(|| format!("in:\n{said}"))
}

/// A test that passed earlier is not built again: its log and its report are those of the build.
fn check_passed(toolbox: &Toolbox, expected: &Expected, out: &str) -> Result<()> {
    let log = toolbox.nix(&["log", expected.test])?;
    let log = String::from_utf8_lossy(&log.stdout).into_owned();
    check_log(&log, expected).with_context(|| format!("in:\n{log}"))?;
    let report = toolbox.read(&format!("{out}/report.json"))?;
    let report: serde_json::Value = serde_json::from_str(&report).context("report.json")?;
    ensure!(report["outcome"] == "passed", "{report:#}");
    let boots_instead =
        log.contains(", since they cannot go on") || log.contains(", since it cannot go on");
    ensure!(
        report["snapshot"]["unused"].is_string() == boots_instead,
        "{report:#}"
    );
    let machines = report["machines"].as_object().context("machines")?;
    ensure!(!machines.is_empty(), "{report:#}");
    for (name, machine) in machines {
        let path = machine["consoleLog"].as_str().context("consoleLog")?;
        let console = toolbox.read(&format!("{out}/{path}"))?;
        ensure!(
            console.contains("Linux version"),
            "the console of {name} shows no boot:\n{console}"
        );
    }
    Ok(())
}

/// Finds texts in their order, and gives what stands behind the last.
fn check_words<'a>(text: &'a str, words: &[&str]) -> Result<&'a str> {
    let mut rest = text;
    for word in words {
        match rest.find(word) {
            Some(position) => rest = &rest[position + word.len()..],
            None => bail!("no `{word}` where it is expected"),
        }
    }
    Ok(rest)
}

fn check_log(log: &str, expected: &Expected) -> Result<()> {
    let rest = check_words(log, expected.log)?;
    if let Some(outcome) = expected.outcome {
        let last = rest.lines().rfind(|line| line.contains("vmtest: test `"));
        let last = last.unwrap_or_default();
        // What several tests boot from has no test's name.
        let is_its_own = [expected.test, "boot"]
            .iter()
            .any(|name| last.contains(&format!("vmtest: test `{name}` ")));
        ensure!(
            is_its_own && last.contains(outcome),
            "the log ends with `{last}`, not with `{outcome}`"
        );
    }
    Ok(())
}

/// The QEMUs that run now in sandboxes of this test; somebody else may run others.
fn running(test: &str) -> Result<BTreeSet<String>> {
    let build = format!("vm-test-run-{test}.drv");
    let mut running = BTreeSet::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        // What is no process has no command line.
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let is_qemu = command.starts_with("/nix/store/") && command.contains("/qemu-system-");
        // The sandbox's folder is mounted from one that has the derivation's name.
        let mounts = || std::fs::read_to_string(entry.path().join("mountinfo")).unwrap_or_default();
        if is_qemu && mounts().contains(&build) {
            running.insert(format!("{}: {command}", entry.file_name().display()));
        }
    }
    Ok(running)
}
