//! What the machine must have, checked before anything is made, and named when it is missing.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use nix::sys::statvfs::statvfs;
use nix::unistd::Uid;

use crate::cache::Cache;
use crate::namespace::Enter;

/// Free space for an empty cache: the toolbox takes 5 GB while it is made, a run of the tests some more.
const SPACE: u64 = 8 << 30;

/// Free space once the toolbox is there.
const SPACE_LATER: u64 = 1 << 30;

/// What was found on the machine.
struct Machine {
    root: bool,
    apt: bool,
    /// What the kernel says to new mount and process namespaces.
    namespaces: Result<(), String>,
    /// `user.max_user_namespaces`, if the kernel knows it.
    user_namespaces: Option<u64>,
    /// Bytes left where the cache is.
    free: u64,
    /// Bytes wanted there.
    wanted: u64,
}

/// Looks at the machine and fails with everything that is in the way, in one message.
pub(crate) fn check(cache: &Cache) -> Result<()> {
    let problems = Machine::look(cache)?.problems(cache.root());
    if !problems.is_empty() {
        bail!(
            "this machine cannot set up the toolbox:\n  - {}",
            problems.join("\n  - ")
        );
    }
    Ok(())
}

impl Machine {
    fn look(cache: &Cache) -> Result<Self> {
        let nearest = cache
            .root()
            .ancestors()
            .find(|dir| dir.exists())
            .unwrap_or(Path::new("/"));
        let space = statvfs(nearest)?;
        let full = fs::read_dir(cache.path("made")).is_ok_and(|made| made.count() >= 5);
        Ok(Self {
            root: Uid::effective().is_root(),
            apt: ["apt-get", "apt-config", "dpkg-query"]
                .iter()
                .all(|tool| on_path(tool)),
            namespaces: namespaces(),
            user_namespaces: fs::read_to_string("/proc/sys/user/max_user_namespaces")
                .ok()
                .and_then(|text| text.trim().parse().ok()),
            free: space.blocks_available() * space.fragment_size(),
            wanted: if full { SPACE_LATER } else { SPACE },
        })
    }

    fn problems(&self, cache: &Path) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.root {
            problems.push(
                "you are not root: the toolbox is a root directory of its own, made with apt and \
                 entered by mounts (try `sudo -E env PATH=\"$PATH\" cargo xtask …`)"
                    .to_owned(),
            );
        } else if let Err(error) = &self.namespaces {
            problems.push(format!(
                "the kernel refuses new mount and process namespaces ({error}): in a container, \
                 it needs to be a privileged one"
            ));
        }
        if self.user_namespaces.is_none_or(|limit| limit == 0) {
            problems.push(
                "the kernel has no user namespaces, which Nix's sandbox needs \
                 (see the sysctl user.max_user_namespaces)"
                    .to_owned(),
            );
        }
        if !self.apt {
            problems.push(
                "there is no apt (apt-get, apt-config, dpkg-query): the toolbox is made of Debian \
                 packages; where Nix is installed, use the flake instead"
                    .to_owned(),
            );
        }
        if self.free < self.wanted {
            let gigabytes =
                |bytes: u64| format!("{}.{} GB", bytes >> 30, ((bytes % (1 << 30)) * 10) >> 30);
            problems.push(format!(
                "{} is left for {}, {} are needed (XDG_CACHE_HOME moves the cache)",
                gigabytes(self.free),
                cache.display(),
                gigabytes(self.wanted)
            ));
        }
        problems
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

fn namespaces() -> Result<(), String> {
    let probe = Enter {
        program: vec!["true".into()],
        ..Enter::default()
    };
    match probe.command().output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Machine {
        Machine {
            root: true,
            apt: true,
            namespaces: Ok(()),
            user_namespaces: Some(90_000),
            free: SPACE,
            wanted: SPACE,
        }
    }

    #[track_caller]
    fn says(machine: &Machine, part: &str) {
        let problems = machine.problems(Path::new("/cache"));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(part), "{problems:?}");
    }

    #[test]
    fn a_good_machine_has_no_problem() {
        assert_eq!(good().problems(Path::new("/cache")), [""; 0]);
    }

    #[test]
    fn each_lack_has_a_message_of_its_own() {
        // Whoever is not root is told that, and not what follows from it.
        let refused = Err("EPERM".to_owned());
        says(
            &Machine {
                root: false,
                namespaces: refused.clone(),
                ..good()
            },
            "not root",
        );
        says(
            &Machine {
                namespaces: refused,
                ..good()
            },
            "(EPERM)",
        );
        says(
            &Machine {
                user_namespaces: Some(0),
                ..good()
            },
            "max_user_namespaces",
        );
        says(
            &Machine {
                user_namespaces: None,
                ..good()
            },
            "no user namespaces",
        );
        says(
            &Machine {
                apt: false,
                ..good()
            },
            "no apt",
        );
        says(
            &Machine {
                free: 3 << 29,
                ..good()
            },
            "1.5 GB is left for /cache, 8.0 GB",
        );
    }

    #[test]
    fn all_lacks_are_told_at_once() {
        let machine = Machine {
            apt: false,
            free: 0,
            ..good()
        };
        assert_eq!(machine.problems(Path::new("/cache")).len(), 2);
    }
}
