//! The command line.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use vmtest_check::rules;
use vmtest_manifest::Attributes;
use vmtest_report::{Outcome, files, text};
use vmtest_script::Mode;

use crate::check::{self, Format};
use crate::driver;
use crate::gate;
use crate::test::{self, Fate, Places};

/// Runs NixOS VM tests.
#[derive(Debug, Parser)]
#[command(name = "vmtest", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a test: the builder of the derivation that builtins.vmTest makes
    Build(Build),
    /// Makes a program of a test: the builder of its attributes `driver` and `driverInteractive`
    Driver(Driver),
    /// Runs a test outside of Nix: what a driver starts
    Run(Run),
    /// Looks at the outcome of a test whose results were kept: the builder of tests with `results = "gated"`
    Gate(Gate),
    /// Prints the report of a test that has been run
    Report(Show),
    /// Prints what a test script can use
    Api(Api),
    /// Looks for mistakes in a test script
    ///
    /// Ends with 0 when there is no error, with 1 when there is one, and with 2 when the script cannot be looked at.
    Check(Check),
    /// Answers the plugin for Nix, whose request stands in the standard input
    #[command(hide = true)]
    CheckRequest(CheckRequest),
}

#[derive(Debug, Args)]
struct Build {
    #[command(flatten)]
    given: Given,
    /// Folder for the results, in place of the derivation's output
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder for images and disks, and for the results of a test that failed
    #[arg(long, env = "NIX_BUILD_TOP", value_name = "DIR")]
    scratch: PathBuf,
    /// Succeeds when the test fails, too: what counts is that there are results
    #[arg(long)]
    report: bool,
}

#[derive(Debug, Args)]
struct Gate {
    /// The derivation's structured attributes: the test's results and output
    #[arg(long, env = "NIX_ATTRS_JSON_FILE", value_name = "FILE")]
    attributes: PathBuf,
}

#[derive(Debug, Args)]
struct Driver {
    #[command(flatten)]
    given: Given,
    /// Whether the program starts with a prompt, and not with the test script
    #[arg(long)]
    interactive: bool,
}

#[derive(Debug, Args)]
struct Run {
    #[command(flatten)]
    given: Given,
    /// A Python prompt in place of the test script, which `test_script()` runs then
    #[arg(short = 'I', long, overrides_with = "interactive")]
    interactive: bool,
    /// Folder for the results (default: the working directory; with --interactive they are lost)
    #[arg(
        short = 'o',
        long = "output-directory",
        alias = "output_directory",
        value_name = "DIR"
    )]
    out: Option<PathBuf>,
}

/// What Nix hands over.
#[derive(Debug, Args)]
struct Given {
    /// The derivation's structured attributes: manifest, closures and output
    #[arg(long, env = "NIX_ATTRS_JSON_FILE", value_name = "FILE")]
    attributes: PathBuf,
}

#[derive(Debug, Args)]
struct Show {
    /// The output of a test, or its report.json
    #[arg(value_name = "DIR|FILE")]
    path: PathBuf,
}

#[derive(Debug, Args)]
struct Api {
    #[command(flatten)]
    form: ApiForm,
    /// With --stub-files: names of the machines
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = "machine"
    )]
    machines: Vec<String>,
    /// With --stub-files: numbers of the VLANs
    #[arg(
        long,
        value_name = "NUMBERS",
        value_delimiter = ',',
        default_value = "1"
    )]
    vlans: Vec<u32>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct ApiForm {
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
    /// As a reference manual
    #[arg(long)]
    markdown: bool,
    /// As a type stub (.pyi), for editors and type checkers
    #[arg(long)]
    stubs: bool,
    /// As type stubs in a folder, in which editors find all names of scripts defined
    #[arg(long, value_name = "DIR")]
    stub_files: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Check {
    /// The test script; `-` is the standard input
    #[arg(required_unless_present_any = ["rules", "explain"])]
    file: Option<PathBuf>,
    /// Names of the test's machines
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = "machine"
    )]
    machines: Vec<String>,
    /// Numbers of its VLANs (default: those that the script speaks of)
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    vlans: Option<Vec<u32>>,
    /// The test has `enableOCR`
    #[arg(long)]
    ocr: bool,
    /// Folder of a Python package that the script imports from
    #[arg(long, value_name = "DIR")]
    python_package: Vec<PathBuf>,
    /// Does not look at types
    #[arg(long)]
    skip_type_check: bool,
    /// Looks at nothing but syntax and types
    #[arg(long)]
    skip_lint: bool,
    /// A rule that the script is not held to
    #[arg(long, value_name = "RULE")]
    ignore: Vec<String>,
    /// Form of what is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Ends with 1 when there are only warnings, too
    #[arg(long)]
    error_on_warning: bool,
    /// Lists the rules
    #[arg(long)]
    rules: bool,
    /// Prints what a rule finds, and why
    #[arg(long, value_name = "RULE")]
    explain: Option<String>,
}

#[derive(Debug, Args)]
struct CheckRequest {
    /// A file to be made when there are no errors
    #[arg(long, value_name = "FILE")]
    passed: Option<PathBuf>,
}

impl Cli {
    /// Sends diagnostics to standard error, as `VMTEST_LOG` asks for them: nothing but warnings by default.
    pub fn start_logging(&self) {
        let filter =
            EnvFilter::try_from_env("VMTEST_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .init();
    }

    /// Does what was asked for.
    #[must_use]
    pub fn run(&self) -> ExitCode {
        let result = match &self.command {
            Command::Build(build) => build.run(),
            Command::Driver(driver) => driver.run(),
            Command::Run(run) => run.run(),
            Command::Gate(gate) => gate.run(),
            Command::Report(show) => return end_check(show.run()),
            Command::Api(api) => return end_check(api.run()),
            Command::Check(check) => return end_check(check.run()),
            Command::CheckRequest(request) => return end_check(request.run()),
        };
        let outcome = result.unwrap_or_else(|(outcome, error)| {
            tracing::debug!(?error, "the test was not run to its end");
            complain(outcome, &error);
            outcome
        });
        outcome.exit_code().into()
    }
}

/// How a command ends; an error comes with the outcome that it is.
type Ending = Result<Outcome, (Outcome, anyhow::Error)>;

fn failed(error: anyhow::Error) -> (Outcome, anyhow::Error) {
    (Outcome::MachineFailed, error)
}

impl Given {
    /// The file's text and what it says.
    fn read(&self) -> Result<(String, Attributes), (Outcome, anyhow::Error)> {
        let path = &self.attributes;
        let read = || -> anyhow::Result<_> {
            let text = std::fs::read_to_string(path)?;
            let attributes = Attributes::parse(&text)?;
            Ok((text, attributes))
        };
        read()
            .with_context(|| path.display().to_string())
            .map_err(|error| (Outcome::BadManifest, error))
    }
}

impl Build {
    fn run(&self) -> Ending {
        let (_, attributes) = self.given.read()?;
        let places = Places {
            out: self.out.clone().unwrap_or_else(|| attributes.out.clone()),
            scratch: self.scratch.clone(),
            fate: match (&self.out, self.report) {
                (_, true) => Fate::Output,
                (None, false) => Fate::Lost,
                (Some(_), false) => Fate::Kept,
            },
        };
        let outcome = play(&attributes, &places, Mode::Script)?;
        // One that was interrupted says nothing of the test: it is to be run again.
        if self.report && outcome != Outcome::Interrupted {
            return Ok(Outcome::Passed);
        }
        Ok(outcome)
    }
}

impl Gate {
    fn run(&self) -> Ending {
        gate::pass(&self.attributes).map_err(failed)
    }
}

impl Driver {
    fn run(&self) -> Ending {
        let (text, attributes) = self.given.read()?;
        let write = || {
            let runner = std::env::current_exe().context("cannot tell what program this is")?;
            driver::write(&attributes, &text, &runner, self.interactive)
        };
        write().map(|()| Outcome::Passed).map_err(failed)
    }
}

impl Run {
    fn run(&self) -> Ending {
        let (_, attributes) = self.given.read()?;
        let scratch = tempfile::Builder::new()
            .prefix("vmtest-")
            .tempdir()
            .context("cannot make a folder for the machines")
            .map_err(failed)?;
        let (mode, out) = if self.interactive {
            (Mode::Interactive, scratch.path().join("results"))
        } else {
            (Mode::Script, PathBuf::from("."))
        };
        let places = Places {
            out: self.out.clone().unwrap_or(out),
            scratch: scratch.path().to_owned(),
            fate: Fate::Kept,
        };
        play(&attributes, &places, mode)
    }
}

fn play(attributes: &Attributes, places: &Places, mode: Mode) -> Ending {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .map_err(failed)?;
    let outcome = runtime
        .block_on(test::run(attributes, places, mode))
        .map_err(failed);
    // A script that does not listen to the runner's wish to stop is left behind, and ends with the process.
    runtime.shutdown_background();
    outcome
}

impl Show {
    fn run(&self) -> anyhow::Result<bool> {
        print(&text::render(&files::read(&self.path)?))?;
        Ok(true)
    }
}

impl Api {
    fn run(&self) -> anyhow::Result<bool> {
        let text = match &self.form {
            ApiForm { json: true, .. } => vmtest_script::api::json(),
            ApiForm { markdown: true, .. } => vmtest_script::api::markdown(),
            ApiForm {
                stub_files: Some(folder),
                ..
            } => {
                check::write_stubs(folder, &self.machines, &self.vlans)?;
                return Ok(true);
            }
            ApiForm { .. } => vmtest_script::api::stubs(),
        };
        print(&text)?;
        Ok(true)
    }
}

/// Prints a text. Who reads only the beginning has no use for the rest.
fn print(text: &str) -> std::io::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// The exit codes of commands that run no test: 1 where a script is wrong, 2 where nothing could be done.
fn end_check(result: anyhow::Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "vmtest: {error:#}");
            ExitCode::from(2)
        }
    }
}

impl Check {
    fn run(&self) -> anyhow::Result<bool> {
        if let Some(name) = &self.explain {
            print(&rule(name)?.page())?;
            return Ok(true);
        }
        if self.rules {
            for rule in rules::all() {
                let (name, severity) = (rule.name, rule.severity.as_str());
                print(&format!("{name} ({severity}): {}\n", rule.summary))?;
            }
            return Ok(true);
        }
        for name in &self.ignore {
            rule(name)?;
        }
        let subject = check::Subject {
            machines: self
                .machines
                .iter()
                .map(|name| (name.clone(), check::Kind::default()))
                .collect(),
            vlans: self.vlans.clone(),
            ocr: self.ocr,
            extra_python_packages: self.python_package.clone(),
            skip_type_check: self.skip_type_check,
            skip_lint: self.skip_lint,
            ignored_rules: self.ignore.clone(),
        };
        let file = self.file.as_deref().context("no script")?;
        let colours = std::io::stdout().is_terminal();
        let checked = check::file(file, &subject, self.format, colours)?;
        print(&checked.text)?;
        let is_wrong = checked.errors || (self.error_on_warning && checked.warnings);
        Ok(!is_wrong)
    }
}

fn rule(name: &str) -> anyhow::Result<&'static rules::Rule> {
    rules::named(name).with_context(|| format!("there is no rule `{name}`: see `--rules`"))
}

impl CheckRequest {
    fn run(&self) -> anyhow::Result<bool> {
        let text = std::io::read_to_string(std::io::stdin())?;
        let answer = check::Request::parse(&text)?.answer()?;
        if let (None, Some(file)) = (&answer.errors, &self.passed) {
            // Without it the script is checked once more, the next time.
            if let Err(error) = check::remember(file) {
                tracing::debug!(%error, "cannot remember that the script is right");
            }
        }
        print(&serde_json::to_string(&answer)?)?;
        Ok(true)
    }
}

/// The last word of a runner that could not run. Its terminal may be closed.
fn complain(outcome: Outcome, error: &anyhow::Error) {
    let _ = writeln!(
        std::io::stderr(),
        "vmtest: {}: {error:#}",
        outcome.describe()
    );
}
