//! The command line.

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use vmtest_manifest::Attributes;

use crate::outcome::Outcome;
use crate::test::{self, Places};

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
    /// Prints what a test script can use
    Api(Api),
}

#[derive(Debug, Args)]
struct Build {
    /// The derivation's structured attributes: manifest, closures and output
    #[arg(long, env = "NIX_ATTRS_JSON_FILE", value_name = "FILE")]
    attributes: PathBuf,
    /// Folder for the results, in place of the derivation's output
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder for images and disks, and for the results of a test that failed
    #[arg(long, env = "NIX_BUILD_TOP", value_name = "DIR")]
    scratch: PathBuf,
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
        let build = match &self.command {
            Command::Build(build) => build,
            Command::Api(api) => return api.print(),
        };
        let outcome = build.run().unwrap_or_else(|(outcome, error)| {
            tracing::debug!(?error, "the test was not run to its end");
            complain(outcome, &error);
            outcome
        });
        outcome.exit_code().into()
    }
}

impl Build {
    fn run(&self) -> Result<Outcome, (Outcome, anyhow::Error)> {
        let bad = |error| (Outcome::BadManifest, error);
        let failed = |error| (Outcome::MachineFailed, error);
        let path = &self.attributes;
        let text = std::fs::read_to_string(path)
            .with_context(|| path.display().to_string())
            .map_err(bad)?;
        let attributes = Attributes::parse(&text)
            .with_context(|| path.display().to_string())
            .map_err(bad)?;
        let places = Places {
            out: self.out.clone().unwrap_or_else(|| attributes.out.clone()),
            scratch: self.scratch.clone(),
            keep_failed: self.out.is_none(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")
            .map_err(failed)?;
        let outcome = runtime
            .block_on(test::run(&attributes, &places))
            .map_err(failed);
        // A script that does not listen to the runner's wish to stop is left behind, and ends with the process.
        runtime.shutdown_background();
        outcome
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
        // Who reads only the beginning has no use for the rest.
        match std::io::stdout().write_all(text.as_bytes()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the last word of a runner that could not run"
)]
fn complain(outcome: Outcome, error: &anyhow::Error) {
    eprintln!("vmtest: {}: {error:#}", outcome.describe());
}
