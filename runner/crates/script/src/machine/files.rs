//! Files between host and guest, and pictures of the screen.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::{commands, name, power, step, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::Arguments;
use crate::event::Level;
use crate::paths;
use crate::retry::{self, Try};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "wait_for_file",
        params: &[Param::required("filename", "str"), Param::timeout()],
        returns: "None",
        doc: "Waits until a file exists in the guest. The name is given to the shell as it is: patterns and variables work.",
        call: wait_for_file,
    },
    Function {
        name: "copy_from_host",
        params: &[
            Param::required("source", "str"),
            Param::required("target", "str"),
        ],
        returns: "None",
        doc: "Copies a file or tree of the host to a path in the guest, making its parent directories; it belongs to root there.",
        call: copy_from_host,
    },
    Function {
        name: "copy_from_machine",
        params: COPY_OUT,
        returns: "None",
        doc: "Copies a file or tree of the guest into the test's output, or a directory in it.",
        call: copy_from_machine,
    },
    Function {
        name: "copy_from_vm",
        params: COPY_OUT,
        returns: "None",
        doc: "The old name of copy_from_machine.",
        call: |machine, arguments, vm| {
            let text = "copy_from_vm() is deprecated: use copy_from_machine() instead";
            let name = name(machine, vm)?;
            this(machine, vm)?
                .session
                .message(Level::Warning, Some(&name), text.to_owned());
            copy_from_machine(machine, arguments, vm)
        },
    },
    Function {
        name: "screenshot",
        params: &[Param::required("filename", "str")],
        returns: "None",
        doc: "Takes a picture of the screen as PNG. A name without a dot gets `.png`; one without a slash lies in the test's output.",
        call: screenshot,
    },
];

const COPY_OUT: &[Param] = &[
    Param::required("source", "str"),
    Param::optional("target_dir", "str", Literal::Text("")),
];

fn wait_for_file(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let session = &this(machine, vm)?.session;
    let filename = arguments.text("filename", vm)?;
    let timeout = arguments.timeout("timeout", vm)?;
    let message = format!("waiting for file '{filename}'");
    step(machine, &message, vm, || {
        commands::connect_first(machine, vm)?;
        retry::until(session, &message, &timeout, vm, |_last| {
            let outcome = commands::run_plainly(machine, &format!("test -e {filename}"), vm)?;
            let found = outcome.status == 0;
            Ok(if found {
                Try::Done(())
            } else {
                Try::NotYet(outcome.seen())
            })
        })
    })?;
    Ok(vm.ctx.none())
}

fn copy_from_host(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let this = this(machine, vm)?;
    let source = paths::from_python(arguments.get("source"), vm)?;
    let target = arguments.text("target", vm)?;
    check_exists(&source, vm)?;
    step(
        machine,
        &format!("copying {} to {target}", source.display()),
        vm,
        || {
            power::ensure_connected(machine, vm)?;
            let backend = &this.link(vm)?.backend;
            this.session.call(vm, || backend.copy_in(&source, &target))
        },
    )?;
    Ok(vm.ctx.none())
}

fn check_exists(path: &Path, vm: &VirtualMachine) -> PyResult<()> {
    match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let class = vm.ctx.exceptions.file_not_found_error.to_owned();
            let message = format!(
                "no such file or directory on the host: '{}'",
                path.display()
            );
            Err(vm
                .new_os_subtype_error(class, error.raw_os_error(), message)
                .upcast())
        }
        // Whatever else may be wrong, the backend says when it reads the file.
        _ => Ok(()),
    }
}

fn copy_from_machine(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let this = this(machine, vm)?;
    let source = arguments.text("source", vm)?;
    let below = paths::from_python(arguments.get("target_dir"), vm)?;
    let mut target_dir = this.session.driver().out_dir().to_owned();
    target_dir.extend(&below);
    step(
        machine,
        &format!("copying {source} to {}", target_dir.display()),
        vm,
        || {
            power::ensure_connected(machine, vm)?;
            let backend = &this.link(vm)?.backend;
            this.session
                .call(vm, || backend.copy_out(&source, &target_dir))
        },
    )?;
    Ok(vm.ctx.none())
}

fn screenshot(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let this = this(machine, vm)?;
    let mut filename = arguments.text("filename", vm)?;
    if !filename.contains('.') {
        filename.push_str(".png");
    }
    let path = if filename.contains('/') {
        PathBuf::from(filename)
    } else {
        this.session.driver().out_dir().join(filename)
    };
    let backend = &this.link(vm)?.backend;
    step(
        machine,
        &format!("making screenshot {}", path.display()),
        vm,
        || this.session.call(vm, || backend.screenshot(&path)),
    )?;
    Ok(vm.ctx.none())
}
