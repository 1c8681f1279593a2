//! `builtins.vmTest` and `builtins.vmTestSuite`: the functions of the embedded Nix library, with the programs of this build.
//!
//! They are functions written in Nix, not in Rust: arguments stay unevaluated until the library looks at them, errors keep
//! their place and can be caught, and the derivation is the same as without the plugin. Rust hands it to the evaluator
//! when it is first used.

use std::ffi::CStr;

use anyhow::{Context as _, Result};

use crate::check;
use crate::nix_api::Constant;

/// A function of the library: the library as one expression, and the function's documentation comment. build/library.rs
/// makes both.
macro_rules! function {
    ($name:literal) => {
        Constant {
            name: c_string(concat!("__", $name, "\0")),
            documentation: c_string(include_str!(concat!(env!("OUT_DIR"), "/", $name, ".md"))),
            expression: c_string(include_str!(concat!(env!("OUT_DIR"), "/", $name, ".nix"))),
        }
    };
}

static FUNCTIONS: [Constant; 2] = [function!("vmTest"), function!("vmTestSuite")];

/// Adds the builtins.
///
/// # Errors
/// When Nix refuses one.
pub(crate) fn register() -> Result<()> {
    // First, since the library looks for it.
    check::FUNCTION
        .register()
        .context("Nix refuses the builtin")?;
    let mut functions = FUNCTIONS.iter();
    functions.try_for_each(|function| function.register().context("Nix refuses the builtin"))
}

/// Fails to compile when the text has not exactly one NUL, at its end.
const fn c_string(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("the text has to end with its only NUL"),
    }
}
