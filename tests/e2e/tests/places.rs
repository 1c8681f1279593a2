//! Mistakes in machine specs are reported with the place where they were written.

use anyhow::{Result, bail, ensure};
use e2e::toolbox::Toolbox;

/// The machines of tests/places/machines.nix, what is said of them, and the line and column.
const TABLE: &[(&str, &str, &str)] = &[
    (
        "misspelt",
        "nodes.server: unknown attribute `memroy`; did you mean `memory`?",
        "14:5",
    ),
    (
        "mistyped",
        "nodes.server.memory: expected an integer (MiB), got null",
        "18:5",
    ),
    (
        "in-a-list",
        "nodes.server.vlans[1]: expected an integer (number of a VLAN), got a string",
        "22:5",
    ),
];

#[test]
fn mistakes_have_a_place() -> Result<()> {
    let toolbox = Toolbox::find()?;
    let machines = toolbox.tests().join("e2e/tests/places/machines.nix");
    for (nodes, message, place) in TABLE {
        let expression = format!(
            "(builtins.vmTest {{ name = \"places\"; testScript = \"\"; nodes = (import {}).{nodes}; }}).drvPath",
            machines.display()
        );
        let said = match toolbox.eval(&expression) {
            Ok(value) => bail!("{nodes}: nothing is said, and the test is {value}"),
            Err(error) => format!("{error:#}"),
        };
        let expected = format!("vmTest: {message} (at {}:{place})", machines.display());
        ensure!(said.contains(&expected), "{nodes}: {said}");
    }
    Ok(())
}
