//! The calls that a script can make, compared with a list that was read off the original driver.

use std::fmt::Write as _;

use vmtest_script::CLASSES;

use crate::fake::{printed, run};

#[test]
fn calls_are_those_of_the_list() {
    let mut list = String::new();
    for class in CLASSES {
        let _ = writeln!(list, "{}", class.name);
        for function in class.functions() {
            let _ = writeln!(list, "    {}", function.signature());
        }
    }
    insta::assert_snapshot!(list);
}

#[test]
fn every_listed_call_can_be_called() {
    let mut script = "server.start()\n".to_owned();
    for class in CLASSES {
        let object = match class.name {
            "Driver" => "driver",
            "Machine" => "machine",
            "Process" => "machine.process",
            "QMPSession" => "machine.qmp_client",
            "Shell" => "machine.shell",
            "Logger" => "log",
            "VLan" => "vlan1",
            "Debug" => "debug",
            other => panic!("no object for class {other}"),
        };
        for function in class.functions() {
            let name = function.name;
            let _ = writeln!(
                script,
                "assert {object}.{name}.__name__ == '{name}', '{name}'"
            );
            let _ = writeln!(
                script,
                "assert len(type({object}).{name}.__doc__) > 20, '{name}'"
            );
        }
    }
    let run = run(&script);
    assert_eq!(run.result, Ok(()));
}

#[test]
fn names_are_those_of_the_list() {
    let names =
        printed("print('\\n'.join(sorted(n for n in globals() if not n.startswith('__'))))");
    insta::assert_snapshot!(names);
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
        "server.wait_for_open_port('http')",
        "server.wait_for_open_port(70000)",
        "Machine.succeed(3, 'true')",
        "log.info()",
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
