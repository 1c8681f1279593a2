//! The command line: what can be asked, and which exit code the answer gives.
#![expect(
    clippy::print_stderr,
    reason = "the edge where an error meets the developer"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::{commands, namespace};

/// Sets up the toolbox of nix-vmtest, runs its tests, and opens its Nix to you.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// From a bare machine to a passed VM test: set up, then build tests/hello
    Try,
    /// Everything that is checked: format, lints, unit tests, end-to-end tests
    Test,
    /// Take figures: how fast tests are, and how large what runs them
    ///
    /// Sets up first. Two rounds of all take about twenty minutes on two cores that do nothing else meanwhile, as they should. Each
    /// figure comes with its unit.
    Bench(commands::bench::Arguments),
    /// Evaluate NixOS tests with real parts of nixpkgs: its lib, its NixOS modules
    CheckNixpkgs(commands::check_nixpkgs::Arguments),
    /// Make what is missing of the toolbox (a second start resumes)
    Setup,
    /// A shell inside the toolbox, where `nix` has the plugin loaded
    Shell,
    /// Run the toolbox's `nix` with the plugin loaded
    Nix {
        /// What is handed to `nix`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run a browser without a window (made first if it is missing): how the tests look at reports
    Browser {
        /// What is handed to Chromium
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Print where a built part lies, as seen from outside the toolbox
    Path { part: Part },
    /// What is there, how big it is, in which version
    Status,
    /// Remove the cache with all that was made in it
    Clean,
    /// Start a program in namespaces of its own (used by the commands above)
    #[command(hide = true)]
    Enter(namespace::Enter),
}

/// A part of the project that `path` can find.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Part {
    Runner,
    Agent,
    Plugin,
    Nix,
    /// The file with the store paths of all tools, for tests/default.nix
    Tools,
    /// A stand-in for nixpkgs, for inputs of flakes: `--override-input nixpkgs path:…`
    Nixpkgs,
}

/// Parses, runs, and maps the outcome to an exit code.
pub(crate) fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Try => commands::tryout::run(),
        Command::Test => commands::test::run(),
        Command::Bench(arguments) => commands::bench::run(&arguments),
        Command::CheckNixpkgs(arguments) => commands::check_nixpkgs::run(&arguments),
        Command::Setup => commands::setup::run(),
        Command::Shell => commands::nix::shell(),
        Command::Nix { arguments } => commands::nix::run(&arguments),
        Command::Browser { arguments } => commands::browser::run(&arguments),
        Command::Path { part } => commands::path::run(part),
        Command::Status => commands::status::run(),
        Command::Clean => commands::clean::run(),
        Command::Enter(enter) => enter.run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
