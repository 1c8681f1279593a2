//! Starts a program in mount and process namespaces of its own: `xtask enter`.
//!
//! Two processes of xtask stand between the caller and the program:
//!
//! ```text
//! xtask setup ── enter (new namespaces) ── enter --init (process 1: mounts, starts, reaps) ── program
//! ```
//!
//! Each dies with its parent, and when process 1 dies the kernel ends all that is left in the namespace.
//! So a killed xtask leaves nothing behind that would write into a cache another xtask already works on.
//! With `--root`, the program sees that directory as `/`. That is a `pivot_root` and no `chroot`, since
//! the kernel refuses new user namespaces, which Nix's sandbox needs, to programs in a chroot.

use std::os::unix::process::CommandExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, bail};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{Pid, chdir, getppid, pivot_root};

/// What `xtask enter` is told.
#[derive(Clone, Default, clap::Args)]
pub(crate) struct Enter {
    /// Directory that becomes `/`; without it the program sees the machine's own files
    #[arg(long)]
    pub(crate) root: Option<PathBuf>,
    /// `SOURCE:TARGET` to show inside
    #[arg(long)]
    pub(crate) bind: Vec<String>,
    /// Directory to start in
    #[arg(long)]
    pub(crate) chdir: Option<PathBuf>,
    /// This is process 1 of the new namespaces
    #[arg(long)]
    pub(crate) init: bool,
    /// Program and arguments
    #[arg(last = true, required = true)]
    pub(crate) program: Vec<String>,
}

impl Enter {
    /// The command that starts this: xtask itself, as another process.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("/proc/self/exe");
        command.arg0("xtask").arg("enter");
        if let Some(root) = &self.root {
            command.arg("--root").arg(root);
        }
        for bind in &self.bind {
            command.arg("--bind").arg(bind);
        }
        if let Some(dir) = &self.chdir {
            command.arg("--chdir").arg(dir);
        }
        if self.init {
            command.arg("--init");
        }
        command.arg("--").args(&self.program);
        command
    }

    /// Becomes the first or the second of the two processes.
    pub(crate) fn run(self) -> Result<ExitCode> {
        set_pdeathsig(Signal::SIGKILL).context("cannot ask to be ended with the parent")?;
        if self.init {
            self.inside()
        } else {
            self.outside()
        }
    }

    fn outside(self) -> Result<ExitCode> {
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID)
            .context("cannot make namespaces (mount, process)")?;
        let inner = Enter { init: true, ..self };
        let status = inner.command().status().context("cannot start process 1")?;
        Ok(exit_code(status))
    }

    fn inside(self) -> Result<ExitCode> {
        if getppid() != Pid::from_raw(0) {
            bail!("`enter --init` is only for `enter` itself");
        }
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
            .context("cannot make the mounts private")?;
        match &self.root {
            Some(root) => self.mount_root(root)?,
            None => mount_proc(Path::new("/proc"))?,
        }
        if let Some(dir) = &self.chdir {
            chdir(dir).with_context(|| format!("cannot enter {}", dir.display()))?;
        }
        let [program, arguments @ ..] = &self.program[..] else {
            bail!("no program to start");
        };
        let child = Command::new(program)
            .args(arguments)
            .spawn()
            .with_context(|| format!("cannot start `{program}`"))?;
        reap_until(Pid::from_raw(child.id().cast_signed()))
    }

    fn mount_root(&self, root: &Path) -> Result<()> {
        bind(root, root)?;
        for dir in ["/sys", "/dev", "/tmp"] {
            bind(Path::new(dir), &under(root, Path::new(dir)))?;
        }
        mount_proc(&root.join("proc"))?;
        for pair in &self.bind {
            let (source, target) = pair
                .split_once(':')
                .with_context(|| format!("`{pair}` is not SOURCE:TARGET"))?;
            let target = under(root, Path::new(target));
            make_mount_point(Path::new(source), &target)?;
            bind(Path::new(source), &target)?;
        }
        chdir(root).with_context(|| format!("cannot enter {}", root.display()))?;
        pivot_root(".", ".").context("cannot change the root")?;
        umount2(".", MntFlags::MNT_DETACH).context("cannot let go of the old root")?;
        chdir("/").context("cannot enter the new root")
    }
}

fn under(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn make_mount_point(source: &Path, target: &Path) -> Result<()> {
    let made = if source.is_dir() {
        std::fs::create_dir_all(target)
    } else if target.exists() {
        Ok(())
    } else {
        std::fs::write(target, "")
    };
    made.with_context(|| format!("cannot make the mount point {}", target.display()))
}

fn bind(source: &Path, target: &Path) -> Result<()> {
    let none = None::<&str>;
    mount(
        Some(source),
        target,
        none,
        MsFlags::MS_BIND | MsFlags::MS_REC,
        none,
    )
    .with_context(|| format!("cannot show {} at {}", source.display(), target.display()))
}

fn mount_proc(target: &Path) -> Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), target, Some("proc"), flags, None::<&str>)
        .with_context(|| format!("cannot mount proc at {}", target.display()))
}

/// Waits for every process of the namespace that ends, until it is `child`'s turn.
fn reap_until(child: Pid) -> Result<ExitCode> {
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, code)) if pid == child => {
                return Ok(exit_code(ExitStatus::from_raw(code << 8)));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => {
                return Ok(exit_code(ExitStatus::from_raw(signal as i32)));
            }
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error).context("cannot wait for the program"),
        }
    }
}

/// A shell's convention: 128 + the signal's number for a program that a signal ended.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
