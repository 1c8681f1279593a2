//! The guest's shell, and the environment of a root login in it.
//!
//! Tests were written for a root shell that was started once: it had read `/etc/profile`, and its commands inherited
//! what that exports. The profile is read anew when it has changed (an installed system may bring its own), not for
//! every command: that would cost more than the command.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use vmtest_protocol::Failure;

use crate::process::{HOME, capture};

/// In this order: NixOS has no `/bin/bash`.
const SHELLS: [&str; 4] = [
    "/run/current-system/sw/bin/bash",
    "/bin/bash",
    "/usr/bin/bash",
    "/bin/sh",
];

const PATH: &str = "/run/wrappers/bin:/run/current-system/sw/bin:/run/current-system/sw/sbin:\
    /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Prints what the profile exports, as `name=value` with a NUL after each.
const READ_PROFILE: &str = ". /etc/profile >/dev/null 2>&1; exec cat /proc/self/environ";

/// Set by the shell for itself.
const NOT_EXPORTED: [&str; 4] = ["_", "SHLVL", "PWD", "OLDPWD"];

/// How long a profile may take: emulated machines are slow while they boot.
const FOR_PROFILE: Duration = Duration::from_secs(30);

/// The kernel takes 128 KiB in one argument.
const LONGEST_ARGUMENT: usize = 120 * 1024;

type Environment = Vec<(OsString, OsString)>;

/// What tells one profile from the next: device, file, time of change of the profile and of its folder.
type Mark = Vec<(u64, u64, i64, i64)>;

/// The guest's shell.
#[derive(Debug, Default)]
pub(super) struct Shell {
    profile: Mutex<Option<(Mark, Environment)>>,
}

impl Shell {
    /// Where scripts run.
    pub(super) fn folder() -> &'static Path {
        let folder = Path::new("/tmp");
        match folder.is_dir() {
            true => folder,
            false => Path::new("/"),
        }
    }

    /// The command that runs a script in its [folder](Self::folder), and what must be kept until it has ended.
    pub(super) fn command(&self, script: &str) -> Result<(Command, Option<File>), Failure> {
        let shell = SHELLS.into_iter().find(|path| Path::new(path).exists());
        let shell = shell.ok_or_else(|| Failure("the guest has no shell (/bin/sh)".into()))?;
        let mut command = Command::new(shell);
        command.arg("-c").env_clear().envs(self.environment(shell));
        let file = if script.len() > LONGEST_ARGUMENT {
            let file = in_memory(script)
                .map_err(|error| Failure(format!("no memory for a script: {error}")))?;
            command.arg(format!(
                ". /proc/{}/fd/{}",
                std::process::id(),
                file.as_raw_fd()
            ));
            Some(file)
        } else {
            command.arg(script);
            None
        };
        Ok((command, file))
    }

    fn environment(&self, shell: &str) -> Environment {
        let mark: Mark = ["/etc/profile", "/etc/profile.d"]
            .iter()
            .filter_map(mark)
            .collect();
        let mut profile = self.profile.lock().unwrap_or_else(PoisonError::into_inner);
        match &*profile {
            Some((known, environment)) if *known == mark => environment.clone(),
            _ => {
                let environment = login(shell, !mark.is_empty());
                *profile = Some((mark, environment.clone()));
                environment
            }
        }
    }
}

fn mark(path: &&str) -> Option<(u64, u64, i64, i64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((
        metadata.dev(),
        metadata.ino(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    ))
}

/// The environment of a root login, with what the profile (if there is one) adds to it.
fn login(shell: &str, profile: bool) -> Environment {
    let pairs = [
        ("HOME", "/root"),
        ("USER", "root"),
        ("LOGNAME", "root"),
        ("PATH", PATH),
        ("SHELL", shell),
        ("TERM", "dumb"),
        ("DISPLAY", ":0.0"),
    ];
    let mut environment: Environment = pairs
        .map(|(name, value)| (name.into(), value.into()))
        .into();
    if profile {
        let mut command = Command::new(shell);
        command
            .args(["-c", READ_PROFILE])
            .env_clear()
            .envs(environment.clone());
        // A profile that fails, or a guest without `cat`, leaves what there is.
        if let Ok(output) = capture(command, HOME.as_ref(), FOR_PROFILE) {
            environment = parse(&output);
        }
    }
    environment.retain(|(name, _)| name != "PAGER");
    // Programs that find a terminal would otherwise wait in a pager.
    environment.push(("PAGER".into(), OsString::new()));
    environment
}

fn parse(output: &[u8]) -> Environment {
    let words = output.split(|byte| *byte == 0);
    words
        .filter_map(|word| {
            let equals = word.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (&word[..equals], &word[equals + 1..]);
            let taken = !NOT_EXPORTED
                .map(OsStr::new)
                .contains(&OsStr::from_bytes(name));
            taken.then(|| {
                (
                    OsString::from_vec(name.into()),
                    OsString::from_vec(value.into()),
                )
            })
        })
        .collect()
}

fn in_memory(script: &str) -> io::Result<File> {
    let mut file = File::from(memfd_create("script", MemfdFlags::CLOEXEC)?);
    file.write_all(script.as_bytes())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_as_it_is() {
        let output = b"A=1\0B=x=y\n z\0SHLVL=1\0_=/bin/cat\0PWD=/\0EMPTY=\0";
        let expected = [("A", "1"), ("B", "x=y\n z"), ("EMPTY", "")];
        assert_eq!(
            parse(output),
            expected.map(|(name, value)| (name.into(), value.into()))
        );
    }

    #[test]
    fn a_login_has_a_home_and_a_path() {
        let environment = login("/bin/sh", true);
        let value = |name: &str| {
            environment
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_os_str())
        };
        assert_eq!(value("HOME"), Some(OsStr::new("/root")));
        assert_eq!(value("PAGER"), Some(OsStr::new("")));
        assert!(value("PATH").is_some_and(|path| !path.is_empty()));
    }
}
