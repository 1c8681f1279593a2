//! Runs scripts against a fake backend and compares outcome, texts and events.

mod api;
mod commands;
mod consoles;
mod devices;
mod driver;
mod failures;
mod fake;
mod language;
mod machines;
mod modules;
mod parallel;
mod polling;
mod power;
mod snapshots;
mod stopping;
mod threads;
mod upstream;
mod waits;
