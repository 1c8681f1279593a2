//! The life of a machine with a QEMU that does what a test wants.
//!
//! This program is four: the tests; the [QEMU](fake_qemu) that the runner's code starts in them; the [runner](orphan)
//! that one of them kills; and one whose [memory](commands::run_measured) another looks at.

mod bench;
mod commands;
mod ends;
mod fake_qemu;
mod life;
mod orphan;
mod snapshots;
mod start_command;
mod talk;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(fake_qemu::FIRST_ARGUMENT) => fake_qemu::run(&arguments),
        Some(orphan::RUNNER) => orphan::run(),
        Some(commands::MEASURED) => commands::run_measured(),
        _ => {
            let tests = [
                life::TESTS,
                ends::TESTS,
                talk::TESTS,
                commands::TESTS,
                start_command::TESTS,
                snapshots::TESTS,
                orphan::TESTS,
            ]
            .concat();
            let trials = tests.into_iter().map(|(name, test)| {
                Trial::test(name, move || {
                    test();
                    Ok(())
                })
            });
            libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
        }
    }
}
