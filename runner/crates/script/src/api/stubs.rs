//! The API as a type stub, for editors and type checkers.

use std::fmt::Write as _;

use super::{Class, Function};
use crate::classes;
use crate::symbols::{SYMBOLS, Symbol, SymbolKind};

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
from typing import Any, BinaryIO, TypeAlias

Duration: TypeAlias = timedelta | int | float
";

/// Everything that a script can use, as a type stub (`.pyi`).
#[must_use]
pub fn stubs() -> String {
    let mut text = HEADER.to_owned();
    for described in classes() {
        class(&mut text, &described);
        for other in described.also {
            let _ = writeln!(text, "\n{other} = {}", described.name);
        }
    }
    text.push_str("\nclass NspawnMachine(Machine): ...\n\nmachine: Machine\nvlan1: VLan\n");
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
        all.extend(super::params::describe(params));
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
        broadcasts(text);
    }
}

/// What stands before the parameters of a call.
#[derive(Clone, Copy)]
enum Receiver {
    Object,
    None,
}

fn function(text: &mut String, function: &Function, indentation: &str, receiver: Receiver) {
    let mut params = super::params::describe(function.params);
    match receiver {
        Receiver::Object => params.insert(0, "self".to_owned()),
        Receiver::None if indentation.is_empty() => {}
        Receiver::None => {
            let _ = writeln!(text, "{indentation}@staticmethod");
        }
    }
    let Function { name, returns, .. } = function;
    let _ = writeln!(
        text,
        "{indentation}def {name}({}) -> {returns}:",
        params.join(", ")
    );
    docstring(text, function.doc, &format!("{indentation}    "));
    let _ = writeln!(text, "{indentation}    ...");
}

/// The methods of machines, as a list of machines has them.
fn broadcasts(text: &mut String) {
    let machine = classes().find(|class| class.name == "Machine");
    for call in machine.iter().flat_map(Class::functions) {
        let mut params = super::params::describe(call.params);
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
