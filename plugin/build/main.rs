//! Makes what the plugin is compiled with: the bindings of the Nix C API, and the embedded Nix library.

#![expect(clippy::print_stdout, reason = "how a build script talks to cargo")]

mod library;
mod nix;

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

fn main() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let manifest =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").context("cargo sets CARGO_MANIFEST_DIR")?);

    let nix = nix::Installation::find()?;
    nix.link();
    nix.write_bindings(&out.join("ffi.rs"))?;

    for folder in ["../lib", "../nixos"] {
        println!("cargo:rerun-if-changed={}", manifest.join(folder).display());
    }
    library::write(&manifest.join("../lib"), &out)
}
