//! Another driver of machines: any program with the command line of `nixos-test-driver`, on the same guest as ours.
//!
//! It is given a script that starts QEMU, and speaks to a root shell on the guest's virtio console. It runs outside of
//! Nix: neither evaluation nor sandbox are in its time.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::json;

use super::measurement::{Measurements, Unit};
use super::sandbox::Sandbox;
use crate::progress::last_lines;

/// What makes the guest and its start script.
const MAKE: &str = "tests/bench/peer.sh";

/// Seconds that the test may take.
const TIMEOUT: u32 = 900;

/// A driver that is ready to run.
pub(crate) struct Peer {
    program: PathBuf,
    dir: PathBuf,
    interface: Interface,
}

/// How a driver is told what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interface {
    /// Machines and networks as arguments.
    Arguments,
    /// A file of JSON.
    Configuration,
}

impl Interface {
    /// What a driver says of itself tells which one it has.
    fn of(help: &str) -> Self {
        if help.contains("--config") {
            Self::Configuration
        } else {
            Self::Arguments
        }
    }
}

impl Peer {
    /// Makes the guest for it.
    pub(crate) fn new(sandbox: &Sandbox, program: &Path) -> Result<Self> {
        let program = program.canonicalize();
        let program = program.context("cannot find the program of `--peer`")?;
        let help = bounded(60, &program).arg("--help").output();
        let help = help.context("cannot start the program of `--peer`")?;
        let peer = Self {
            interface: Interface::of(&String::from_utf8_lossy(&help.stdout)),
            dir: sandbox.logs().join("peer"),
            program,
        };
        peer.make_guest(sandbox)?;
        Ok(peer)
    }

    fn make_guest(&self, sandbox: &Sandbox) -> Result<()> {
        let _ = fs::remove_dir_all(&self.dir);
        fs::create_dir_all(self.dir.join("out"))
            .with_context(|| format!("cannot make {}", self.dir.display()))?;
        let toolbox = sandbox.toolbox();
        let store = toolbox.cache().root().display().to_string();
        let dir = self.dir.display().to_string();
        let tools = toolbox.tools()?;
        let mut program = vec!["sh", MAKE, &dir, &store];
        for name in ["qemu", "kernel", "e2fsprogs", "debian", "busybox"] {
            let path = tools.get(name);
            program.push(path.with_context(|| format!("the toolbox does not know `{name}`"))?);
        }
        let made = sandbox.inside(&program).stdin(Stdio::null()).output();
        let made = made.context("cannot enter the toolbox")?;
        let words = String::from_utf8_lossy(&made.stderr);
        ensure!(made.status.success(), "{MAKE} failed: {}", words.trim());
        self.write("script", super::trivial::SCRIPT)?;
        self.write("configuration.json", &self.configuration().to_string())
    }

    fn configuration(&self) -> serde_json::Value {
        json!({
            "vms": { "machine": { "name": "machine", "start_script": self.start_script() } },
            "containers": {},
            "vlans": [],
            "global_timeout": TIMEOUT,
            "enable_ssh_backdoor": false,
            "test_script": self.dir.join("script"),
        })
    }

    fn start_script(&self) -> PathBuf {
        self.dir.join("run-machine-vm")
    }

    fn arguments(&self) -> Vec<PathBuf> {
        let words = |words: &[&str]| words.iter().map(PathBuf::from).collect::<Vec<_>>();
        let out = [PathBuf::from("-o"), self.dir.join("out")];
        match self.interface {
            Interface::Arguments => [
                words(&["--start-scripts"]),
                vec![self.start_script()],
                // The guest is on none.
                words(&["--vlans"]),
                out.into(),
                vec![self.dir.join("script")],
            ]
            .concat(),
            Interface::Configuration => [
                words(&["--config"]),
                vec![self.dir.join("configuration.json")],
                out.into(),
            ]
            .concat(),
        }
    }

    /// Runs the trivial test.
    pub(super) fn run(&self, found: &mut Measurements) -> Result<()> {
        let log = self.dir.join("log");
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = bounded(TIMEOUT, &self.program);
        command
            .args(self.arguments())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let start = Instant::now();
        let mut child = command.spawn().context("cannot start the peer")?;
        let status = child.wait().context("cannot wait for the peer")?;
        let seconds = start.elapsed().as_secs_f64();
        // Machines that it has left would slow down whatever comes next. (If there are none, there is no such group.)
        let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
        if !status.success() {
            let details = anyhow!("{} ends with\n{}", log.display(), last_lines(&log, 20));
            return Err(details.context(format!("the peer failed ({status})")));
        }
        let name = self.program.file_name().unwrap_or_default();
        let name = name.to_string_lossy();
        let taken_by = match self.interface {
            Interface::Arguments => {
                format!("{name} --start-scripts run-machine-vm --vlans -o out script")
            }
            Interface::Configuration => format!("{name} --config configuration.json -o out"),
        };
        found.add_taken_by("peer", "total", Unit::Seconds, &taken_by, &[seconds]);
        Ok(())
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.dir.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Drop for Peer {
    /// Removes the guest, which is large; logs stay.
    fn drop(&mut self) {
        for name in ["root.ext4", "initrd"] {
            let _ = fs::remove_file(self.dir.join(name));
        }
    }
}

/// A program in a process group of its own, all of which is ended when its time is over, or when this process ends before.
fn bounded(seconds: u32, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .process_group(0)
        .args(["--pdeathsig", "TERM", "timeout", "--kill-after=10"])
        .arg(seconds.to_string())
        .arg(program);
    command
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _};

    use super::*;

    fn peer(interface: Interface) -> Peer {
        Peer {
            program: "/bin/driver".into(),
            dir: "/peer".into(),
            interface,
        }
    }

    #[test]
    fn old_drivers_take_arguments_and_new_ones_a_file() {
        let interface = Interface::of("usage: x [--start-scripts [START-SCRIPT ...]]");
        let arguments = peer(interface).arguments();
        let expected = "--start-scripts /peer/run-machine-vm --vlans -o /peer/out /peer/script";
        let expected: Vec<_> = expected.split(' ').map(PathBuf::from).collect();
        assert_eq!(arguments, expected);
        let interface = Interface::of("usage: x --config CONFIG");
        let arguments = peer(interface).arguments();
        let expected = ["--config", "/peer/configuration.json", "-o", "/peer/out"];
        assert_eq!(arguments, expected.map(PathBuf::from));
        let configuration = peer(interface).configuration();
        let machine = &configuration["vms"]["machine"];
        assert_eq!(machine["start_script"], "/peer/run-machine-vm");
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let status = bounded(1, Path::new("sleep")).arg("60").status().unwrap();
        assert_eq!(status.code(), Some(124));
    }

    /// To the kernel, a thread that ends is a parent that ends.
    #[test]
    fn a_program_whose_bench_is_aborted_is_ended() {
        let bench = std::thread::spawn(|| {
            let mut program = bounded(60, Path::new("sh"));
            program.args(["-c", "sleep 60 & echo $!; wait"]);
            let mut child = program.stdout(Stdio::piped()).spawn().unwrap();
            let mut left = BufReader::new(child.stdout.take().unwrap());
            left.read_line(&mut String::new()).unwrap();
            (child, left)
        });
        let (mut child, mut left) = bench.join().unwrap();
        assert!(!child.wait().unwrap().success());
        // What it has left behind has ended when nobody holds its output.
        let mut rest = String::new();
        left.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }
}
