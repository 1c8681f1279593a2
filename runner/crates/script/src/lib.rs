//! Runs Python test scripts and gives them their machine objects.
//!
//! A script sees machines and the driver as native classes of an embedded interpreter; they reach the rest of the runner
//! only through the two traits of [`backend`]. What a script can call is listed in [`api`].

pub mod api;
pub mod backend;
pub mod event;
pub mod failure;

mod arguments;
mod assertions;
mod asserts;
mod debug;
mod driver;
mod engine;
mod errors;
mod extensions;
mod interrupt;
mod log;
mod machine;
mod modules;
mod native;
mod output;
mod parallel;
mod paths;
mod pattern;
mod retry;
mod session;
mod snapshot;
mod steps;
mod symbols;
mod timeouts;
mod traceback;
mod vlan;

pub use engine::{Mode, Script, run};
pub use extensions::folders as python_folders;
pub use pattern::Patterns;
pub use symbols::{SYMBOLS, Symbol, SymbolKind, variable_name};

/// Modules of Python's standard library that scripts do not have: they are made of C, and belong to libraries of their own.
pub const UNAVAILABLE_MODULES: &[&str] = &["curses", "readline", "sqlite3", "ssl"];

/// The classes whose objects a script has in its hands.
pub fn classes() -> impl Iterator<Item = api::Class> {
    NATIVE.iter().chain(api::IN_PYTHON).copied()
}

/// Those of them that are not written in Python.
const NATIVE: &[api::Class] = &[
    driver::CLASS,
    machine::CLASS,
    log::CLASS,
    vlan::CLASS,
    snapshot::CLASS,
    debug::CLASS,
    machine::PROCESS_CLASS,
    machine::QMP_CLASS,
    machine::SHELL_CLASS,
];
