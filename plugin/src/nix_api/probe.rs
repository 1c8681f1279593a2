//! Finds the evaluator in versions of Nix that hand a wrong pointer to callbacks.
//!
//! Until Nix 2.34.0, a callback gets the address of the evaluator proper, `nix::EvalState`, under the type of the C
//! API's structure, in which the evaluator is a member after others. Any function of the C API that takes this pointer
//! reads past the evaluator and crashes (NixOS/nix#12800, mended in 2.34.1 by NixOS/nix#15300). The C API itself does
//! nothing with the structure but reach into it for that member; so the pointer it needs lies before the given one, at
//! the member's offset.
//!
//! The offset depends on how the running Nix was compiled. It is measured: an evaluator made through the C API, whose
//! structure is known, calls back, and the difference of the two pointers is the offset. This happens once, when the
//! builtin is first used.

use std::cell::Cell;
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use thiserror::Error;

use super::context::{Context, NixError};
use crate::ffi;

/// Far more than the settings that lie before the evaluator.
const LARGEST_OFFSET: usize = 1 << 20;

/// Why the evaluator cannot be found.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub(super) enum ProbeError {
    /// A step of the measurement failed.
    #[error("cannot make an evaluator to compare with: {0}")]
    Nix(String),
    /// The structure is of another kind.
    #[error(
        "this version of Nix gives no usable evaluator to plugins; Nix 2.24 to 2.33 and 2.34.1 or later do"
    )]
    UnknownLayout,
}

impl From<NixError> for ProbeError {
    fn from(error: NixError) -> Self {
        Self::Nix(error.to_string())
    }
}

/// The C API's structure around the evaluator that a callback was `given`.
///
/// # Errors
/// When its offset cannot be measured.
pub(super) fn state_around(
    given: NonNull<ffi::EvalState>,
) -> Result<NonNull<ffi::EvalState>, ProbeError> {
    static OFFSET: OnceLock<Result<NonZeroUsize, ProbeError>> = OnceLock::new();
    let offset = OFFSET.get_or_init(measure).clone()?;
    NonNull::new(given.as_ptr().wrapping_byte_sub(offset.get())).ok_or(ProbeError::UnknownLayout)
}

fn measure() -> Result<NonZeroUsize, ProbeError> {
    let context = Context::new()?;
    let store = Store::open_dummy(&context)?;
    let state = OwnedState::new(&context, &store)?;
    let given = state.call_back(&context)?;
    offset_between(state.0.as_ptr().addr(), given.addr())
}

/// The offset at which `member` lies in the structure at `structure`.
fn offset_between(structure: usize, member: usize) -> Result<NonZeroUsize, ProbeError> {
    member
        .checked_sub(structure)
        .filter(|offset| *offset < LARGEST_OFFSET)
        .and_then(NonZeroUsize::new)
        .ok_or(ProbeError::UnknownLayout)
}

struct Store(NonNull<ffi::Store>);

impl Store {
    /// A store that holds nothing and touches no disk.
    fn open_dummy(context: &Context) -> Result<Self, NixError> {
        // SAFETY: the address is a constant, and parameters may be left out.
        context
            .check_pointer(|context| unsafe {
                ffi::nix_store_open(context, c"dummy://".as_ptr(), ptr::null_mut())
            })
            .map(Self)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: `nix_store_open` made it for us.
        unsafe { ffi::nix_store_free(self.0.as_ptr()) };
    }
}

/// An evaluator of our own, the structure and not only the member.
struct OwnedState(NonNull<ffi::EvalState>);

impl OwnedState {
    fn new(context: &Context, store: &Store) -> Result<Self, NixError> {
        // SAFETY: the store is alive, and the evaluator shares it; the search path may be left out.
        context
            .check_pointer(|context| unsafe {
                ffi::nix_state_create(context, ptr::null_mut(), store.0.as_ptr())
            })
            .map(Self)
    }

    /// What a callback from this evaluator is given as the state.
    fn call_back(&self, context: &Context) -> Result<*mut ffi::EvalState, NixError> {
        let given = Cell::new(ptr::null_mut());
        let mut names = [c"argument".as_ptr(), ptr::null()];
        // SAFETY: `given` lives until this function returns, and the function is called by this function only; the list
        // of arguments ends with a null pointer.
        let primop = context.check_pointer(|context| unsafe {
            ffi::nix_alloc_primop(
                context,
                Some(note_state),
                1,
                c"probe".as_ptr(),
                names.as_mut_ptr(),
                c"".as_ptr(),
                ptr::from_ref(&given).cast_mut().cast(),
            )
        })?;
        let [function, argument, result] = [
            Value::new(context, self)?,
            Value::new(context, self)?,
            Value::new(context, self)?,
        ];
        // SAFETY: all values are alive and, but for the function and the argument that are set here, empty.
        context.check(|context| unsafe {
            ffi::nix_init_primop(context, function.raw.as_ptr(), primop.as_ptr())
        })?;
        // SAFETY: as above.
        context.check(|context| unsafe { ffi::nix_init_null(context, argument.raw.as_ptr()) })?;
        // SAFETY: as above; the state is alive until `self` is dropped.
        context.check(|context| unsafe {
            ffi::nix_value_call(
                context,
                self.0.as_ptr(),
                function.raw.as_ptr(),
                argument.raw.as_ptr(),
                result.raw.as_ptr(),
            )
        })?;
        // SAFETY: `nix_alloc_primop` gave us one reference, which we give back once.
        context.check(|context| unsafe { ffi::nix_gc_decref(context, primop.as_ptr().cast()) })?;
        Ok(given.get())
    }
}

impl Drop for OwnedState {
    fn drop(&mut self) {
        // SAFETY: `nix_state_create` made it for us.
        unsafe { ffi::nix_state_free(self.0.as_ptr()) };
    }
}

struct Value<'context> {
    raw: NonNull<ffi::nix_value>,
    context: &'context Context,
}

impl<'context> Value<'context> {
    fn new(context: &'context Context, state: &OwnedState) -> Result<Self, NixError> {
        // SAFETY: the state is alive.
        let raw = context
            .check_pointer(|context| unsafe { ffi::nix_alloc_value(context, state.0.as_ptr()) })?;
        Ok(Self { raw, context })
    }
}

impl Drop for Value<'_> {
    fn drop(&mut self) {
        // SAFETY: `nix_alloc_value` gave us one reference, which we give back once.
        let _leaked_on_error = self
            .context
            .check(|context| unsafe { ffi::nix_value_decref(context, self.raw.as_ptr()) });
    }
}

/// It only copies a pointer and sets the result: nothing that could panic.
unsafe extern "C" fn note_state(
    given: *mut c_void,
    context: *mut ffi::nix_c_context,
    state: *mut ffi::EvalState,
    _arguments: *mut *mut ffi::nix_value,
    result: *mut ffi::nix_value,
) {
    // SAFETY: `call_back` gave the address of its cell, and is still running.
    unsafe { &*given.cast::<Cell<*mut ffi::EvalState>>() }.set(state);
    // SAFETY: Nix gave us its context and an empty result.
    unsafe { ffi::nix_init_null(context, result) };
}

#[cfg(test)]
mod tests {
    use super::{LARGEST_OFFSET, ProbeError, offset_between};

    #[test]
    fn member_lies_behind_the_start_of_its_structure() {
        let offset = offset_between(0x1000, 0x1840).expect("within the structure");
        assert_eq!(offset.get(), 0x840);
    }

    #[test]
    fn other_layouts_are_refused() {
        for member in [0x0ff8, 0x1000, 0x1000 + LARGEST_OFFSET] {
            assert_eq!(
                offset_between(0x1000, member),
                Err(ProbeError::UnknownLayout)
            );
        }
    }
}
