//! What users see of `builtins.vmTest` and of the library: evaluations in a real Nix that has loaded the plugin.
//!
//! They run by `cargo xtask test`, which sets `VMTEST_XTASK` to the program whose `nix -- ARGS` is that Nix. The
//! repository lies there at the same path as here.

mod arguments;
mod builtin;
mod nix;
mod result;
mod scripts;
mod snapshots;
