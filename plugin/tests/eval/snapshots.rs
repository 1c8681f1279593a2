//! Machines that are booted once for many tests.

use crate::nix::Entry;

/// A test that goes on from a snapshot, and others that differ from it.
const TESTS: &str = r#"
  base = {
    name = "t"; nodes.server = machine; testScript = "server.succeed('true')"; snapshot = true;
    tools = tools // { tesseract = fake "tesseract"; };
  };
  boot = changes: (vmTest (base // changes)).boot.drvPath;
"#;

fn holds(expression: &str) {
    for entry in Entry::ALL {
        let expression = format!("let {TESTS} in {expression}");
        let result = entry.eval(&[], &expression);
        assert_eq!(result, Ok("true".to_owned()), "{entry:?}: {expression}");
    }
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn to_edit_a_script_boots_nothing() {
    for change in [
        r#"testScript = "server.succeed('test -e /tmp/shared')""#,
        r#"name = "other""#,
        "globalTimeout = 7",
        "serialStdout = false",
        "waitForOutput = true",
        "enableOCR = true",
        r#"extraPythonPackages = [ (fake "package") ]"#,
        r#"fresh = [ "machine-id" ]"#,
        "meta.x = 1",
        "passthru.x = 1",
    ] {
        holds(&format!("boot {{ }} == boot {{ {change}; }}"));
        if !change.starts_with("meta") && !change.starts_with("passthru") {
            holds(&format!(
                "(vmTest base).drvPath != (vmTest (base // {{ {change}; }})).drvPath"
            ));
        }
    }
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn what_makes_the_state_does() {
    for change in [
        "nodes.server = machine // { memory = 512; }",
        "nodes = { server = machine; other = machine; }",
        r#"prepare = "server.start()""#,
        "sharedDir = false",
        r#"extraFeatures = [ "x" ]"#,
        r#"acceleration = "never""#,
        r#"snapshot = "prefer""#,
        r#"tools = base.tools // { agent = fake "other"; }"#,
    ] {
        holds(&format!("boot {{ }} != boot {{ {change}; }}"));
    }
    let prepared = r#"prepare = "server.start()"; globalTimeout"#;
    holds(&format!(
        "boot {{ {prepared} = 7; }} != boot {{ {prepared} = 8; }}"
    ));
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn a_test_goes_on_from_its_boot() {
    holds(
        "let test = vmTest base; in test.manifest.snapshot.restore.from == test.boot.outPath \
         && test.boot.manifest.snapshot.save == { required = true; prepared = false; } \
         && !((vmTest (base // { snapshot = false; })) ? boot)",
    );
}

/// A driver boots its machines itself, and so do tests whose machines cannot be saved: no script is left out for that.
#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn machines_that_boot_are_prepared_as_those_of_a_snapshot() {
    holds(
        r#"let
          prepared = vmTest (base // { prepare = "start_all()"; });
          snapshot = test: test.driver.manifest.snapshot;
          scripted = vmTest (base // {
            snapshot = "prefer"; prepare = "start_all()"; nodes.server.startScript = fake "run-server-vm";
          });
        in
          snapshot prepared == { boot.prepare = "start_all()"; }
          && prepared.driverInteractive.manifest.snapshot == snapshot prepared
          && scripted.manifest.snapshot == snapshot prepared
          && snapshot (vmTest base) == null"#,
    );
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn a_suite_is_tests_on_one_boot() {
    holds(
        r#"let
          common = removeAttrs base [ "snapshot" "testScript" ] // { name = "s"; };
          suite = vmTestSuite (common // { scripts = { a = "pass"; b = "start_all()"; }; });
        in
          builtins.attrNames suite == [ "a" "b" ]
          && suite.a.name == "vm-test-run-s-a"
          && suite.a.drvPath == (vmTest (base // { name = "s-a"; testScript = "pass"; })).drvPath
          && suite.a.boot.drvPath == suite.b.boot.drvPath
          && builtins.attrNames (vmTestSuite { name = "s"; nodes = throw "evaluated"; scripts.x = throw "evaluated"; }) == [ "x" ]"#,
    );
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn schedulers_are_told_what_a_test_takes() {
    holds(
        "let test = vmTest (base // { nodes = { a = machine // { memory = 512; cores = 2; }; b = machine; }; }); in \
         test.requiredCores == 3 && test.requiredMemory == 512 + 1024 + 2 * 256",
    );
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn mistakes_are_told() {
    let table = [
        (
            r#"run { snapshot = "maybe"; }"#,
            r#"vmTest: snapshot: expected one of "require", "prefer", got "maybe""#,
        ),
        (
            r#"run { prepare = "pass"; }"#,
            "vmTest: prepare: there is nothing to prepare without `snapshot = true`",
        ),
        (
            r#"run { snapshot = true; fresh = [ "hostname" ]; }"#,
            r#"vmTest: fresh[0]: expected one of "machine-id", "ssh-host-keys", got "hostname""#,
        ),
        (
            r#"vmTestSuite { name = "s"; testScript = "pass"; }"#,
            "vmTest: testScript: a suite has `scripts` instead",
        ),
        (
            r#"run { fresh = [ "machine-id" ]; }"#,
            "vmTest: fresh: there is nothing to make anew without `snapshot = true`",
        ),
        (
            r#"vmTestSuite { name = "s"; scripts."web.login" = "pass"; }"#,
            "vmTest: scripts: bad script name `web.login`: expected letters, digits",
        ),
        (
            r#"vmTestSuite { name = "s"; scripts = { }; }"#,
            "vmTest: scripts: expected at least one script, got none",
        ),
        (
            r#"vmTestSuite { name = "s"; }"#,
            "vmTest: missing attribute `scripts`",
        ),
        (
            "vmTestSuite 3",
            "vmTest: expected an attribute set, got an integer",
        ),
    ];
    for (expression, expected) in table {
        for entry in Entry::ALL {
            let error = entry.eval(&[], expression).expect_err(expression);
            assert!(error.contains(expected), "{entry:?}: {expression}: {error}");
        }
    }
}
