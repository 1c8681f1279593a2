//! The developer's command: sets up the toolbox, runs and tests the project.

mod apt;
mod bench;
mod cache;
mod cli;
mod commands;
mod namespace;
mod preflight;
mod process;
mod progress;
mod recipe;
mod schedule;
mod step;
mod toolbox;

fn main() -> std::process::ExitCode {
    cli::main()
}
