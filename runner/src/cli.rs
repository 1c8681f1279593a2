//! The command line.

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use vmtest_manifest::Attributes;
use vmtest_report::{Outcome, files, text};
use vmtest_script::Mode;

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
#[group(required = true, multiple = false)]
struct Api {
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
    /// As a reference manual
    #[arg(long)]
    markdown: bool,
    /// As a type stub (.pyi), for editors and type checkers
    #[arg(long)]
    stubs: bool,
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
            Command::Report(show) => return show.print(),
            Command::Api(api) => return api.print(),
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
    fn print(&self) -> ExitCode {
        match files::read(&self.path) {
            Ok(report) => print(&text::render(&report)),
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "vmtest: {error}");
                ExitCode::FAILURE
            }
        }
    }
}

impl Api {
    fn print(&self) -> ExitCode {
        let text = if self.json {
            vmtest_script::api::json()
        } else if self.markdown {
            vmtest_script::api::markdown()
        } else {
            vmtest_script::api::stubs()
        };
        print(&text)
    }
}

/// Who reads only the beginning has no use for the rest.
fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
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
