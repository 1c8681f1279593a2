//! When the guest is up: commands find what they may expect of a machine that has booted.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use vmtest_protocol::ToHost;

use super::task::{Stopped, Task};
use crate::boot::shares;
use crate::process::spawn;

/// The first pause between two looks, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// Where systemd answers `systemctl`.
const SYSTEMD: &str = "/run/systemd/private";

/// The point of systemd's boot at which services start; a shell for tests that is itself a service starts no sooner.
const POINT: &str = "basic.target";

/// The guest's first process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Init {
    /// Still the agent, or a script that ends in another program.
    Coming,
    Systemd,
    /// One that has no such point.
    Other,
}

/// Tells the runner as soon as the guest is up, unless the task is cancelled first.
pub(super) fn announce(task: &Task) {
    if wait(task).is_ok() {
        // Before the first command: it may look for them.
        shares::complete();
        let _ = task.send(&ToHost::Booted);
    }
}

fn wait(task: &Task) -> Result<(), Stopped> {
    let mut pause = PAUSES.0;
    while !is_up() {
        task.sleep(pause)?;
        pause = (pause * 5 / 4).min(PAUSES.1);
    }
    Ok(())
}

fn is_up() -> bool {
    match init() {
        Init::Coming => false,
        Init::Systemd => Path::new(SYSTEMD).exists() && is_active(POINT),
        Init::Other => true,
    }
}

fn init() -> Init {
    let node = |process: &str| {
        fs::metadata(format!("/proc/{process}/exe")).map(|file| (file.dev(), file.ino()))
    };
    match (node("1"), node("self"), fs::read_link("/proc/1/exe")) {
        (Ok(first), Ok(own), Ok(path)) if first != own => named(&path),
        _ => Init::Coming,
    }
}

fn named(path: &Path) -> Init {
    match path.file_name().and_then(|name| name.to_str()) {
        Some("systemd") => Init::Systemd,
        Some("sh" | "bash" | "dash") => Init::Coming,
        _ => Init::Other,
    }
}

fn is_active(unit: &str) -> bool {
    let mut command = Command::new("systemctl");
    command.args(["is-active", "--quiet", unit]).env_clear();
    command.env("PATH", "/run/current-system/sw/bin:/usr/bin:/bin");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    spawn(&mut command).is_ok_and(|mut child| child.wait().is_ok_and(|status| status.success()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inits_are_told_apart() {
        let table = [
            ("/usr/lib/systemd/systemd", Init::Systemd),
            (
                "/nix/store/00000000000000000000000000000000-systemd-257/lib/systemd/systemd",
                Init::Systemd,
            ),
            ("/usr/bin/bash", Init::Coming),
            ("/bin/busybox", Init::Other),
            ("/sbin/init", Init::Other),
        ];
        for (path, init) in table {
            assert_eq!(named(Path::new(path)), init, "{path}");
        }
    }
}
