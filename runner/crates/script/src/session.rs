//! What all objects of one run share: the driver, the exception classes, and the steps that are open on each thread.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::class::PyClassImpl;
use rustpython_vm::{AsObject, PyPayload, PyRef, PyResult, VirtualMachine, pyclass};

use crate::backend::{Aborted, Driver, MachineError};
use crate::engine::Script;
use crate::errors::Exceptions;
use crate::event::{Level, ScriptEvent, StepId};
use crate::failure::{Failure, FailureKind};
use crate::{steps, traceback};

/// Name in `sys` under which an interpreter keeps its session, for objects that a script makes itself.
const KEPT_AS: &str = "_vmtest_session";

/// One run of a script.
pub(crate) struct Session {
    driver: Arc<dyn Driver>,
    script: Script,
    pub(crate) exceptions: Exceptions,
    last_step: AtomicU64,
    open_steps: Mutex<HashMap<ThreadId, Vec<StepId>>>,
    warned: Mutex<HashSet<String>>,
    /// What the script's messages must be at least so that they do not count as details.
    log_level: Mutex<Level>,
    running: AtomicBool,
    over: AtomicBool,
    /// The first failure after which the script went on.
    first_failure: OnceLock<Failure>,
}

/// A step or subtest that began and is not over.
#[derive(Debug)]
pub(crate) struct OpenStep {
    pub(crate) id: StepId,
    pub(crate) parent: Option<StepId>,
    started: Instant,
}

impl Session {
    pub(crate) fn new(
        driver: Arc<dyn Driver>,
        script: &Script,
        vm: &VirtualMachine,
    ) -> PyResult<Arc<Self>> {
        let session = Arc::new(Self {
            driver,
            script: script.clone(),
            exceptions: Exceptions::new(vm),
            last_step: AtomicU64::new(0),
            open_steps: Mutex::default(),
            warned: Mutex::default(),
            log_level: Mutex::new(Level::Info),
            running: AtomicBool::new(false),
            over: AtomicBool::new(false),
            first_failure: OnceLock::new(),
        });
        let kept = KeptSession {
            session: Arc::clone(&session),
        };
        KeptSession::make_static_type();
        vm.sys_module
            .set_attr(KEPT_AS, kept.into_ref(&vm.ctx), vm)?;
        Ok(session)
    }

    /// The session of the interpreter that `vm` is a thread of.
    pub(crate) fn of(vm: &VirtualMachine) -> PyResult<Arc<Self>> {
        let kept: PyRef<KeptSession> = vm.sys_module.get_attr(KEPT_AS, vm)?.try_into_value(vm)?;
        Ok(Arc::clone(&kept.session))
    }

    pub(crate) fn driver(&self) -> &dyn Driver {
        &*self.driver
    }

    pub(crate) fn script(&self) -> &Script {
        &self.script
    }

    /// The first failure after which the script went on.
    pub(crate) fn first_failure(&self) -> Option<Failure> {
        self.first_failure.get().cloned()
    }

    /// The failure of a subtest after which the script goes on, if it does.
    pub(crate) fn go_on(
        &self,
        exception: &PyBaseExceptionRef,
        vm: &VirtualMachine,
    ) -> Option<Failure> {
        // Not what ends a script in any case: `quit()`, an interruption.
        let is_error = exception.fast_isinstance(vm.ctx.exceptions.exception_type);
        if !self.script.keep_going || !is_error {
            return None;
        }
        let failure = traceback::in_session(exception, self, vm);
        // The runner stops the script.
        if failure.kind == FailureKind::Aborted {
            return None;
        }
        let _ = self.first_failure.set(failure.clone());
        Some(failure)
    }

    /// From here on nothing reaches the driver any more: threads that the script left behind may still run.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Release);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Whether the script itself runs, and not what comes before and after it.
    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// Does `body` as the script itself.
    pub(crate) fn running<T>(&self, body: impl FnOnce() -> T) -> T {
        let before = self.running.swap(true, Ordering::AcqRel);
        let result = body();
        self.running.store(before, Ordering::Release);
        result
    }

    pub(crate) fn event(&self, event: ScriptEvent) {
        if !self.is_over() {
            self.driver.event(event);
        }
    }

    pub(crate) fn message(&self, level: Level, machine: Option<&str>, text: String) {
        self.event(ScriptEvent::Message {
            level,
            machine: machine.map(str::to_owned),
            text,
        });
    }

    /// Says from which level on the script's messages are not only details.
    pub(crate) fn set_log_level(&self, level: Level) {
        *self
            .log_level
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = level;
    }

    /// The level that a message of this level of the script's has in the log.
    pub(crate) fn shown_as(&self, level: Level) -> Level {
        let least = *self
            .log_level
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if level < least {
            Level::Debug
        } else {
            level.max(Level::Info)
        }
    }

    /// Warns of something in the script that is the same each time: says it once only.
    pub(crate) fn warn_once(&self, text: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(text.to_owned()) {
            self.message(Level::Warning, None, text.to_owned());
        }
    }

    /// The innermost open step or subtest of this thread.
    pub(crate) fn innermost_step(&self) -> Option<StepId> {
        let open = self
            .open_steps
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.get(&thread::current().id())?.last().copied()
    }

    /// Does `body` on a new thread, whose steps lie inside one of the thread that made it.
    pub(crate) fn inside<T>(&self, parent: Option<StepId>, body: impl FnOnce() -> T) -> T {
        let here = thread::current().id();
        let lock = || {
            self.open_steps
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        lock().insert(here, parent.into_iter().collect());
        let result = body();
        lock().remove(&here);
        result
    }

    /// Opens a step or subtest inside the innermost open one of this thread.
    pub(crate) fn open_step(&self) -> OpenStep {
        let id = StepId(self.last_step.fetch_add(1, Ordering::Relaxed) + 1);
        let mut open = self
            .open_steps
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let stack = open.entry(thread::current().id()).or_default();
        let parent = stack.last().copied();
        stack.push(id);
        OpenStep {
            id,
            parent,
            started: self.driver.now(),
        }
    }

    /// Closes it, whichever thread opened it, and says how long it was open.
    pub(crate) fn close_step(&self, step: &OpenStep) -> Duration {
        let mut open = self
            .open_steps
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, stack| {
            stack.retain(|id| *id != step.id);
            !stack.is_empty()
        });
        self.driver.now().saturating_duration_since(step.started)
    }

    /// Does `body` as a step that the log shows.
    pub(crate) fn step<T>(
        &self,
        machine: Option<&str>,
        message: &str,
        vm: &VirtualMachine,
        body: impl FnOnce() -> PyResult<T>,
    ) -> PyResult<T> {
        let step = self.start_step(machine, message);
        let result = body();
        if let Err(exception) = &result {
            steps::leave(exception, step.id, vm);
        }
        self.finish_step(&step, machine, message, result.is_ok());
        result
    }

    pub(crate) fn start_step(&self, machine: Option<&str>, message: &str) -> OpenStep {
        let step = self.open_step();
        self.event(ScriptEvent::StepStarted {
            id: step.id,
            parent: step.parent,
            machine: machine.map(str::to_owned),
            message: message.to_owned(),
        });
        step
    }

    pub(crate) fn finish_step(
        &self,
        step: &OpenStep,
        machine: Option<&str>,
        message: &str,
        passed: bool,
    ) {
        let elapsed = self.close_step(step);
        self.event(ScriptEvent::StepFinished {
            id: step.id,
            machine: machine.map(str::to_owned),
            message: message.to_owned(),
            elapsed,
            passed,
        });
    }

    /// Calls the backend while other threads of the script go on.
    pub(crate) fn call<T>(
        &self,
        vm: &VirtualMachine,
        call: impl FnOnce() -> Result<T, MachineError>,
    ) -> PyResult<T> {
        self.check_running(vm)?;
        vm.allow_threads(call)
            .map_err(|error| self.exceptions.machine_failed(&error, vm))
    }

    /// Waits between two tries.
    pub(crate) fn sleep(&self, duration: Duration, vm: &VirtualMachine) -> PyResult<()> {
        self.check_running(vm)?;
        vm.allow_threads(|| self.driver.sleep(duration))
            .map_err(|aborted| self.exceptions.stopped(&aborted, vm))
    }

    /// What the script demanded is not so.
    pub(crate) fn failed(&self, message: String, vm: &VirtualMachine) -> PyBaseExceptionRef {
        self.exceptions.failed(message, vm)
    }

    pub(crate) fn check_running(&self, vm: &VirtualMachine) -> PyResult<()> {
        if self.is_over() {
            let aborted = Aborted {
                reason: "the script is over".to_owned(),
            };
            return Err(self.exceptions.stopped(&aborted, vm));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// The session as an object that an interpreter can keep.
#[pyclass(module = false, name = "_Session")]
#[derive(Debug, PyPayload)]
struct KeptSession {
    session: Arc<Session>,
}

#[pyclass]
impl KeptSession {}
