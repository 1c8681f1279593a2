//! The calls that a script can make: compared with what the interpreter has, and with the list of upstream's.

use std::fmt::Write as _;

use vmtest_script::api;

use crate::fake::{printed, run};

/// Prints what is wrong with the list, which is `api`: names that are not there, and names that are not listed.
const COMPARE: &str = r#"
import builtins, importlib, inspect, test_driver.polling_condition, test_driver.efi, test_driver.group, test_driver.qmp, types
from test_driver.errors import TestScriptError
machine.start()
condition = polling_condition(lambda: True).condition
variable = test_driver.efi.EfiVariable(vendor_uuid=test_driver.efi.EfiGuid.gMtcVendorGuid, name="x", data=b"x")
samples = {
    "Driver": driver, "Machine": machine, "Logger": log, "VLan": vlan1, "Debug": debug,
    "Process": machine.process, "QMPSession": machine.qmp_client, "Shell": machine.shell,
    "PollingCondition": condition, "Poll": polling_condition(lambda: True), "Machines": machines,
    "QMPAPIError": test_driver.qmp.QMPAPIError("a", "b"), "EfiVariable": variable, "EfiVars": machine.efi_vars,
}

def public(names):
    return {name for name in names if not name.startswith("_")}

def parameters(function):
    kinds = inspect.Parameter
    words = {
        kinds.POSITIONAL_OR_KEYWORD: "positional", kinds.KEYWORD_ONLY: "keyword-only",
        kinds.VAR_POSITIONAL: "var-positional", kinds.VAR_KEYWORD: "var-keyword",
    }
    for p in inspect.signature(function).parameters.values():
        default = {} if p.default is p.empty else {"default": repr(p.default)}
        yield {"name": p.name, "kind": words[p.kind], **default}

def same(where, function, listed):
    "Compares a function that is written in Python."
    listed = [{k: p[k] for k in ("name", "kind", "default") if k in p} for p in listed]
    found = [p for p in parameters(function) if p["name"] != "self"]
    if found != listed:
        print(where, "takes", found)

for name, described in api["classes"].items():
    cls = getattr(importlib.import_module(described["module"]), name, None) or type(samples[name])
    for other in described["also"]:
        if getattr(importlib.import_module(described["module"]), other) is not cls:
            print(other, "is not", name)
    sample = samples.get(name)
    native = not isinstance(cls.__dict__.get("__init__", inspect), types.FunctionType) and cls.__module__ not in ("test_driver.group", "test_driver.logger")
    methods = {method["name"]: method for method in described["methods"]}
    properties = {p["name"] for p in described["properties"]}
    has = public(dir(cls)) | public(getattr(sample, "__dict__", ()))
    for base in cls.__mro__[1:]:
        if base.__module__ not in ("_vmtest",) and not base.__module__.startswith("test_driver"):
            has -= public(dir(base)) - public(cls.__dict__)
    if name == "Machines":
        has = public(cls.__dict__)
    if name == "LogLevel":
        has = set(cls.__members__)
    for missing in (methods.keys() | properties) - has:
        print(name, "lacks", missing)
    for unlisted in has - methods.keys() - properties:
        print(name, "has unlisted", unlisted)
    for method, listed in methods.items():
        function = getattr(cls, method)
        if isinstance(function, types.FunctionType):
            same(f"{name}.{method}", function, listed["params"])
        elif isinstance(function, types.MethodType):
            same(f"{name}.{method}", function, listed["params"])
        elif function.__name__ != method or function.__doc__ != listed["doc"]:
            print(name, "does not describe", method)
        if len(listed["doc"]) < 20 and native:
            print(name, "hardly describes", method)
    if isinstance(cls.__dict__.get("__init__"), types.FunctionType) and "init" in described:
        same(name, cls, described["init"])
    if described["context_manager"] != (hasattr(cls, "__enter__") and hasattr(cls, "__exit__")):
        print(name, "in with statements")

for module, names in api["modules"].items():
    found = importlib.import_module(module)
    for name in names:
        if not hasattr(found, name):
            print(module, "lacks", name)

kinds = {
    "function": callable, "class": inspect.isclass, "module": inspect.ismodule,
    "list": lambda value: isinstance(value, list), "object": lambda value: True,
}
for symbol in api["symbols"]:
    name = symbol["name"]
    if name not in names_of_scripts or not kinds[symbol["kind"]](names_of_scripts[name]):
        print("no symbol", name)
for unlisted in names_of_scripts.keys() - {symbol["name"] for symbol in api["symbols"]} - {"machine", "server", "vlan1", "vlan7"}:
    print("unlisted symbol", unlisted)
print("compared", len(api["classes"]), len(api["modules"]), len(api["symbols"]))
"#;

#[test]
fn the_list_is_what_the_interpreter_has() {
    let script = format!(
        "names_of_scripts = {{n: v for n, v in globals().items() if not n.startswith('__')}}\n\
         import json\napi = json.loads(r'''{}''')\n{COMPARE}",
        api::json()
    );
    let text = printed(&script);
    let (problems, end) = text.rsplit_once("compared ").expect("an end");
    assert_eq!(problems, "");
    assert_eq!(end, "21 17 29");
}

#[test]
fn wrong_arguments_are_type_errors() {
    let calls = [
        "server.succeed('true', time=3)",
        "server.wait_for_unit()",
        "server.wait_for_unit('a', 'b', 3, 4)",
        "server.wait_for_unit('a', unit='b')",
        "server.wait_until_succeeds('true', timeout=True)",
        "server.wait_until_succeeds('true', timeout='soon')",
        "server.wait_until_succeeds('true', timeout=float('nan'))",
        "server.wait_for_open_port(70000)",
        "server.wait_for_closed_port(-1)",
        "Machine.succeed(3, 'true')",
        "log.info()",
        "create_machine('x', 'y')",
    ];
    let mut script = String::new();
    for call in calls {
        let _ = writeln!(
            script,
            "try:\n    {call}\nexcept Exception as e:\n    print(type(e).__name__ + ':', e)"
        );
    }
    insta::assert_snapshot!(printed(&script));
}

#[test]
fn written_properties_are_what_was_written() {
    let script = r#"
server.start()
vlan1.nr = 5
print(vlan1.nr)
del vlan1.nr
print(vlan1.nr)
try:
    del vlan1.nr
except Exception as e:
    print(type(e).__name__, e)
try:
    server.qmp_client.sock = 1
except Exception as e:
    print(type(e).__name__, e)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn the_manual_has_all_calls() {
    let manual = api::markdown();
    for class in vmtest_script::classes() {
        assert!(
            manual.contains(&format!("\n## {}\n", class.name)),
            "{}",
            class.name
        );
        for function in class.functions() {
            assert!(manual.contains(&function.signature()), "{}", function.name);
        }
    }
    // No line of a table is broken.
    for line in manual.lines().filter(|line| line.starts_with('|')) {
        assert!(line.ends_with('|'), "{line}");
    }
    insta::assert_snapshot!(section(&manual, "\n## Poll\n", "\n## "));
}

/// The part of a text from one place to another.
fn section<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).expect("the beginning");
    rest.split_once(to).map_or(rest, |(section, _)| section)
}

#[test]
fn stubs_are_python() {
    let stubs = api::stubs();
    insta::assert_snapshot!(section(&stubs, "\nclass Poll:", "\nclass "));
    let script = format!(
        "import ast\ntree = ast.parse({:?})\nprint(len(tree.body) > 40)",
        api::stubs()
    );
    assert_eq!(printed(&script), "True");
}
