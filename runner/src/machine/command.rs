//! How a handle runs commands: what they print goes to the log as it comes, and to the script at their end.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::timeout;
use vmtest_protocol::{Ended, Outcome, Run, Stream, ToGuest};
use vmtest_script::backend::{Command, Completed, ExitStatus, MachineErrorKind as Failure};

use super::agent::{Agent, Reply, Request};
use super::handle::{Handle, milliseconds, refused};
use super::output::CommandLog;

/// Most bytes of standard output that a command may have: all of it is the script's value.
const MOST_STDOUT: usize = 256 << 20;

/// How long an agent may take to say that a command's time is over, by hardware virtualisation.
const ANSWERING_TIME: Duration = Duration::from_secs(5);

/// Bytes that are kept of the beginning and of the end of a command's standard error, which scripts do not see.
const STDERR_ENDS: usize = 512 << 10;

impl Handle {
    /// Runs a command.
    ///
    /// # Errors
    /// When the machine cannot run it to its end, or it writes too much. A command that fails is no error.
    pub async fn run(&self, command: &Command) -> Result<Completed, Failure> {
        let agent = self.agent(command.early).await?;
        self.run_by(&agent, command).await
    }

    /// Has the agent run a command.
    async fn run_by(&self, agent: &Agent, command: &Command) -> Result<Completed, Failure> {
        let run = Run {
            script: command.script.clone(),
            timeout_ms: command.timeout.map(milliseconds),
            wait_for_output: command
                .wait_for_output
                .unwrap_or(self.setup.wait_for_output),
            stdin: false,
        };
        let request = self.begin(agent, |id| ToGuest::Run(id, run)).await?;
        let log = (!command.quiet).then(|| self.record.output.command());
        if command.detached {
            tokio::spawn(drain(request, log));
            return Ok(Completed {
                status: ExitStatus::Code(0),
                stdout: Vec::new(),
                stderr: Vec::new(),
            });
        }
        self.follow(request, log).await
    }

    /// Runs a command of the runner's own, which has so long by hardware virtualisation to get the machine to `what`. The
    /// guest keeps the time; one that says nothing, for it is paused or hangs, is given up a little later.
    ///
    /// # Errors
    /// When the machine cannot run it to its end, or its time is over. A command that fails is no error.
    pub async fn run_quietly(
        &self,
        script: &str,
        what: &str,
        limit: Duration,
    ) -> Result<Completed, Failure> {
        let patience = self.setup.accelerator.patience();
        let after = limit * patience;
        let too_slow = || Failure::TimedOut {
            what: what.to_owned(),
            after,
        };
        // That has its own limit: the time that the machine may take to boot.
        let agent = self.agent(false).await?;
        let command = quiet(script, after);
        let running = self.run_by(&agent, &command);
        let completed = match timeout(after + ANSWERING_TIME * patience, running).await {
            Ok(completed) => completed?,
            Err(_) => return Err(too_slow()),
        };
        match completed.status {
            ExitStatus::TimedOut => Err(too_slow()),
            _ => Ok(completed),
        }
    }

    async fn follow(
        &self,
        mut request: Request,
        mut log: Option<CommandLog>,
    ) -> Result<Completed, Failure> {
        let mut stdout = Vec::new();
        let mut stderr = Ends::default();
        let status = loop {
            match request.next().await {
                Some(Reply::Output(stream, bytes)) => {
                    if let Some(log) = &mut log {
                        log.push(stream, &bytes);
                    }
                    match stream {
                        Stream::Stdout if stdout.len() + bytes.len() > MOST_STDOUT => {
                            // Dropping the request ends the command.
                            return Err(too_much());
                        }
                        Stream::Stdout => stdout.extend(bytes),
                        Stream::Stderr => stderr.push(&bytes),
                    }
                }
                Some(Reply::Done(Ok(Outcome::Ended { how, holders }))) => {
                    drop(log);
                    self.record.output.held_by(&holders);
                    break match how {
                        Ended::Code(code) => ExitStatus::Code(code.into()),
                        Ended::Signal(signal) => ExitStatus::Signal(signal.into()),
                    };
                }
                Some(Reply::Done(Ok(Outcome::TimedOut { .. }))) => break ExitStatus::TimedOut,
                Some(Reply::Done(outcome)) => return Err(refused(outcome)),
                Some(Reply::Data(_) | Reply::Credit(_)) => {}
                None => return Err(self.lost().await),
            }
        };
        Ok(Completed {
            status,
            stdout,
            stderr: stderr.into_bytes(),
        })
    }
}

/// A command of the runner's own.
pub(super) fn quiet(script: &str, limit: Duration) -> Command {
    Command {
        script: script.to_owned(),
        timeout: Some(limit),
        detached: false,
        wait_for_output: Some(false),
        early: false,
        quiet: true,
        step: None,
    }
}

/// How a command ended, in words.
pub(crate) fn ending(status: ExitStatus) -> String {
    match status {
        ExitStatus::Code(code) => format!("exit code {code}"),
        ExitStatus::Signal(signal) => format!("signal {signal}"),
        ExitStatus::TimedOut => "time-out".to_owned(),
    }
}

/// Nobody waits for the command; the log shows what it prints.
async fn drain(mut request: Request, mut log: Option<CommandLog>) {
    while let Some(reply) = request.next().await {
        match reply {
            Reply::Output(stream, bytes) => {
                if let Some(log) = &mut log {
                    log.push(stream, &bytes);
                }
            }
            Reply::Done(_) => return,
            Reply::Data(_) | Reply::Credit(_) => {}
        }
    }
}

fn too_much() -> Failure {
    Failure::Refused {
        reason: format!(
            "the command wrote more than {} MiB to its standard output, and was killed: have it write to a file, or \
             to /dev/null",
            MOST_STDOUT >> 20
        ),
    }
}

/// The beginning and the end of an output.
#[derive(Debug, Default)]
struct Ends {
    first: Vec<u8>,
    last: VecDeque<u8>,
    left_out: usize,
}

impl Ends {
    fn push(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(STDERR_ENDS - self.first.len()));
        self.first.extend_from_slice(first);
        self.last.extend(rest);
        let excess = self.last.len().saturating_sub(STDERR_ENDS);
        self.last.drain(..excess);
        self.left_out += excess;
    }

    fn into_bytes(self) -> Vec<u8> {
        let Self {
            first: mut bytes,
            last,
            left_out,
        } = self;
        if left_out > 0 {
            bytes.extend(format!("\n… ({left_out} bytes left out) …\n").bytes());
        }
        bytes.extend(last);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_output_is_kept_whole() {
        let mut ends = Ends::default();
        ends.push(&[b'a'; STDERR_ENDS - 1]);
        ends.push(b"bc");
        ends.push(&[b'd'; STDERR_ENDS - 1]);
        let bytes = ends.into_bytes();
        assert_eq!(bytes.len(), 2 * STDERR_ENDS);
        assert_eq!(&bytes[STDERR_ENDS - 1..=STDERR_ENDS], b"bc");
    }

    #[test]
    fn of_a_long_output_beginning_and_end_are_kept() {
        let mut ends = Ends::default();
        ends.push(b"first");
        for _ in 0..100 {
            ends.push(&[b'x'; 32 << 10]);
        }
        ends.push(b"last");
        let text = String::from_utf8(ends.into_bytes()).expect("text");
        assert!(text.starts_with("firstx") && text.ends_with("xlast"));
        let left_out = 9 + 100 * (32 << 10) - 2 * STDERR_ENDS;
        assert!(text.contains(&format!("x\n… ({left_out} bytes left out) …\nx")));
        assert!(text.len() < 2 * STDERR_ENDS + 100);
    }
}
