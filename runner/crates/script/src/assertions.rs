//! The object `t`: the assertions of `unittest.TestCase`.
//!
//! `unittest` is large, so it is loaded when a script first uses the object.

use std::sync::{Mutex, PoisonError};

use rustpython_vm::builtins::PyStr;
use rustpython_vm::function::PySetterValue;
use rustpython_vm::types::{GetAttr, SetAttr};
use rustpython_vm::{AsObject, Py, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

use crate::modules;

/// The object, which passes everything on to a real test case.
#[pyclass(module = "test_driver.driver", name = "AssertionTester")]
#[derive(Debug, PyPayload)]
pub(crate) struct Assertions {
    real: Mutex<Option<PyObjectRef>>,
}

impl Assertions {
    /// The object for one run.
    pub(crate) fn object(vm: &VirtualMachine) -> PyObjectRef {
        Self {
            real: Mutex::default(),
        }
        .into_ref(&vm.ctx)
        .into()
    }

    fn real(&self, vm: &VirtualMachine) -> PyResult {
        if let Some(real) = &*self.real.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(real.clone());
        }
        // Not locked meanwhile: the import runs Python code, which may come back here.
        let class = modules::import_from("test_driver.driver", "AssertionTester", vm)?;
        let made = class.call((), vm)?;
        let mut real = self.real.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(real.get_or_insert(made).clone())
    }
}

impl GetAttr for Assertions {
    fn getattro(zelf: &Py<Self>, name: &Py<PyStr>, vm: &VirtualMachine) -> PyResult {
        if name.to_string_lossy().starts_with("__") {
            zelf.as_object().generic_getattr(name, vm)
        } else {
            zelf.real(vm)?.get_attr(name, vm)
        }
    }
}

impl SetAttr for Assertions {
    fn setattro(
        zelf: &Py<Self>,
        name: &Py<PyStr>,
        value: PySetterValue,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        zelf.real(vm)?.call_set_attr(vm, name, value)
    }
}

#[pyclass(with(GetAttr, SetAttr))]
impl Assertions {}
