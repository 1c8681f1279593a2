//! The builtin as a citizen of the evaluator.

use crate::nix::{Entry, nix};

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn repl_shows_documentation() {
    let output = nix(&["repl"], ":doc builtins.vmTest\n");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in [
        "Run a test on virtual machines.",
        "`testScript`",
        "builtins.vmTest {",
    ] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn unused_builtin_is_not_evaluated_and_name_without_builtins_works() {
    assert_eq!(
        Entry::Plugin.eval(&[], "__vmTest == null"),
        Ok("false".to_owned())
    );
    assert_eq!(
        Entry::Plugin.eval(&[], "builtins.typeOf __vmTest"),
        Ok("\"lambda\"".to_owned())
    );
}

/// An error keeps its kind on the way through the plugin.
#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn errors_can_be_caught() {
    for entry in Entry::ALL {
        assert_eq!(
            entry.eval(&[], "(builtins.tryEval (vmTest { })).success"),
            Ok("false".to_owned()),
            "{entry:?}"
        );
    }
}

/// To list tests does not mean to evaluate their machines.
#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn machines_are_evaluated_when_they_are_needed() {
    let expression = r#"
      let test = vmTest {
        name = "t"; nodes.server = throw "evaluated"; testScript = throw "evaluated"; inherit tools; meta.x = 1;
      }; in "${test.name} ${toString test.meta.x}""#;
    for entry in Entry::ALL {
        assert_eq!(
            entry.eval(&["--raw"], expression),
            Ok("vm-test-run-t 1".to_owned()),
            "{entry:?}"
        );
    }
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn plugin_brings_its_programs_and_library_has_none() {
    let test = r#"vmTest { name = "t"; nodes = { }; testScript = ""; }"#;
    let agent = format!("({test}).manifest.tools.agent");
    let path = Entry::Plugin
        .eval(&["--raw"], &agent)
        .expect("the plugin was built with its programs");
    assert!(
        path.starts_with("/nix/store/") && path.ends_with("/bin/vmtest-agent"),
        "{path}"
    );
    let error = Entry::Library
        .eval(&[], test)
        .expect_err("there are no programs");
    assert!(
        error.contains("vmTest: there are no programs to run the test with"),
        "{error}"
    );
}
