//! Regular expressions as scripts give them: in Python's notation, as text or compiled.

use rustpython_vm::builtins::PyStr;
use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use crate::arguments::text;

/// The pattern object of Python's `re`; a mistake in the expression is `re.error`, before anything is waited for.
pub(super) fn compiled(pattern: &PyObjectRef, vm: &VirtualMachine) -> PyResult {
    let re = vm.import("re", 0)?;
    vm.call_method(&re, "compile", (pattern.clone(),))
}

/// The expression's text, for messages.
pub(super) fn shown(pattern: &PyObjectRef, vm: &VirtualMachine) -> PyResult<String> {
    if pattern.downcastable::<PyStr>() {
        return text(pattern, vm);
    }
    match vm.get_attribute_opt(pattern.clone(), "pattern")? {
        Some(expression) => text(&expression, vm),
        None => text(pattern, vm),
    }
}

/// Whether a pattern object matches anywhere in a text.
pub(super) fn matches(pattern: &PyObject, text: &PyObject, vm: &VirtualMachine) -> PyResult<bool> {
    let found = vm.call_method(pattern, "search", (text.to_owned(),))?;
    Ok(!vm.is_none(&found))
}
