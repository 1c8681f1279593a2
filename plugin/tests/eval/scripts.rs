//! Test scripts are checked when a test is evaluated, where the plugin is loaded.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::nix::Entry;

/// A comment that makes a script one that nobody has checked before.
fn new() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("# {:?}", now.expect("a time"))
}

/// Evaluates a test with this script, in which `\n` ends a line.
fn derivation(script: &str) -> Result<String, String> {
    let expression = format!("run {{ nodes.server = machine; testScript = \"{script}\"; }}");
    Entry::Plugin.eval(&[], &expression)
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn a_wrong_script_is_an_error_with_its_place() {
    let error = derivation(r#"start_all()\nserver.wait_for_open_prot(3000)\nsevrer.shutdown()\n"#)
        .expect_err("the script is wrong");
    for text in [
        "error: vmTest: the test script is wrong:",
        "error[unresolved-attribute]:",
        "--> testScript:2:8",
        "server.wait_for_open_prot(3000)",
        "       ^^^^^^^^^^^^^^^^^^",
        "did you mean `wait_for_open_port`?",
        "error[unknown-machine]: the test has no machine `sevrer`",
        "did you mean `server`?",
    ] {
        assert!(error.contains(text), "no `{text}` in:\n{error}");
    }
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn an_error_can_be_caught_and_what_needs_no_script_can_be_had() {
    let test = r#"(vmTest { name = "t"; nodes.server = machine; testScript = "server.bot()"; meta.timeout = 7; inherit tools; })"#;
    let caught = format!("(builtins.tryEval {test}.drvPath).success");
    assert_eq!(Entry::Plugin.eval(&[], &caught), Ok("false".to_owned()));
    let meta = format!("{test}.meta.timeout");
    assert_eq!(Entry::Plugin.eval(&[], &meta), Ok("7".to_owned()));
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn a_script_that_prepares_is_checked_too() {
    let expression = r#"run { nodes.server = machine; snapshot = true; prepare = "server.bot()"; testScript = "start_all()"; }"#;
    let error = Entry::Plugin
        .eval(&[], expression)
        .expect_err("it is wrong");
    assert!(error.contains("--> prepare:1:8"), "{error}");
}

/// What a script names in the store is not built to check it, and the derivation has it.
#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn store_paths_in_scripts_stay() {
    let expression = r#"
      let test = vmTest { name = "t"; nodes.server = machine; testScript = "server.succeed(\"${fake "package"}\")"; inherit tools; };
      in builtins.concatStringsSep " " (builtins.attrNames (builtins.getContext (builtins.toJSON test.drvAttrs.manifest.testScript)))"#;
    let context = Entry::Plugin
        .eval(&["--raw"], expression)
        .expect("a right script");
    assert!(context.contains("-package.drv"), "{context}");
}

/// A warning is no error, and is told the first time that a script is seen.
#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn warnings_are_told_once() {
    let script = format!(r#"{}\nserver.execute(\"false\")\n"#, new());
    let said = || {
        let expression = format!("run {{ nodes.server = machine; testScript = \"{script}\"; }}");
        Entry::Plugin.warnings(&expression).expect("a right script")
    };
    let first = said();
    assert!(first.contains("warning[ignored-status]"), "{first}");
    let second = said();
    assert!(!second.contains("ignored-status"), "{second}");
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn rules_can_be_left_out() {
    let run = |option: &str| {
        let expression = format!(
            r#"run {{ nodes.server = machine; testScript = "server.succeed(1)\nassert (1, 2)\n"; {option} }}"#
        );
        Entry::Plugin.eval(&[], &expression)
    };
    let error = run("").expect_err("two mistakes");
    assert!(
        error.contains("invalid-argument-type") && error.contains("assert-on-tuple"),
        "{error}"
    );
    let error = run("skipTypeCheck = true;").expect_err("one mistake");
    assert!(!error.contains("invalid-argument-type"), "{error}");
    run("skipTypeCheck = true; skipLint = true;").expect("nothing is looked at");
    run(r#"ignoredRules = [ "invalid-argument-type" "assert-on-tuple" ];"#)
        .expect("both are left out");
}

/// The library alone has the runner do it: the test is evaluated.
#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn without_the_plugin_the_build_tells() {
    let expression = r#"run { nodes.server = machine; testScript = "server.bot()"; }"#;
    let derivation = Entry::Library.eval(&["--option", "plugin-files", ""], expression);
    assert!(
        derivation
            .expect("it is evaluated")
            .contains("vm-test-run-t.drv")
    );
}
