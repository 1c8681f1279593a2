//! The evaluator, borrowed for the time of a callback.

use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::NonNull;

use anyhow::Result;

use super::context::{Context, NixError};
use super::{function, probe, version};
use crate::ffi;

/// The evaluator that called back. It is a wrapper on the stack of the caller in new versions of Nix: it must not outlive
/// the callback, and is no key to find anything again by.
pub(super) struct EvalState<'callback> {
    raw: NonNull<ffi::EvalState>,
    callback: PhantomData<&'callback ()>,
}

impl EvalState<'_> {
    /// Takes the state that Nix gave to a callback.
    ///
    /// # Errors
    /// When this version of Nix gives a wrong one, and the right one cannot be found.
    ///
    /// # Safety
    /// `given` must be what Nix gave to the callback that is running, and the result must not outlive the callback.
    pub(super) unsafe fn of_callback(given: NonNull<ffi::EvalState>) -> Result<Self> {
        let raw = if version::running()?.gives_state_to_callbacks() {
            given
        } else {
            probe::state_around(given)?
        };
        Ok(Self {
            raw,
            callback: PhantomData,
        })
    }

    /// The text of a string, which is evaluated if it is not yet.
    ///
    /// # Errors
    /// When its evaluation fails, or it is no string.
    ///
    /// # Safety
    /// `value` must be alive.
    pub(super) unsafe fn string(&self, value: NonNull<ffi::nix_value>) -> Result<String, NixError> {
        let context = Context::new()?;
        // SAFETY: state and value are alive (see above).
        context.check(|context| unsafe {
            ffi::nix_value_force(context, self.raw.as_ptr(), value.as_ptr())
        })?;
        let mut text = String::new();
        // SAFETY: the callback gets the address of `text`, which lives until the call returns.
        context.check(|context| unsafe {
            ffi::nix_get_string(
                context,
                value.as_ptr(),
                Some(function::take),
                (&raw mut text).cast(),
            )
        })?;
        Ok(text)
    }

    /// Evaluates `expression` into `result`; relative paths in it start at the root.
    ///
    /// # Errors
    /// When the expression has an error.
    ///
    /// # Safety
    /// `result` must be alive and empty.
    pub(super) unsafe fn evaluate(
        &self,
        expression: &CStr,
        result: NonNull<ffi::nix_value>,
    ) -> Result<(), NixError> {
        let context = Context::new()?;
        // SAFETY: state and result are alive (see above), the strings end with a NUL and are copied.
        context.check(|context| unsafe {
            ffi::nix_expr_eval_from_string(
                context,
                self.raw.as_ptr(),
                expression.as_ptr(),
                c"/".as_ptr(),
                result.as_ptr(),
            )
        })?;
        Ok(())
    }
}
