//! What a script can call, as data: each function carries its parameters with their defaults, and the very table that
//! describes a call also binds its arguments. Nothing that is listed here can differ from what is run.

mod install;
mod json;
mod markdown;
mod params;
mod python;
mod stubs;

use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use crate::arguments::Arguments;

pub(crate) use install::install;
pub use json::json;
pub use markdown::markdown;
pub use params::{Literal, Param, ParamKind};
pub(crate) use python::CLASSES as IN_PYTHON;
pub use stubs::{stub_files, stubs};

/// A class whose objects a script has.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    /// Its name in Python.
    pub name: &'static str,
    /// Other names for it.
    pub also: &'static [&'static str],
    /// The module that scripts can import it from.
    pub module: &'static str,
    /// What its objects are, for the manual.
    pub doc: &'static str,
    /// The classes of Python that it is derived from, in Python's notation.
    pub bases: &'static [&'static str],
    /// What it is called with to make an object; none when only the driver makes them.
    pub init: Option<&'static [Param]>,
    /// Its methods, by topic.
    pub topics: &'static [Topic],
    /// The names of those methods that are called on the class, without an object.
    pub of_class: &'static [&'static str],
    /// Its attributes that are not methods.
    pub properties: &'static [Property],
    /// Whether its objects can stand in a `with` statement.
    pub is_context_manager: bool,
}

impl Class {
    /// A class that has nothing yet.
    pub(crate) const fn new(name: &'static str, module: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            also: &[],
            module,
            doc,
            bases: &[],
            init: None,
            topics: &[],
            of_class: &[],
            properties: &[],
            is_context_manager: false,
        }
    }

    /// All of its methods.
    pub fn functions(&self) -> impl Iterator<Item = &'static Function> + use<> {
        self.topics.iter().flat_map(|topic| topic.functions)
    }
}

/// Methods that belong together.
#[derive(Debug)]
pub struct Topic {
    /// A heading for the manual; empty where a class has one topic only.
    pub title: &'static str,
    /// The methods.
    pub functions: &'static [Function],
}

impl Topic {
    pub(crate) const fn new(title: &'static str, functions: &'static [Function]) -> Self {
        Self { title, functions }
    }

    /// The methods of a class that has one topic only.
    pub(crate) const fn only(functions: &'static [Function]) -> Self {
        Self::new("", functions)
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
    /// A method of a class that is written in Python: it is described here, and Python runs it.
    pub(crate) const fn in_python(
        name: &'static str,
        params: &'static [Param],
        returns: &'static str,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            params,
            returns,
            doc,
            call: |_object, _arguments, vm| Ok(vm.ctx.none()),
        }
    }

    /// The call in Python's notation, such as `succeed(*commands: str, timeout: Duration | None = None) -> str`.
    pub fn signature(&self) -> String {
        let params = params::describe(self.params).join(", ");
        format!("{}({params}) -> {}", self.name, self.returns)
    }
}

/// An attribute that is not a method.
#[derive(Clone, Copy, Debug)]
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
    /// An attribute of a class that is written in Python: it is described here, and Python has it.
    pub(crate) const fn in_python(
        name: &'static str,
        type_name: &'static str,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            type_name,
            doc,
            get: |_object, vm| Ok(vm.ctx.none()),
            access: Access::Written,
        }
    }

    /// Makes an attribute one that scripts cannot write.
    pub(crate) const fn read_only(mut self) -> Self {
        self.access = Access::ReadOnly;
        self
    }

    /// Whether a script can write it.
    pub fn is_writable(&self) -> bool {
        !matches!(self.access, Access::ReadOnly)
    }
}
