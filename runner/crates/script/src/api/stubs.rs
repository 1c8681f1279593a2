//! The API as a type stub, for editors and type checkers.

use std::fmt::Write as _;

use super::{Class, Function};
use crate::symbols::{SYMBOLS, Symbol, SymbolKind, is_keyword};
use crate::{classes, modules};

const HEADER: &str = "\
# The names that test scripts find defined. Machines are variables of their own, of the type Machine.
import os as os
import threading
import unittest
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from enum import IntEnum
from pathlib import Path
from queue import Queue
from re import Pattern
from types import SimpleNamespace, TracebackType
from typing import Any, BinaryIO, TypeAlias, overload

Duration: TypeAlias = timedelta | int | float
";

/// The module in which [`stub_files`] describes everything that a script can use. No script imports it.
const MODULE: &str = "_vmtest";

/// The class that is written in Python, and that no machine belongs to.
const NSPAWN: &str = "NspawnMachine";

/// Everything that a script can use, as a type stub (`.pyi`).
#[must_use]
pub fn stubs() -> String {
    definitions() + "\nmachine: Machine\nvlan1: VLan\n"
}

/// The stubs of one test, as files that a type checker finds its modules in: their paths and texts.
///
/// `__builtins__.pyi` defines what a script finds defined, the variables of its machines and VLANs (by number) included.
#[must_use]
pub fn stub_files(machines: &[&str], vlans: &[u32]) -> Vec<(String, String)> {
    let mut files = vec![
        (format!("{MODULE}.pyi"), definitions()),
        ("__builtins__.pyi".to_owned(), builtins(machines, vlans)),
    ];
    for (module, names) in modules::exports() {
        let path = module.replace('.', "/");
        let path = if modules::is_package(module) {
            format!("{path}/__init__.pyi")
        } else {
            format!("{path}.pyi")
        };
        files.push((path, exports(names)));
    }
    files
}

fn builtins(machines: &[&str], vlans: &[u32]) -> String {
    let mut text = String::new();
    for Symbol { name, .. } in SYMBOLS {
        let _ = writeln!(text, "from {MODULE} import {name} as {name}");
    }
    let _ = writeln!(
        text,
        "from {MODULE} import Machine as _Machine, VLan as _VLan"
    );
    if let [_] = machines {
        text.push_str("machine: _Machine\n");
    }
    // A word of Python's is no variable.
    for variable in machines.iter().filter(|variable| !is_keyword(variable)) {
        let _ = writeln!(text, "{variable}: _Machine");
    }
    for number in vlans {
        let _ = writeln!(text, "vlan{number}: _VLan");
    }
    text
}

/// A module of the driver. What it has beside the classes is not described.
fn exports(names: &[&str]) -> String {
    let mut text = "from typing import Any\n".to_owned();
    for name in names {
        let is_class = classes().any(|class| class.name == *name || class.also.contains(name));
        let _ = if is_class || *name == NSPAWN {
            writeln!(text, "from {MODULE} import {name} as {name}")
        } else {
            writeln!(text, "{name}: Any")
        };
    }
    text
}

fn definitions() -> String {
    let mut text = HEADER.to_owned();
    for described in classes() {
        class(&mut text, &described);
        for other in described.also {
            let _ = writeln!(text, "\n{other} = {}", described.name);
        }
    }
    let _ = writeln!(text, "\nclass {NSPAWN}(Machine): ...");
    for symbol in SYMBOLS {
        declaration(&mut text, symbol);
    }
    text
}

fn declaration(text: &mut String, symbol: &Symbol) {
    let Symbol { name, .. } = symbol;
    let _ = match symbol.kind {
        SymbolKind::Function => return function(text, symbol.function(), "", Receiver::None),
        SymbolKind::Object(class) => writeln!(text, "{name}: {class}"),
        SymbolKind::List("Machine") => writeln!(text, "{name}: Machines"),
        SymbolKind::List(class) => writeln!(text, "{name}: list[{class}]"),
        // They stand above.
        SymbolKind::Class | SymbolKind::Module => return,
    };
}

fn class(text: &mut String, class: &Class) {
    let bases = match class.bases {
        [] => String::new(),
        bases => format!("({})", bases.join(", ")),
    };
    let _ = writeln!(text, "\nclass {}{bases}:", class.name);
    docstring(text, class.doc, "    ");
    for property in class.properties {
        let (name, type_name) = (property.name, property.type_name);
        let _ = if class.bases.contains(&"IntEnum") {
            writeln!(text, "    {name} = {}", property.doc)
        } else if property.is_writable() {
            writeln!(text, "    {name}: {type_name}")
        } else {
            writeln!(
                text,
                "    @property\n    def {name}(self) -> {type_name}: ..."
            )
        };
    }
    if let Some(params) = class.init {
        let mut all = vec!["self".to_owned()];
        all.extend(super::params::describe_all(params));
        let _ = writeln!(text, "    def __init__({}) -> None: ...", all.join(", "));
    }
    if class.is_context_manager {
        text.push_str(
            "    def __enter__(self) -> None: ...\n    def __exit__(self, kind: type[BaseException] | None, \
             value: BaseException | None, traceback: TracebackType | None) -> None: ...\n",
        );
    }
    for call in class.functions() {
        let receiver = if class.of_class.contains(&call.name) {
            Receiver::None
        } else {
            Receiver::Object
        };
        function(text, call, "    ", receiver);
    }
    if class.name == "Machines" {
        broadcasts(text, class);
    }
}

/// What stands before the parameters of a call.
#[derive(Clone, Copy)]
enum Receiver {
    Object,
    None,
}

fn function(text: &mut String, function: &Function, indentation: &str, receiver: Receiver) {
    let mut params = super::params::describe_all(function.params);
    match receiver {
        Receiver::Object => params.insert(0, "self".to_owned()),
        Receiver::None if indentation.is_empty() => {}
        Receiver::None => {
            let _ = writeln!(text, "{indentation}@staticmethod");
        }
    }
    for (overloaded, params, returns) in overloads(&params, function.returns) {
        if overloaded {
            let _ = writeln!(text, "{indentation}@overload");
        }
        let (name, params) = (function.name, params.join(", "));
        let _ = writeln!(text, "{indentation}def {name}({params}) -> {returns}:");
        docstring(text, function.doc, &format!("{indentation}    "));
        let _ = writeln!(text, "{indentation}    ...");
    }
}

/// A decorator that is also called with the function itself has two signatures: with it, and without. The function is its first
/// optional parameter.
fn overloads<'a>(params: &[String], returns: &'a str) -> Vec<(bool, Vec<String>, &'a str)> {
    let decorated = returns
        .split_once(" | ")
        .filter(|(_, decorator)| decorator.starts_with("Callable[[Callable"));
    let function = params
        .iter()
        .position(|param| param.ends_with(" | None = None"));
    let (Some((made, decorator)), Some(index)) = (decorated, function) else {
        return vec![(false, params.to_vec(), returns)];
    };
    let with = |param: String| {
        let mut all = params.to_vec();
        all[index] = param;
        all
    };
    let given = params[index].trim_end_matches(" | None = None");
    let name = given.split(':').next().unwrap_or_default();
    vec![
        (true, with(given.to_owned()), made),
        (true, with(format!("{name}: None = None")), decorator),
    ]
}

/// The methods of machines, as a list of machines has them.
fn broadcasts(text: &mut String, own: &Class) {
    let machine = classes().find(|class| class.name == "Machine");
    for call in machine.iter().flat_map(Class::functions) {
        // What the list itself does is not done by each machine.
        if own.functions().any(|function| function.name == call.name) {
            continue;
        }
        let mut params = super::params::describe_all(call.params);
        params.insert(0, "self".to_owned());
        let Function { name, returns, .. } = call;
        let _ = writeln!(
            text,
            "    def {name}({}) -> list[{returns}]: ...",
            params.join(", ")
        );
    }
}

fn docstring(text: &mut String, doc: &str, indentation: &str) {
    let doc = doc.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
    // A quotation mark at the end would end the text too early.
    let end = if doc.ends_with('"') { " " } else { "" };
    let _ = writeln!(text, "{indentation}\"\"\"{doc}{end}\"\"\"");
}
