//! QEMU by a command of the host's shell, as the start scripts of NixOS machines are.
//!
//! The command becomes QEMU when the arguments are appended that the runner needs. It runs in the machine's state
//! directory, with the environment that such scripts expect; the script of the test may have changed that just before.
//! What lies between runner and QEMU may close descriptors, so QEMU connects to sockets in the state directory. The
//! serial console is the command's standard input and output: what it prints itself is on the console, too.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::time::timeout;
use vmtest_protocol::PORT_NAME;

use crate::vm::plan::escape;
use crate::vm::process::{Channels, LaunchError, Qemu, last_words};
use crate::vm::qmp::AGENT_PORT;

/// How long the command may take to become a QEMU that connects: it may make disks first.
const PATIENCE: Duration = Duration::from_secs(600);

/// The host's shell.
const SHELL: &str = "/bin/sh";

/// A command of the host's shell that becomes QEMU.
#[derive(Debug)]
pub struct StartCommand {
    /// The machine's name.
    pub name: String,
    /// The command.
    pub command: OsString,
    /// Arguments of QEMU that come last.
    pub qemu_options: Vec<String>,
    /// The folder that all machines of the test see.
    pub shared_dir: PathBuf,
    /// The agent's program, for the guest.
    pub agent: PathBuf,
    /// The folders of the VLANs' sockets, by number.
    pub vlans: BTreeMap<u16, PathBuf>,
}

impl StartCommand {
    /// The machine's name as the command tells it: a NixOS start script is called `run-<name>-vm`.
    #[must_use]
    pub fn name_in(command: &str) -> Option<&str> {
        let program = command.trim_end().rsplit('/').next()?;
        let start = program.find("run-")? + "run-".len();
        let name = program[start..].strip_suffix("-vm")?;
        (!name.is_empty()).then_some(name)
    }

    /// The command that is a program.
    #[must_use]
    pub fn of(program: &Path) -> OsString {
        quote(program.as_os_str())
    }

    /// Starts QEMU and waits until it has connected. What it says on its standard error goes to `log`.
    ///
    /// # Errors
    /// When the command cannot be run, ends, or does not become a QEMU that connects.
    pub async fn start(
        &self,
        state_dir: &Path,
        allow_reboot: bool,
        log: &Path,
    ) -> Result<(Qemu, Channels), LaunchError> {
        let qmp = Listener::bind(state_dir, "qmp")?;
        let agent = Listener::bind(state_dir, "agent")?;
        let shell = Listener::bind(state_dir, "shell")?;
        let (console, theirs) = UnixStream::pair().map_err(LaunchError::Channels)?;
        console
            .set_nonblocking(true)
            .map_err(LaunchError::Channels)?;
        let mut qemu = self.spawn(state_dir, allow_reboot, theirs.into(), log)?;
        let connect = async {
            Ok(Channels {
                console,
                qmp: qmp.accept().await?,
                shell: Some(shell.accept().await?),
                agent: agent.accept().await?,
                vlans: Vec::new(),
                memory: None,
            })
        };
        let connected = tokio::select! {
            connected = timeout(PATIENCE, connect) => connected,
            exit = qemu.wait() => {
                let status = exit.map_or_else(|error| error.to_string(), |status| status.to_string());
                let words = last_words(log).await;
                return Err(LaunchError::NoQemu { status, words });
            }
        };
        match connected {
            Ok(Ok(channels)) => Ok((qemu, channels)),
            Ok(Err(error)) => Err(LaunchError::Channels(error)),
            Err(_) => Err(LaunchError::NotConnected { after: PATIENCE }),
        }
    }

    fn spawn(
        &self,
        state_dir: &Path,
        allow_reboot: bool,
        console: OwnedFd,
        log: &Path,
    ) -> Result<Qemu, LaunchError> {
        let line = self.line(state_dir, allow_reboot);
        tracing::debug!(machine = self.name, ?line, "starting QEMU by a command");
        // Whoever writes to `/dev/stderr` by that name begins at the beginning.
        fs::write(log, "").map_err(LaunchError::Channels)?;
        let errors = fs::File::options().append(true).open(log);
        let input = console.try_clone().map_err(LaunchError::Channels)?;
        let mut command = Command::new(SHELL);
        command
            .arg("-c")
            .arg(line)
            .current_dir(state_dir)
            .env("TMPDIR", state_dir)
            .env("SHARED_DIR", &self.shared_dir)
            .env("USE_TMPDIR", "1")
            .envs(self.vlans.iter().map(socket_variable))
            .env(
                "NIX_EFI_VARS",
                state_dir.join(format!("{}-efi-vars.fd", self.name)),
            )
            .stdin(Stdio::from(input))
            .stdout(Stdio::from(console))
            .stderr(Stdio::from(errors.map_err(LaunchError::Channels)?));
        Qemu::spawn_with_company(command)
    }

    fn line(&self, state_dir: &Path, allow_reboot: bool) -> OsString {
        let mut line = self.command.clone();
        let options = self.qemu_options.iter().map(OsString::from);
        for argument in arguments(state_dir, allow_reboot)
            .into_iter()
            .chain(options)
        {
            line.push(" ");
            line.push(quote(&argument));
        }
        line
    }
}

/// What QEMU needs to know beside what the command says. Devices come in an order that start scripts have always seen
/// appended.
fn arguments(state_dir: &Path, allow_reboot: bool) -> Vec<OsString> {
    let socket = |id: &str, name: &str| {
        let mut chardev = OsString::from(format!("socket,id={id},path="));
        chardev.push(escape(&state_dir.join(name)));
        [OsString::from("-chardev"), chardev]
    };
    let port = format!("virtserialport,chardev=vmtest-agent,name={PORT_NAME},id={AGENT_PORT}");
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    let mut arguments = Vec::new();
    arguments.extend(socket("vmtest-qmp", "qmp"));
    arguments.extend(words(&["-mon", "chardev=vmtest-qmp,mode=control"]));
    arguments.extend(socket("vmtest-shell", "shell"));
    arguments.extend(socket("vmtest-agent", "agent"));
    arguments.extend(words(&[
        "-device",
        "virtio-serial",
        "-device",
        "virtconsole,chardev=vmtest-shell",
        "-device",
        &port,
        "-device",
        "virtio-rng-pci",
        "-serial",
        "stdio",
        "-nographic",
    ]));
    if !allow_reboot {
        arguments.extend(words(&["-no-reboot"]));
    }
    arguments
}

/// Where the command finds the socket of a VLAN.
fn socket_variable((vlan, folder): (&u16, &PathBuf)) -> (String, OsString) {
    (format!("QEMU_VDE_SOCKET_{vlan}"), folder.into())
}

/// One word of the shell's language that stands for `text`.
fn quote(text: &OsStr) -> OsString {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./=,:@%+".contains(byte);
    let bytes = text.as_bytes();
    if !bytes.is_empty() && bytes.iter().all(is_plain) {
        return text.to_owned();
    }
    let mut quoted = vec![b'\''];
    for byte in bytes {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    OsString::from_vec(quoted)
}

/// A socket that QEMU connects to, once.
struct Listener {
    socket: UnixListener,
    path: PathBuf,
}

impl Listener {
    fn bind(folder: &Path, name: &str) -> Result<Self, LaunchError> {
        let path = folder.join(name);
        // Left by the start before.
        let bound = match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => UnixListener::bind(&path),
        };
        match bound {
            Ok(socket) => Ok(Self { socket, path }),
            Err(error) => Err(LaunchError::Socket { path, error }),
        }
    }

    async fn accept(&self) -> io::Result<UnixStream> {
        let (socket, _) = self.socket.accept().await?;
        socket.into_std()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It may be gone with the whole folder.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> StartCommand {
        StartCommand {
            name: "installer".into(),
            command: text.into(),
            shared_dir: "/b/shared-xchg".into(),
            agent: "/agent".into(),
            vlans: BTreeMap::new(),
            qemu_options: Vec::new(),
        }
    }

    fn line(text: &str, state_dir: &str, allow_reboot: bool) -> String {
        let line = command(text).line(Path::new(state_dir), allow_reboot);
        line.into_string().expect("UTF-8").replace(" -", "\n-")
    }

    #[test]
    fn a_command_line() {
        insta::assert_snapshot!(line("run-installer-vm", "/b/vm-state-installer", false));
    }

    #[test]
    fn a_command_line_in_a_folder_with_a_strange_name() {
        insta::assert_snapshot!(line("A=1 qemu -m 384", "/b/it's a,b", true));
    }

    #[test]
    fn the_shell_reads_words_as_they_are() {
        for text in ["", "plain-1,a=b", "it's", "a b\n$HOME `x` \\ \"*\""] {
            let mut script = OsString::from("printf %s ");
            script.push(quote(text.as_ref()));
            let output = std::process::Command::new("sh")
                .arg("-c")
                .arg(script)
                .output()
                .expect("a shell");
            assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
    }

    #[test]
    fn names_are_found_in_commands() {
        let table = [
            ("/nix/store/x-nixos-vm/bin/run-server-vm", Some("server")),
            ("A=1 /x/bin/run-a-b-vm\n", Some("a-b")),
            ("/nix/store/x-run-that/bin/run-a-vm", Some("a")),
            ("run-a-vm -m 512", None),
            ("/x/run--vm", None),
            ("qemu-system-x86_64 -m 384", None),
            ("", None),
        ];
        for (command, name) in table {
            assert_eq!(StartCommand::name_in(command), name, "{command}");
        }
    }
}
