//! Runs NixOS VM tests: builds the machines, boots them, runs the test script.
//!
//! ```text
//!  manifest ──▶ spec ──▶ provision ──▶ vm::plan ──▶ machine ◀── bridge ◀── script
//!  (from Nix)  (checked)  (images)     (argv)       (tasks)                (Python)
//! ```
//!
//! - [`cli`]: the command line;
//! - [`test`]: one test from manifest to report;
//! - [`check`]: test scripts, before anything is built;
//! - [`gate`]: what looks at the outcome of a test whose results are kept;
//! - [`driver`]: a test as a program, to be run outside of Nix;
//! - [`spec`]: the manifest after all of its rules;
//! - [`provision`]: images, initrds and disks;
//! - [`vm`](mod@vm): QEMU;
//! - [`machine`]: the life of a machine, and its agent;
//! - [`snapshot`]: machines that go on from where they were;
//! - [`workshop`]: machines that a script makes;
//! - [`bridge`]: machines as the script engine wants them;
//! - [`ocr`]: text on screens;
//! - [`event`], [`report`]: what happens, and how it is shown.

pub mod bridge;
pub mod check;
pub mod cli;
pub mod driver;
pub mod event;
pub mod gate;
pub mod machine;
pub mod ocr;
pub mod provision;
pub mod report;
pub mod snapshot;
pub mod spec;
pub mod test;
pub mod vm;
pub mod workshop;
