//! The names that every script finds defined.

use rustpython_vm::builtins::PyDictRef;
use rustpython_vm::{AsObject, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine};

use crate::api::Function;
use crate::arguments::text;
use crate::assertions::Assertions;
use crate::driver::{self, list};
use crate::machine::Machine;
use crate::modules;

/// A name that a script finds defined.
#[derive(Debug)]
pub struct Symbol {
    /// The name.
    pub name: &'static str,
    /// What it stands for.
    pub kind: SymbolKind,
    /// What it is, for the manual; empty for functions, which the class `Driver` describes.
    pub doc: &'static str,
}

impl Symbol {
    /// The method of the driver that a function is.
    pub(crate) fn function(&self) -> &'static Function {
        let mut functions = driver::CLASS.functions();
        let function = functions.find(|function| function.name == self.name);
        function.expect("every function of scripts is a method of the driver")
    }
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// A method of the driver.
    Function,
    /// An object of this class.
    Object(&'static str),
    /// A list of objects of this class, an attribute of the driver.
    List(&'static str),
    /// A class.
    Class,
    /// A module of Python.
    Module,
}

/// All of them but those made from the test: its machines and networks.
pub const SYMBOLS: &[Symbol] = &[
    function("start_all"),
    function("join_all"),
    function("test_script"),
    function("run_tests"),
    function("create_machine"),
    function("subtest"),
    function("retry"),
    function("polling_condition"),
    function("serial_stdout_on"),
    function("serial_stdout_off"),
    function("dump_machine_ssh"),
    function("parallel"),
    function("group"),
    function("snapshot"),
    function("restore"),
    function("pristine"),
    object("driver", "Driver", "The test as a whole."),
    object("log", "Logger", "The log."),
    object(
        "t",
        "unittest.TestCase",
        "The assertions of Python's unittest, such as t.assertIn(\"a\", text).",
    ),
    object("debug", "Debug", "A place for breakpoints."),
    Symbol {
        name: "machines",
        kind: SymbolKind::List("Machine"),
        doc: "All machines, sorted by name. A method called on the list is called on all of them at once.",
    },
    Symbol {
        name: "machines_qemu",
        kind: SymbolKind::List("Machine"),
        doc: "The same list: all machines are virtual ones.",
    },
    Symbol {
        name: "machines_nspawn",
        kind: SymbolKind::List("Machine"),
        doc: "The containers: none.",
    },
    Symbol {
        name: "vlans",
        kind: SymbolKind::List("VLan"),
        doc: "All networks. Each is also a variable of its own, such as vlan1.",
    },
    class("Machine", "The class of all machines."),
    class("BaseMachine", "The same class, by another name."),
    class("QemuMachine", "The same class, by another name."),
    class(
        "NspawnMachine",
        "A class of machines that no machine belongs to: containers.",
    ),
    Symbol {
        name: "os",
        kind: SymbolKind::Module,
        doc: "The module of that name.",
    },
];

const fn function(name: &'static str) -> Symbol {
    Symbol {
        name,
        kind: SymbolKind::Function,
        doc: "",
    }
}

const fn object(name: &'static str, class: &'static str, doc: &'static str) -> Symbol {
    Symbol {
        name,
        kind: SymbolKind::Object(class),
        doc,
    }
}

const fn class(name: &'static str, doc: &'static str) -> Symbol {
    Symbol {
        name,
        kind: SymbolKind::Class,
        doc,
    }
}

/// Defines them all. What is made from the test wins over what every script has; `warn` is told of it.
pub(crate) fn define(
    driver: &PyObject,
    globals: &PyDictRef,
    warn: &dyn Fn(String),
    vm: &VirtualMachine,
) -> PyResult<()> {
    for symbol in SYMBOLS {
        globals.set_item(symbol.name, value(symbol, driver, vm)?, vm)?;
    }
    let machines = list(driver, "machines", vm)?;
    if let [only] = machines.as_slice() {
        globals.set_item("machine", only.clone(), vm)?;
    }
    for (index, machine) in machines.iter().enumerate() {
        let name = text(&machine.get_attr("name", vm)?, vm)?;
        let variable = variable_name(&name);
        if let Some(warning) = clash(&name, &variable, index, machine, globals, vm)? {
            warn(warning);
        }
        globals.set_item(variable.as_str(), machine.clone(), vm)?;
    }
    for vlan in list(driver, "vlans", vm)? {
        let variable = format!("vlan{}", text(&vlan.get_attr("nr", vm)?, vm)?);
        globals.set_item(variable.as_str(), vlan, vm)?;
    }
    Ok(())
}

fn value(symbol: &Symbol, driver: &PyObject, vm: &VirtualMachine) -> PyResult {
    match (symbol.kind, symbol.name) {
        (SymbolKind::Module, name) => vm.import(vm.ctx.intern_str(name), 0),
        (SymbolKind::Class, "NspawnMachine") => {
            modules::import_from("test_driver.machine", "NspawnMachine", vm)
        }
        (SymbolKind::Class, _) => Ok(Machine::class(&vm.ctx).to_owned().into()),
        (_, "driver") => Ok(driver.to_owned()),
        (_, "log") => driver.get_attr("logger", vm),
        (_, "t") => Ok(Assertions::object(vm)),
        (_, name) => driver.get_attr(vm.ctx.intern_str(name), vm),
    }
}

/// What is to be said of a machine's name, if anything.
fn clash(
    name: &str,
    variable: &str,
    index: usize,
    machine: &PyObjectRef,
    globals: &PyDictRef,
    vm: &VirtualMachine,
) -> PyResult<Option<String>> {
    if is_keyword(variable) {
        return Ok(Some(format!(
            "machine `{name}` cannot be a variable: `{variable}` is a word of Python; it is machines[{index}]"
        )));
    }
    let hidden = match globals.get_item_opt(variable, vm)? {
        Some(same) if same.is(machine) => None,
        Some(other) if other.fast_isinstance(Machine::class(&vm.ctx)) => {
            let other = text(&other.get_attr("name", vm)?, vm)?;
            Some(format!(
                "the machine `{other}`, whose variable has the same name"
            ))
        }
        Some(_) => Some(match variable {
            "log" => "the log, which is still driver.logger".to_owned(),
            "driver" => "the driver".to_owned(),
            _ if driver_has(variable) => {
                format!("the script's {variable}, which is still driver.{variable}")
            }
            _ => format!("the script's {variable}"),
        }),
        None if vm.builtins.dict().contains_key(variable, vm) => Some(format!(
            "Python's {variable}, which is still builtins.{variable}"
        )),
        None => None,
    };
    Ok(hidden.map(|hidden| format!("the variable for machine `{name}` hides {hidden}")))
}

fn driver_has(name: &str) -> bool {
    SYMBOLS.iter().any(|symbol| {
        symbol.name == name && matches!(symbol.kind, SymbolKind::Function | SymbolKind::List(_))
    })
}

/// Whether it is a word of Python's that no variable can be called.
pub(crate) fn is_keyword(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// The variable for a machine of this name: `_` stands for whatever Python does not allow there.
#[must_use]
pub fn variable_name(name: &str) -> String {
    let allowed = |(index, c): (usize, char)| {
        let digit = c.is_ascii_digit() && index > 0;
        if c.is_ascii_alphabetic() || c == '_' || digit {
            c
        } else {
            '_'
        }
    };
    name.chars().enumerate().map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::variable_name;

    #[test]
    fn names_become_variables() {
        let cases = [
            ("web-1", "web_1"),
            ("9lives", "_lives"),
            ("a.b c", "a_b_c"),
            ("_x9", "_x9"),
            ("ü", "_"),
        ];
        for (name, variable) in cases {
            assert_eq!(variable_name(name), variable);
        }
    }
}
