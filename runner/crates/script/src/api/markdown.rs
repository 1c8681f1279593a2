//! The API as a reference manual, for people.

use std::fmt::Write as _;

use super::{Class, Function, Param, ParamKind};
use crate::symbols::{SYMBOLS, Symbol, SymbolKind};
use crate::{classes, modules};

const INTRODUCTION: &str = "\
# Test scripts

A test script is a Python program. It finds the names below defined, drives machines with them, and passes if it comes to \
its end. It fails with the first exception that it does not catch.

Every machine is a variable of its own; in its name, `_` stands for whatever Python does not allow in one. A test's only \
machine is also called `machine`. Every network is a variable such as `vlan1`. A machine starts by itself when something is \
first asked of it.

Time-outs and other durations are numbers of seconds or values of `datetime.timedelta`; `None` is no limit.

";

/// Everything that a script can use, as a manual in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut text = INTRODUCTION.to_owned();
    contents(&mut text);
    names(&mut text);
    for described in classes() {
        class(&mut text, &described);
    }
    importable(&mut text);
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn contents(text: &mut String) {
    text.push_str("- [Names](#names)\n");
    for described in classes() {
        let name = described.name;
        let anchor = name.to_lowercase();
        let _ = writeln!(
            text,
            "- [{name}](#{anchor}): {}",
            first_sentence(described.doc)
        );
        for topic in described
            .topics
            .iter()
            .filter(|topic| !topic.title.is_empty())
        {
            let calls = topic.functions.iter();
            let calls: Vec<String> = calls.map(|call| format!("`{}`", call.name)).collect();
            let _ = writeln!(text, "  - {}: {}", topic.title, calls.join(", "));
        }
    }
    text.push_str("- [Modules](#modules)\n\n");
}

fn first_sentence(doc: &str) -> &str {
    doc.split_once(". ")
        .map_or(doc, |(first, _)| first)
        .trim_end_matches('.')
}

fn names(text: &mut String) {
    text.push_str("## Names\n\n| Name | What it is |\n| --- | --- |\n");
    for symbol in SYMBOLS {
        let Symbol { name, doc, .. } = symbol;
        let (shown, doc) = match symbol.kind {
            SymbolKind::Function => {
                let function = symbol.function();
                (function.signature(), first_sentence(function.doc))
            }
            SymbolKind::Object(class) => (format!("{name}: {class}"), *doc),
            SymbolKind::List(class) => (format!("{name}: list[{class}]"), *doc),
            SymbolKind::Class => (format!("class {name}"), *doc),
            SymbolKind::Module => (format!("module {name}"), *doc),
        };
        let _ = writeln!(text, "| `{}` | {} |", cell(&shown), cell(doc));
    }
    text.push('\n');
}

fn class(text: &mut String, class: &Class) {
    let Class {
        name, doc, module, ..
    } = class;
    let _ = writeln!(text, "## {name}\n\n{doc}\n");
    let mut facts = vec![format!("Module `{module}`.")];
    if !class.bases.is_empty() {
        facts.push(format!("Derived from `{}`.", class.bases.join("`, `")));
    }
    if !class.also.is_empty() {
        facts.push(format!("Also known as `{}`.", class.also.join("`, `")));
    }
    if let Some(params) = class.init {
        let params = super::params::describe(params).join(", ");
        facts.push(format!("Made by `{name}({params})`."));
    }
    if class.is_context_manager {
        facts.push("Works in a `with` statement.".to_owned());
    }
    let _ = writeln!(text, "{}\n", facts.join(" "));
    for topic in class.topics {
        if !topic.title.is_empty() {
            let _ = writeln!(text, "### {}: {}\n", name, topic.title);
        }
        for call in topic.functions {
            function(text, call);
        }
    }
    if !class.properties.is_empty() {
        let _ = writeln!(text, "### {name}: attributes\n");
        text.push_str("| Attribute | Type | What it is |\n| --- | --- | --- |\n");
        for property in class.properties {
            let read_only = if property.is_writable() {
                ""
            } else {
                " Read-only."
            };
            let _ = writeln!(
                text,
                "| `{}` | `{}` | {}{read_only} |",
                property.name,
                cell(property.type_name),
                cell(property.doc),
            );
        }
        text.push('\n');
    }
}

fn function(text: &mut String, function: &Function) {
    let _ = writeln!(
        text,
        "#### `{}`\n\n```python\n{}\n```\n",
        function.name,
        function.signature()
    );
    let _ = writeln!(text, "{}{}\n", function.doc, old_names(function.params));
}

fn old_names(params: &[Param]) -> String {
    let mut text = String::new();
    for param in params {
        if let (Some(old_name), ParamKind::Optional(_) | ParamKind::Required) =
            (param.old_name, param.kind)
        {
            let _ = write!(text, " `{}` may also be called `{old_name}`.", param.name);
        }
    }
    text
}

fn importable(text: &mut String) {
    text.push_str("## Modules\n\n| Module | What can be imported from it |\n| --- | --- |\n");
    for (module, names) in modules::exports().filter(|(_, names)| !names.is_empty()) {
        let _ = writeln!(text, "| `{module}` | `{}` |", names.join("`, `"));
    }
}

/// Text for a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
