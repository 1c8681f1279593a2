//! A thin safe layer on the C API of Nix: what the builtins need, and no more.
//!
//! - [`context::Context`]: what every call of the C API reports its errors to;
//! - [`Constant`]: a value that Nix computes when it is first used, and its callback;
//! - [`Function`]: a function of strings, and its callback;
//! - `primop`: adds either to the `builtins`;
//! - [`eval_state::EvalState`]: the evaluator, borrowed for the time of a callback;
//! - [`probe`]: how to come by the evaluator in versions of Nix that hand a wrong one to callbacks.

#![expect(unsafe_code, reason = "the only part of the plugin that calls Nix")]

mod constant;
mod context;
mod eval_state;
mod function;
mod primop;
mod probe;
mod version;

pub(crate) use constant::Constant;
pub(crate) use function::Function;
