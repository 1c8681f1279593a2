//! A value in `builtins` that is computed when it is first used.

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;

use anyhow::{Context as _, Result};

use super::context::{self, NixError};
use super::eval_state::EvalState;
use super::primop::Primop;
use crate::{fence, ffi};

/// A value in `builtins`, given as a Nix expression.
///
/// Nix evaluates the expression when the value is first used, once for each evaluator.
pub(crate) struct Constant {
    /// The name; `__x` appears as `builtins.x` and, in every expression, as `__x`.
    pub(crate) name: &'static CStr,
    /// Documentation in Markdown.
    pub(crate) documentation: &'static CStr,
    /// What it is.
    pub(crate) expression: &'static CStr,
}

impl Constant {
    /// Adds the value to the `builtins` of evaluators that are made from now on.
    ///
    /// # Errors
    /// When Nix refuses it.
    pub(crate) fn register(&'static self) -> Result<(), NixError> {
        let primop = Primop {
            name: self.name,
            arguments: &[],
            documentation: self.documentation,
            callback: evaluate,
            data: self,
        };
        primop.register()
    }
}

/// Nix calls this when the constant is first used.
unsafe extern "C" fn evaluate(
    constant: *mut c_void,
    context: *mut ffi::nix_c_context,
    state: *mut ffi::EvalState,
    _arguments: *mut *mut ffi::nix_value,
    result: *mut ffi::nix_value,
) {
    let outcome = fence::run(|| {
        // SAFETY: `register` gave a `&'static Constant` to Nix.
        let constant = unsafe { &*constant.cast::<Constant>() };
        let state = NonNull::new(state).context("Nix gave no evaluator to the plugin")?;
        let result = NonNull::new(result).context("Nix gave no place for the result")?;
        // SAFETY: Nix gave us the state for this callback, and the evaluator is not kept beyond it.
        let state = unsafe { EvalState::of_callback(state) }?;
        // SAFETY: the result is the callback's own, and still empty.
        unsafe { state.evaluate(constant.expression, result) }
            .with_context(|| format!("cannot evaluate builtins.{}", constant.plain_name()))
    });
    if let Err(message) = outcome {
        // SAFETY: it is the context of this callback.
        unsafe { context::report(context, &message) };
    }
}

impl Constant {
    fn plain_name(&self) -> &str {
        let name = self.name.to_str().unwrap_or_default();
        name.strip_prefix("__").unwrap_or(name)
    }
}
