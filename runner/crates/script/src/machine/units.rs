//! systemd units of the guest, through `systemctl`.

use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::commands::{self, Outcome};
use super::{step, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::Arguments;
use crate::retry::{self, Try};
use crate::timeouts::Timeout;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "systemctl",
        params: &[Param::required("q", "str"), user()],
        returns: "tuple[int, str]",
        doc: "Runs systemctl with these arguments, for the system or for a user's own manager, and returns its exit status and output.",
        call: |machine, arguments, vm| systemctl_pair(machine, arguments, "q", "", vm),
    },
    Function {
        name: "wait_for_unit",
        params: &[Param::required("unit", "str"), user(), Param::timeout()],
        returns: "None",
        doc: "Waits until a unit is active. Fails at once when it is failed, or inactive with no job pending.",
        call: wait_for_unit,
    },
    Function {
        name: "get_unit_info",
        params: &[Param::required("unit", "str"), user()],
        returns: "dict[str, str]",
        doc: "All properties of a unit.",
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
        doc: "One property of a unit.",
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
        doc: "Starts a unit; returns the exit status and output of systemctl.",
        call: |machine, arguments, vm| systemctl_pair(machine, arguments, "jobname", "start ", vm),
    },
    Function {
        name: "stop_job",
        params: &[Param::required("jobname", "str"), user()],
        returns: "tuple[int, str]",
        doc: "Stops a unit; returns the exit status and output of systemctl.",
        call: |machine, arguments, vm| systemctl_pair(machine, arguments, "jobname", "stop ", vm),
    },
];

const fn user() -> Param {
    Param::optional("user", "str | None", Literal::None)
}

fn systemctl_pair(
    machine: &PyObject,
    arguments: &Arguments,
    param: &str,
    verb: &str,
    vm: &VirtualMachine,
) -> PyResult {
    let query = format!("{verb}{}", arguments.text(param, vm)?);
    let user = arguments.optional_text("user", vm)?;
    let outcome = systemctl(machine, &query, user.as_deref(), vm)?;
    Ok(vm.new_tuple((outcome.status, outcome.output)).into())
}

fn systemctl(
    machine: &PyObject,
    query: &str,
    user: Option<&str>,
    vm: &VirtualMachine,
) -> PyResult<Outcome> {
    let command = match user {
        None => format!("systemctl {query}"),
        // A login shell of the user's, told where its manager's bus is.
        Some(user) => {
            let query = query.replace('\'', "\\'");
            format!(
                "su -l {user} --shell /bin/sh -c \
                 $'XDG_RUNTIME_DIR=/run/user/`id -u` systemctl --user {query}'"
            )
        }
    };
    commands::run_plainly(machine, &command, vm)
}

fn wait_for_unit(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let session = &this(machine, vm)?.session;
    let unit = arguments.text("unit", vm)?;
    let user = arguments.optional_text("user", vm)?;
    let user = user.as_deref();
    let timeout: Timeout = arguments.timeout("timeout", vm)?;
    let suffix = user
        .map(|user| format!(" with user {user}"))
        .unwrap_or_default();
    let message = format!("waiting for unit {unit}{suffix}");
    step(machine, &message, vm, || {
        commands::connect_first(machine, vm)?;
        retry::until(session, &message, &timeout, vm, |_last| {
            let state = unit_property(machine, &unit, "ActiveState", user, vm)?;
            match state.as_str() {
                "active" => return Ok(Try::Done(())),
                "failed" => {
                    let message = format!("unit \"{unit}\" reached state \"failed\"");
                    return Err(session.failed(message, vm));
                }
                "inactive" if !may_become_active(machine, &unit, user, vm)? => {
                    let message =
                        format!("unit \"{unit}\" is inactive and there are no pending jobs");
                    return Err(session.failed(message, vm));
                }
                _ => {}
            }
            Ok(Try::NotYet(format!("state {state}")))
        })
    })?;
    Ok(vm.ctx.none())
}

/// Whether anything could still start an inactive unit: a job is pending, or the unit has moved on since it was looked at.
fn may_become_active(
    machine: &PyObject,
    unit: &str,
    user: Option<&str>,
    vm: &VirtualMachine,
) -> PyResult<bool> {
    let jobs = systemctl(machine, "list-jobs --full 2>&1", user, vm)?;
    if !jobs.output.contains("No jobs") {
        return Ok(true);
    }
    let info = unit_info(machine, unit, user, vm)?;
    let state = info.iter().find(|(name, _)| name == "ActiveState");
    Ok(state.is_none_or(|(_, state)| state != "inactive"))
}

fn require_unit_state(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let session = &this(machine, vm)?.session;
    let unit = arguments.text("unit", vm)?;
    let required = arguments.text("require_state", vm)?;
    let message = format!("checking if unit '{unit}' has reached state '{required}'");
    step(machine, &message, vm, || {
        let info = unit_info(machine, &unit, None, vm)?;
        let state = info.iter().find(|(name, _)| name == "ActiveState");
        let state = state.map_or("", |(_, state)| state.as_str());
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
    let outcome = systemctl(machine, &format!("--no-pager show \"{unit}\""), user, vm)?;
    check(
        machine,
        &format!("info for unit \"{unit}\""),
        user,
        &outcome,
        vm,
    )?;
    Ok(outcome
        .output
        .lines()
        .filter_map(property_of_line)
        .collect())
}

fn unit_property(
    machine: &PyObject,
    unit: &str,
    property: &str,
    user: Option<&str>,
    vm: &VirtualMachine,
) -> PyResult<String> {
    let query = format!("--no-pager show \"{unit}\" --property=\"{property}\"");
    let outcome = systemctl(machine, &query, user, vm)?;
    check(
        machine,
        &format!("property \"{property}\" for unit \"{unit}\""),
        user,
        &outcome,
        vm,
    )?;
    match outcome.output.lines().next().and_then(property_of_line) {
        Some((name, value)) if name == property => Ok(value),
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
    let user = user
        .map(|user| format!(" under user \"{user}\""))
        .unwrap_or_default();
    let status = outcome.status;
    let message = format!("retrieving systemctl {what}{user} failed with exit code {status}");
    Err(this(machine, vm)?.session.failed(message, vm))
}

/// A `Name=value` line.
fn property_of_line(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}
