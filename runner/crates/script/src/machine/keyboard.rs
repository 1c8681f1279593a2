//! Pressing keys of the machine's keyboard, which has the US layout.

use rustpython_vm::{AsObject, PyObject, PyResult, VirtualMachine};

use super::{callbacks, is_own, monitor, name, step, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::Arguments;
use crate::event::Level;
use crate::timeouts::Timeout;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "send_key",
        params: &[
            Param::required("key", "str"),
            delay(),
            Param::optional("log", "bool", Literal::Bool(true)),
        ],
        returns: "None",
        doc: "Presses a key, given by its character or by QEMU's name for it, such as `ret`, `f1` or `ctrl-alt-f2`, then waits \
              for the delay in seconds. A key that QEMU does not have is left out, with a warning.",
        call: |machine, arguments, vm| {
            let key = code_of(&arguments.text("key", vm)?).into_owned();
            let delay = arguments.timeout("delay", vm)?;
            let press = || press(machine, &key, &delay, vm);
            if arguments.flag("log", vm)? {
                let shown = vm.ctx.new_str(key.as_str()).as_object().repr(vm)?;
                let message = format!("sending key {}", shown.to_string_lossy());
                step(machine, &message, vm, press)?;
            } else {
                press()?;
            }
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "send_chars",
        params: &[Param::required("chars", "str"), delay()],
        returns: "None",
        doc: "Types a text, with the delay in seconds after each key. A character that the US layout does not have is left \
              out, with a warning.",
        call: send_chars,
    },
];

const fn delay() -> Param {
    Param::optional("delay", "Duration | None", Literal::Float(0.01))
}

fn send_chars(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let chars = arguments.text("chars", vm)?;
    let delay = arguments.timeout("delay", vm)?;
    let shown = vm.ctx.new_str(chars.as_str()).as_object().repr(vm)?;
    let message = format!("sending keys {}", shown.to_string_lossy());
    step(machine, &message, vm, || {
        let own = is_own(machine, vm.ctx.intern_str("send_key"), vm);
        for c in chars.chars() {
            let c = c.to_string();
            if own {
                press(machine, &code_of(&c), &delay, vm)?;
            } else {
                let delay = arguments.get("delay").clone();
                vm.call_method(machine, "send_key", (c, delay, false))?;
            }
        }
        Ok(vm.ctx.none())
    })
}

fn press(machine: &PyObject, key: &str, delay: &Timeout, vm: &VirtualMachine) -> PyResult<()> {
    let session = &this(machine, vm)?.session;
    let command = format!("sendkey {key}");
    let reply = if is_own(machine, vm.ctx.intern_str("send_monitor_command"), vm) {
        callbacks::run(machine, vm)?;
        monitor::monitor(machine, &command, vm)?
    } else {
        vm.call_method(machine, "send_monitor_command", (command,))?;
        String::new()
    };
    if !reply.trim().is_empty() {
        let message = format!("QEMU cannot press the key `{key}`: {}", reply.trim());
        session.message(Level::Warning, Some(&name(machine, vm)?), message);
    }
    match delay.limit {
        Some(delay) if !delay.is_zero() => session.sleep(delay, vm),
        _ => Ok(()),
    }
}

/// Characters of the US layout with QEMU's name of their key; letters and digits are their own names. Punctuation goes by
/// scan code, since not every QEMU has names for it.
pub(crate) const KEYS: &[(char, &str)] = &[
    (' ', "spc"),
    ('\n', "ret"),
    ('\t', "tab"),
    ('!', "shift-0x02"),
    ('@', "shift-0x03"),
    ('#', "shift-0x04"),
    ('$', "shift-0x05"),
    ('%', "shift-0x06"),
    ('^', "shift-0x07"),
    ('&', "shift-0x08"),
    ('*', "shift-0x09"),
    ('(', "shift-0x0A"),
    (')', "shift-0x0B"),
    ('-', "0x0C"),
    ('_', "shift-0x0C"),
    ('=', "0x0D"),
    ('+', "shift-0x0D"),
    ('[', "0x1A"),
    ('{', "shift-0x1A"),
    (']', "0x1B"),
    ('}', "shift-0x1B"),
    (';', "0x27"),
    (':', "shift-0x27"),
    ('\'', "0x28"),
    ('"', "shift-0x28"),
    ('`', "0x29"),
    ('~', "shift-0x29"),
    ('\\', "0x2B"),
    ('|', "shift-0x2B"),
    (',', "0x33"),
    ('<', "shift-0x33"),
    ('.', "0x34"),
    ('>', "shift-0x34"),
    ('/', "0x35"),
    ('?', "shift-0x35"),
];

/// QEMU's name of a key that is given by its character or by that name.
pub(crate) fn code_of(key: &str) -> std::borrow::Cow<'_, str> {
    let mut chars = key.chars();
    let (Some(c), None) = (chars.next(), chars.next()) else {
        return key.into();
    };
    if c.is_ascii_uppercase() {
        return format!("shift-{}", c.to_ascii_lowercase()).into();
    }
    let known = KEYS.iter().find(|(known, _)| *known == c);
    known.map_or(key, |(_, name)| name).into()
}

#[cfg(test)]
mod tests {
    use super::code_of;

    #[test]
    fn characters_become_keys() {
        let cases = [
            ("a", "a"),
            ("Z", "shift-z"),
            ("7", "7"),
            ("\n", "ret"),
            ("\t", "tab"),
            ("?", "shift-0x35"),
            ("ctrl-alt-f2", "ctrl-alt-f2"),
            ("kp_enter", "kp_enter"),
            ("", ""),
        ];
        for (key, name) in cases {
            assert_eq!(code_of(key), name);
        }
    }
}
