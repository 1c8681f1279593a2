//! Tests in the Nix sandbox: every test of this folder's neighbours, built and compared.
//!
//! - [`expected`]: the table of how each test ends;
//! - [`toolbox`]: Nix with the plugin, through `xtask`.

pub mod expected;
pub mod toolbox;
