//! The guest's first process, and the agent that stays.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use vmtest_agent::boot::{self, initrd};
use vmtest_agent::{join, serve};
use vmtest_protocol::JOIN;

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    let word = std::env::args_os().nth(1).unwrap_or_default();
    if std::process::id() == 1 {
        boot::boot()
    } else if word == initrd::FOLLOW {
        initrd::follow()
    } else if word == serve::BRIEFLY {
        serve::serve()
    } else if name.as_bytes().starts_with(b"@") {
        serve::stay()
    } else if word == JOIN {
        join::join()
    } else {
        let text = "vmtest-agent is the first process of a virtual machine, or joins one with its port as input";
        let _ = writeln!(std::io::stderr(), "{text}");
        ExitCode::from(2)
    }
}
