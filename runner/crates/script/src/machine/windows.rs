//! Windows of a guest's X server.

use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::commands::{self, How};
use super::messages::say;
use super::outcome::Outcome;
use super::{is_own, regex, step, this, waits};
use crate::api::{Function, Param};
use crate::arguments::{Arguments, text};
use crate::backend::Condition;
use crate::retry::{self, Try};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "wait_for_x",
        params: &[Param::timeout()],
        returns: "None",
        doc: "Waits until the X server accepts connections and the graphical session of its user is there.",
        call: wait_for_x,
    },
    Function {
        name: "get_window_names",
        params: &[],
        returns: "list[str]",
        doc: "Returns the names of all windows of the X server.",
        call: |machine, _arguments, vm| {
            let tree = vm.call_method(machine, "succeed", (TREE,))?;
            let names = names_in(&text(&tree, vm)?).into_iter();
            let names = names.map(|name| vm.ctx.new_str(name).into());
            Ok(vm.ctx.new_list(names.collect()).into())
        },
    },
    Function {
        name: "wait_for_window",
        params: &[
            Param::required("regexp", "str | Pattern[str]"),
            Param::timeout(),
        ],
        returns: "None",
        doc: "Waits until the name of a window of the X server matches a regular expression.",
        call: wait_for_window,
    },
];

/// Shows all windows with their names.
const TREE: &str = "xwininfo -root -tree";

/// What systemd's user manager says when the graphical session is there.
const SESSION_IS_UP: &str =
    "journalctl -b SYSLOG_IDENTIFIER=systemd | grep 'Reached target Current graphical'";

/// The socket of the first X server.
const SOCKET: &str = "/tmp/.X11-unix/X0";

fn wait_for_x(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let session = &this(machine, vm)?.session;
    let timeout = arguments.timeout("timeout", vm)?;
    let message = "waiting for the X11 server";
    step(machine, message, vm, || {
        commands::connect_first(machine, vm)?;
        let started = session.driver().now();
        let word = SOCKET.to_owned();
        let mut accepts = waits::happen_here(machine, vm)?;
        if accepts {
            waits::wait_here(machine, message, &Condition::File { word }, &timeout, vm)?;
        }
        let holds = |command: &str| -> PyResult<bool> {
            Ok(commands::run(machine, command, &How::quiet(), vm)?.status == 0)
        };
        let elapsed = session.driver().now().saturating_duration_since(started);
        retry::until(session, message, &timeout.after(elapsed), vm, |_last| {
            accepts = accepts || holds(&format!("test -e {SOCKET}"))?;
            Ok(if !accepts {
                Try::NotYet("there is no X server yet".to_owned())
            } else if !holds(SESSION_IS_UP)? {
                Try::NotYet("there is no graphical session yet".to_owned())
            } else {
                Try::Done(())
            })
        })
    })?;
    Ok(vm.ctx.none())
}

fn names_in(tree: &str) -> Vec<String> {
    let names = tree.lines().filter_map(window_name);
    names.map(str::to_owned).collect()
}

/// Reads the names the way the object does it: a subclass may have its own `get_window_names`.
fn names(machine: &PyObject, vm: &VirtualMachine) -> PyResult<Result<Vec<String>, Outcome>> {
    if !is_own(machine, vm.ctx.intern_str("get_window_names"), vm) {
        let names = vm.call_method(machine, "get_window_names", ())?;
        let names: Vec<PyObjectRef> = names.try_into_value(vm)?;
        let names: PyResult<_> = names.iter().map(|name| text(name, vm)).collect();
        return names.map(Ok);
    }
    let outcome = commands::run(machine, TREE, &How::quiet(), vm)?;
    Ok(if outcome.status == 0 {
        Ok(names_in(&outcome.output))
    } else {
        Err(outcome)
    })
}

fn wait_for_window(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let session = &this(machine, vm)?.session;
    let shown = regex::shown(arguments.get("regexp"), vm)?;
    let pattern = regex::compiled(arguments.get("regexp"), vm)?;
    let timeout = arguments.timeout("timeout", vm)?;
    let message = "waiting for a window to appear";
    step(machine, message, vm, || {
        commands::connect_first(machine, vm)?;
        retry::until(session, message, &timeout, vm, |last| {
            let names = match names(machine, vm)? {
                Ok(names) => names,
                Err(failed) => return Ok(Try::NotYet(failed.seen())),
            };
            for name in &names {
                let name: PyObjectRef = vm.ctx.new_str(name.as_str()).into();
                if regex::matches(&pattern, &name, vm)? {
                    return Ok(Try::Done(()));
                }
            }
            let names = names.join(", ");
            if last {
                let message = format!(
                    "Last chance to match {shown} on the window list, which currently contains: {names}"
                );
                say(machine, message, vm)?;
            }
            Ok(Try::NotYet(format!("windows: {names}")))
        })
    })?;
    Ok(vm.ctx.none())
}

/// The name in a line of the window tree, such as `0x200001 "xterm": ("xterm" "XTerm")  10x20+0+0`.
fn window_name(line: &str) -> Option<&str> {
    let (_, after) = line.split_once("0x")?;
    let (_, quoted) = after.split_once(" \"")?;
    // The class, in parentheses, has quotes of its own.
    let end = quoted.find("\": (").or_else(|| quoted.find('"'))?;
    Some(&quoted[..end])
}

#[cfg(test)]
mod tests {
    use super::window_name;

    #[test]
    fn names_are_read_off_the_tree() {
        let cases = [
            (
                r#"     0x200001 "xterm": ("xterm" "XTerm")  10x20+0+0"#,
                Some("xterm"),
            ),
            (
                r#"  0x1 "say "hi"": ("a" "B")  1x1+0+0"#,
                Some(r#"say "hi""#),
            ),
            (r#"  0x2 "plain""#, Some("plain")),
            ("     0x200003 (has no name): ()  1x1+-1+-1", None),
            ("  Root window id: none", None),
        ];
        for (line, name) in cases {
            assert_eq!(window_name(line), name, "{line}");
        }
    }
}
