//! Runs scripts against a fake backend and compares outcome, texts and events.

mod api;
mod commands;
mod consoles;
mod devices;
mod failures;
mod fake;
mod language;
mod machines;
mod power;
mod threads;
mod waits;
