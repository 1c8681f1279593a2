//! How a test is shown: live on the console, and afterwards by its report.
//!
//! Both render the same events. Neither has anything to say that is not in them. What a report looks like is up to
//! `vmtest_report`.

mod recorder;
mod terminal;

use std::io::Write;

use tokio::sync::mpsc::UnboundedReceiver;

pub use recorder::{Recorder, failure_of, outcome_of};
pub use terminal::Terminal;

use crate::event::{Event, Stamped};

/// Shows events as they come and gathers them, until the test is over.
///
/// # Errors
/// When standard error cannot be written.
pub async fn follow(
    mut events: UnboundedReceiver<Stamped>,
    mut terminal: Terminal,
    recorder: &mut Recorder,
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
        recorder.record(&event);
    }
    Ok(())
}
