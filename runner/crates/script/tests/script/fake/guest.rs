//! What the fake guest does: a "shell" that knows a few words, and the things that can be waited for.

use std::time::Duration;

use vmtest_script::backend::{
    Completed, Condition, ExitStatus, MachineError, MachineErrorKind, WaitOutcome,
};

use super::machine::FakeMachine;

impl FakeMachine {
    pub(super) fn answer(&self, text: &str) -> Result<Completed, MachineError> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let seconds = || {
            rest.parse::<f64>()
                .map(Duration::from_secs_f64)
                .expect("seconds")
        };
        match word {
            "echo" => Ok(completed(0, &format!("{rest}\n"), "")),
            "fail" => Ok(completed(3, "half\n", &format!("{rest}\n"))),
            "bytes" => Ok(Completed {
                status: ExitStatus::Code(0),
                stdout: vec![b'a', 0xff, b'b'],
                stderr: Vec::new(),
            }),
            "hang" => Ok(Completed {
                status: ExitStatus::TimedOut,
                ..completed(0, "", "")
            }),
            "segv" => Ok(Completed {
                status: ExitStatus::Signal(11),
                ..completed(0, "", "")
            }),
            // Succeeds from so many seconds of the fake clock on.
            "after" if self.world.passed() >= seconds() => Ok(completed(0, "there\n", "")),
            "after" => Ok(completed(1, "", "not there\n")),
            "die" => {
                let status = "killed by signal 9".to_owned();
                Err(self.doom(MachineErrorKind::Died { status }))
            }
            "panic" => {
                let message = "Kernel panic - not syncing: sysrq".to_owned();
                Err(self.doom(MachineErrorKind::Panicked { message }))
            }
            "break" => {
                let reason = "the guest's agent does not answer any more".to_owned();
                Err(self.doom(MachineErrorKind::Broken { reason }))
            }
            "poweroff" => {
                self.go_down();
                Ok(completed(0, "", ""))
            }
            "close" => Err(self.error(MachineErrorKind::Closed)),
            "stop" => {
                let reason = "its time of 60 seconds is over".to_owned();
                Err(self.error(MachineErrorKind::Aborted { reason }))
            }
            // The runner stops the test from here on.
            "stop-test" => {
                let act = self.world.when_stopped.lock().expect("stop").take();
                let reason = "its time of 60 seconds is over".to_owned();
                act.expect("the engine wants to know")(vmtest_script::backend::Aborted { reason });
                Ok(completed(0, "", ""))
            }
            // Two threads that only go on together: one waits for the other.
            "wait-for-gate" => {
                self.world
                    .gate
                    .lock()
                    .expect("gate")
                    .recv()
                    .expect("an opener");
                Ok(completed(0, "", ""))
            }
            "open-gate" => {
                self.world
                    .opener
                    .lock()
                    .expect("opener")
                    .send(())
                    .expect("a gate");
                Ok(completed(0, "", ""))
            }
            "systemctl" => Ok(self.systemctl(rest)),
            "su" => {
                let query = rest.split("systemctl --user ").nth(1).expect("a query");
                Ok(self.systemctl(query.trim_end_matches('\'')))
            }
            "test" if rest.contains("never") => Ok(completed(1, "", "")),
            // Of all paths, those that end so are directories.
            "test" if rest.starts_with("-d") && !rest.ends_with("dir'") => Ok(completed(1, "", "")),
            "nc" if rest.ends_with("3000") || rest.ends_with("ssh") => Ok(completed(0, "", "")),
            "nc" => Ok(completed(1, "", "nc: connection refused\n")),
            "fold" => Ok(completed(0, &self.terminal(), "")),
            "xwininfo" => Ok(completed(0, &self.windows(), "")),
            "journalctl" => {
                let reached = self.world.passed() >= Duration::from_secs(4);
                Ok(completed(i32::from(!reached), "", ""))
            }
            "mkdir" if rest.contains("/readonly") => {
                Ok(completed(1, "", "mkdir: read-only file system\n"))
            }
            "sleep" | "sync" | "test" | "true" | "mkdir" => Ok(completed(0, "", "")),
            _ => Ok(completed(127, "", &format!("{word}: command not found\n"))),
        }
    }

    /// The terminal asks for a login after 3 s.
    fn terminal(&self) -> String {
        let prompt = if self.world.passed() < Duration::from_secs(3) {
            "booting"
        } else {
            "login:"
        };
        format!("<<< Welcome >>>     \n{prompt:20}\n{:20}\n", "")
    }

    /// A window opens after 3 s.
    fn windows(&self) -> String {
        let mut tree = "  Root window id: 0x50 (the root window) (has no name)\n\n".to_owned();
        tree += "     0x60 \"panel\": (\"panel\" \"Panel\")  1x1+0+0\n";
        if self.world.passed() >= Duration::from_secs(3) {
            tree += "     0x70 \"editor - new\": (\"ed\" \"Ed\")  1x1+0+0\n";
        }
        tree
    }

    /// How a wait ends when it may take so long: the time that passes, and the result.
    pub(super) fn look(
        &self,
        condition: &Condition,
        timeout: Option<Duration>,
    ) -> (Duration, Result<WaitOutcome, MachineErrorKind>) {
        let up = self.world.passed() - Duration::from_millis(1500);
        let never = Duration::MAX;
        let at = Duration::from_secs;
        let refused = |reason: &str| {
            let reason = reason.to_owned();
            Err(MachineErrorKind::Refused { reason })
        };
        let (happens, last, result) = match condition {
            Condition::TcpOpen { port: 3000, .. } | Condition::TcpClosed { .. } => {
                (at(0), "", Ok(WaitOutcome::Met))
            }
            Condition::TcpOpen { .. } | Condition::UdpOpen { .. } => {
                (never, "connection refused", Ok(WaitOutcome::Met))
            }
            Condition::UnixOpen { path, .. } | Condition::File { word: path } => {
                let happens = match path {
                    path if path.contains("never") => never,
                    path if path.contains("late") => at(3),
                    _ => at(0),
                };
                (happens, "no such file", Ok(WaitOutcome::Met))
            }
            Condition::Unit { unit, .. } => match unit.as_str() {
                "late.service" => (at(3), "state activating", Ok(WaitOutcome::Met)),
                "broken.service" => {
                    let result = refused("unit \"broken.service\" reached state \"failed\"");
                    (at(1), "state activating", result)
                }
                "asleep.service" | "gone.service" => {
                    let unit = format!("unit \"{unit}\"");
                    let result =
                        refused(&format!("{unit} is inactive and there are no pending jobs"));
                    (at(0), "state inactive", result)
                }
                _ => (at(0), "", Ok(WaitOutcome::Met)),
            },
        };
        let needed = happens.saturating_sub(up);
        match timeout {
            Some(limit) if needed > limit => {
                let last = last.to_owned();
                (limit, Ok(WaitOutcome::TimedOut { last }))
            }
            None if happens == never => (at(0), refused("the fake would wait for ever")),
            _ => (needed, result),
        }
    }

    /// Units: `late` is active after 3 s, `broken` fails after 1 s, `asleep` has no job, `gone` does not exist.
    fn systemctl(&self, query: &str) -> Completed {
        let passed = self.world.passed() - Duration::from_millis(1500);
        if query.contains("list-jobs") {
            return completed(0, "No jobs running.\n", "");
        }
        let unit = query.split('"').nth(1).unwrap_or("");
        let seconds = passed.as_secs();
        let state = match unit {
            "late.service" if seconds < 3 => "activating",
            "broken.service" if seconds < 1 => "activating",
            "broken.service" => "failed",
            "asleep.service" => "inactive",
            "gone.service" => return completed(1, "", "no such unit\n"),
            _ => "active",
        };
        let text = if query.contains("--property") {
            format!("ActiveState={state}\n")
        } else {
            format!("Id={unit}\nActiveState={state}\nExecStart={{ path=/bin/x ; argv[]=a=b }}\n")
        };
        completed(0, &text, "")
    }
}

pub(super) fn completed(code: i32, stdout: &str, stderr: &str) -> Completed {
    Completed {
        status: ExitStatus::Code(code),
        stdout: stdout.into(),
        stderr: stderr.into(),
    }
}
