//! The API as JSON, for programs.

use serde_json::{Map, Value, json};

use super::{Class, Function, Param, ParamKind, Property};
use crate::symbols::{SYMBOLS, Symbol, SymbolKind};
use crate::{classes, modules};

/// The version of the format; it grows when something that was there changes its name or meaning.
const VERSION: u32 = 1;

/// Everything that a script can use, as JSON text: `symbols`, `classes` and `modules`.
#[must_use]
pub fn json() -> String {
    let classes: Map<String, Value> = classes()
        .map(|described| (described.name.to_owned(), class(&described)))
        .collect();
    let modules: Map<String, Value> = modules::exports()
        .map(|(module, names)| (module.to_owned(), json!(names)))
        .collect();
    let api = json!({
        "version": VERSION,
        "symbols": SYMBOLS.iter().map(symbol).collect::<Vec<_>>(),
        "classes": classes,
        "modules": modules,
    });
    format!("{api:#}\n")
}

fn symbol(symbol: &Symbol) -> Value {
    let Symbol { name, doc, .. } = symbol;
    match symbol.kind {
        SymbolKind::Function => {
            let mut described = function(symbol.function(), false);
            described["kind"] = json!("function");
            described
        }
        SymbolKind::Object(class) => {
            json!({"name": name, "kind": "object", "class": class, "doc": doc})
        }
        SymbolKind::List(class) => {
            json!({"name": name, "kind": "list", "class": class, "doc": doc})
        }
        SymbolKind::Class => json!({"name": name, "kind": "class", "doc": doc}),
        SymbolKind::Module => json!({"name": name, "kind": "module", "doc": doc}),
    }
}

fn class(class: &Class) -> Value {
    let methods = class.functions();
    let methods = methods.map(|method| function(method, class.of_class.contains(&method.name)));
    let mut described = json!({
        "module": class.module,
        "doc": class.doc,
        "also": class.also,
        "bases": class.bases,
        "context_manager": class.is_context_manager,
        "methods": methods.collect::<Vec<_>>(),
        "properties": class.properties.iter().map(property).collect::<Vec<_>>(),
    });
    if let Some(init) = class.init {
        described["init"] = params(init);
    }
    described
}

fn function(function: &Function, of_class: bool) -> Value {
    json!({
        "name": function.name,
        "signature": function.signature(),
        "params": params(function.params),
        "returns": function.returns,
        "static": of_class,
        "doc": function.doc,
    })
}

fn params(params: &[Param]) -> Value {
    let mut by_keyword_only = false;
    let mut describe = |param: &Param| {
        by_keyword_only |= param.keyword_only;
        let kind = match param.kind {
            ParamKind::Rest => "var-positional",
            ParamKind::Keywords => "var-keyword",
            _ if by_keyword_only => "keyword-only",
            _ => "positional",
        };
        by_keyword_only |= param.kind == ParamKind::Rest;
        let mut described = json!({"name": param.name, "kind": kind, "type": param.type_name});
        if let ParamKind::Optional(default) = param.kind {
            described["default"] = json!(default.to_string());
        }
        if let Some(old_name) = param.old_name {
            described["old_names"] = json!([old_name]);
        }
        described
    };
    params.iter().map(&mut describe).collect()
}

fn property(property: &Property) -> Value {
    json!({
        "name": property.name,
        "type": property.type_name,
        "writable": property.is_writable(),
        "doc": property.doc,
    })
}
