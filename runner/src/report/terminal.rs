//! The log of a test, in the form that users of the NixOS test driver know.

use vmtest_script::event::{Level, ScriptEvent};

use crate::event::Event;
use crate::machine::lifecycle::{End, State};

/// The line or lines for an event; none for what is not shown.
#[must_use]
pub fn render(event: &Event) -> Option<String> {
    match event {
        Event::Runner(level, text) => Some(format!("vmtest: {}{text}", prefix(*level))),
        Event::Console { machine, line } | Event::Journal { machine, line } => {
            Some(format!("{machine} # {line}"))
        }
        Event::Machine { machine, state } => ending(state).map(|end| format!("{machine}: {end}")),
        Event::Script(event) => script(event),
        Event::Agent { .. } | Event::End => None,
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
        State::Off(Some(End::Killed) | None)
        | State::Booting { .. }
        | State::Ready { .. }
        | State::Ending(_) => None,
    }
}

fn script(event: &ScriptEvent) -> Option<String> {
    match event {
        ScriptEvent::StepStarted {
            machine, message, ..
        } => Some(about(machine.as_deref(), message)),
        // What failed says so itself.
        ScriptEvent::StepFinished { passed: false, .. } => None,
        ScriptEvent::StepFinished {
            message, elapsed, ..
        } => Some(format!(
            "(finished: {message}, in {:.2} seconds)",
            elapsed.as_secs_f64()
        )),
        ScriptEvent::SubtestStarted { name, .. } => Some(format!("subtest: {name}")),
        ScriptEvent::SubtestFinished {
            name,
            elapsed,
            error,
            ..
        } => {
            let elapsed = elapsed.as_secs_f64();
            let end = if error.is_none() {
                "finished"
            } else {
                "failed"
            };
            Some(format!("({end}: subtest: {name}, in {elapsed:.2} seconds)"))
        }
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

fn about(machine: Option<&str>, text: &str) -> String {
    machine.map_or_else(|| text.to_owned(), |machine| format!("{machine}: {text}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
            Event::Script(ScriptEvent::SubtestFinished {
                id: StepId(2),
                name: "client reaches server".into(),
                elapsed: Duration::from_secs(3),
                error: Some("AssertionError".into()),
            }),
            Event::Machine {
                machine: "server".into(),
                state: State::Off(Some(End::Died("signal: 9".into()))),
            },
        ];
        let lines: Vec<_> = events.iter().filter_map(render).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        vmtest: warning: KVM does not work
        server # [   12.3] systemd[1]: Started
        server: waiting for unit hello.service
        (finished: waiting for unit hello.service, in 0.04 seconds)
        (failed: subtest: client reaches server, in 3.00 seconds)
        server: QEMU ended unexpectedly: signal: 9
        ");
    }
}
