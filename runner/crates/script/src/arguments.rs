//! The arguments of one call: bound to the parameters of a [`Function`], then read by name and type.

use rustpython_vm::builtins::PyDictRef;
use rustpython_vm::function::FuncArgs;
use rustpython_vm::{AsObject, PyObjectRef, PyResult, VirtualMachine};

use crate::api::{Function, Literal, ParamKind};
use crate::timeouts::Timeout;

/// Arguments, one for each parameter of the function.
pub(crate) struct Arguments {
    function: &'static Function,
    values: Vec<PyObjectRef>,
    rest: Vec<PyObjectRef>,
}

/// Binds what a script gave to the parameters, with the errors that Python gives for its own functions.
pub(crate) fn bind(
    owner: &str,
    function: &'static Function,
    given: FuncArgs,
    vm: &VirtualMachine,
) -> PyResult<Arguments> {
    let wrong = |what: String| vm.new_type_error(format!("{owner}.{}() {what}", function.name));
    let count = given.args.len();
    let mut positional = given.args.into_iter();
    let mut keywords = given.kwargs;
    let mut values = Vec::with_capacity(function.params.len());
    let mut rest = Vec::new();
    let mut by_keyword_only = false;

    for param in function.params {
        let value = match param.kind {
            ParamKind::Rest => {
                rest = positional.by_ref().collect();
                by_keyword_only = true;
                vm.ctx.none()
            }
            ParamKind::Keywords => {
                let dict = vm.ctx.new_dict();
                for (name, value) in keywords.drain(..) {
                    dict.set_item(name.as_str(), value, vm)?;
                }
                dict.into()
            }
            ParamKind::Required | ParamKind::Optional(_) => {
                by_keyword_only |= param.keyword_only;
                let position = if by_keyword_only {
                    None
                } else {
                    positional.next()
                };
                let keyword = keywords
                    .shift_remove(param.name)
                    .or_else(|| keywords.shift_remove(param.old_name?));
                match (position, keyword, param.kind) {
                    (Some(_), Some(_), _) => {
                        return Err(wrong(format!(
                            "got multiple values for argument '{}'",
                            param.name
                        )));
                    }
                    (Some(value), None, _) | (None, Some(value), _) => value,
                    (None, None, ParamKind::Optional(default)) => literal(default, vm),
                    (None, None, _) => {
                        return Err(wrong(format!(
                            "missing required argument: '{}'",
                            param.name
                        )));
                    }
                }
            }
        };
        values.push(value);
    }
    if positional.next().is_some() {
        let most = function
            .params
            .iter()
            .filter(|param| is_single(param.kind) && !param.keyword_only)
            .count();
        return Err(wrong(format!(
            "takes at most {most} positional arguments but {count} were given"
        )));
    }
    if let Some(name) = keywords.keys().next() {
        return Err(wrong(format!(
            "got an unexpected keyword argument '{name}'"
        )));
    }
    Ok(Arguments {
        function,
        values,
        rest,
    })
}

fn is_single(kind: ParamKind) -> bool {
    matches!(kind, ParamKind::Required | ParamKind::Optional(_))
}

fn literal(literal: Literal, vm: &VirtualMachine) -> PyObjectRef {
    match literal {
        Literal::None => vm.ctx.none(),
        Literal::Bool(value) => vm.ctx.new_bool(value).into(),
        Literal::Int(value) => vm.ctx.new_int(value).into(),
        Literal::Float(value) => vm.ctx.new_float(value).into(),
        Literal::Text(value) => vm.ctx.new_str(value).into(),
        Literal::EmptyDict => vm.ctx.new_dict().into(),
    }
}

impl Arguments {
    fn index(&self, name: &str) -> usize {
        let mut params = self.function.params.iter();
        let index = params.position(|param| param.name == name);
        index.expect("a function reads only parameters that it declares")
    }

    /// The value of a parameter, which may be its default.
    pub(crate) fn get(&self, name: &str) -> &PyObjectRef {
        &self.values[self.index(name)]
    }

    /// What the `*rest` parameter took.
    pub(crate) fn rest(&self) -> &[PyObjectRef] {
        &self.rest
    }

    /// The value as text. Any object will do, as in the f-strings of the original driver: a path, a number.
    pub(crate) fn text(&self, name: &str, vm: &VirtualMachine) -> PyResult<String> {
        text(self.get(name), vm)
    }

    /// The value as text, or `None`.
    pub(crate) fn optional_text(
        &self,
        name: &str,
        vm: &VirtualMachine,
    ) -> PyResult<Option<String>> {
        let value = self.get(name);
        if vm.is_none(value) {
            Ok(None)
        } else {
            text(value, vm).map(Some)
        }
    }

    /// Whether the value is true.
    pub(crate) fn flag(&self, name: &str, vm: &VirtualMachine) -> PyResult<bool> {
        self.get(name).clone().try_to_bool(vm)
    }

    /// Whether the value is true, or `None`.
    pub(crate) fn optional_flag(&self, name: &str, vm: &VirtualMachine) -> PyResult<Option<bool>> {
        if vm.is_none(self.get(name)) {
            Ok(None)
        } else {
            self.flag(name, vm).map(Some)
        }
    }

    /// The value as the number of a port, which may be written as text.
    pub(crate) fn port(&self, name: &str, vm: &VirtualMachine) -> PyResult<u16> {
        let given = self.text(name, vm)?;
        given
            .parse()
            .map_err(|_| vm.new_value_error(format!("not a TCP port: {given}")))
    }

    /// The value as a time-out.
    pub(crate) fn timeout(&self, name: &str, vm: &VirtualMachine) -> PyResult<Timeout> {
        Timeout::from_object(self.get(name), vm)
    }

    /// The value as a dictionary's entry, if it is a dictionary that has it.
    pub(crate) fn entry(
        &self,
        name: &str,
        key: &str,
        vm: &VirtualMachine,
    ) -> PyResult<Option<String>> {
        entry(self.get(name), key, vm)
    }
}

/// A dictionary's entry as text, if the object is a dictionary that has it.
pub(crate) fn entry(
    object: &PyObjectRef,
    key: &str,
    vm: &VirtualMachine,
) -> PyResult<Option<String>> {
    let Ok(dict) = object.clone().downcast() else {
        return Ok(None);
    };
    let dict: PyDictRef = dict;
    dict.get_item_opt(key, vm)?
        .map(|value| text(&value, vm))
        .transpose()
}

/// `str(object)`, with the replacement character in place of lone surrogates.
pub(crate) fn text(object: &PyObjectRef, vm: &VirtualMachine) -> PyResult<String> {
    Ok(object.as_object().str(vm)?.to_string_lossy().into_owned())
}
