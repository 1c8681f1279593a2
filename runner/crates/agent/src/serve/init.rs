//! The guest's first process.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What systemd makes first of all: sd_booted(3).
const SYSTEMD_RUNS: &str = "/run/systemd/system";

/// What the guest's first process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Init {
    /// Still the agent, or a script that ends in another program.
    Coming,
    /// systemd.
    Systemd,
    /// Another program, which has neither units nor a point at which services start.
    Other(String),
}

impl Init {
    /// What it is at this moment.
    pub(super) fn now() -> Self {
        let node = |process: &str| {
            fs::metadata(format!("/proc/{process}/exe")).map(|file| (file.dev(), file.ino()))
        };
        match (node("1"), node("self"), fs::read_link("/proc/1/exe")) {
            (Ok(first), Ok(own), Ok(path)) if first != own => Self::of(&path),
            _ => Self::Coming,
        }
    }

    fn of(program: &Path) -> Self {
        match program.file_name().and_then(|name| name.to_str()) {
            Some("systemd") => Self::Systemd,
            Some("sh" | "bash" | "dash") => Self::Coming,
            // The first process of NixOS with systemd in its initrd is a copy of this name.
            Some("init") if Path::new(SYSTEMD_RUNS).exists() => Self::Systemd,
            _ => Self::Other(program.display().to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inits_are_told_apart() {
        let other = |path: &str| Init::Other(path.into());
        let table = [
            ("/usr/lib/systemd/systemd", Init::Systemd),
            (
                "/nix/store/00000000000000000000000000000000-systemd-257/lib/systemd/systemd",
                Init::Systemd,
            ),
            ("/usr/bin/bash", Init::Coming),
            ("/bin/busybox", other("/bin/busybox")),
            ("/sbin/init", other("/sbin/init")),
        ];
        for (path, init) in table {
            assert_eq!(Init::of(Path::new(path)), init, "{path}");
        }
    }
}
