//! What `cargo xtask` does, one command a file.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these are the words of a command line"
)]

pub(crate) mod bench;
pub(crate) mod browser;
pub(crate) mod check_nixpkgs;
pub(crate) mod clean;
pub(crate) mod nix;
pub(crate) mod path;
pub(crate) mod setup;
pub(crate) mod status;
pub(crate) mod test;
pub(crate) mod tryout;
