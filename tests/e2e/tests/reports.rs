//! Reports of tests that fail, built by the attribute `report`, which succeeds: each is as the schema says, and its page has the
//! cause on the first screen.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use e2e::expected::{REPORTED, Reported};
use e2e::toolbox::Toolbox;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

/// The form of reports.
const SCHEMA: &str = include_str!("../../../runner/crates/report/schema.json");

fn main() -> ExitCode {
    let mut trials = vec![trial("report::hello".to_owned(), report_of_a_passed_test)];
    for reported in REPORTED {
        let name = format!("report::{}", reported.test);
        trials.push(trial(name, move |toolbox| check(toolbox, reported)));
    }
    // Two tests at a time would only make each other slower.
    let arguments = Arguments {
        test_threads: Some(1),
        ..Arguments::from_args()
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: String, test: impl FnOnce(&Toolbox) -> Result<()> + Send + 'static) -> Trial {
    Trial::test(name, move || {
        let toolbox = Toolbox::find().map_err(|error| Failed::from(format!("{error:#}")))?;
        test(&toolbox).map_err(|error| Failed::from(format!("{error:#}")))
    })
}

/// Builds it, and returns where it lies. Without the plugin, a script that is wrong is found out by the build.
fn build(toolbox: &Toolbox, attribute: &str) -> Result<String> {
    let mut arguments = vec!["build", "--print-out-paths", "--no-link", attribute];
    arguments.extend(["--option", "plugin-files", ""]);
    let output = toolbox.nix(&arguments)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "`{attribute}` cannot be built:\n{said}"
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Reads a report that is as the schema says.
fn read(toolbox: &Toolbox, out: &str) -> Result<Value> {
    let text = toolbox.read(&format!("{out}/report.json"))?;
    let report: Value = serde_json::from_str(&text).context("report.json")?;
    let schema = serde_json::from_str(SCHEMA).context("schema.json")?;
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    let added = compiler.add_resource("schema.json", schema);
    added.map_err(|error| anyhow::anyhow!("schema.json: {error}"))?;
    let known = compiler.compile("schema.json", &mut schemas);
    let known = known.map_err(|error| anyhow::anyhow!("schema.json: {error}"))?;
    if let Err(error) = schemas.validate(&report, known) {
        anyhow::bail!("the report is not as the schema says: {error:#}");
    }
    Ok(report)
}

/// What stands on a page before anything that is not the cause.
fn first_screen(page: &str) -> Result<&str> {
    let start = page.find("<section id=\"cause\">").context("no cause")?;
    let end = page.find("<section id=\"time\">").context("no rest")?;
    page.get(start..end)
        .context("the cause does not come first")
}

fn check(toolbox: &Toolbox, reported: &Reported) -> Result<()> {
    let out = build(toolbox, &format!("{}.report", reported.test))?;
    let report = read(toolbox, &out)?;
    ensure!(
        report["outcome"] == reported.outcome,
        "{}",
        report["outcome"]
    );
    let page = toolbox.read(&format!("{out}/index.html"))?;
    let cause = first_screen(&page)?;
    for text in reported.cause {
        ensure!(cause.contains(text), "no `{text}` in:\n{cause}");
    }
    let junit = toolbox.read(&format!("{out}/junit.xml"))?;
    ensure!(
        junit.contains("<failure ") || junit.contains("<error "),
        "no case has failed:\n{junit}"
    );
    // Whatever stands for itself is where Hydra looks for it.
    let products = toolbox.read(&format!("{out}/nix-support/hydra-build-products"))?;
    for line in products.lines() {
        let path = line.split_whitespace().nth(2).context("no path")?;
        ensure!(path.starts_with(&out), "{line}");
    }
    Ok(())
}

/// What a passed test leaves is the same form.
fn report_of_a_passed_test(toolbox: &Toolbox) -> Result<()> {
    let out = build(toolbox, "hello")?;
    let report = read(toolbox, &out)?;
    ensure!(report["outcome"] == "passed", "{}", report["outcome"]);
    let frames = report["vlans"]["1"]["frames"].as_u64();
    ensure!(
        frames > Some(10),
        "the machines talked to each other: {frames:?}"
    );
    let page = toolbox.read(&format!("{out}/index.html"))?;
    ensure!(
        first_screen(&page).is_err(),
        "there is no cause of a success"
    );
    // Units and priorities of the journal are there to be filtered by.
    let lines = page.split("id=\"lines\">").nth(1).context("no logs")?;
    let lines = lines.split("</script>").next().context("no end")?;
    let logs: Value = serde_json::from_str(lines).context("the page's logs")?;
    let units = logs["units"].as_array().context("units")?;
    ensure!(
        units.iter().any(|unit| unit == "hello.service"),
        "{units:?}"
    );
    let lines = logs["lines"].as_array().context("lines")?;
    ensure!(
        lines.iter().any(|line| line[4] == 6),
        "no line has a priority"
    );
    let junit = toolbox.read(&format!("{out}/junit.xml"))?;
    ensure!(junit.contains("name=\"client reaches server\""), "{junit}");
    Ok(())
}
