//! A last look into the machines of a test that has failed, before they are ended.

use std::time::Duration;

use vmtest_report::model::FailedUnit;
use vmtest_script::backend::ExitStatus;

use crate::event::Event;
use crate::machine::Handle;
use crate::machine::console::clean::Cleaner;
use crate::machine::lifecycle::State;
use crate::snapshot::save::at_once;

/// How long a guest may take to tell, by hardware virtualisation.
const TELLING_TIME: Duration = Duration::from_secs(5);

/// Most units of a machine, and lines of the journal of each.
const UNITS: usize = 8;
const LINES: usize = 10;

/// What stands before the name of a unit: no line of a journal begins so.
const MARK: char = '\u{1}';

/// Asks each guest that is up which units of its systemd have failed. One that has no systemd, or does not answer, has none.
pub(super) async fn failed_units(machines: &[Handle]) {
    let is_up = |machine: &&Handle| matches!(machine.state(), State::Ready { .. });
    let up: Vec<Handle> = machines.iter().filter(is_up).cloned().collect();
    let asked = at_once(&up, |machine| async move {
        let what = "a list of its failed units";
        machine.run_quietly(&question(), what, TELLING_TIME).await
    });
    for (machine, told) in up.iter().zip(asked.await) {
        let told = told.ok().filter(|told| told.status == ExitStatus::Code(0));
        let units = told.map_or_else(Vec::new, |told| parse(&told.stdout));
        if !units.is_empty() {
            machine.events().emit(Event::FailedUnits {
                machine: machine.name().to_owned(),
                units,
            });
        }
    }
}

/// For any shell, and any systemd of the last ten years.
fn question() -> String {
    format!(
        "test -d /run/systemd/system || exit 0\n\
         systemctl list-units --state=failed --plain --no-legend --no-pager --full | head -n {UNITS} | \
         while read -r unit rest; do\n\
         printf '\\001%s\\n' \"$unit\"\n\
         journalctl --quiet --boot --no-pager --no-hostname --output=short-monotonic --lines={LINES} --unit=\"$unit\"\n\
         done"
    )
}

fn parse(told: &[u8]) -> Vec<FailedUnit> {
    let text = String::from_utf8_lossy(told);
    let mut units: Vec<FailedUnit> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix(MARK), units.last_mut()) {
            (Some(name), _) => units.push(FailedUnit {
                name: clean(name),
                journal: Vec::new(),
            }),
            (None, Some(unit)) => unit.journal.push(clean(line)),
            (None, None) => {}
        }
    }
    units
}

/// Without what acts on terminals.
fn clean(line: &str) -> String {
    Cleaner::default().clean(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_with_their_journals() {
        let units = parse(b"noise\n\x01a.service\n[1.0] x: y\n    z\n\x01b.mount\n");
        let unit = |name: &str, journal: &[&str]| FailedUnit {
            name: name.to_owned(),
            journal: journal.iter().map(|line| (*line).to_owned()).collect(),
        };
        assert_eq!(
            units,
            [
                unit("a.service", &["[1.0] x: y", "    z"]),
                unit("b.mount", &[])
            ]
        );
        assert!(parse(b"").is_empty());
    }
}
