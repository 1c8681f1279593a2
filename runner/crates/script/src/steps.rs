//! `with machine.nested("…")` and `with subtest("…")`: parts of a script that the log and the report show as such.
//!
//! Both are decorators, too: each call of the function is then such a part.

use std::sync::{Arc, Mutex, PoisonError};

use rustpython_vm::builtins::{PyBaseException, PyBaseExceptionRef};
use rustpython_vm::function::FuncArgs;
use rustpython_vm::types::Callable;
use rustpython_vm::{AsObject, Py, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

use crate::arguments::text;
use crate::event::{Level, ScriptEvent, StepId};
use crate::session::{OpenStep, Session};

/// What a `with` block is shown as.
#[derive(Clone, Debug)]
enum Kind {
    Step {
        machine: Option<String>,
        message: String,
    },
    Subtest {
        name: String,
    },
}

/// A context manager that tells the driver when its block begins and ends.
#[pyclass(module = "test_driver.logger", name = "Step")]
#[derive(Debug, PyPayload)]
pub(crate) struct Step {
    session: Arc<Session>,
    kind: Kind,
    open: Mutex<Vec<OpenStep>>,
}

impl Step {
    pub(crate) fn nested(
        session: &Arc<Session>,
        machine: Option<String>,
        message: String,
        vm: &VirtualMachine,
    ) -> PyObjectRef {
        Self::object(session, Kind::Step { machine, message }, vm)
    }

    pub(crate) fn subtest(
        session: &Arc<Session>,
        name: String,
        vm: &VirtualMachine,
    ) -> PyObjectRef {
        Self::object(session, Kind::Subtest { name }, vm)
    }

    fn object(session: &Arc<Session>, kind: Kind, vm: &VirtualMachine) -> PyObjectRef {
        Self {
            session: Arc::clone(session),
            kind,
            open: Mutex::default(),
        }
        .into_ref(&vm.ctx)
        .into()
    }
}

impl Callable for Step {
    type Args = PyObjectRef;

    /// Decorates a function, the way context managers of Python's own do it.
    fn call(zelf: &Py<Self>, function: PyObjectRef, vm: &VirtualMachine) -> PyResult {
        let decorator = vm
            .import("contextlib", 0)?
            .get_attr("ContextDecorator", vm)?;
        vm.call_method(&decorator, "__call__", (zelf.to_owned(), function))
    }
}

#[pyclass(with(Callable))]
impl Step {
    /// A step for one call of a decorated function: calls may overlap.
    #[pymethod]
    fn _recreate_cm(&self, vm: &VirtualMachine) -> PyObjectRef {
        Self::object(&self.session, self.kind.clone(), vm)
    }

    #[pymethod]
    fn __enter__(zelf: &Py<Self>) {
        let session = &zelf.session;
        let step = match &zelf.kind {
            Kind::Step { machine, message } => session.start_step(machine.as_deref(), message),
            Kind::Subtest { name } => {
                let step = session.open_step();
                session.event(ScriptEvent::SubtestStarted {
                    id: step.id,
                    parent: step.parent,
                    name: name.clone(),
                });
                step
            }
        };
        zelf.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(step);
    }

    #[pymethod]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the interpreter gives arguments by value"
    )]
    fn __exit__(&self, exception: FuncArgs, vm: &VirtualMachine) -> PyResult<bool> {
        let Some(step) = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
        else {
            return Err(vm.new_runtime_error("this block was not entered"));
        };
        let raised = exception.args.get(1).filter(|value| !vm.is_none(value));
        let exception: Option<PyBaseExceptionRef> =
            raised.and_then(|value| value.clone().downcast().ok());
        if let Some(exception) = &exception {
            leave(exception, step.id, vm);
        }
        let mut goes_on = false;
        match &self.kind {
            Kind::Step { machine, message } => {
                self.session
                    .finish_step(&step, machine.as_deref(), message, raised.is_none());
            }
            Kind::Subtest { name } => {
                let error = raised.map(|value| describe(value, vm)).transpose()?;
                if let Some(error) = &error {
                    let text = format!("Test \"{name}\" failed with error: \"{error}\"");
                    self.session.message(Level::Error, None, text);
                }
                let elapsed = self.session.close_step(&step);
                let failure = exception.and_then(|exception| self.session.go_on(&exception, vm));
                goes_on = failure.is_some();
                self.session.event(ScriptEvent::SubtestFinished {
                    id: step.id,
                    name: name.clone(),
                    elapsed,
                    error,
                    failure,
                });
            }
        }
        Ok(goes_on)
    }
}

/// Name of the attribute by which an exception says which step it has left first.
const LEFT: &str = "_vmtest_step";

/// Notes that an exception leaves a step or subtest, if it has not left one inside it.
pub(crate) fn leave(exception: &Py<PyBaseException>, step: StepId, vm: &VirtualMachine) {
    if left_by(exception, vm).is_none() {
        // An exception without attributes is told without its step.
        let _ = exception
            .as_object()
            .set_attr(LEFT, vm.ctx.new_int(step.0), vm);
    }
}

/// The innermost step or subtest that an exception has left.
pub(crate) fn left_by(exception: &Py<PyBaseException>, vm: &VirtualMachine) -> Option<StepId> {
    let number = exception.as_object().get_attr(LEFT, vm).ok()?;
    number.try_into_value(vm).ok().map(StepId)
}

/// The message of an exception, or its name when it has none.
fn describe(exception: &PyObjectRef, vm: &VirtualMachine) -> PyResult<String> {
    let message = text(exception, vm)?;
    Ok(if message.is_empty() {
        exception.class().name().to_string()
    } else {
        message
    })
}
