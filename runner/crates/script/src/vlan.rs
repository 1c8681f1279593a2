//! The objects `vlan1`, `vlan2`, …

use rustpython_vm::types::Representable;
use rustpython_vm::{Py, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

/// A VLAN.
#[pyclass(module = "test_driver.vlan", name = "VLan")]
#[derive(Debug, PyPayload)]
pub(crate) struct Vlan {
    number: u32,
}

impl Vlan {
    /// The object for the VLAN of this number.
    pub(crate) fn object(number: u32, vm: &VirtualMachine) -> PyObjectRef {
        Self { number }.into_ref(&vm.ctx).into()
    }
}

impl Representable for Vlan {
    fn repr_str(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
        Ok(format!("<Vlan Nr. {}>", zelf.number))
    }
}

#[pyclass(with(Representable))]
impl Vlan {
    /// Its number.
    #[pygetset]
    fn nr(&self) -> u32 {
        self.number
    }
}
