//! QEMU does not outlive its runner.

use std::io::{Read, Write};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::bench::{Bench, Process, Test, block_on};

/// First argument of this program when it is the runner.
pub(crate) const RUNNER: &str = "--runner";

pub(crate) const TESTS: &[Test] = &[(
    "orphan::qemu_ends_with_a_runner_that_is_killed",
    qemu_ends_with_a_runner_that_is_killed,
)];

/// How long the kernel may take to kill QEMU.
const PATIENCE: Duration = Duration::from_secs(20);

/// The runner: it boots a machine, says which process that is, and stays until its test ends.
pub(crate) fn run() -> ExitCode {
    block_on(async {
        let bench = Bench::ready(&["hello", "booted", "hang"]).await;
        let pid = bench.handle.pid().expect("QEMU runs");
        let mut output = std::io::stdout();
        writeln!(output, "{pid}").expect("the test listens");
        // Whatever comes: with its test, the other end of this pipe is gone.
        let _ = std::io::stdin().read(&mut [0]);
    });
    ExitCode::SUCCESS
}

fn qemu_ends_with_a_runner_that_is_killed() {
    block_on(async {
        let mut runner = Command::new(std::env::current_exe().expect("this program"))
            .arg(RUNNER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a runner");
        let mut lines = BufReader::new(runner.stdout.take().expect("a pipe")).lines();
        let pid = lines.next_line().await.expect("read").expect("a line");
        let qemu = Process::open(pid.parse().expect("a process id"));
        runner.kill().await.expect("killed");
        if timeout(PATIENCE, qemu.end()).await.is_err() {
            qemu.kill();
            panic!("QEMU outlives its runner");
        }
    });
}
