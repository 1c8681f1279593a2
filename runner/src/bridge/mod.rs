//! Machines as the script engine wants them: blocking, and stopped when the test is.

mod calls;
mod outputs;
mod shell;
mod snapshots;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::Handle as Runtime;
use tokio::sync::Mutex as AsyncMutex;
use tokio_util::sync::CancellationToken;
use vmtest_script::backend::{
    Aborted, Command, Completed, Condition, ConsoleText, Driver, Machine, MachineError,
    MachineErrorKind, NewMachine, Shell, Start, WaitOutcome,
};
use vmtest_script::event::ScriptEvent;

use crate::event::{Event, Events};
use crate::machine::Handle;
use crate::machine::lifecycle::{End, State};
use crate::machine::screen::unread;
use crate::ocr::Variant;
use crate::snapshot;
use crate::workshop::Workshop;
use calls::Calls;
use shell::ScriptShell;
use snapshots::Snapshots;

/// The runner's wish to stop the script; cloning gives another handle to the same one.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    token: CancellationToken,
    reason: Arc<OnceLock<String>>,
}

impl Stop {
    /// Ends every call of the script that is under way, and every later one.
    pub fn stop(&self, reason: &str) {
        // The first reason is the one.
        let _ = self.reason.set(reason.to_owned());
        self.token.cancel();
    }

    async fn stopped(&self) -> Aborted {
        self.token.cancelled().await;
        Aborted {
            reason: self.reason.get().cloned().unwrap_or_default(),
        }
    }
}

/// The test as the script engine sees it.
pub struct ScriptDriver {
    machines: Vec<Arc<dyn Machine>>,
    handles: Vec<Handle>,
    snapshots: Snapshots,
    /// Held by whoever saves machines or has them go back: two that do so at once would wait for each other's machines.
    alone: AsyncMutex<()>,
    vlans: Vec<u32>,
    workshop: Arc<Workshop>,
    runtime: Runtime,
    stop: Stop,
}

impl ScriptDriver {
    /// Wraps the machines of a test. Called in the runtime that their tasks run in.
    #[must_use]
    pub fn new(handles: &[Handle], vlans: &[u16], workshop: Arc<Workshop>, stop: Stop) -> Self {
        let mut driver = Self {
            machines: Vec::new(),
            handles: handles.to_vec(),
            snapshots: Snapshots::default(),
            alone: AsyncMutex::default(),
            vlans: vlans.iter().copied().map(u32::from).collect(),
            workshop,
            runtime: Runtime::current(),
            stop,
        };
        let wrap = |handle: &Handle| driver.wrap(handle.clone());
        driver.machines = handles.iter().map(wrap).collect();
        driver
    }

    fn wrap(&self, handle: Handle) -> Arc<dyn Machine> {
        let calls = Calls {
            machine: handle.name().to_owned(),
            runtime: self.runtime.clone(),
            stop: self.stop.clone(),
        };
        Arc::new(ScriptMachine { handle, calls })
    }

    /// The machines of these names. Those that the script has made are not among them.
    fn find(&self, names: &[String]) -> Result<Vec<Handle>, MachineError> {
        let find = |name: &String| {
            let found = self.handles.iter().find(|handle| handle.name() == name);
            found.cloned().ok_or_else(|| MachineError {
                machine: name.clone(),
                kind: MachineErrorKind::Refused {
                    reason: snapshot::save::UNKNOWN_DISKS.to_owned(),
                },
            })
        };
        names.iter().map(find).collect()
    }

    /// Waits for something that concerns several machines, until the test is stopped.
    fn wait_for<T>(
        &self,
        call: impl Future<Output = Result<T, MachineError>>,
    ) -> Result<T, MachineError> {
        self.runtime.block_on(async {
            tokio::select! {
                result = call => result,
                Aborted { reason } = self.stop.stopped() => Err(MachineError {
                    machine: String::new(),
                    kind: MachineErrorKind::Aborted { reason },
                }),
            }
        })
    }

    fn events(&self) -> &Events {
        &self.workshop.premises().events
    }
}

impl Driver for ScriptDriver {
    fn machines(&self) -> &[Arc<dyn Machine>] {
        &self.machines
    }

    fn vlans(&self) -> &[u32] {
        &self.vlans
    }

    fn out_dir(&self) -> &Path {
        &self.workshop.premises().out
    }

    fn tmp_dir(&self) -> &Path {
        &self.workshop.premises().tmp_dir
    }

    fn shared_dir(&self) -> &Path {
        &self.workshop.premises().shared_dir
    }

    fn create_machine(&self, machine: &NewMachine) -> Result<Arc<dyn Machine>, MachineError> {
        // Its task is one of the runtime's.
        let _runtime = self.runtime.enter();
        match self.workshop.make(machine) {
            Ok(handle) => Ok(self.wrap(handle)),
            Err(kind) => Err(MachineError {
                machine: machine.name.clone().unwrap_or_default(),
                kind,
            }),
        }
    }

    fn snapshot(&self, machines: &[String]) -> Result<u64, MachineError> {
        let handles = self.find(machines)?;
        let saved = self.wait_for(async {
            let _alone = self.alone.lock().await;
            snapshot::save::save(&handles).await
        })?;
        let saved = machines.iter().cloned().zip(saved).collect();
        Ok(self.snapshots.keep(saved))
    }

    fn restore(&self, snapshot: u64, machines: &[String]) -> Result<(), MachineError> {
        let saved = self.snapshots.get(snapshot, machines);
        let handles = self.find(machines)?.into_iter();
        let machines: Vec<_> = handles.zip(saved).collect();
        self.wait_for(async {
            let _alone = self.alone.lock().await;
            snapshot::save::restore(&machines).await
        })
    }

    fn forget_snapshot(&self, snapshot: u64) {
        self.snapshots.forget(snapshot);
    }

    fn show_consoles(&self, on: bool) {
        self.events().emit(Event::ShowConsoles(on));
    }

    fn when_stopped(&self, act: Box<dyn FnOnce(Aborted) + Send>) {
        let stop = self.stop.clone();
        self.runtime.spawn(async move { act(stop.stopped().await) });
    }

    fn event(&self, event: ScriptEvent) {
        self.events().emit(Event::Script(event));
    }

    fn sleep(&self, duration: Duration) -> Result<(), Aborted> {
        self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(duration) => Ok(()),
                aborted = self.stop.stopped() => Err(aborted),
            }
        })
    }
}

struct ScriptMachine {
    handle: Handle,
    calls: Calls,
}

impl ScriptMachine {
    fn call<T>(
        &self,
        call: impl Future<Output = Result<T, MachineErrorKind>>,
    ) -> Result<T, MachineError> {
        self.calls.call(call)
    }
}

impl Machine for ScriptMachine {
    fn name(&self) -> &str {
        self.handle.name()
    }

    fn start(&self, start: &Start) -> Result<(), MachineError> {
        self.call(self.handle.start_with(start.clone()))
    }

    fn connect(&self) -> Result<(), MachineError> {
        self.call(self.handle.connect())
    }

    /// A machine that failed counts as booted until it is given up: the next call on it says how it failed, and does
    /// not start it anew.
    fn is_booted(&self) -> bool {
        !matches!(self.handle.state(), State::Off(end) if end.as_ref().is_none_or(End::is_orderly))
    }

    fn is_connected(&self) -> bool {
        matches!(self.handle.state(), State::Ready { .. })
    }

    fn reconnect(&self) -> Result<(), MachineError> {
        self.call(self.handle.reconnect())
    }

    fn exit_status(&self) -> Option<i32> {
        self.handle.exit_status()
    }

    fn state_dir(&self) -> &Path {
        self.handle.state_dir()
    }

    fn open_shell(&self) -> Result<Box<dyn Shell>, MachineError> {
        let shell = self.call(self.handle.open_shell())?;
        Ok(Box::new(ScriptShell {
            shell,
            calls: self.calls.clone(),
        }))
    }

    fn read_screen(
        &self,
        variants: bool,
        seen: &mut dyn FnMut(String) -> bool,
    ) -> Result<(), MachineError> {
        let screen = self.call(self.handle.screen())?;
        let all = if variants { Variant::ALL.len() } else { 1 };
        for variant in &Variant::ALL[..all] {
            let text =
                self.call(async { screen.text(*variant).await.map_err(|error| unread(&error)) })?;
            if seen(text) {
                break;
            }
        }
        Ok(())
    }

    fn monitor(&self, command: &str) -> Result<String, MachineError> {
        self.call(self.handle.monitor(command))
    }

    fn qmp(&self, command: &str, arguments: &str) -> Result<String, MachineError> {
        self.call(self.handle.qmp(command, arguments))
    }

    fn next_qmp_event(&self, timeout: Option<Duration>) -> Result<Option<String>, MachineError> {
        self.call(self.handle.next_qmp_event(timeout))
    }

    fn send_console(&self, bytes: &[u8]) -> Result<(), MachineError> {
        self.call(self.handle.send_console(bytes))
    }

    fn console_text(
        &self,
        position: u64,
        timeout: Option<Duration>,
    ) -> Result<ConsoleText, MachineError> {
        self.call(async { Ok(self.handle.console_text(position, timeout).await) })
    }

    fn set_link(&self, up: bool) -> Result<(), MachineError> {
        self.call(self.handle.set_link(up))
    }

    fn forward_port(&self, host_port: u16, guest_port: u16) -> Result<(), MachineError> {
        self.call(self.handle.forward_port(host_port, guest_port))
    }

    fn pid(&self) -> Option<u32> {
        self.handle.pid()
    }

    fn run(&self, command: &Command) -> Result<Completed, MachineError> {
        let began = Instant::now();
        let result = self.call(self.handle.run(command));
        if let Some(step) = command.step.filter(|_| !command.quiet && !command.detached) {
            self.handle.events().emit(Event::Ran {
                step,
                command: outputs::report(self.name(), command, &result, began.elapsed()),
            });
        }
        result
    }

    fn wait(
        &self,
        condition: &Condition,
        timeout: Option<Duration>,
    ) -> Result<WaitOutcome, MachineError> {
        self.call(self.handle.wait(condition, timeout))
    }

    fn copy_in(&self, source: &Path, target: &str) -> Result<(), MachineError> {
        self.call(self.handle.copy_in(source, target))
    }

    fn copy_out(&self, source: &str, target_dir: &Path) -> Result<(), MachineError> {
        self.call(self.handle.copy_out(source, target_dir))
    }

    fn power_off(&self) -> Result<(), MachineError> {
        self.call(self.handle.power_off())
    }

    fn wait_for_shutdown(&self, timeout: Option<Duration>) -> Result<(), MachineError> {
        self.call(self.handle.wait_for_shutdown(timeout))
    }

    fn crash(&self) -> Result<(), MachineError> {
        self.call(self.handle.kill())
    }

    fn reset(&self) -> Result<(), MachineError> {
        self.call(self.handle.reboot())
    }

    fn screenshot(&self, path: &Path) -> Result<(), MachineError> {
        self.call(self.handle.screenshot(path))?;
        self.handle.events().emit(Event::Screenshot {
            machine: self.name().to_owned(),
            file: path.to_owned(),
        });
        Ok(())
    }
}
