//! The guest's first process, and the agent that stays.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use vmtest_agent::{boot, serve};

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    if std::process::id() == 1 {
        boot::boot()
    } else if name.as_bytes().starts_with(b"@") {
        serve::stay()
    } else {
        let text = "vmtest-agent is the first process of a virtual machine; it does nothing else";
        let _ = writeln!(std::io::stderr(), "{text}");
        ExitCode::from(2)
    }
}
