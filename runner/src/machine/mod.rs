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
//! - [`handle`]: what the rest of the runner holds of a machine;
//! - [`agent`]: requests to the agent in the guest;
//! - [`console`]: the serial console, line by line;
//! - [`copy`]: files and trees in and out.

pub mod agent;
pub mod console;
pub mod copy;
pub mod handle;
pub mod lifecycle;
pub mod task;

pub use handle::Handle;
pub use task::Setup;
