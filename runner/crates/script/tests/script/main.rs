//! Runs scripts against a fake backend and compares outcome, texts and events.

mod api;
mod failures;
mod fake;
mod language;
mod machines;
mod threads;
mod waits;
