//! Files between host and guest.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::commands::{self, How, quoted};
use super::{attributes, backend_of, power, step, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::Arguments;
use crate::paths;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "copy_from_host",
        params: COPY_IN,
        returns: "None",
        doc: "Copies a file or tree of the host to a path in the guest, making its parent directories. Where that is a \
              directory already, the copy lies inside it. Modes stay; everything belongs to root.",
        call: copy_from_host,
    },
    Function {
        name: "copy_from_host_via_shell",
        params: COPY_IN,
        returns: "None",
        doc: "Copies a file of the host to a path in the guest by shell commands alone, making its parent directories. \
              Slower than copy_from_host(), but a subclass with an `execute` of its own has it, too.",
        call: copy_from_host_via_shell,
    },
    Function {
        name: "copy_from_machine",
        params: COPY_OUT,
        returns: "None",
        doc: "Copies a file or tree of the guest into the test's output, or a directory in it. Its base name stays.",
        call: copy_from_machine,
    },
    Function {
        name: "copy_from_vm",
        params: COPY_OUT,
        returns: "None",
        doc: "The old name of copy_from_machine().",
        call: |machine, arguments, vm| {
            let text = "copy_from_vm() is deprecated: use copy_from_machine() instead";
            this(machine, vm)?.session.warn_once(text);
            let source = arguments.get("source").clone();
            let target_dir = arguments.get("target_dir").clone();
            vm.call_method(machine, "copy_from_machine", (source, target_dir))
        },
    },
];

const COPY_IN: &[Param] = &[
    Param::required("source", "str | Path"),
    Param::required("target", "str | Path"),
];

const COPY_OUT: &[Param] = &[
    Param::required("source", "str | Path"),
    Param::optional("target_dir", "str | Path", Literal::Text("")),
];

/// Bytes of a file in one command; four thirds of them, as base64, must fit into the 128 KiB of one argument.
const CHUNK: usize = 64 << 10;

fn copy_from_host(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let this = this(machine, vm)?;
    let source = paths::from_python(arguments.get("source"), vm)?;
    let mut target = arguments.text("target", vm)?;
    check_exists(&source, vm)?;
    let message = format!("copying {} to {target}", source.display());
    step(machine, &message, vm, || {
        power::ensure_reachable(machine, vm)?;
        let backend = backend_of(machine, vm)?;
        target = where_commands_run(target);
        let is_directory = format!("test -d {}", quoted(&target));
        if commands::run(machine, &is_directory, &How::quiet(), vm)?.status == 0
            && let Some(name) = source.file_name()
        {
            target = format!("{}/{}", target.trim_end_matches('/'), name.display());
        }
        this.session.call(vm, || backend.copy_in(&source, &target))
    })?;
    Ok(vm.ctx.none())
}

/// A path of the guest as commands understand it, which run in `/tmp`.
fn where_commands_run(path: String) -> String {
    if path.starts_with('/') {
        path
    } else {
        format!("/tmp/{path}")
    }
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

fn copy_from_host_via_shell(
    machine: &PyObject,
    arguments: &Arguments,
    vm: &VirtualMachine,
) -> PyResult {
    let source = paths::from_python(arguments.get("source"), vm)?;
    let target = arguments.text("target", vm)?;
    check_exists(&source, vm)?;
    let content = vm
        .allow_threads(|| fs::read(&source))
        .map_err(|error| vm.new_os_error(format!("cannot read '{}': {error}", source.display())))?;
    let message = format!("copying {} to {target} by the shell", source.display());
    step(machine, &message, vm, || {
        let begin = format!("mkdir -p \"$(dirname {target})\" && : > {target}");
        run_quietly(machine, &begin, vm)?;
        for chunk in content.chunks(CHUNK) {
            let encoded = base64(chunk);
            run_quietly(
                machine,
                &format!("echo {encoded} | base64 -d >> {target}"),
                vm,
            )?;
        }
        Ok(vm.ctx.none())
    })
}

/// Runs a command that must succeed and that nobody wants to read in the log.
fn run_quietly(machine: &PyObject, command: &str, vm: &VirtualMachine) -> PyResult<()> {
    let outcome = commands::run(machine, command, &How::quiet(), vm)?;
    if outcome.status == 0 {
        return Ok(());
    }
    let session = &this(machine, vm)?.session;
    let shown: String = command.chars().take(80).collect();
    let status = outcome.status;
    let exception = session.failed(
        format!("command `{shown}…` failed (exit code {status})"),
        vm,
    );
    outcome.add_stderr(&exception, vm);
    Err(exception)
}

/// The base64 encoding of RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let digit = (bits >> (18 - 6 * index)) & 63;
            text.push(if index <= group.len() {
                char::from(ALPHABET[digit as usize])
            } else {
                '='
            });
        }
    }
    text
}

fn copy_from_machine(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let this = this(machine, vm)?;
    let source = arguments.text("source", vm)?;
    let below = paths::from_python(arguments.get("target_dir"), vm)?;
    let mut target_dir = attributes::out_dir(machine, vm)?;
    // Not `join`: an empty path would add a slash.
    target_dir.extend(&below);
    let message = format!("copying {source} to {}", target_dir.display());
    step(machine, &message, vm, || {
        power::ensure_reachable(machine, vm)?;
        let backend = backend_of(machine, vm)?;
        let source = where_commands_run(source);
        this.session
            .call(vm, || backend.copy_out(&source, &target_dir))
    })?;
    Ok(vm.ctx.none())
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, encoded) in cases {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xff, 0xef, 0xbe]), "/+++");
    }
}
