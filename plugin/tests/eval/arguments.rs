//! Wrong arguments: each is an evaluation error that names the attribute path, in both ways in.

use crate::nix::Entry;

/// An expression (see [`Entry::eval`]), and what its error has to say.
const TABLE: &[(&str, &str)] = &[
    // Missing and unknown attributes.
    (
        r#"vmTest { nmae = "x"; }"#,
        "vmTest: unknown attribute `nmae`; did you mean `name`?",
    ),
    (
        r#"vmTest { name = "x"; nodes = { }; }"#,
        "vmTest: missing attribute `testScript`",
    ),
    (
        "nodes { a = { }; }",
        "vmTest: nodes.a: missing attribute `kernel`",
    ),
    (
        r#"node { mem = 1; }"#,
        "vmTest: nodes.server: unknown attribute `mem`; did you mean `memory`?",
    ),
    (
        "node { root = machine.root // { persistentDsik = null; }; }",
        "vmTest: nodes.server.root: unknown attribute `persistentDsik`; did you mean `persistentDisk`?",
    ),
    (
        r#"node { zzz = 1; }"#,
        "vmTest: nodes.server: unknown attribute `zzz`; known are `bootTimeout`, ",
    ),
    (
        "node { kernel = { imgae = 1; }; }",
        "vmTest: nodes.server.kernel: unknown attribute `imgae`; did you mean `image`?",
    ),
    (
        r#"node { root.layers = [ { archiv = "/x"; } ]; }"#,
        "vmTest: nodes.server.root.layers[0]: unknown attribute `archiv`; did you mean `archive`?",
    ),
    (
        "run { tools = { runer = 1; }; }",
        "vmTest: tools: unknown attribute `runer`; did you mean `runner`?",
    ),
    (
        r#"nodes { a = { startScript = fake "s"; memroy = 1; }; }"#,
        "vmTest: nodes.a: unknown attribute `memroy`; did you mean `memory`?",
    ),
    (
        r#"(run { snapshot = true; nodes = { a = machine; b.startScript = fake "s"; }; }).drvPath"#,
        "vmTest: nodes.b: a machine of a start script cannot be saved",
    ),
    (
        r#"node { initrd = fake "i"; }"#,
        "vmTest: nodes.server.root.layers: a machine with an `initrd` of its own has no layers",
    ),
    // Wrong types.
    (
        "vmTest 3",
        "vmTest: expected an attribute set, got an integer",
    ),
    (
        "run { name = 3; }",
        "vmTest: name: expected a name of at most 190 letters",
    ),
    (
        "run { nodes = [ ]; }",
        "vmTest: nodes: expected an attribute set, got a list",
    ),
    (
        "nodes { a = [ ]; }",
        "vmTest: nodes.a: expected an attribute set, got a list",
    ),
    (
        "run { testScript = x: x; }",
        "vmTest: testScript: expected a string, got a function",
    ),
    (
        "run { globalTimeout = 1.5; }",
        "vmTest: globalTimeout: expected an integer (seconds), got a float",
    ),
    (
        "run { meta = null; }",
        "vmTest: meta: expected an attribute set, got null",
    ),
    (
        r#"node { memory = "1"; }"#,
        "vmTest: nodes.server.memory: expected an integer (MiB), got a string",
    ),
    (
        r#"node { vlans = [ 1 "2" ]; }"#,
        "vmTest: nodes.server.vlans[1]: expected an integer (number of a VLAN), got a string",
    ),
    (
        "node { kernelParams = [ true ]; }",
        "vmTest: nodes.server.kernelParams[0]: expected a string, got a Boolean",
    ),
    (
        "node { closure = [ 1 ]; }",
        "vmTest: nodes.server.closure[0]: expected a store path, got an integer",
    ),
    (
        "node { root.layers = [ { } ]; }",
        "vmTest: nodes.server.root.layers[0]: expected an attribute set with one attribute of `archive`, `tree`, got 0",
    ),
    (
        r#"run { sharedDir = "yes"; }"#,
        "vmTest: sharedDir: expected a Boolean, got a string",
    ),
    (
        "run { waitForOutput = 1; }",
        "vmTest: waitForOutput: expected a Boolean, got an integer",
    ),
    (
        r#"run { extraPythonPackages = [ "x" ]; }"#,
        "vmTest: extraPythonPackages[0]: expected a store path, got `x`, which does not lie in",
    ),
    (
        "run { enableOCR = true; tools = tools // { tesseract = null; }; }",
        "vmTest: enableOCR: there is no program to read screens with: pass `tools.tesseract`",
    ),
    (
        r#"node { interfaces = [ { name = ".."; vlan = 1; mac = "52:54:00:12:01:01"; } ]; }"#,
        "vmTest: nodes.server.interfaces[0].name: expected the name of an interface (1 to 15 bytes",
    ),
    (
        r#"node { interfaces = [ { name = "a:b"; vlan = 1; mac = "52:54:00:12:01:01"; } ]; }"#,
        "vmTest: nodes.server.interfaces[0].name: expected the name of an interface (1 to 15 bytes",
    ),
    (
        r#"node { sharedDirectories = [ ]; }"#,
        "vmTest: nodes.server.sharedDirectories: expected an attribute set, got a list",
    ),
    (
        r#"node { sharedDirectories.x = { source = "/x"; }; }"#,
        "vmTest: nodes.server.sharedDirectories.x: missing attribute `target`",
    ),
    (
        r#"node { sharedDirectories.x = { source = 1; target = "/x"; }; }"#,
        "vmTest: nodes.server.sharedDirectories.x.source: expected a store path, got an integer",
    ),
    // Values that cannot be.
    (
        r#"run { name = "a b"; }"#,
        "characters of `+-._?=`, got `a b`",
    ),
    (
        "run { globalTimeout = 0; }",
        "vmTest: globalTimeout: expected an integer (seconds) between 1 and ",
    ),
    (
        r#"run { acceleration = "required"; }"#,
        r#"vmTest: acceleration: expected one of "require", "prefer", "never", got "required"; did you mean "require"?"#,
    ),
    (
        r#"node { kernel = "/boot"; }"#,
        "vmTest: nodes.server.kernel: expected a store path, got `/boot`, which does not lie in",
    ),
    (
        r#"node { init = "init"; }"#,
        "vmTest: nodes.server.init: expected an absolute path as a string, got `init`",
    ),
    (
        r#"node { sharedDirectories.x = { source = "x"; target = "/x"; }; }"#,
        "vmTest: nodes.server.sharedDirectories.x.source: expected an absolute path as a string, got `x`",
    ),
    (
        r#"node { sharedDirectories.x = { source = "/x"; target = "x"; }; }"#,
        "vmTest: nodes.server.sharedDirectories.x.target: expected an absolute path as a string, got `x`",
    ),
    (
        "node { cores = 0; }",
        "vmTest: nodes.server.cores: expected an integer (number of CPUs) between 1 and 255, got 0",
    ),
    (
        "node { vlans = [ 255 ]; }",
        "vmTest: nodes.server.vlans[0]: expected an integer (number of a VLAN) between 1 and 254",
    ),
    (
        "node { vlans = [ 2 2 ]; }",
        "vmTest: nodes.server.vlans: VLAN 2 is there more than once",
    ),
    (
        "node { root.layers = [ ]; }",
        "vmTest: nodes.server: the machine's root is empty: it has neither `root.layers` nor a `closure`",
    ),
    // Names of machines.
    (
        r#"nodes { "-a" = machine; }"#,
        "vmTest: nodes: bad machine name `-a`: expected a host name",
    ),
    (
        r#"nodes { "a.b" = machine; }"#,
        "vmTest: nodes: bad machine name `a.b`: expected a host name",
    ),
    (
        "nodes { class = machine; }",
        "vmTest: nodes: bad machine name `class`: it is a keyword",
    ),
    (
        "nodes { a-b = machine; a_b = machine; }",
        "vmTest: nodes: machines `a-b` and `a_b` are both `a_b` in the test script",
    ),
];

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn wrong_arguments_are_named() {
    for entry in Entry::ALL {
        for (expression, expected) in TABLE {
            let error = entry.eval(&[], expression).expect_err(expression);
            assert!(
                error.contains(expected),
                "{entry:?}: {expression}\nexpected: {expected}\nerror: {error}"
            );
        }
    }
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn good_arguments_pass() {
    let table = [
        "run { }",
        "node { }",
        "node { vlans = [ ]; }",
        "nodes { a-b = machine; a_c = machine; Z9 = machine; }",
        "node { kernel = { image = fake \"linux\"; modules = \"${fake \"linux\"}/lib/modules\"; }; }",
        "node { sharedDirectories.x = { source = \"/srv\"; target = \"/x\"; }; }",
        "node { sharedDirectories.x = { source = fake \"x\"; target = \"/x\"; readOnly = true; }; }",
        "run { passthru.x = throw \"unused\"; meta.y = throw \"unused\"; }",
    ];
    for entry in Entry::ALL {
        for expression in table {
            let path = entry.eval(&["--raw"], expression).expect(expression);
            assert!(
                path.ends_with("-vm-test-run-t.drv"),
                "{entry:?}: {expression}: {path}"
            );
        }
    }
}
