//! Runs Python test scripts and gives them their machine objects.
//!
//! A script sees machines and the driver as native classes of an embedded interpreter; they reach the rest of the runner
//! only through the two traits of [`backend`].

pub mod backend;
pub mod event;
pub mod failure;
