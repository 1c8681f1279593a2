//! Errors of the C API.

use std::ffi::{CStr, CString};
use std::ptr::{self, NonNull};

use thiserror::Error;

use crate::ffi;

/// What a call of the C API reports.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub(crate) struct NixError(String);

/// What calls of the C API report their errors to.
pub(crate) struct Context(NonNull<ffi::nix_c_context>);

impl Context {
    /// # Errors
    /// When Nix has no memory for it.
    pub(crate) fn new() -> Result<Self, NixError> {
        // SAFETY: the function has no preconditions.
        let context = unsafe { ffi::nix_c_context_create() };
        NonNull::new(context)
            .map(Self)
            .ok_or_else(|| NixError("no memory for a context".to_owned()))
    }

    /// Runs `call` with this context, and gives back its result if it reported no error.
    pub(super) fn check<T>(
        &self,
        call: impl FnOnce(*mut ffi::nix_c_context) -> T,
    ) -> Result<T, NixError> {
        let result = call(self.0.as_ptr());
        // SAFETY: the context is alive until `self` is dropped.
        if unsafe { ffi::nix_err_code(self.0.as_ptr()) } == ffi::nix_err::NIX_OK {
            Ok(result)
        } else {
            Err(NixError(self.message()))
        }
    }

    /// As [`check`](Self::check), for calls that return a pointer.
    pub(super) fn check_pointer<T>(
        &self,
        call: impl FnOnce(*mut ffi::nix_c_context) -> *mut T,
    ) -> Result<NonNull<T>, NixError> {
        NonNull::new(self.check(call)?)
            .ok_or_else(|| NixError("a null pointer without an error".to_owned()))
    }

    /// Must be called after an error only: Nix has nowhere else to report that there is none.
    fn message(&self) -> String {
        // SAFETY: this context is alive and holds an error; the other context and the length may be left out.
        let message =
            unsafe { ffi::nix_err_msg(ptr::null_mut(), self.0.as_ptr(), ptr::null_mut()) };
        if message.is_null() {
            return "an error without a message".to_owned();
        }
        // SAFETY: Nix gives a string with a NUL at its end, which lives until the context is used again.
        unsafe { CStr::from_ptr(message) }
            .to_string_lossy()
            .into_owned()
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: it was made by `nix_c_context_create`, and nothing else frees it.
        unsafe { ffi::nix_c_context_free(self.0.as_ptr()) };
    }
}

/// Makes the callback that `context` belongs to end with an error.
///
/// # Safety
/// `context` must be the one that Nix gave to the callback which is running.
pub(super) unsafe fn report(context: *mut ffi::nix_c_context, message: &str) {
    let text = CString::new(message.replace('\0', "\u{2400}")).unwrap_or_default();
    // SAFETY: the caller vouches for the context; Nix copies the text.
    unsafe { ffi::nix_set_err_msg(context, ffi::nix_err::NIX_ERR_UNKNOWN, text.as_ptr()) };
}
