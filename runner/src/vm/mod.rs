//! QEMU: how it is started, and how it is spoken to.
//!
//! - [`accel`]: whether KVM works, tried for real;
//! - [`environment`]: what the environment adds to a start;
//! - [`launch`]: what becomes it;
//! - [`plan`]: the command line as pure data;
//! - [`process`]: the running program;
//! - [`qmp`]: its control channel;
//! - [`start_command`]: QEMU by a command of the host's shell.

pub mod accel;
pub mod environment;
pub mod launch;
pub mod plan;
pub mod process;
pub mod qmp;
pub mod start_command;
