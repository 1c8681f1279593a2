//! The result of a test, and how it is shown when the test is over.
//!
//! The runner fills a [`Report`] from the events of a test. Everything here renders that and nothing else; a report that is
//! read back from its file renders the same.
//!
//! - [`model`]: what a report says: `report.json`, described by `schema.json`;
//! - [`outcome`]: how a test ends, and the exit codes;
//! - [`finding`]: what the kernels of guests say that nobody should overlook;
//! - [`time`]: where the time went;
//! - [`log`]: lines of consoles and journals, for the page;
//! - [`junit`], [`page`], [`text`]: the renderings;
//! - [`files`]: the folder in which they lie.

pub mod files;
pub mod finding;
pub mod junit;
pub mod log;
pub mod model;
pub mod outcome;
pub mod page;
pub mod text;
pub mod time;

pub use log::{LogLine, Logs, Source};
pub use model::{Report, VERSION};
pub use outcome::Outcome;
