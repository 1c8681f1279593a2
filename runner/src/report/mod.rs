//! How a test is shown: live on the console, and afterwards as `report.json`.
//!
//! Both render the same events. Neither has anything to say that is not in them.

mod json;
mod lines;
mod snapshot;
mod terminal;

use std::io::Write;
use std::path::Path;

use tokio::sync::mpsc::UnboundedReceiver;

pub use json::{Boot, FailureReport, MachineReport, Report, Step, VERSION};
pub use lines::{Lines, OutputLine};
pub use snapshot::SnapshotReport;
pub use terminal::Terminal;

use crate::event::{Event, Stamped};

/// Shows events as they come and gathers them, until the test is over.
///
/// # Errors
/// When standard error cannot be written.
pub async fn follow(
    mut events: UnboundedReceiver<Stamped>,
    mut terminal: Terminal,
    report: &mut Report,
) -> std::io::Result<()> {
    while let Some(event) = events
        .recv()
        .await
        .filter(|event| !matches!(event.event, Event::End))
    {
        if let Some(text) = terminal.render(&event) {
            // One write a text: lines of machines are not torn apart.
            std::io::stderr()
                .lock()
                .write_all(format!("{text}\n").as_bytes())?;
        }
        report.record(&event);
    }
    Ok(())
}

/// Writes `report.json` into the folder `out`.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &Path) -> std::io::Result<()> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    std::fs::write(out.join("report.json"), text)
}
