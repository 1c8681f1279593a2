//! The exceptions that a script can see and catch, and what becomes of the backend's errors.

use rustpython_vm::builtins::{PyBaseExceptionRef, PyTypeRef};
use rustpython_vm::{AsObject, PyResult, VirtualMachine};

use crate::backend::{Aborted, MachineError, MachineErrorKind};

/// The module that the classes say they come from, as in the original driver.
const MODULE: &str = "test_driver.errors";

/// The exception classes of one interpreter.
#[derive(Debug)]
pub(crate) struct Exceptions {
    /// Whatever fails a test without being a bug of the driver.
    pub(crate) test_script_error: PyTypeRef,
    /// Something that the script demanded is not so.
    pub(crate) assertion: PyTypeRef,
    /// A machine does not do its part.
    pub(crate) machine: PyTypeRef,
    /// A polling condition does not hold.
    pub(crate) polling: PyTypeRef,
    /// The runner stops the test. Not an `Exception`, so that no script that catches all of those goes on.
    pub(crate) aborted: PyTypeRef,
}

impl Exceptions {
    pub(crate) fn new(vm: &VirtualMachine) -> Self {
        let class = |name, bases| vm.ctx.new_exception_type(MODULE, name, Some(bases));
        let builtin = &vm.ctx.exceptions;
        let test_script_error = class("TestScriptError", vec![builtin.exception_type.to_owned()]);
        // Older drivers derived it from AssertionError, and scripts still catch it as that.
        let assertion = class(
            "RequestedAssertionFailed",
            vec![
                test_script_error.clone(),
                builtin.assertion_error.to_owned(),
            ],
        );
        let polling = vm.ctx.new_exception_type(
            "test_driver.polling_condition",
            "PollingConditionError",
            Some(vec![test_script_error.clone()]),
        );
        Self {
            polling,
            machine: class("MachineError", vec![test_script_error.clone()]),
            aborted: class("TestStopped", vec![builtin.base_exception_type.to_owned()]),
            test_script_error,
            assertion,
        }
    }

    /// What the script demanded is not so.
    pub(crate) fn failed(&self, message: String, vm: &VirtualMachine) -> PyBaseExceptionRef {
        vm.new_exception_msg(self.assertion.clone(), message.into())
    }

    /// The exception for an error of a machine.
    pub(crate) fn machine_failed(
        &self,
        error: &MachineError,
        vm: &VirtualMachine,
    ) -> PyBaseExceptionRef {
        let class = match error.kind {
            MachineErrorKind::Refused { .. } | MachineErrorKind::Qmp { .. } => &self.assertion,
            MachineErrorKind::Aborted { .. } => &self.aborted,
            _ => &self.machine,
        };
        vm.new_exception_msg(class.clone(), error.to_string().into())
    }

    /// The exception for the end of the test.
    pub(crate) fn stopped(&self, aborted: &Aborted, vm: &VirtualMachine) -> PyBaseExceptionRef {
        vm.new_exception_msg(self.aborted.clone(), aborted.to_string().into())
    }
}

/// Python's own `TimeoutError`.
pub(crate) fn timeout_error(message: String, vm: &VirtualMachine) -> PyBaseExceptionRef {
    let class = vm.ctx.exceptions.timeout_error.to_owned();
    vm.new_os_subtype_error(class, None, message).upcast()
}

/// Adds a paragraph that is shown below the exception's message.
pub(crate) fn add_note(
    exception: &PyBaseExceptionRef,
    note: String,
    vm: &VirtualMachine,
) -> PyResult<()> {
    vm.call_method(exception.as_object(), "add_note", (note,))
        .map(drop)
}
