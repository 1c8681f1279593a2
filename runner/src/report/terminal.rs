//! The log of a test, in the form that users of the NixOS test driver know.

mod repeats;

use std::time::Duration;

use vmtest_protocol::Stream;
use vmtest_script::event::{Level, ScriptEvent};

use crate::event::{Event, Printed, Stamped};
use crate::machine::lifecycle::{End, State};
use repeats::{Repeats, Source};

/// Shows events as text.
#[derive(Debug)]
pub struct Terminal {
    /// Whether lines of consoles and journals are shown.
    consoles: bool,
    repeats: Repeats,
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new(true)
    }
}

impl Terminal {
    /// One that shows lines of consoles and journals from the start, or not.
    #[must_use]
    pub fn new(consoles: bool) -> Self {
        Self {
            consoles,
            repeats: Repeats::default(),
        }
    }

    /// The line or lines for the next event; none for what is not shown.
    #[must_use]
    pub fn render(&mut self, stamped: &Stamped) -> Option<String> {
        let (machine, source, line) = match &stamped.event {
            Event::Console { machine, line } => (machine, Source::Console, line),
            Event::Journal { machine, line, .. } => (machine, Source::Journal, line),
            Event::ShowConsoles(on) => {
                self.consoles = *on;
                return None;
            }
            event => return render(event),
        };
        let is_new = self.repeats.is_new(machine, source, line, stamped.at);
        (self.consoles && is_new).then(|| format!("{machine} # {line}"))
    }
}

fn render(event: &Event) -> Option<String> {
    match event {
        Event::Runner(level, text) => Some(format!("vmtest: {}{text}", prefix(*level))),
        Event::Output {
            machine,
            late,
            printed,
        } => {
            let late = if *late { "(late) " } else { "" };
            Some(format!("{machine}: {late}{}", output(printed)))
        }
        Event::Machine { machine, state } => ending(state).map(|end| format!("{machine}: {end}")),
        Event::Script(event) => script(event),
        Event::Console { .. }
        | Event::Journal { .. }
        | Event::ShowConsoles(_)
        | Event::Ran { .. }
        | Event::Screenshot { .. }
        | Event::FailedUnits { .. }
        | Event::Traffic { .. }
        | Event::Agent { .. }
        | Event::Snapshot { .. }
        | Event::Unrestored { .. }
        | Event::End => None,
        Event::Restored { machine } => {
            Some(about(Some(machine), "goes on from where it was saved"))
        }
    }
}

/// `!` stands before what a command prints on its standard error.
fn output(printed: &Printed) -> String {
    match printed {
        Printed::Line {
            stream: Stream::Stdout,
            text,
        } => format!("| {text}"),
        Printed::Line {
            stream: Stream::Stderr,
            text,
        } => format!("! {text}"),
        Printed::LeftOut { lines: 1 } => "| (1 line left out)".to_owned(),
        Printed::LeftOut { lines } => format!("| ({lines} lines left out)"),
    }
}

fn prefix(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug: ",
        Level::Info => "",
        Level::Warning => "warning: ",
        Level::Error => "error: ",
    }
}

fn ending(state: &State) -> Option<String> {
    match state {
        State::Off(Some(End::PoweredOff)) => Some("powered off".to_owned()),
        State::Off(Some(End::Reset)) => Some("ended by a reset of the guest".to_owned()),
        State::Off(Some(End::Panicked(message))) => {
            Some(format!("ended by a panic of the guest: {message}"))
        }
        State::Off(Some(End::Died(status))) => Some(format!("QEMU ended unexpectedly: {status}")),
        State::Off(Some(End::Broken(reason))) => Some(reason.clone()),
        State::Off(Some(End::Killed | End::Discarded) | None)
        | State::Booting { .. }
        | State::Ready { .. }
        | State::Lost { .. }
        | State::Ending(_) => None,
    }
}

fn script(event: &ScriptEvent) -> Option<String> {
    match event {
        ScriptEvent::StepStarted {
            machine, message, ..
        } => Some(about(machine.as_deref(), message)),
        ScriptEvent::StepFinished {
            message,
            elapsed,
            passed,
            ..
        } => Some(finished(*passed, message, *elapsed)),
        ScriptEvent::SubtestStarted { name, .. } => Some(format!("subtest: {name}")),
        ScriptEvent::SubtestFinished {
            name,
            elapsed,
            error,
            ..
        } => Some(finished(
            error.is_none(),
            &format!("subtest: {name}"),
            *elapsed,
        )),
        ScriptEvent::Message {
            level: Level::Debug,
            ..
        } => None,
        ScriptEvent::Message {
            level,
            machine,
            text,
        } => Some(about(
            machine.as_deref(),
            &format!("{}{text}", prefix(*level)),
        )),
        ScriptEvent::Print { text, .. } => Some(text.clone()),
    }
}

fn finished(passed: bool, message: &str, elapsed: Duration) -> String {
    let end = if passed { "finished" } else { "failed" };
    let seconds = elapsed.as_secs_f64();
    format!("({end}: {message}, in {seconds:.2} seconds)")
}

fn about(machine: Option<&str>, text: &str) -> String {
    machine.map_or_else(|| text.to_owned(), |machine| format!("{machine}: {text}"))
}

#[cfg(test)]
mod tests {
    use vmtest_script::event::StepId;

    use super::*;

    /// The forms that people's eyes and scripts look for.
    #[test]
    fn known_forms() {
        let message = || "waiting for unit hello.service".to_owned();
        let machine = || Some("server".to_owned());
        let events = [
            Event::Runner(Level::Warning, "KVM does not work".into()),
            Event::Console {
                machine: "server".into(),
                line: "[   12.3] systemd[1]: Started".into(),
            },
            Event::Script(ScriptEvent::StepStarted {
                id: StepId(1),
                parent: None,
                machine: machine(),
                message: message(),
            }),
            Event::Script(ScriptEvent::StepFinished {
                id: StepId(1),
                machine: machine(),
                message: message(),
                elapsed: Duration::from_millis(41),
                passed: true,
            }),
            Event::Script(ScriptEvent::StepFinished {
                id: StepId(3),
                machine: machine(),
                message: "must succeed: false".into(),
                elapsed: Duration::from_secs(2),
                passed: false,
            }),
            printed(false, Stream::Stdout, "total 0"),
            printed(false, Stream::Stderr, "no such file"),
            printed(true, Stream::Stdout, "done"),
            Event::Output {
                machine: "server".into(),
                late: false,
                printed: Printed::LeftOut { lines: 1234 },
            },
            Event::Script(ScriptEvent::SubtestFinished {
                id: StepId(2),
                name: "client reaches server".into(),
                elapsed: Duration::from_secs(3),
                error: Some("AssertionError".into()),
                failure: None,
            }),
            Event::Machine {
                machine: "server".into(),
                state: State::Off(Some(End::Died("signal: 9".into()))),
            },
        ];
        insta::assert_snapshot!(shown(&events).join("\n"), @r"
        vmtest: warning: KVM does not work
        server # [   12.3] systemd[1]: Started
        server: waiting for unit hello.service
        (finished: waiting for unit hello.service, in 0.04 seconds)
        (failed: must succeed: false, in 2.00 seconds)
        server: | total 0
        server: ! no such file
        server: (late) | done
        server: | (1234 lines left out)
        (failed: subtest: client reaches server, in 3.00 seconds)
        server: QEMU ended unexpectedly: signal: 9
        ");
    }

    /// Hidden lines are in the files still.
    #[test]
    fn consoles_can_be_hidden() {
        let line = |line: &str| Event::Console {
            machine: "server".into(),
            line: line.to_owned(),
        };
        let events = [
            line("one"),
            Event::ShowConsoles(false),
            line("two"),
            printed(false, Stream::Stdout, "three"),
            Event::ShowConsoles(true),
            line("four"),
        ];
        assert_eq!(
            shown(&events),
            ["server # one", "server: | three", "server # four"]
        );
        let mut terminal = Terminal::new(false);
        assert_eq!(terminal.render(&now(line("five"))), None);
    }

    fn shown(events: &[Event]) -> Vec<String> {
        let mut terminal = Terminal::default();
        let events = events.iter().cloned().map(now);
        events.filter_map(|event| terminal.render(&event)).collect()
    }

    fn now(event: Event) -> Stamped {
        Stamped {
            at: Duration::ZERO,
            event,
        }
    }

    fn printed(late: bool, stream: Stream, text: &str) -> Event {
        Event::Output {
            machine: "server".into(),
            late,
            printed: Printed::Line {
                stream,
                text: text.to_owned(),
            },
        }
    }
}
