//! The machine's network, from outside.

use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::{backend_of, this};
use crate::api::{Function, Literal, Param};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "forward_port",
        params: &[
            Param::optional("host_port", "int", Literal::Int(8080)),
            Param::optional("guest_port", "int", Literal::Int(80)),
        ],
        returns: "None",
        doc: "Has a TCP port of the host lead to one of the guest, over its network to the host. Fails when the host's port is \
              taken, or the machine has no such network.",
        call: |machine, arguments, vm| {
            let host_port = arguments.port("host_port", vm)?;
            let guest_port = arguments.port("guest_port", vm)?;
            let this = this(machine, vm)?;
            let backend = backend_of(machine, vm)?;
            this.session
                .call(vm, || backend.forward_port(host_port, guest_port))?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "block",
        params: &[],
        returns: "None",
        doc: "Takes the cable out of the machine's first network interface on a VLAN: eth1.",
        call: |machine, _arguments, vm| set_link(machine, false, vm),
    },
    Function {
        name: "unblock",
        params: &[],
        returns: "None",
        doc: "Plugs the cable that block() took out in again.",
        call: |machine, _arguments, vm| set_link(machine, true, vm),
    },
];

fn set_link(machine: &PyObject, up: bool, vm: &VirtualMachine) -> PyResult {
    let this = this(machine, vm)?;
    let backend = backend_of(machine, vm)?;
    this.session.call(vm, || backend.set_link(up))?;
    Ok(vm.ctx.none())
}
