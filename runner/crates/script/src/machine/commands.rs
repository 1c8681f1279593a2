//! Running shell commands: `execute`, `succeed`, `fail` and their waiting forms.

use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::function::{FuncArgs, KwArgs};
use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::{Machine, is_own, name, power, step, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::{Arguments, text};
use crate::backend::{Command, Completed, ExitStatus, MachineErrorKind};
use crate::errors::add_note;
use crate::event::Level;
use crate::retry::{self, Try};
use crate::timeouts::Timeout;

/// Put before every command, so that it fails where any part of it fails.
const SHELL_OPTIONS: &str = "set -euo pipefail; ";

/// The exit status that a command killed for its time has in the shell.
const STATUS_TIMED_OUT: i32 = 124;
/// The exit status of a command killed by signal 0; others lie above it.
const STATUS_SIGNAL: i32 = 128;
/// What `execute` returns in place of a status that it was told not to wait for.
const STATUS_NOT_CHECKED: i32 = -1;
/// What `execute` returns when it was told not to wait at all.
const STATUS_DETACHED: i32 = -2;

/// The time-out of one command that is not told otherwise.
const PLAIN_TIMEOUT: Literal = Literal::Int(900);

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "execute",
        params: &[
            Param::required("command", "str"),
            Param::optional("check_return", "bool", Literal::Bool(true)),
            Param::optional("check_output", "bool", Literal::Bool(true)),
            Param::optional("timeout", "Duration | None", PLAIN_TIMEOUT),
            wait_for_output(),
        ],
        returns: "tuple[int, str]",
        doc: "Runs a shell command as root and returns its exit status and its standard output. \
              The shell has errexit, nounset and pipefail set. \
              With check_return=False the status is -1 and a machine that goes away meanwhile is no error; \
              with check_output=False the command is only started, and (-2, \"\") returned.",
        call: |machine, arguments, vm| {
            let command = arguments.text("command", vm)?;
            let limits = Limits {
                timeout: arguments.timeout("timeout", vm)?,
                wait_for_output: arguments.optional_flag("wait_for_output", vm)?,
            };
            let result = if arguments.flag("check_output", vm)? {
                let check_return = arguments.flag("check_return", vm)?;
                run_here(machine, &command, check_return, &limits, vm)?
            } else {
                start_here(machine, &command, &limits, vm)?
            };
            Ok(vm.new_tuple((result.status, result.output)).into())
        },
    },
    Function {
        name: "succeed",
        params: &[Param::rest("commands", "str"), command_timeout()],
        returns: "str",
        doc: "Runs shell commands one after the other, fails if one of them fails, and returns their joined output.",
        call: |machine, arguments, vm| demand(machine, arguments, true, vm),
    },
    Function {
        name: "fail",
        params: &[Param::rest("commands", "str"), command_timeout()],
        returns: "str",
        doc: "Runs shell commands one after the other, fails if one of them succeeds, and returns their joined output.",
        call: |machine, arguments, vm| demand(machine, arguments, false, vm),
    },
    Function {
        name: "wait_until_succeeds",
        params: &[Param::required("command", "str"), Param::timeout()],
        returns: "str",
        doc: "Repeats a shell command until it succeeds, and returns its output. \
              The time-out is for each try and for all together.",
        call: |machine, arguments, vm| wait_until(machine, arguments, true, vm),
    },
    Function {
        name: "wait_until_fails",
        params: &[Param::required("command", "str"), Param::timeout()],
        returns: "str",
        doc: "Repeats a shell command until it fails, and returns its output. \
              The time-out is for each try and for all together.",
        call: |machine, arguments, vm| wait_until(machine, arguments, false, vm),
    },
    Function {
        name: "sleep",
        params: &[Param::required("secs", "int")],
        returns: "None",
        doc: "Sleeps in the guest's time, in seconds.",
        call: |machine, arguments, vm| {
            let command = format!("sleep {}", arguments.text("secs", vm)?);
            vm.call_method(machine, "succeed", (command,))?;
            Ok(vm.ctx.none())
        },
    },
];

const fn command_timeout() -> Param {
    Param::optional("timeout", "Duration | None", Literal::None)
}

const fn wait_for_output() -> Param {
    Param::optional("wait_for_output", "bool | None", Literal::None).by_keyword()
}

/// How long a command may take, and whose end ends it.
struct Limits {
    timeout: Timeout,
    wait_for_output: Option<bool>,
}

/// How a command went, as scripts see it; with more for messages where the backend itself ran it.
pub(super) struct Outcome {
    pub(super) status: i32,
    pub(super) output: String,
    stderr: String,
    timed_out: bool,
}

impl Outcome {
    fn bare(status: i32, output: String) -> Self {
        Self {
            status,
            output,
            stderr: String::new(),
            timed_out: false,
        }
    }

    /// What to show of a try that was not the last.
    pub(super) fn seen(&self) -> String {
        let mut seen = if self.timed_out {
            "timed out".to_owned()
        } else {
            format!("exit code {}", self.status)
        };
        for (title, text) in [("output", &self.output), ("stderr", &self.stderr)] {
            if !text.trim().is_empty() {
                seen.push_str(&format!("\n{title}:\n{}", indent(text)));
            }
        }
        seen
    }
}

impl From<Completed> for Outcome {
    fn from(completed: Completed) -> Self {
        let status = match completed.status {
            ExitStatus::Code(code) => code,
            ExitStatus::Signal(signal) => STATUS_SIGNAL + signal,
            ExitStatus::TimedOut => STATUS_TIMED_OUT,
        };
        Self {
            status,
            output: String::from_utf8_lossy(&completed.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&completed.stderr).into_owned(),
            timed_out: completed.status == ExitStatus::TimedOut,
        }
    }
}

/// Runs a command the way the object runs commands: a subclass may have its own `execute`.
pub(super) fn run(
    machine: &PyObject,
    command: &str,
    timeout: &PyObjectRef,
    vm: &VirtualMachine,
) -> PyResult<Outcome> {
    let execute = vm.ctx.intern_str("execute");
    if is_own(machine, execute, vm) {
        let limits = Limits {
            timeout: Timeout::from_object(timeout, vm)?,
            wait_for_output: None,
        };
        return run_here(machine, command, true, &limits, vm);
    }
    let keywords: KwArgs = [("timeout".to_owned(), timeout.clone())]
        .into_iter()
        .collect();
    let command: PyObjectRef = vm.ctx.new_str(command).into();
    let pair = machine
        .get_attr(execute, vm)?
        .call(FuncArgs::new(vec![command], keywords), vm)?;
    let (status, output): (PyObjectRef, PyObjectRef) = two(&pair, vm)?;
    Ok(Outcome::bare(
        status.try_into_value(vm)?,
        text(&output, vm)?,
    ))
}

/// Runs a command with the time-out of a plain `execute`.
pub(super) fn run_plainly(
    machine: &PyObject,
    command: &str,
    vm: &VirtualMachine,
) -> PyResult<Outcome> {
    run(machine, command, &vm.ctx.new_int(900).into(), vm)
}

/// Has the machine up before the time of a wait begins: booting must not use it up.
pub(super) fn connect_first(machine: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    if is_own(machine, vm.ctx.intern_str("execute"), vm) {
        power::ensure_connected(machine, vm)?;
    }
    Ok(())
}

fn two(pair: &PyObjectRef, vm: &VirtualMachine) -> PyResult<(PyObjectRef, PyObjectRef)> {
    let items: Vec<PyObjectRef> = pair.clone().try_into_value(vm)?;
    match <[PyObjectRef; 2]>::try_from(items) {
        Ok([first, second]) => Ok((first, second)),
        Err(_) => Err(vm.new_type_error("execute() must return a status and an output")),
    }
}

fn run_here(
    machine: &PyObject,
    command: &str,
    check_return: bool,
    limits: &Limits,
    vm: &VirtualMachine,
) -> PyResult<Outcome> {
    let (this, command) = prepare(machine, command, limits, false, vm)?;
    let backend = &this.link(vm)?.backend;
    this.session.check_running(vm)?;
    match vm.allow_threads(|| backend.run(&command)) {
        Ok(completed) if check_return => Ok(completed.into()),
        Ok(completed) => {
            let outcome = Outcome::from(completed);
            Ok(Outcome::bare(STATUS_NOT_CHECKED, outcome.output))
        }
        Err(error) => match error.kind {
            MachineErrorKind::Closed
            | MachineErrorKind::Ended { .. }
            | MachineErrorKind::Died { .. }
                if !check_return =>
            {
                Ok(Outcome::bare(STATUS_NOT_CHECKED, String::new()))
            }
            _ => Err(this.session.exceptions.machine_failed(&error, vm)),
        },
    }
}

fn start_here(
    machine: &PyObject,
    command: &str,
    limits: &Limits,
    vm: &VirtualMachine,
) -> PyResult<Outcome> {
    let (this, command) = prepare(machine, command, limits, true, vm)?;
    let backend = &this.link(vm)?.backend;
    this.session.call(vm, || backend.run(&command))?;
    Ok(Outcome::bare(STATUS_DETACHED, String::new()))
}

fn prepare<'a>(
    machine: &'a PyObject,
    command: &str,
    limits: &Limits,
    detached: bool,
    vm: &VirtualMachine,
) -> PyResult<(&'a Machine, Command)> {
    power::ensure_connected(machine, vm)?;
    let script = format!("{SHELL_OPTIONS}{command}");
    // Zero is no limit, as for the `timeout` program that the original driver uses.
    let timeout = limits.timeout.limit.filter(|limit| !limit.is_zero());
    Ok((
        this(machine, vm)?,
        Command {
            script,
            timeout,
            detached,
            wait_for_output: limits.wait_for_output,
            early: false,
            quiet: false,
        },
    ))
}

/// `succeed` and `fail`.
fn demand(
    machine: &PyObject,
    arguments: &Arguments,
    success: bool,
    vm: &VirtualMachine,
) -> PyResult {
    let session = &this(machine, vm)?.session;
    let verb = if success { "succeed" } else { "fail" };
    let mut output = String::new();
    for command in arguments.rest() {
        let command = text(command, vm)?;
        output += &step(machine, &format!("must {verb}: {command}"), vm, || {
            let outcome = run(machine, &command, arguments.get("timeout"), vm)?;
            if success && outcome.status != 0 {
                let name = name(machine, vm)?;
                let shown = format!("output: {}", outcome.output);
                session.message(Level::Info, Some(&name), shown);
                let timeout = arguments.timeout("timeout", vm)?;
                return Err(command_failed(session, &command, &outcome, &timeout, vm));
            }
            if !success && outcome.status == 0 {
                let message = format!("command `{command}` unexpectedly succeeded");
                return Err(session.failed(message, vm));
            }
            Ok(outcome.output)
        })?;
    }
    Ok(vm.ctx.new_str(output).into())
}

fn command_failed(
    session: &crate::session::Session,
    command: &str,
    outcome: &Outcome,
    timeout: &Timeout,
    vm: &VirtualMachine,
) -> PyBaseExceptionRef {
    let message = format!("command `{command}` failed (exit code {})", outcome.status);
    let exception = session.failed(message, vm);
    let mut notes = Vec::new();
    if outcome.timed_out {
        notes.push(format!(
            "killed: it did not end in time (timeout={timeout})"
        ));
    }
    if !outcome.stderr.trim().is_empty() {
        notes.push(format!("stderr:\n{}", indent(&outcome.stderr)));
    }
    for note in notes {
        // A note that cannot be added must not hide the failure itself.
        let _ = add_note(&exception, note, vm);
    }
    exception
}

/// `wait_until_succeeds` and `wait_until_fails`.
fn wait_until(
    machine: &PyObject,
    arguments: &Arguments,
    success: bool,
    vm: &VirtualMachine,
) -> PyResult {
    let session = &this(machine, vm)?.session;
    let command = arguments.text("command", vm)?;
    let timeout = arguments.timeout("timeout", vm)?;
    let what = if success { "success" } else { "failure" };
    let message = format!("waiting for {what}: {command}");
    let output = step(machine, &message, vm, || {
        connect_first(machine, vm)?;
        retry::until(session, &message, &timeout, vm, |_last| {
            let outcome = run(machine, &command, arguments.get("timeout"), vm)?;
            Ok(if (outcome.status == 0) == success {
                Try::Done(outcome.output)
            } else {
                Try::NotYet(outcome.seen())
            })
        })
    })?;
    Ok(vm.ctx.new_str(output).into())
}

fn indent(text: &str) -> String {
    let lines: Vec<String> = text
        .trim_end()
        .lines()
        .map(|line| format!("  {line}"))
        .collect();
    lines.join("\n")
}
