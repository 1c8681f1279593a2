//! Adds to the `builtins`.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use super::context::{Context, NixError};
use crate::ffi;

/// What Nix calls: the `data` of [`Primop`], its context, the evaluator, the arguments, and the place for the result.
pub(super) type Callback = unsafe extern "C" fn(
    *mut c_void,
    *mut ffi::nix_c_context,
    *mut ffi::EvalState,
    *mut *mut ffi::nix_value,
    *mut ffi::nix_value,
);

/// A name in `builtins`, and what Nix calls for it.
pub(super) struct Primop<'a, T: 'static> {
    /// The name; `__x` appears as `builtins.x`.
    pub(super) name: &'static CStr,
    /// The names of its arguments; without any it is a value.
    pub(super) arguments: &'a [&'static CStr],
    /// Documentation in Markdown.
    pub(super) documentation: &'static CStr,
    /// What is called.
    pub(super) callback: Callback,
    /// What it is called with.
    pub(super) data: &'static T,
}

impl<T: 'static> Primop<'_, T> {
    /// Adds it to the `builtins` of evaluators that are made from now on.
    ///
    /// # Errors
    /// When Nix refuses it.
    pub(super) fn register(&self) -> Result<(), NixError> {
        let context = Context::new()?;
        let names = self.arguments.iter().map(|name| name.as_ptr());
        let mut names: Vec<*const c_char> = names.chain([ptr::null()]).collect();
        let arity = c_int::try_from(self.arguments.len()).unwrap_or(c_int::MAX);
        // SAFETY: the strings and `data` live as long as the process, and the list of arguments ends with a null pointer.
        let primop = context.check_pointer(|context| unsafe {
            ffi::nix_alloc_primop(
                context,
                Some(self.callback),
                arity,
                self.name.as_ptr(),
                names.as_mut_ptr(),
                self.documentation.as_ptr(),
                ptr::from_ref(self.data).cast_mut().cast(),
            )
        })?;
        // SAFETY: the primop was just made. Nix copies its contents, so that our reference can go.
        let registered =
            context.check(|context| unsafe { ffi::nix_register_primop(context, primop.as_ptr()) });
        // SAFETY: `nix_alloc_primop` gave us one reference, which we give back once.
        context.check(|context| unsafe { ffi::nix_gc_decref(context, primop.as_ptr().cast()) })?;
        registered.map(|_| ())
    }
}
