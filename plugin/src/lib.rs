//! The Nix plugin that adds `builtins.vmTest`.
//!
//! - `vm_test`: the builtin: the embedded Nix library with the programs of this build;
//! - `check`: the builtin that it has test scripts checked by;
//! - `nix_api`: a thin safe layer on the C API of Nix, of what the builtin needs;
//! - `fence`: keeps panics from reaching Nix;
//! - `ffi`: the generated bindings.
//!
//! Every `nix` command of its user loads this library, so loading it registers the builtin and does nothing else.

mod check;
mod fence;
mod ffi;
mod nix_api;
mod vm_test;

/// Nix calls this once, when it has loaded the plugin.
#[expect(unsafe_code, reason = "Nix looks the function up by its name")]
#[unsafe(no_mangle)]
pub extern "C" fn nix_plugin_entry() {
    if let Err(error) = fence::run(vm_test::register) {
        // There is no evaluation yet that could fail with an error.
        #[expect(clippy::print_stderr, reason = "the only way to reach the user")]
        {
            eprintln!("warning: nix-vmtest: builtins.vmTest is not there: {error}");
        }
    }
}
