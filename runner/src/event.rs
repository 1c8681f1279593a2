//! What happens in a test, in one type; console, report and log only render it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use vmtest_protocol::Stream;
use vmtest_report::model::{CommandReport, FailedUnit};
use vmtest_script::event::{Level, ScriptEvent, StepId};
use vmtest_switch::Counters;

use crate::machine::lifecycle::State;

/// Something that happened, and when.
#[derive(Debug, Clone)]
pub struct Stamped {
    /// Time since the runner's start.
    pub at: Duration,
    /// What.
    pub event: Event,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The runner has something to say.
    Runner(Level, String),
    /// A machine stands elsewhere.
    Machine {
        /// Its name.
        machine: String,
        /// Where it stands now.
        state: State,
    },
    /// The agent in a machine said hello.
    Agent {
        /// The machine's name.
        machine: String,
    },
    /// A machine that was started goes on from where it was saved.
    Restored {
        /// The machine's name.
        machine: String,
    },
    /// The test's machines are to go on from where another test has saved them.
    Snapshot {
        /// The output of that test.
        from: PathBuf,
    },
    /// They do not, or one of them does not; the log says so by itself.
    Unrestored {
        /// The machine's name, if it is about one.
        machine: Option<String>,
        /// Why.
        reason: String,
    },
    /// A line of a machine's serial console.
    Console {
        /// Its name.
        machine: String,
        /// The line, without what acts on terminals.
        line: String,
    },
    /// A line of a machine's journal.
    Journal {
        /// Its name.
        machine: String,
        /// How serious it is, from 0 (emergency) to 7 (debug).
        priority: Option<u8>,
        /// The unit of systemd that it is about.
        unit: Option<String>,
        /// The line.
        line: String,
    },
    /// Something that a command in a machine prints.
    Output {
        /// The machine's name.
        machine: String,
        /// Whether the command had ended before.
        late: bool,
        /// What.
        printed: Printed,
    },
    /// A command in a machine, which the log has told of, has ended.
    Ran {
        /// The step or subtest in which it ran.
        step: StepId,
        /// The command, and what it printed; of much, the beginning and the end.
        command: CommandReport,
    },
    /// A picture was taken of a machine's screen.
    Screenshot {
        /// The machine's name.
        machine: String,
        /// The file.
        file: PathBuf,
    },
    /// Units of a machine's systemd have failed; told once, when the script has failed.
    FailedUnits {
        /// The machine's name.
        machine: String,
        /// The units.
        units: Vec<FailedUnit>,
    },
    /// So much has passed through a VLAN.
    Traffic {
        /// Its number.
        vlan: u16,
        /// How much.
        counters: Counters,
    },
    /// Whether the log shows lines of consoles and journals from now on.
    ShowConsoles(bool),
    /// The script does something.
    Script(ScriptEvent),
    /// The test is over; nothing that comes later counts.
    End,
}

/// Output of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Printed {
    /// A line.
    Line {
        /// On which of its outputs.
        stream: Stream,
        /// The line, cut if it is long, without what acts on terminals.
        text: String,
    },
    /// So many lines came too fast to be shown.
    LeftOut {
        /// How many.
        lines: u64,
    },
}

/// Where events go; cloning gives another way to the same place.
#[derive(Debug, Clone)]
pub struct Events {
    start: Instant,
    sender: mpsc::UnboundedSender<Stamped>,
}

impl Events {
    /// A way for events, and its other end.
    #[must_use]
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Stamped>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (
            Self {
                start: Instant::now(),
                sender,
            },
            receiver,
        )
    }

    /// Takes note of something that happens now.
    pub fn emit(&self, event: Event) {
        // After the last act of a test nobody listens any more.
        let _ = self.sender.send(Stamped {
            at: self.start.elapsed(),
            event,
        });
    }

    /// Something that people should know.
    pub fn info(&self, text: impl Into<String>) {
        self.emit(Event::Runner(Level::Info, text.into()));
    }

    /// Something that people should look at.
    pub fn warn(&self, text: impl Into<String>) {
        self.emit(Event::Runner(Level::Warning, text.into()));
    }
}
