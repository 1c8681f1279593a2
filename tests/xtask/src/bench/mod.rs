//! Figures: how fast tests are, and how large what runs them.
//!
//! ```text
//!  tests/bench/tests.nix ─ nix build ─▶ report.json, bench.json ─▶ measurements ─▶ document ─▶ JSON, table, plot
//! ```
//!
//! - [`benchmark`]: what can be measured, by name;
//! - [`trivial`], [`suite`], [`scripted`], [`sizes`]: how;
//! - [`peer`]: another driver, to compare with;
//! - [`sandbox`]: the tests that figures come from, built by Nix; [`report`]: what they leave;
//! - [`measurement`]: samples and what is made of them; [`upstream`]: figures from elsewhere;
//! - [`document`], [`table`], [`plot`]: what is shown.

mod benchmark;
mod document;
mod measurement;
mod peer;
mod plot;
mod report;
mod sandbox;
mod scripted;
mod sizes;
mod suite;
mod svg;
mod table;
mod trivial;
mod upstream;

pub(crate) use benchmark::Benchmark;
pub(crate) use document::{About, Document};
pub(crate) use measurement::Measurements;
pub(crate) use peer::Peer;
pub(crate) use plot::plot;
pub(crate) use sandbox::Sandbox;
pub(crate) use table::table;
