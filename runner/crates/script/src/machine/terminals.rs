//! The text on the guest's virtual terminals.

use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::commands::{self, How};
use super::messages::say;
use super::outcome::Outcome;
use super::{regex, step, this};
use crate::api::{Function, Param};
use crate::arguments::{Arguments, text};
use crate::retry::{self, Try};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "get_tty_text",
        params: &[Param::required("tty", "str | int")],
        returns: "str",
        doc: "Returns the text on a virtual terminal, such as 1, line by line.",
        call: |machine, arguments, vm| {
            let screen = read(machine, &arguments.text("tty", vm)?, vm)?;
            Ok(vm.ctx.new_str(screen.output).into())
        },
    },
    Function {
        name: "wait_until_tty_matches",
        params: &[
            Param::required("tty", "str | int"),
            Param::required("regexp", "str | Pattern[str]"),
            Param::timeout(),
        ],
        returns: "None",
        doc: "Waits until a regular expression matches somewhere in the text on a virtual terminal.",
        call: wait_until_tty_matches,
    },
    Function {
        name: "dump_tty_contents",
        params: &[Param::required("tty", "str | int")],
        returns: "None",
        doc: "Writes the text on a virtual terminal to the guest's journal, in lines of 80 characters.",
        call: |machine, arguments, vm| {
            let tty = arguments.text("tty", vm)?;
            let command = format!("fold -w 80 /dev/vcs{tty} | systemd-cat");
            vm.call_method(machine, "execute", (command,))?;
            Ok(vm.ctx.none())
        },
    },
];

/// The terminal's memory has no ends of lines; its width says where they are.
fn read(machine: &PyObject, tty: &str, vm: &VirtualMachine) -> PyResult<Outcome> {
    let width = format!("$(stty -F /dev/tty{tty} size | awk '{{print $2}}')");
    let command = format!("fold -w{width} /dev/vcs{tty}");
    commands::run(machine, &command, &How::quiet(), vm)
}

fn wait_until_tty_matches(
    machine: &PyObject,
    arguments: &Arguments,
    vm: &VirtualMachine,
) -> PyResult {
    let session = &this(machine, vm)?.session;
    let tty = arguments.text("tty", vm)?;
    let pattern = arguments.get("regexp");
    let timeout = arguments.timeout("timeout", vm)?;
    let shown = regex::shown(pattern, vm)?;
    let message = format!("waiting for {shown} to appear on tty {tty}");
    let pattern = regex::compiled(pattern, vm)?;
    step(machine, &message, vm, || {
        commands::connect_first(machine, vm)?;
        retry::until(session, &message, &timeout, vm, |last| {
            let screen: PyObjectRef = vm.call_method(machine, "get_tty_text", (tty.as_str(),))?;
            if regex::matches(&pattern, &screen, vm)? {
                return Ok(Try::Done(()));
            }
            let contents = text(&screen, vm)?;
            if last {
                say(
                    machine,
                    format!(
                        "Last chance to match /{shown}/ on TTY{tty}, which currently contains: {contents}"
                    ),
                    vm,
                )?;
            }
            Ok(Try::NotYet(format!(
                "text on the terminal:\n{}",
                tidy(&contents)
            )))
        })
    })?;
    Ok(vm.ctx.none())
}

/// A screen's text without its blanks at line ends and its empty lines at the end.
fn tidy(contents: &str) -> String {
    let lines: Vec<String> = contents
        .lines()
        .map(|line| format!("  {}", line.trim_end()).trim_end().to_owned())
        .collect();
    lines.join("\n").trim_end().to_owned()
}
