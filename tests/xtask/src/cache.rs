//! Where everything lies that is made once, and the locks that keep two runs apart.
//!
//! ```text
//! made/<step>-<key>/     result of a finished step; the name exists only when it is whole
//! made/<step>-<key>.part what a step under way, or one that was killed, has so far
//! logs/<step>.log        of the last run of a step
//! nix/                   seen as /nix inside the toolbox: the private store
//! cargo/                 target directory of the programs
//! clones/<id>/           what belongs to one working copy: its plugin and its tools.nix
//! ```

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest as _, Sha256};

use crate::step::short_hex;

/// The cache directory of the project.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    root: PathBuf,
}

/// A held lock; dropping it lets the next one go on.
pub(crate) struct Lock {
    _file: Flock<File>,
}

impl Cache {
    /// `$XDG_CACHE_HOME/nix-vmtest`, or the same in `~/.cache`. It is not made yet.
    pub(crate) fn of_user() -> Result<Self> {
        let dir = match std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
            Some(dir) => PathBuf::from(dir),
            None => std::env::home_dir()
                .context("neither XDG_CACHE_HOME nor HOME says where the cache goes")?
                .join(".cache"),
        };
        if !dir.is_absolute() {
            bail!("XDG_CACHE_HOME is not an absolute path: {}", dir.display());
        }
        Ok(Self::at(dir.join("nix-vmtest")))
    }

    pub(crate) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the cache directory.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// Makes the directories that steps expect.
    pub(crate) fn create(&self) -> Result<()> {
        for dir in ["made", "logs", "nix", "cargo", "clones"] {
            let dir = self.path(dir);
            fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        Ok(())
    }

    /// Result of the step `name` under `key`, whether it is there or not.
    pub(crate) fn made(&self, name: &str, key: &str) -> PathBuf {
        self.path("made").join(format!("{name}-{key}"))
    }

    /// An empty directory for the step to fill; what a killed run left there is removed.
    pub(crate) fn begin(&self, name: &str, key: &str) -> Result<PathBuf> {
        let part = self.made(name, key).with_extension("part");
        remove(&part)?;
        fs::create_dir_all(&part).with_context(|| format!("cannot make {}", part.display()))?;
        Ok(part)
    }

    /// Turns what [`Self::begin`] gave into the step's result, at once and for good.
    pub(crate) fn finish(&self, name: &str, key: &str) -> Result<()> {
        let done = self.made(name, key);
        let part = done.with_extension("part");
        // A rename that outlives a power cut while the files it names do not would pass for a whole result.
        let synced = Command::new("sync").arg("-f").arg(&part).status();
        if !synced.is_ok_and(|status| status.success()) {
            bail!("cannot write {} to the disk", part.display());
        }
        fs::rename(&part, &done).with_context(|| format!("cannot name {}", done.display()))
    }

    /// Directory of what belongs to the working copy at `repository`.
    pub(crate) fn clone_dir(&self, repository: &Path) -> PathBuf {
        let id = Sha256::digest(repository.as_os_str().as_encoded_bytes());
        self.path("clones").join(short_hex(&id))
    }

    /// Takes the lock `name` for the one at work, and waits for it if somebody else has it:
    /// `waiting` is called with who that is.
    pub(crate) fn lock(&self, name: &str, waiting: impl FnOnce(&str)) -> Result<Lock> {
        let path = self.path(format!("{name}.lock"));
        let open = || {
            File::options()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(&path)
        };
        let file = open().with_context(|| format!("cannot open {}", path.display()))?;
        let mut file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => file,
            Err((mut file, Errno::EWOULDBLOCK)) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                waiting(holder.trim());
                Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?
            }
            Err((_, errno)) => return Err(errno).context("cannot take the lock"),
        };
        file.rewind()?;
        file.set_len(0)?;
        let words: Vec<_> = std::env::args().skip(1).collect();
        let here = std::env::current_dir().unwrap_or_default();
        writeln!(
            file,
            "`cargo xtask {}` in {} (process {})",
            words.join(" "),
            here.display(),
            std::process::id()
        )?;
        Ok(Lock { _file: file })
    }

    /// A sign that somebody works inside the toolbox: any number may, but nobody while it is removed.
    /// Nothing if it cannot be had now.
    pub(crate) fn in_use(&self, remove: bool) -> Result<Option<Lock>> {
        let path = self.path("use.lock");
        let file =
            File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let how = if remove {
            FlockArg::LockExclusiveNonblock
        } else {
            FlockArg::LockSharedNonblock
        };
        match Flock::lock(file, how) {
            Ok(file) => Ok(Some(Lock { _file: file })),
            Err((_, Errno::EWOULDBLOCK)) => Ok(None),
            Err((_, errno)) => Err(errno).context("cannot take the lock"),
        }
    }
}

/// Removes a directory with all that is in it, if it is there.
pub(crate) fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path().join("nix-vmtest"));
        cache.create().unwrap();
        (dir, cache)
    }

    #[test]
    fn a_killed_step_leaves_nothing_that_passes_for_its_result() {
        let (_dir, cache) = cache();
        let part = cache.begin("nix", "1").unwrap();
        fs::write(part.join("half"), "…").unwrap();
        assert!(!cache.made("nix", "1").exists());

        let part = cache.begin("nix", "1").unwrap();
        assert!(
            !part.join("half").exists(),
            "what the killed run left is gone"
        );
        fs::write(part.join("whole"), "…").unwrap();
        cache.finish("nix", "1").unwrap();
        assert!(cache.made("nix", "1").join("whole").exists());
    }

    #[test]
    fn the_second_waits_and_is_told_for_whom() {
        let (_dir, cache) = cache();
        let first = cache
            .lock("setup", |_| panic!("nobody to wait for"))
            .unwrap();
        let (told, hears) = std::sync::mpsc::channel();
        let second = std::thread::spawn(move || {
            cache
                .lock("setup", |holder| told.send(holder.to_owned()).unwrap())
                .map(drop)
        });
        let holder = hears.recv().unwrap();
        assert!(
            holder.contains(&format!("process {}", std::process::id())),
            "{holder}"
        );
        drop(first);
        second.join().unwrap().unwrap();
    }

    #[test]
    fn nothing_is_removed_under_somebody_at_work() {
        let (_dir, cache) = cache();
        let user = cache.in_use(false).unwrap();
        assert!(cache.in_use(false).unwrap().is_some());
        assert!(cache.in_use(true).unwrap().is_none());
        drop(user);
        assert!(cache.in_use(true).unwrap().is_some());
    }
}
