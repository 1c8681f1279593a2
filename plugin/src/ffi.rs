//! The C API of Nix, as bindgen found it in the installed headers.

#![allow(
    dead_code,
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    reason = "generated"
)]

include!(concat!(env!("OUT_DIR"), "/ffi.rs"));
