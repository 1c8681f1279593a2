//! The runner: `vmtest`.

use std::process::ExitCode;

use clap::Parser;
use vmtest::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.start_logging();
    cli.run()
}
