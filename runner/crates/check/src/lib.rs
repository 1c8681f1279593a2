//! Checks a test script before anything is built: what is found here would otherwise be found when the machines run.
//!
//! - [`check()`]: a script and the [`Test`] that it belongs to, to [`Finding`]s;
//! - [`rules`]: what can be found, by name;
//! - [`render`]: findings as text for people, and as JSON, SARIF and annotations of GitHub for programs;
//! - [`place`]: where in a Nix file the script stands.
//!
//! Names and types are checked by `ty`, Astral's type checker, with stubs of the script API and the stubs of Python's
//! standard library (typeshed) that come with it. The crate knows nothing of machines but what it is told.

pub mod finding;
pub mod place;
pub mod render;
pub mod rules;

mod check;
mod database;
mod ignore;
mod lints;
mod suggest;
mod test;
mod types;

pub use check::check;
pub use database::SetupError;
pub use finding::{Finding, Severity};
pub use test::{Machine, Stub, Test};
