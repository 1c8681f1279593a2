//! systemd units of the guest.
//!
//! Properties are read by `systemctl`. Waiting for a unit is the guest agent's work where commands run in the machine
//! behind the object, and repeated reading elsewhere.

use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::{AsObject, PyObject, PyResult, VirtualMachine};

use super::commands::{self, How, attempt_timeout};
use super::outcome::{Outcome, indent};
use super::{is_own, step, this, waits};
use crate::api::{Function, Literal, Param};
use crate::arguments::{Arguments, text};
use crate::backend::Condition;
use crate::errors::add_note;
use crate::retry::{self, Try};
use crate::timeouts::Timeout;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "systemctl",
        params: &[Param::required("q", "str"), user()],
        returns: "tuple[int, str]",
        doc: "Runs systemctl with these arguments, for the system or for a user's own service manager, and returns its exit \
              status and output.",
        call: |machine, arguments, vm| {
            let query = arguments.text("q", vm)?;
            let user = arguments.optional_text("user", vm)?;
            let command = systemctl_command(&query, user.as_deref());
            let outcome = commands::run(machine, &command, &How::plain(), vm)?;
            Ok(vm.new_tuple((outcome.status, outcome.output)).into())
        },
    },
    Function {
        name: "wait_for_unit",
        params: &[
            Param::required("unit", "str"),
            user(),
            Param::timeout(),
            attempt_timeout(),
        ],
        returns: "None",
        doc: "Waits until a unit is active. Fails at once when it has failed, or is inactive while no job is pending.",
        call: wait_for_unit,
    },
    Function {
        name: "wait_for_unit_active_state",
        params: &[
            Param::required("unit", "str"),
            Param::required("state", "str"),
            Param::timeout(),
        ],
        returns: "None",
        doc: "Waits until a unit is in this state: active, reloading, inactive, failed, activating or deactivating.",
        call: wait_for_unit_active_state,
    },
    Function {
        name: "wait_for_job",
        params: &[Param::required("jobname", "str")],
        returns: "None",
        doc: "The old name of wait_for_unit().",
        call: |machine, arguments, vm| {
            let text = "wait_for_job() is deprecated: use wait_for_unit() instead";
            this(machine, vm)?.session.warn_once(text);
            let unit = arguments.get("jobname").clone();
            vm.call_method(machine, "wait_for_unit", (unit,))
        },
    },
    Function {
        name: "get_unit_info",
        params: &[Param::required("unit", "str"), user()],
        returns: "dict[str, str]",
        doc: "Returns all properties of a unit, as `systemctl show` has them.",
        call: |machine, arguments, vm| {
            let unit = arguments.text("unit", vm)?;
            let user = arguments.optional_text("user", vm)?;
            let properties = vm.ctx.new_dict();
            for (name, value) in unit_info(machine, &unit, user.as_deref(), vm)? {
                properties.set_item(name.as_str(), vm.ctx.new_str(value).into(), vm)?;
            }
            Ok(properties.into())
        },
    },
    Function {
        name: "get_unit_property",
        params: &[
            Param::required("unit", "str"),
            Param::required("property", "str"),
            user(),
        ],
        returns: "str",
        doc: "Returns one property of a unit, as `systemctl show` has it. Fails if there is no such property.",
        call: |machine, arguments, vm| {
            let unit = arguments.text("unit", vm)?;
            let property = arguments.text("property", vm)?;
            let user = arguments.optional_text("user", vm)?;
            let value = unit_property(machine, &unit, &property, user.as_deref(), vm)?;
            Ok(vm.ctx.new_str(value).into())
        },
    },
    Function {
        name: "require_unit_state",
        params: &[
            Param::required("unit", "str"),
            Param::optional("require_state", "str", Literal::Text("active")),
        ],
        returns: "None",
        doc: "Fails if a unit is not in this state now.",
        call: require_unit_state,
    },
    Function {
        name: "start_job",
        params: &[Param::required("jobname", "str"), user()],
        returns: "tuple[int, str]",
        doc: "Starts a unit and waits for the end of that job; returns the exit status and output of systemctl.",
        call: |machine, arguments, vm| job(machine, arguments, "start", vm),
    },
    Function {
        name: "stop_job",
        params: &[Param::required("jobname", "str"), user()],
        returns: "tuple[int, str]",
        doc: "Stops a unit and waits for the end of that job; returns the exit status and output of systemctl.",
        call: |machine, arguments, vm| job(machine, arguments, "stop", vm),
    },
];

const fn user() -> Param {
    Param::optional("user", "str | None", Literal::None)
}

fn job(machine: &PyObject, arguments: &Arguments, verb: &str, vm: &VirtualMachine) -> PyResult {
    let query = format!("{verb} {}", arguments.text("jobname", vm)?);
    vm.call_method(machine, "systemctl", (query, arguments.get("user").clone()))
}

fn systemctl_command(query: &str, user: Option<&str>) -> String {
    match user {
        None => format!("systemctl {query}"),
        // A login shell of the user's, told where its manager's bus is.
        Some(user) => {
            let query = query.replace('\'', "\\'");
            format!(
                "su -l {user} --shell /bin/sh -c \
                 $'XDG_RUNTIME_DIR=/run/user/`id -u` systemctl --user {query}'"
            )
        }
    }
}

/// Asks systemctl the way the object does it: a subclass may have its own `systemctl`.
fn ask(
    machine: &PyObject,
    query: &str,
    user: Option<&str>,
    vm: &VirtualMachine,
) -> PyResult<Outcome> {
    if is_own(machine, vm.ctx.intern_str("systemctl"), vm) {
        let command = systemctl_command(query, user);
        return commands::run(machine, &command, &How::quiet(), vm);
    }
    let pair = match user {
        Some(user) => vm.call_method(machine, "systemctl", (query, user))?,
        None => vm.call_method(machine, "systemctl", (query,))?,
    };
    Outcome::from_pair(&pair, vm)
}

fn wait_for_unit(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let unit = arguments.text("unit", vm)?;
    let user = arguments.optional_text("user", vm)?;
    let timeout = arguments.timeout("timeout", vm)?;
    let suffix = match &user {
        Some(user) => format!(" with user {user}"),
        None => String::new(),
    };
    let message = format!("waiting for unit {unit}{suffix}");
    step(machine, &message, vm, || {
        let waited = if agent_knows(machine, vm)? {
            let condition = Condition::Unit {
                unit: unit.clone(),
                user: user.clone(),
                state: None,
            };
            waits::wait_here(machine, &message, &condition, &timeout, vm)
        } else {
            watch_unit(machine, &message, &unit, user.as_deref(), &timeout, vm)
        };
        waited.inspect_err(|failure| explain(machine, &unit, user.as_deref(), failure, vm))
    })?;
    Ok(vm.ctx.none())
}

/// The exit status of a command that the shell does not find.
const NO_SUCH_COMMAND: i32 = 127;

/// Adds what systemd knows of a unit that was waited for in vain: whether it exists, how it ended, what it last said.
fn explain(
    machine: &PyObject,
    unit: &str,
    user: Option<&str>,
    failure: &PyBaseExceptionRef,
    vm: &VirtualMachine,
) {
    let is_well = this(machine, vm)
        .is_ok_and(|this| failure.fast_isinstance(&this.session.exceptions.assertion));
    if !is_well {
        return;
    }
    let query = format!("--no-pager --lines=10 status \"{unit}\" 2>&1");
    // What cannot be found out must not hide the failure itself.
    if let Ok(outcome) = ask(machine, &query, user, vm)
        && outcome.status != NO_SUCH_COMMAND
        && !outcome.output.trim().is_empty()
    {
        let note = format!("systemctl status:\n{}", indent(&outcome.output));
        let _ = add_note(failure, note, vm);
    }
}

/// Whether the agent is to be asked for the states of units, not methods that a subclass may have changed.
fn agent_knows(machine: &PyObject, vm: &VirtualMachine) -> PyResult<bool> {
    let own = ["systemctl", "get_unit_property", "get_unit_info"]
        .iter()
        .all(|method| is_own(machine, vm.ctx.intern_str(*method), vm));
    Ok(own && waits::happen_here(machine, vm)?)
}

/// Reads the state of a unit again and again until it is active.
fn watch_unit(
    machine: &PyObject,
    message: &str,
    unit: &str,
    user: Option<&str>,
    timeout: &Timeout,
    vm: &VirtualMachine,
) -> PyResult<()> {
    let session = &this(machine, vm)?.session;
    commands::connect_first(machine, vm)?;
    retry::until(session, message, timeout, vm, |_last| {
        let state = active_state(machine, unit, user, vm)?;
        match state.as_str() {
            "active" => return Ok(Try::Done(())),
            "failed" => {
                let message = format!("unit \"{unit}\" reached state \"failed\"");
                return Err(session.failed(message, vm));
            }
            "inactive" if !may_become_active(machine, unit, user, vm)? => {
                let message = format!("unit \"{unit}\" is inactive and there are no pending jobs");
                return Err(session.failed(message, vm));
            }
            _ => {}
        }
        Ok(Try::NotYet(format!("state {state}")))
    })
}

/// Whether anything could still start an inactive unit: a job is pending, or the unit has moved on since it was looked at.
fn may_become_active(
    machine: &PyObject,
    unit: &str,
    user: Option<&str>,
    vm: &VirtualMachine,
) -> PyResult<bool> {
    let jobs = ask(machine, "list-jobs --full 2>&1", user, vm)?;
    if !jobs.output.contains("No jobs") {
        return Ok(true);
    }
    Ok(state_in_info(machine, unit, user, vm)? != "inactive")
}

/// The state of a unit, the way the object reads properties: a subclass may have its own `get_unit_property`.
fn active_state(
    machine: &PyObject,
    unit: &str,
    user: Option<&str>,
    vm: &VirtualMachine,
) -> PyResult<String> {
    let property = "ActiveState";
    if is_own(machine, vm.ctx.intern_str("get_unit_property"), vm) {
        return unit_property(machine, unit, property, user, vm);
    }
    let state = match user {
        Some(user) => vm.call_method(machine, "get_unit_property", (unit, property, user))?,
        None => vm.call_method(machine, "get_unit_property", (unit, property))?,
    };
    text(&state, vm)
}

/// The state of a unit among all of its properties, the way the object reads those; empty if it is not among them.
fn state_in_info(
    machine: &PyObject,
    unit: &str,
    user: Option<&str>,
    vm: &VirtualMachine,
) -> PyResult<String> {
    if is_own(machine, vm.ctx.intern_str("get_unit_info"), vm) {
        let info = unit_info(machine, unit, user, vm)?.into_iter();
        let mut state = info.filter(|(name, _)| name == "ActiveState");
        return Ok(state.next().map(|(_, state)| state).unwrap_or_default());
    }
    let info = match user {
        Some(user) => vm.call_method(machine, "get_unit_info", (unit, user))?,
        None => vm.call_method(machine, "get_unit_info", (unit,))?,
    };
    text(&info.get_item("ActiveState", vm)?, vm)
}

fn wait_for_unit_active_state(
    machine: &PyObject,
    arguments: &Arguments,
    vm: &VirtualMachine,
) -> PyResult {
    let session = &this(machine, vm)?.session;
    let unit = arguments.text("unit", vm)?;
    let wanted = arguments.text("state", vm)?;
    let timeout = arguments.timeout("timeout", vm)?;
    let message = format!("waiting for unit {unit} to be {wanted}");
    step(machine, &message, vm, || {
        if agent_knows(machine, vm)? {
            let condition = Condition::Unit {
                unit: unit.clone(),
                user: None,
                state: Some(wanted.clone()),
            };
            return waits::wait_here(machine, &message, &condition, &timeout, vm);
        }
        commands::connect_first(machine, vm)?;
        retry::until(session, &message, &timeout, vm, |_last| {
            let state = active_state(machine, &unit, None, vm)?;
            Ok(if state == wanted {
                Try::Done(())
            } else {
                Try::NotYet(format!("state {state}"))
            })
        })
    })?;
    Ok(vm.ctx.none())
}

fn require_unit_state(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let session = &this(machine, vm)?.session;
    let unit = arguments.text("unit", vm)?;
    let required = arguments.text("require_state", vm)?;
    let message = format!("checking if unit '{unit}' has reached state '{required}'");
    step(machine, &message, vm, || {
        let state = state_in_info(machine, &unit, None, vm)?;
        if state == required {
            return Ok(vm.ctx.none());
        }
        let message = format!(
            "Expected unit '{unit}' to to be in state '{required}' but it is in state '{state}'"
        );
        Err(session.failed(message, vm))
    })
}

fn unit_info(
    machine: &PyObject,
    unit: &str,
    user: Option<&str>,
    vm: &VirtualMachine,
) -> PyResult<Vec<(String, String)>> {
    let outcome = ask(machine, &format!("--no-pager show \"{unit}\""), user, vm)?;
    let what = format!("info for unit \"{unit}\"");
    check(machine, &what, user, &outcome, vm)?;
    let lines = outcome.output.lines();
    Ok(lines.filter_map(property_of_line).collect())
}

fn unit_property(
    machine: &PyObject,
    unit: &str,
    property: &str,
    user: Option<&str>,
    vm: &VirtualMachine,
) -> PyResult<String> {
    let query = format!("--no-pager show \"{unit}\" --property=\"{property}\"");
    let outcome = ask(machine, &query, user, vm)?;
    let what = format!("property \"{property}\" for unit \"{unit}\"");
    check(machine, &what, user, &outcome, vm)?;
    let mut lines = outcome.output.lines();
    match (lines.next().and_then(property_of_line), lines.next()) {
        (Some((name, value)), None) if name == property => Ok(value),
        _ => {
            let message = format!(
                "systemctl show --property \"{property}\" \"{unit}\" produced invalid output: {}",
                outcome.output
            );
            Err(this(machine, vm)?.session.failed(message, vm))
        }
    }
}

fn check(
    machine: &PyObject,
    what: &str,
    user: Option<&str>,
    outcome: &Outcome,
    vm: &VirtualMachine,
) -> PyResult<()> {
    if outcome.status == 0 {
        return Ok(());
    }
    let session = &this(machine, vm)?.session;
    let user = match user {
        Some(user) => format!(" under user \"{user}\""),
        None => String::new(),
    };
    let status = outcome.status;
    let message = format!("retrieving systemctl {what}{user} failed with exit code {status}");
    let exception = session.failed(message, vm);
    outcome.add_stderr(&exception, vm);
    Err(exception)
}

/// A `Name=value` line.
fn property_of_line(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}
