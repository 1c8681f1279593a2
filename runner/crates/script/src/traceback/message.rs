//! What an exception says, in the words of people.

use rustpython_vm::builtins::PyBaseException;
use rustpython_vm::suggestion::offer_suggestions;
use rustpython_vm::{AsObject, Py, VirtualMachine};

use crate::arguments::text;

/// Name and message of an exception, with its notes.
pub(super) fn message(exception: &Py<PyBaseException>, vm: &VirtualMachine) -> String {
    if exception.fast_isinstance(vm.ctx.exceptions.system_exit) {
        let code = exit_code(exception, vm).unwrap_or_default();
        let status = if code.parse::<i64>().is_ok() {
            "exit status "
        } else {
            ""
        };
        return format!("the script ended itself: {status}{code}");
    }
    let object = exception.as_object().to_owned();
    let name = class_name(exception, vm);
    let described = text(&object, vm).unwrap_or_else(|_| "(no message: str() failed)".to_owned());
    let mut message = if described.is_empty() {
        name
    } else {
        format!("{name}: {described}")
    };
    // As the interpreter does where it shows a traceback itself.
    if let Some(meant) = offer_suggestions(exception, vm) {
        message += &format!(". Did you mean: '{}'?", meant.to_string_lossy());
    }
    if let Ok(notes) = object.get_attr("__notes__", vm)
        && let Ok(notes) = notes.try_into_value::<Vec<_>>(vm)
    {
        for note in notes {
            if let Ok(note) = text(&note, vm) {
                message.push('\n');
                message.push_str(&note);
            }
        }
    }
    message
}

/// The name of an exception's class, with its module unless it is one that scripts know by its bare name.
pub(super) fn class_name(exception: &Py<PyBaseException>, vm: &VirtualMachine) -> String {
    let class = exception.class();
    let name = class.name().to_string();
    let module = class.as_object().get_attr("__module__", vm);
    match module.and_then(|module| text(&module, vm)) {
        Ok(module)
            if module != "builtins"
                && module != "__main__"
                && !module.starts_with("test_driver.") =>
        {
            format!("{module}.{name}")
        }
        _ => name,
    }
}

/// What a `SystemExit` says; `0` where it says nothing.
pub(crate) fn exit_code(exception: &Py<PyBaseException>, vm: &VirtualMachine) -> Option<String> {
    match exception.args().as_slice() {
        [] => Some("0".to_owned()),
        [code] if vm.is_none(code) => Some("0".to_owned()),
        [code] => text(code, vm).ok(),
        _ => None,
    }
}
