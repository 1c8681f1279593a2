//! A function of strings in `builtins`.

use std::ffi::{CStr, CString, c_char, c_uint, c_void};
use std::ptr::NonNull;

use anyhow::{Context as _, Result};

use super::context::{self, Context, NixError};
use super::eval_state::EvalState;
use super::primop::Primop;
use crate::{fence, ffi};

/// A function in `builtins` that takes `N` strings and returns one. What its arguments refer to in the store is of no interest
/// to it, and it does not build that.
pub(crate) struct Function<const N: usize> {
    /// The name; `__x` appears as `builtins.x`.
    pub(crate) name: &'static CStr,
    /// The names of its arguments.
    pub(crate) arguments: [&'static CStr; N],
    /// Documentation in Markdown.
    pub(crate) documentation: &'static CStr,
    /// What it does.
    pub(crate) call: fn([String; N]) -> Result<String>,
}

impl<const N: usize> Function<N> {
    /// Adds the function to the `builtins` of evaluators that are made from now on.
    ///
    /// # Errors
    /// When Nix refuses it.
    pub(crate) fn register(&'static self) -> Result<(), NixError> {
        let primop = Primop {
            name: self.name,
            arguments: &self.arguments,
            documentation: self.documentation,
            callback: call::<N>,
            data: self,
        };
        primop.register()
    }
}

/// Nix calls this when the function is applied to all of its arguments.
unsafe extern "C" fn call<const N: usize>(
    function: *mut c_void,
    context: *mut ffi::nix_c_context,
    state: *mut ffi::EvalState,
    arguments: *mut *mut ffi::nix_value,
    result: *mut ffi::nix_value,
) {
    let outcome = fence::run(|| {
        // SAFETY: `register` gave a `&'static Function<N>` to Nix.
        let function = unsafe { &*function.cast::<Function<N>>() };
        let state = NonNull::new(state).context("Nix gave no evaluator to the plugin")?;
        // SAFETY: Nix gave us the state for this callback, and the evaluator is not kept beyond it.
        let state = unsafe { EvalState::of_callback(state) }?;
        let mut strings = [const { String::new() }; N];
        for (index, string) in strings.iter_mut().enumerate() {
            // SAFETY: Nix gives as many arguments as the function was registered with.
            let argument = unsafe { *arguments.add(index) };
            let argument = NonNull::new(argument).context("Nix gave no argument")?;
            // SAFETY: arguments live as long as the callback runs.
            *string = unsafe { state.string(argument) }?;
        }
        let text = (function.call)(strings)?;
        let text = CString::new(text).context("the result has a NUL byte")?;
        let context = Context::new()?;
        // SAFETY: the result is the callback's own, and still empty; the text is copied.
        context.check(|context| unsafe { ffi::nix_init_string(context, result, text.as_ptr()) })?;
        Ok(())
    });
    if let Err(message) = outcome {
        // SAFETY: it is the context of this callback.
        unsafe { context::report(context, &message) };
    }
}

/// Takes a string from Nix: its start, its length, and the `String` that it goes to.
pub(super) unsafe extern "C" fn take(start: *const c_char, length: c_uint, to: *mut c_void) {
    let length = usize::try_from(length).unwrap_or(0);
    // SAFETY: Nix gives a text of this length, which lives until this function returns.
    let bytes = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) };
    // SAFETY: `EvalState::string` gave the address of a `String` of its own, which nobody else uses.
    let to = unsafe { &mut *to.cast::<String>() };
    *to = String::from_utf8_lossy(bytes).into_owned();
}
