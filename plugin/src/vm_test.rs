//! `builtins.vmTest`: the function of the embedded Nix library, with the programs of this build.
//!
//! It is a function written in Nix, not in Rust: arguments stay unevaluated until the library looks at them, errors keep
//! their place and can be caught, and the derivation is the same as without the plugin. Rust hands it to the evaluator
//! when it is first used.

use std::ffi::CStr;

use anyhow::{Context as _, Result};

use crate::nix_api::Constant;

/// The library as one expression; build/library.rs makes it.
const EXPRESSION: &str = include_str!(concat!(env!("OUT_DIR"), "/vmTest.nix"));
/// The documentation comment of the library's function.
const DOCUMENTATION: &str = include_str!(concat!(env!("OUT_DIR"), "/vmTest.md"));

static VM_TEST: Constant = Constant {
    name: c"__vmTest",
    documentation: c_string(DOCUMENTATION),
    expression: c_string(EXPRESSION),
};

/// Adds `builtins.vmTest`.
///
/// # Errors
/// When Nix refuses it.
pub(crate) fn register() -> Result<()> {
    VM_TEST.register().context("Nix refuses the builtin")
}

/// Fails to compile when the text has not exactly one NUL, at its end.
const fn c_string(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("the text has to end with its only NUL"),
    }
}
