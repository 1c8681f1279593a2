//! A fake machine: it notes each call, and what it says is made up.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use vmtest_script::backend::{
    Command, Completed, Condition, ConsoleText, Machine, MachineError, MachineErrorKind, Shell,
    Start, WaitOutcome,
};

use super::World;

/// A fake machine.
pub(crate) struct FakeMachine {
    pub(super) world: Arc<World>,
    name: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    booted: bool,
    connected: bool,
    pid: u32,
    ended: Option<i32>,
    /// What the console shows, and from when on.
    console: Vec<(Duration, String)>,
    /// QMP events that were not taken, and when they come.
    events: Vec<(Duration, String)>,
    /// How it ended, if not well, until the script has given it up.
    fate: Option<MachineErrorKind>,
    /// Whether the guest is going down.
    going_down: bool,
    /// How many readings of the screen take too long.
    slow_readings: u32,
}

impl State {
    fn end(&mut self, status: i32) {
        self.booted = false;
        self.connected = false;
        self.ended = Some(status);
    }
}

impl FakeMachine {
    pub(super) fn new(world: &Arc<World>, name: &str) -> Self {
        Self {
            world: Arc::clone(world),
            name: name.to_owned(),
            state: Mutex::default(),
        }
    }

    /// QEMU ends.
    pub(super) fn end(&self, status: i32) {
        self.state().end(status);
    }

    /// QEMU ends in a bad way.
    pub(super) fn doom(&self, fate: MachineErrorKind) -> MachineError {
        let mut state = self.state();
        state.end(-9);
        state.fate = Some(fate.clone());
        self.error(fate)
    }

    /// The guest goes down: its agent is gone, and QEMU ends when somebody waits.
    pub(super) fn go_down(&self) {
        let mut state = self.state();
        state.connected = false;
        state.going_down = true;
    }

    /// Has the console show a text so long from now.
    fn show(&self, after: Duration, text: String) {
        let at = self.world.passed() + after;
        self.state().console.push((at, text));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("state")
    }

    fn note(&self, call: &str) {
        self.world.note(&format!("<{}: {call}>", self.name));
    }

    pub(super) fn error(&self, kind: MachineErrorKind) -> MachineError {
        MachineError {
            machine: self.name.clone(),
            kind,
        }
    }
}

impl Machine for FakeMachine {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&self, start: &Start) -> Result<(), MachineError> {
        let Start {
            allow_reboot,
            state_dir,
        } = start;
        let state_dir = match state_dir {
            Some(state_dir) => format!(" in {}", state_dir.display()),
            None => String::new(),
        };
        self.note(&format!("start allow_reboot={allow_reboot}{state_dir}"));
        let mut state = self.state();
        if let Some(fate) = state.fate.clone() {
            return Err(self.error(fate));
        }
        state.booted = true;
        state.going_down = false;
        state.pid += 100;
        state.ended = None;
        drop(state);
        self.show(Duration::ZERO, "Linux boots\n".to_owned());
        Ok(())
    }

    fn connect(&self) -> Result<(), MachineError> {
        self.note("connect");
        self.world.pass(Duration::from_millis(1500));
        let mut state = self.state();
        if state.going_down {
            state.end(0);
            let how = "the guest powered off".to_owned();
            return Err(self.error(MachineErrorKind::Ended { how }));
        }
        if !state.booted {
            let status = "killed by signal 9".to_owned();
            return Err(self.error(MachineErrorKind::Died { status }));
        }
        state.connected = true;
        Ok(())
    }

    fn is_booted(&self) -> bool {
        self.state().booted
    }

    fn is_connected(&self) -> bool {
        self.state().connected
    }

    fn reconnect(&self) -> Result<(), MachineError> {
        self.note("reconnect");
        self.state().connected = true;
        Ok(())
    }

    fn exit_status(&self) -> Option<i32> {
        self.state().ended
    }

    fn state_dir(&self) -> &Path {
        Path::new("/fake/state")
    }

    fn open_shell(&self) -> Result<Box<dyn Shell>, MachineError> {
        self.note("open_shell");
        if !self.is_connected() {
            return Err(self.error(MachineErrorKind::NotRunning));
        }
        let (sender, receiver) = channel();
        Ok(Box::new(FakeShell {
            sender: Mutex::new(Some(sender)),
            receiver: Mutex::new(receiver),
        }))
    }

    /// The first picture shows nothing; from 3 s on its last variant shows a greeting.
    fn read_screen(
        &self,
        variants: bool,
        seen: &mut dyn FnMut(String) -> bool,
    ) -> Result<(), MachineError> {
        self.note(&format!("read_screen variants={variants}"));
        if !self.state().booted {
            return Err(self.error(MachineErrorKind::NotRunning));
        }
        if self.state().slow_readings > 0 {
            self.state().slow_readings -= 1;
            let after = Duration::from_secs(60);
            self.world.pass(after);
            let what = "text on the screen".to_owned();
            return Err(self.error(MachineErrorKind::TimedOut { what, after }));
        }
        let greeting = if self.world.passed() < Duration::from_secs(3) {
            "b00ting"
        } else {
            "Welcome to NixOS"
        };
        let texts = ["We1c", greeting, "never read after a match"];
        let count = if variants { texts.len() } else { 1 };
        texts[..count].iter().any(|text| seen((*text).to_owned()));
        Ok(())
    }

    /// `slow 3` makes the next three readings of the screen take too long.
    fn monitor(&self, command: &str) -> Result<String, MachineError> {
        self.note(&format!("monitor `{command}`"));
        if !self.state().booted {
            return Err(self.error(MachineErrorKind::NotRunning));
        }
        Ok(match command.split_once(' ') {
            Some(("sendkey", key)) if !key.is_ascii() => format!("unknown key: '{key}'\r\n"),
            Some(("screendump", path)) => {
                std::fs::write(path, "P6\n1 1\n255\nrgb").expect("write a picture");
                String::new()
            }
            Some(("slow", count)) => {
                self.state().slow_readings = count.parse().expect("a number");
                String::new()
            }
            Some(("info", what)) => format!("no {what} here\r\n"),
            _ => String::new(),
        })
    }

    /// `announce` makes events come: one now, and one after 2 s.
    fn qmp(&self, command: &str, arguments: &str) -> Result<String, MachineError> {
        self.note(&format!("qmp {command} {arguments}"));
        match command {
            "query-status" => Ok(r#"{"status": "running"}"#.to_owned()),
            "announce" => {
                let now = self.world.passed();
                let mut state = self.state();
                state
                    .events
                    .push((now, r#"{"event": "RESUME"}"#.to_owned()));
                let later = r#"{"event": "SHUTDOWN", "data": {"guest": true}}"#.to_owned();
                state.events.push((now + Duration::from_secs(2), later));
                Ok("{}".to_owned())
            }
            _ => Err(self.error(MachineErrorKind::Qmp {
                class: "CommandNotFound".to_owned(),
                description: format!("The command {command} has not been found"),
            })),
        }
    }

    fn next_qmp_event(&self, timeout: Option<Duration>) -> Result<Option<String>, MachineError> {
        let now = self.world.passed();
        let first = self.state().events.first().cloned();
        match first {
            Some((at, event)) if timeout.is_none_or(|limit| at <= now + limit) => {
                self.world.pass(at.saturating_sub(now));
                self.state().events.remove(0);
                Ok(Some(event))
            }
            _ => {
                self.world.pass(timeout.unwrap_or_default());
                Ok(None)
            }
        }
    }

    /// The console shows what is typed on it; `@2 text` after 2 s.
    fn send_console(&self, bytes: &[u8]) -> Result<(), MachineError> {
        let text = String::from_utf8_lossy(bytes);
        self.note(&format!("send_console {text:?}"));
        if !self.state().booted {
            return Err(self.error(MachineErrorKind::NotRunning));
        }
        let delayed = text.strip_prefix('@').and_then(|rest| rest.split_once(' '));
        match delayed {
            Some((seconds, text)) => {
                let seconds = seconds.parse().expect("seconds");
                self.show(Duration::from_secs(seconds), text.to_owned());
            }
            None => self.show(Duration::ZERO, text.into_owned()),
        }
        Ok(())
    }

    fn console_text(
        &self,
        position: u64,
        timeout: Option<Duration>,
    ) -> Result<ConsoleText, MachineError> {
        let shown = |now: Duration| {
            let state = self.state();
            let due = state.console.iter().filter(|(at, _)| *at <= now);
            let all: String = due.map(|(_, text)| text.as_str()).collect();
            ConsoleText {
                text: all[usize::try_from(position).expect("a position")..].to_owned(),
                end: all.len() as u64,
                running: state.booted,
            }
        };
        let now = self.world.passed();
        let found = shown(now);
        if !found.text.is_empty() || !found.running {
            return Ok(found);
        }
        let next = self
            .state()
            .console
            .iter()
            .map(|(at, _)| *at)
            .filter(|at| *at > now)
            .min();
        let limit = timeout.map(|timeout| now + timeout);
        let until = match (next, limit) {
            (Some(next), Some(limit)) => next.min(limit),
            (Some(at), None) | (None, Some(at)) => at,
            (None, None) => {
                let reason = "the fake would wait for ever".to_owned();
                return Err(self.error(MachineErrorKind::Broken { reason }));
            }
        };
        self.world.pass(until - now);
        Ok(shown(until))
    }

    fn set_link(&self, up: bool) -> Result<(), MachineError> {
        self.note(&format!("set_link {up}"));
        Ok(())
    }

    fn forward_port(&self, host_port: u16, guest_port: u16) -> Result<(), MachineError> {
        self.note(&format!("forward_port {host_port} {guest_port}"));
        Ok(())
    }

    fn pid(&self) -> Option<u32> {
        let state = self.state();
        state.booted.then_some(state.pid)
    }

    fn run(&self, command: &Command) -> Result<Completed, MachineError> {
        let text = command.script.strip_prefix("set -euo pipefail; ");
        let text = text.expect("every command has the promised shell options");
        let timeout = command
            .timeout
            .map_or("no".to_owned(), |limit| format!("{limit:?}"));
        let mut flags = String::new();
        for (set, flag) in [
            (command.detached, " detached"),
            (command.early, " early"),
            (command.quiet, " quiet"),
            (command.wait_for_output == Some(true), " with all output"),
            (
                command.wait_for_output == Some(false),
                " without late output",
            ),
        ] {
            if set {
                flags.push_str(flag);
            }
        }
        self.note(&format!("run `{text}` timeout {timeout}{flags}"));
        self.answer(text)
    }

    fn wait(
        &self,
        condition: &Condition,
        timeout: Option<Duration>,
    ) -> Result<WaitOutcome, MachineError> {
        self.note(&format!("wait {condition:?} {timeout:?}"));
        let (takes, result) = self.look(condition, timeout);
        self.world.pass(takes);
        result.map_err(|kind| self.error(kind))
    }

    fn copy_in(&self, source: &Path, target: &str) -> Result<(), MachineError> {
        self.note(&format!("copy_in {} {target}", source.display()));
        Ok(())
    }

    fn copy_out(&self, source: &str, target_dir: &Path) -> Result<(), MachineError> {
        self.note(&format!("copy_out {source} {}", target_dir.display()));
        if source.contains("missing") {
            let reason = format!("cannot read {source}: no such file or directory");
            return Err(self.error(MachineErrorKind::Refused { reason }));
        }
        Ok(())
    }

    fn power_off(&self) -> Result<(), MachineError> {
        self.note("power_off");
        self.end(0);
        Ok(())
    }

    fn wait_for_shutdown(&self, timeout: Option<Duration>) -> Result<(), MachineError> {
        match timeout {
            Some(limit) => self.note(&format!("wait_for_shutdown {limit:?}")),
            None => self.note("wait_for_shutdown"),
        }
        if let Some(fate) = self.state().fate.clone() {
            return Err(self.error(fate));
        }
        match timeout {
            Some(after) if self.state().booted => {
                self.world.pass(after);
                let what = "shutdown".to_owned();
                Err(self.error(MachineErrorKind::TimedOut { what, after }))
            }
            // The guest powers off by itself if one waits long enough.
            None if self.state().booted => {
                self.end(0);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn crash(&self) -> Result<(), MachineError> {
        self.note("crash");
        self.end(-9);
        self.state().fate = None;
        Ok(())
    }

    fn reset(&self) -> Result<(), MachineError> {
        self.note("reset");
        self.state().connected = false;
        Ok(())
    }

    fn screenshot(&self, path: &Path) -> Result<(), MachineError> {
        self.note(&format!("screenshot {}", path.display()));
        Ok(())
    }
}

/// A shell that says what it is sent, until it is sent `exit`.
struct FakeShell {
    sender: Mutex<Option<Sender<Vec<u8>>>>,
    receiver: Mutex<Receiver<Vec<u8>>>,
}

impl Shell for FakeShell {
    fn send(&self, bytes: &[u8]) -> Result<(), MachineError> {
        let mut sender = self.sender.lock().expect("sender");
        if bytes == b"exit\n" {
            *sender = None;
        }
        if let Some(sender) = &*sender {
            sender.send(bytes.to_ascii_uppercase()).expect("a receiver");
        }
        Ok(())
    }

    fn receive(&self, timeout: Option<Duration>) -> Result<Option<Vec<u8>>, MachineError> {
        let receiver = self.receiver.lock().expect("receiver");
        let received = match timeout {
            Some(limit) => receiver.recv_timeout(limit),
            None => receiver.recv().map_err(Into::into),
        };
        Ok(match received {
            Ok(bytes) => Some(bytes),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => Some(Vec::new()),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
        })
    }
}
