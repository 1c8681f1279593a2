//! What a script can call, as data: each function carries its parameters with their defaults, and the very table that
//! describes a call also binds its arguments. Nothing that is listed here can differ from what is run.

use rustpython_vm::builtins::PyType;
use rustpython_vm::function::{FuncArgs, PyMethodDef, PyMethodFlags, PySetterValue};
use rustpython_vm::{Py, PyObject, PyObjectRef, PyResult, VirtualMachine};

use crate::arguments::{self, Arguments};

/// A class whose objects a script has.
#[derive(Debug)]
pub struct Class {
    /// Its name in Python.
    pub name: &'static str,
    /// Its methods, by topic.
    pub topics: &'static [&'static [Function]],
    /// Its attributes that are not methods.
    pub properties: &'static [Property],
}

impl Class {
    /// All of its methods.
    pub fn functions(&self) -> impl Iterator<Item = &'static Function> {
        self.topics.iter().copied().flatten()
    }
}

/// A function or method that a script can call.
#[derive(Debug)]
pub struct Function {
    /// Its name in Python.
    pub name: &'static str,
    /// Its parameters in their order, without `self`.
    pub params: &'static [Param],
    /// The type of what it returns, in Python's notation.
    pub returns: &'static str,
    /// What it does, for the manual.
    pub doc: &'static str,
    /// Does it: the object before the dot, and the arguments.
    pub(crate) call: fn(&PyObject, &Arguments, &VirtualMachine) -> PyResult,
}

impl Function {
    /// The call in Python's notation, such as `succeed(*commands: str, timeout: Duration | None = None) -> str`.
    pub fn signature(&self) -> String {
        let mut params = Vec::new();
        let mut by_keyword_only = false;
        for param in self.params {
            if param.keyword_only && !by_keyword_only {
                params.push("*".to_owned());
            }
            by_keyword_only |= param.keyword_only || param.kind == ParamKind::Rest;
            params.push(param.describe());
        }
        format!("{}({}) -> {}", self.name, params.join(", "), self.returns)
    }
}

/// An attribute that is not a method.
#[derive(Debug)]
pub struct Property {
    /// Its name in Python.
    pub name: &'static str,
    /// Its type, in Python's notation.
    pub type_name: &'static str,
    /// What it is, for the manual.
    pub doc: &'static str,
    /// Its value, unless a script has [written](Access::Written) one.
    pub(crate) get: fn(&PyObject, &VirtualMachine) -> PyResult,
    /// What a script can do with it.
    pub access: Access,
}

/// What a script can do with an attribute besides reading it.
#[derive(Clone, Copy, Debug)]
pub enum Access {
    /// Nothing.
    ReadOnly,
    /// Write it: then it is what was written, until that is deleted.
    Written,
    /// Write it, with this effect.
    Set(fn(&PyObject, PyObjectRef, &VirtualMachine) -> PyResult<()>),
}

impl Property {
    /// Whether a script can write it.
    pub fn is_writable(&self) -> bool {
        !matches!(self.access, Access::ReadOnly)
    }

    fn read(&self, object: &PyObject, vm: &VirtualMachine) -> PyResult {
        let written = match object.dict() {
            Some(attributes) => attributes.get_item_opt(self.name, vm)?,
            None => None,
        };
        written.map_or_else(|| (self.get)(object, vm), Ok)
    }

    fn write(&self, object: &PyObject, value: PySetterValue, vm: &VirtualMachine) -> PyResult<()> {
        let refused = |what| {
            let message = format!("attribute '{}' cannot be {what}", self.name);
            Err(vm.new_attribute_error(message))
        };
        match (self.access, value, object.dict()) {
            (Access::Set(set), PySetterValue::Assign(value), _) => set(object, value, vm),
            (Access::Written, PySetterValue::Assign(value), Some(attributes)) => {
                attributes.set_item(self.name, value, vm)
            }
            (Access::Written, PySetterValue::Delete, Some(attributes)) => {
                attributes.del_item(self.name, vm)
            }
            (_, PySetterValue::Assign(_), _) => refused("written"),
            (_, PySetterValue::Delete, _) => refused("deleted"),
        }
    }
}

/// A parameter.
#[derive(Debug)]
pub struct Param {
    /// Its name, which is also its keyword.
    pub name: &'static str,
    /// A name that it had in older drivers and that is still understood as a keyword.
    pub old_name: Option<&'static str>,
    /// Its type, in Python's notation.
    pub type_name: &'static str,
    /// What it takes.
    pub kind: ParamKind,
    /// Whether it is given by keyword only. What follows a [`ParamKind::Rest`] always is.
    pub keyword_only: bool,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamKind {
    /// One argument, which must be given.
    Required,
    /// One argument, or else this.
    Optional(Literal),
    /// All remaining positional arguments; what follows is given by keyword only.
    Rest,
    /// All keywords that no other parameter has.
    Keywords,
}

/// A default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal {
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// A whole number.
    Int(i32),
    /// A number of seconds, such as 0.01.
    Float(f64),
    /// A string without characters that need escaping.
    Text(&'static str),
    /// `{}`
    EmptyDict,
}

impl Param {
    pub(crate) const fn required(name: &'static str, type_name: &'static str) -> Self {
        Self {
            name,
            old_name: None,
            type_name,
            kind: ParamKind::Required,
            keyword_only: false,
        }
    }

    pub(crate) const fn optional(
        name: &'static str,
        type_name: &'static str,
        default: Literal,
    ) -> Self {
        Self {
            name,
            old_name: None,
            type_name,
            kind: ParamKind::Optional(default),
            keyword_only: false,
        }
    }

    pub(crate) const fn rest(name: &'static str, type_name: &'static str) -> Self {
        Self {
            name,
            old_name: None,
            type_name,
            kind: ParamKind::Rest,
            keyword_only: false,
        }
    }

    pub(crate) const fn keywords(name: &'static str, type_name: &'static str) -> Self {
        Self {
            name,
            old_name: None,
            type_name,
            kind: ParamKind::Keywords,
            keyword_only: false,
        }
    }

    /// The time-out that most waits have: `timeout=900`.
    pub(crate) const fn timeout() -> Self {
        Self::optional("timeout", "Duration", Literal::Int(900))
    }

    pub(crate) const fn formerly(mut self, old_name: &'static str) -> Self {
        self.old_name = Some(old_name);
        self
    }

    pub(crate) const fn by_keyword(mut self) -> Self {
        self.keyword_only = true;
        self
    }

    fn describe(&self) -> String {
        let Self {
            name, type_name, ..
        } = self;
        match self.kind {
            ParamKind::Required => format!("{name}: {type_name}"),
            ParamKind::Optional(default) => format!("{name}: {type_name} = {default}"),
            ParamKind::Rest => format!("*{name}: {type_name}"),
            ParamKind::Keywords => format!("**{name}: {type_name}"),
        }
    }
}

impl std::fmt::Display for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::EmptyDict => f.write_str("{}"),
        }
    }
}

/// Gives `class` its methods and other attributes.
pub(crate) fn install(
    description: &'static Class,
    class: &'static Py<PyType>,
    vm: &VirtualMachine,
) {
    for function in description.functions() {
        let call = move |vm: &VirtualMachine, mut given: FuncArgs| -> PyResult {
            let receiver = given.shift();
            let arguments = arguments::bind(description.name, function, given, vm)?;
            (function.call)(&receiver, &arguments, vm)
        };
        let definition: &'static PyMethodDef = Box::leak(Box::new(PyMethodDef {
            name: function.name,
            func: Box::leak(Box::new(call)),
            flags: PyMethodFlags::METHOD,
            doc: Some(function.doc),
        }));
        let method = definition.build_method(&vm.ctx, class);
        class.set_attr(vm.ctx.intern_str(function.name), method.into());
    }
    for property in description.properties {
        let attribute = vm.ctx.new_static_getset(
            property.name,
            class,
            move |object: PyObjectRef, vm: &VirtualMachine| property.read(&object, vm),
            move |object: PyObjectRef, value: PySetterValue, vm: &VirtualMachine| {
                property.write(&object, value, vm)
            },
        );
        class.set_attr(vm.ctx.intern_str(property.name), attribute.into());
    }
}
