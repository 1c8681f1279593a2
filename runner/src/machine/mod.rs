//! One machine: its life, its agent, its console.
//!
//! ```text
//!            Handle ──requests──▶ task ──owns──▶ QEMU process, QMP, console, plugs in the switches
//!               │                  │
//!               └──────────────────┴──▶ Agent ──frames──▶ the guest
//! ```
//!
//! - [`lifecycle`]: where a machine stands and what moves it, pure;
//! - [`task`]: the one task that owns a machine and asks the lifecycle;
//! - [`turns`]: whose turn it is to boot;
//! - [`handle`]: what the rest of the runner holds of a machine;
//! - [`command`]: how a handle runs commands;
//! - `power`: how a handle has the guest power off;
//! - [`saved`]: how a handle has the machine saved, and go on from there;
//! - [`screen`]: how a handle looks at the screen;
//! - [`shell`]: a shell in the guest, for a script to talk to;
//! - [`monitor`]: how a handle speaks to QEMU;
//! - [`agent`]: requests to the agent in the guest;
//! - [`console`]: the serial console;
//! - `journal`: the journal of a guest that has one;
//! - `root_shell`: the agent's way into a guest that the runner did not build;
//! - [`output`]: what commands print, on its way to the log;
//! - [`record`]: what is kept of a machine over its starts;
//! - [`copy`]: files and trees in and out;
//! - `fresh`: what machines that were restored make anew.

pub mod agent;
pub mod command;
pub mod console;
pub mod copy;
mod fresh;
pub mod handle;
mod journal;
pub mod lifecycle;
pub mod monitor;
pub mod output;
mod power;
pub mod record;
mod root_shell;
pub mod saved;
pub mod screen;
pub mod shell;
pub mod task;
pub mod turns;

pub use handle::Handle;
pub use saved::{Initial, Otherwise};
pub use task::Setup;

/// Folder of the machines' own folders of logs, in the test's output.
pub const LOGS: &str = "machines";

/// What a machine shows on its serial console.
pub const CONSOLE_LOG: &str = "console.log";

/// Its journal.
pub const JOURNAL_LOG: &str = "journal.log";

/// What QEMU itself says.
pub const QEMU_LOG: &str = "qemu.log";
