//! Running shell commands: `execute`, `succeed`, `fail` and their waiting forms.

use rustpython_vm::builtins::{PyBaseExceptionRef, PyList, PyStr, PyTuple};
use rustpython_vm::function::{FuncArgs, KwArgs};
use rustpython_vm::{AsObject, PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::outcome::Outcome;
use super::{Machine, backend_of, callbacks, is_own, name, power, step, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::{Arguments, text};
use crate::backend::{Command, MachineErrorKind, SHELL_OPTIONS};
use crate::errors::add_note;
use crate::event::Level;
use crate::retry::{self, Try};
use crate::session::Session;
use crate::timeouts::Timeout;

/// What `execute` returns in place of a status that it was told not to wait for.
const STATUS_NOT_CHECKED: i32 = -1;
/// What `execute` returns when it was told not to wait at all.
const STATUS_DETACHED: i32 = -2;

/// The time-out of one command that is not told otherwise, in seconds.
const PLAIN_TIMEOUT: i32 = 900;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "execute",
        params: &[
            Param::required("command", "str"),
            Param::optional("check_return", "bool", Literal::Bool(true)),
            Param::optional("check_output", "bool", Literal::Bool(true)),
            Param::optional("timeout", "Duration | None", Literal::Int(PLAIN_TIMEOUT)),
            wait_for_output(),
        ],
        returns: "tuple[int, str]",
        doc: "Runs a shell command as root, with errexit, nounset and pipefail set, and returns its exit status and its \
              standard output. When its time is over, it is killed with its children and the status is 124. \
              With check_return=False the status is -1 and a machine that goes away meanwhile is no error; \
              with check_output=False the command is only started, and (-2, \"\") returned. \
              The call returns when the command ends, even if a child of it still holds its output; with \
              wait_for_output=True it waits for that, too.",
        call: execute,
    },
    Function {
        name: "succeed",
        params: SEVERAL,
        returns: "str",
        doc: "Runs shell commands one after the other, fails if one of them fails, and returns their joined output. \
              The time-out is for each of them.",
        call: |machine, arguments, vm| demand(machine, arguments, true, vm),
    },
    Function {
        name: "fail",
        params: SEVERAL,
        returns: "str",
        doc: "Runs shell commands one after the other, fails if one of them succeeds, and returns their joined output. \
              The time-out is for each of them.",
        call: |machine, arguments, vm| demand(machine, arguments, false, vm),
    },
    Function {
        name: "wait_until_succeeds",
        params: REPEATED,
        returns: "str",
        doc: "Repeats a shell command until it succeeds, and returns the output of that try. It is tried at once, then in \
              intervals that grow from 20 milliseconds to a second, and once more when the time is over. \
              The time-out is for all tries together and, unless there is an attempt_timeout, for each of them.",
        call: |machine, arguments, vm| wait_until(machine, arguments, true, vm),
    },
    Function {
        name: "wait_until_fails",
        params: REPEATED,
        returns: "str",
        doc: "Repeats a shell command until it fails, and returns the output of that try. It is tried at once, then in \
              intervals that grow from 20 milliseconds to a second, and once more when the time is over. \
              The time-out is for all tries together and, unless there is an attempt_timeout, for each of them.",
        call: |machine, arguments, vm| wait_until(machine, arguments, false, vm),
    },
    Function {
        name: "sleep",
        params: &[
            Param::optional("secs", "Duration | None", Literal::None),
            Param::optional("duration", "Duration | None", Literal::None),
        ],
        returns: "None",
        doc: "Sleeps in the guest's time, in seconds. `secs` is the older name of `duration`.",
        call: sleep,
    },
];

const SEVERAL: &[Param] = &[
    Param::rest("commands", "str"),
    Param::optional("timeout", "Duration | None", Literal::None),
    wait_for_output(),
];

const REPEATED: &[Param] = &[
    Param::required("command", "str"),
    Param::timeout(),
    attempt_timeout(),
    wait_for_output(),
];

/// The time-out of one try, beside that of the whole wait.
pub(super) const fn attempt_timeout() -> Param {
    Param::optional("attempt_timeout", "Duration | None", Literal::None).by_keyword()
}

const fn wait_for_output() -> Param {
    Param::optional("wait_for_output", "bool | None", Literal::None).by_keyword()
}

/// How to run a command.
pub(super) struct How {
    /// The time-out as the script wrote it; none is that of a plain `execute`.
    timeout: Option<PyObjectRef>,
    wait_for_output: Option<bool>,
    /// Whether the command is a question of the driver's own, whose output the log does not need.
    quiet: bool,
}

impl How {
    fn from_arguments(arguments: &Arguments, vm: &VirtualMachine) -> PyResult<Self> {
        Ok(Self {
            timeout: Some(arguments.get("timeout").clone()),
            wait_for_output: arguments.optional_flag("wait_for_output", vm)?,
            quiet: false,
        })
    }

    /// As a plain `execute` runs it.
    pub(super) const fn plain() -> Self {
        Self {
            timeout: None,
            wait_for_output: None,
            quiet: false,
        }
    }

    /// The same, for a question of the driver's own.
    pub(super) const fn quiet() -> Self {
        Self {
            timeout: None,
            wait_for_output: None,
            quiet: true,
        }
    }
}

/// Whether commands run in the virtual machine behind the object, as the class itself has it.
pub(super) fn run_here(machine: &PyObject, vm: &VirtualMachine) -> bool {
    is_own(machine, vm.ctx.intern_str("execute"), vm)
}

/// Runs a command the way the object runs commands: a subclass may have its own `execute`.
pub(super) fn run(
    machine: &PyObject,
    command: &str,
    how: &How,
    vm: &VirtualMachine,
) -> PyResult<Outcome> {
    if run_here(machine, vm) {
        return complete(machine, command, true, how, vm);
    }
    let mut keywords = Vec::new();
    if let Some(timeout) = &how.timeout {
        keywords.push(("timeout".to_owned(), timeout.clone()));
    }
    if let Some(wait) = how.wait_for_output {
        keywords.push(("wait_for_output".to_owned(), vm.ctx.new_bool(wait).into()));
    }
    let keywords: KwArgs = keywords.into_iter().collect();
    let command: PyObjectRef = vm.ctx.new_str(command).into();
    let pair = machine
        .get_attr("execute", vm)?
        .call(FuncArgs::new(vec![command], keywords), vm)?;
    Outcome::from_pair(&pair, vm)
}

/// Has the machine up before the time of a wait begins: booting must not use it up.
pub(super) fn connect_first(machine: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    if run_here(machine, vm) {
        power::ensure_reachable(machine, vm)?;
    }
    Ok(())
}

/// A word of the shell's language that stands for this text.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn execute(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let command = command_text(arguments.get("command"), vm)?;
    let how = How::from_arguments(arguments, vm)?;
    let outcome = if arguments.flag("check_output", vm)? {
        let check_return = arguments.flag("check_return", vm)?;
        complete(machine, &command, check_return, &how, vm)?
    } else {
        let (this, command) = prepare(machine, &command, &how, true, vm)?;
        let backend = backend_of(machine, vm)?;
        this.session.call(vm, || backend.run(&command))?;
        Outcome::bare(STATUS_DETACHED, String::new())
    };
    Ok(vm.new_tuple((outcome.status, outcome.output)).into())
}

/// Runs a command in the machine behind the object and waits for its end.
fn complete(
    machine: &PyObject,
    command: &str,
    check_return: bool,
    how: &How,
    vm: &VirtualMachine,
) -> PyResult<Outcome> {
    let (this, command) = prepare(machine, command, how, false, vm)?;
    let backend = backend_of(machine, vm)?;
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
            | MachineErrorKind::Panicked { .. }
            | MachineErrorKind::Broken { .. }
                if !check_return =>
            {
                Ok(Outcome::bare(STATUS_NOT_CHECKED, String::new()))
            }
            _ => Err(this.session.exceptions.machine_failed(&error, vm)),
        },
    }
}

fn prepare<'a>(
    machine: &'a PyObject,
    command: &str,
    how: &How,
    detached: bool,
    vm: &VirtualMachine,
) -> PyResult<(&'a Machine, Command)> {
    let plain = || vm.ctx.new_int(PLAIN_TIMEOUT).into();
    let timeout = Timeout::from_object(&how.timeout.clone().unwrap_or_else(plain), vm)?;
    callbacks::run(machine, vm)?;
    power::ensure_reachable(machine, vm)?;
    let this = this(machine, vm)?;
    let mut script = format!("{SHELL_OPTIONS}{command}");
    if script.contains('\0') {
        // No argument of a program can have one, and a shell that reads its input drops them.
        this.session
            .warn_once("a command has NUL characters, which shells do not know: they are left out");
        script.retain(|c| c != '\0');
    }
    let command = Command {
        script,
        // Zero is no limit, as for the `timeout` program that the original driver uses.
        timeout: timeout.limit.filter(|limit| !limit.is_zero()),
        detached,
        wait_for_output: how.wait_for_output,
        early: this.early,
        quiet: how.quiet,
        step: this.session.innermost_step(),
    };
    Ok((this, command))
}

/// The text of a command, which is a string; a path will do for a program's name.
fn command_text(object: &PyObjectRef, vm: &VirtualMachine) -> PyResult<String> {
    if object.downcastable::<PyStr>() {
        return text(object, vm);
    }
    if let Some(convert) = vm.get_attribute_opt(object.clone(), "__fspath__")? {
        return text(&convert.call((), vm)?, vm);
    }
    let several = object.downcastable::<PyList>() || object.downcastable::<PyTuple>();
    let hint = if several {
        "; several commands are given one by one, as in succeed(*commands)"
    } else {
        ""
    };
    Err(vm.new_type_error(format!(
        "a command is a string, got {} {}{hint}",
        object.class().name(),
        object.repr(vm)?.to_string_lossy()
    )))
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
    let commands = arguments.rest().iter();
    let commands: Vec<String> = commands
        .map(|command| command_text(command, vm))
        .collect::<PyResult<_>>()?;
    let how = How::from_arguments(arguments, vm)?;
    let timeout = arguments.timeout("timeout", vm)?;
    let mut output = String::new();
    for command in commands {
        let more = step(machine, &format!("must {verb}: {command}"), vm, || {
            let outcome = run(machine, &command, &how, vm)?;
            if success && outcome.status != 0 {
                let name = name(machine, vm)?;
                let shown = format!("output: {}", outcome.output);
                session.message(Level::Info, Some(&name), shown);
                return Err(command_failed(session, &command, &outcome, &timeout, vm));
            }
            if !success && outcome.status == 0 {
                let message = format!("command `{command}` unexpectedly succeeded");
                return Err(session.failed(message, vm));
            }
            Ok(outcome.output)
        })?;
        if output.is_empty() {
            // Not copied: it may be large.
            output = more;
        } else {
            output += &more;
        }
    }
    Ok(vm.ctx.new_str(output).into())
}

fn command_failed(
    session: &Session,
    command: &str,
    outcome: &Outcome,
    timeout: &Timeout,
    vm: &VirtualMachine,
) -> PyBaseExceptionRef {
    let message = format!("command `{command}` failed (exit code {})", outcome.status);
    let exception = session.failed(message, vm);
    if outcome.timed_out {
        let note = format!("killed: it did not end in time (timeout={timeout})");
        // A note that cannot be added must not hide the failure itself.
        let _ = add_note(&exception, note, vm);
    }
    outcome.add_stderr(&exception, vm);
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
    let command = command_text(arguments.get("command"), vm)?;
    let timeout = arguments.timeout("timeout", vm)?;
    let mut how = How::from_arguments(arguments, vm)?;
    if !vm.is_none(arguments.get("attempt_timeout")) {
        how.timeout = Some(arguments.get("attempt_timeout").clone());
    }
    let what = if success { "success" } else { "failure" };
    let message = format!("waiting for {what}: {command}");
    let output = step(machine, &message, vm, || {
        connect_first(machine, vm)?;
        retry::until(session, &message, &timeout, vm, |_last| {
            let outcome = run(machine, &command, &how, vm)?;
            Ok(if (outcome.status == 0) == success {
                Try::Done(outcome.output)
            } else {
                Try::NotYet(outcome.seen())
            })
        })
    })?;
    Ok(vm.ctx.new_str(output).into())
}

fn sleep(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let given = [arguments.get("secs"), arguments.get("duration")];
    let duration = match given.map(|value| (!vm.is_none(value)).then_some(value)) {
        [Some(_), Some(_)] => {
            let message = "sleep() got both 'duration' and 'secs'. Pass only 'duration'";
            return Err(vm.new_type_error(message));
        }
        [Some(duration), None] | [None, Some(duration)] => Timeout::from_object(duration, vm)?,
        [None, None] => {
            return Err(vm.new_type_error("sleep() missing required argument 'duration'"));
        }
    };
    let seconds = match duration.limit {
        Some(duration) => duration.as_secs_f64().to_string(),
        None => "infinity".to_owned(),
    };
    vm.call_method(machine, "succeed", (format!("sleep {seconds}"),))?;
    Ok(vm.ctx.none())
}
