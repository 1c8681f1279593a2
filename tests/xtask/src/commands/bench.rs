//! `cargo xtask bench`: takes figures, and shows them as a table, a JSON file and a plot.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::bench::{self, About, Benchmark, Document, Measurements, Peer, Sandbox};
use crate::progress::clock;
use crate::toolbox::Toolbox;

/// What `cargo xtask bench` is told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure (default: all)
    benchmarks: Vec<Benchmark>,
    /// In how many rounds figures are taken; the table has medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// Where to write the figures (default: bench.json in the cache folder of this clone)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to write a plot of them, as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// A program with the interface of nixos-test-driver: runs the trivial test, too, in turns with ours
    #[arg(long, value_name = "PROGRAM")]
    peer: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let toolbox = super::setup::ready()?;
    let _in_use = toolbox.in_use()?;
    let json = arguments.json.clone();
    let json = json.unwrap_or_else(|| toolbox.clone_dir().join("bench.json"));
    let about = About::here(arguments.repeat, commit(&toolbox));
    let start = Instant::now();
    let sandbox = Sandbox::new(toolbox, |line| eprintln!("  {line} …"))?;
    let peer = arguments.peer.as_deref();
    let peer = peer
        .map(|program| Peer::new(&sandbox, program))
        .transpose()?;
    let (found, failures) = measured(&sandbox, peer.as_ref(), arguments);
    drop((sandbox, peer));
    let document = Document::new(about, found, failures);
    write(&json, &(serde_json::to_string_pretty(&document)? + "\n"))?;
    print!("{}", bench::table(&document));
    println!("measured in {}", clock(start.elapsed()));
    println!("figures: {}", json.display());
    if let Some(plot) = &arguments.plot {
        write(plot, &bench::plot(&document))?;
        println!("plot: {}", plot.display());
    }
    for failure in &document.failures {
        eprintln!("FAILED: {failure}");
    }
    Ok(match document.failures[..] {
        [] => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Runs the benchmarks in turns. One that fails does not keep the others from theirs.
fn measured(
    sandbox: &Sandbox,
    peer: Option<&Peer>,
    arguments: &Arguments,
) -> (Measurements, Vec<String>) {
    let mut benchmarks = arguments.benchmarks.clone();
    if benchmarks.is_empty() {
        benchmarks = Benchmark::all();
    }
    let mut found = Measurements::default();
    let mut failures = Vec::new();
    for round in 1..=arguments.repeat {
        found.begin_round(round);
        for benchmark in &benchmarks {
            let name = benchmark.name();
            eprintln!("{name} ({round}/{})", arguments.repeat);
            if let Err(error) = benchmark.run(sandbox, peer, &mut found) {
                eprintln!("{name} FAILED: {error:#}");
                failures.push(format!("{name}, round {round}: {error}"));
            }
        }
        benchmarks.retain(|benchmark| !benchmark.is_constant());
    }
    (found, failures)
}

/// The commit that is checked out, if git knows.
fn commit(toolbox: &Toolbox) -> Option<String> {
    let mut git = std::process::Command::new("git");
    let git = git.args(["describe", "--always", "--dirty", "--exclude=*"]);
    let output = git.current_dir(toolbox.repository()).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !commit.is_empty()).then_some(commit)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
