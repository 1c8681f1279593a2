//! What scripts use of Python itself, where an embedded interpreter could differ.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fake::{printed, run};

/// Scripts with what they print that CPython does not print, since they speak of the driver or of its surroundings.
const CASES: &[(&str, &str)] = &[
    ("print(__name__)", "__main__"),
    ("import sys; print(sys.path)", "[]"),
    (
        "try:\n    t.assertEqual(1, 2)\nexcept AssertionError as e:\n    print(type(e).__name__, e)",
        "RequestedAssertionFailed 1 != 2",
    ),
    (
        "t.maxDiff = None\nprint(t.maxDiff)\nwith t.assertRaises(Exception):\n    server.succeed('fail x')",
        "None",
    ),
    ("print(\"\\d\")", "\\d"),
    (
        "import os; os.environ['X_Y'] = 'z'; import subprocess; print(subprocess.check_output(['sh', '-c', 'echo $X_Y']).decode().strip())",
        "z",
    ),
    (
        "import sys\nsys.stdout.buffer.write('ä✓\\n'.encode()[:4])\nsys.stdout.buffer.write('ä✓\\n'.encode()[4:])\nsys.stdout.buffer.flush()\nsys.stdout.reconfigure(line_buffering=True)\nprint(sys.stdout.name, sys.stdout.encoding, sys.stdout is sys.__stdout__)",
        "ä✓\n<stdout> utf-8 True",
    ),
    (
        "import sys; sys.stdout.buffer.write(b'a\\xffb\\n')",
        "a\u{fffd}b",
    ),
    (
        "import locale, sys; print(sys.getfilesystemencoding(), locale.getpreferredencoding(False), open('/dev/null').encoding)",
        "utf-8 utf-8 utf-8",
    ),
];

#[test]
fn scripts_print_what_they_should() {
    for (script, expected) in CASES {
        assert_eq!(printed(script), *expected, "{script}");
    }
}

/// What the interpreter prints in another way than CPython 3.13, by what CPython prints.
const DIFFERENT: &[(&str, &str)] = &[
    ("datetime.IsoCalendarDate(", "IsoCalendarDate("),
    ("month must be in 1..12", "month must be in 1..12, not 13"),
    (
        "Can't instantiate abstract class Base without",
        "class Base without",
    ),
    ("typing.Optional[int]", "int | None"),
    // CPython adds floating-point numbers up with a correction since 3.12.
    ("1.0 1 a [3, 2, 1]", "0.9999999999999999 1 a [3, 2, 1]"),
    (
        "can only concatenate str (not \"int\") to str",
        "unsupported operand type(s) for +: 'str' and 'int'",
    ),
    (
        "can only concatenate list (not \"tuple\") to list",
        "Cannot add list and tuple",
    ),
    ("a real number is required", "a number is required"),
];

/// Scripts that use Python alone, each with what CPython 3.13 prints: `name.py` and `name.txt`.
#[test]
fn python_is_pythons() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/script/python");
    let entries = fs::read_dir(&folder).expect("the folder of scripts");
    let files = entries.map(|entry| entry.expect("an entry").path());
    let scripts: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    assert!(scripts.len() >= 8, "{scripts:?}");
    let mut different = Vec::new();
    for script in scripts {
        let source = fs::read_to_string(&script).expect("a script");
        let expected = fs::read_to_string(script.with_extension("txt")).expect("its output");
        let run = run(&source);
        let lines = run
            .log
            .lines()
            .filter_map(|line| line.strip_prefix("out: "));
        let found: Vec<&str> = lines.collect();
        let expected = DIFFERENT
            .iter()
            .fold(expected, |text, (theirs, ours)| text.replace(theirs, ours));
        let expected: Vec<&str> = expected.lines().collect();
        if let Err(failure) = &run.result {
            different.push(format!("{}: {failure}", script.display()));
        }
        for (index, expected) in expected.iter().enumerate() {
            let found = found.get(index).copied().unwrap_or("(nothing)");
            if found != *expected {
                different.push(format!("{}: {found:?}, not {expected:?}", script.display()));
            }
        }
        if found.len() > expected.len() {
            different.push(format!("{}: more than that", script.display()));
        }
    }
    assert_eq!(different, Vec::<String>::new());
}

#[test]
fn changes_of_the_environment_are_those_of_the_process() {
    let name = "VMTEST_SCRIPT_TEST_OF_THE_ENVIRONMENT";
    printed(&format!("import os; os.environ['{name}'] = 'ü'"));
    assert_eq!(std::env::var(name).as_deref(), Ok("ü"));
    printed(&format!("import os; del os.environ['{name}']"));
    assert_eq!(std::env::var_os(name), None);
}

#[test]
fn wrong_escapes_do_not_flood_the_log() {
    let run = run("x = [\"\\d\", '\\w', f'\\s{1}']");
    assert!(!run.log.contains("Warning"), "{}", run.log);
}

#[test]
fn plain_ways_to_end_a_script_pass() {
    for script in [
        "import sys; sys.exit()",
        "quit()",
        "exit(0)",
        "raise SystemExit",
        "quit(None)",
    ] {
        let run = run(&format!("server.connect()\n{script}\nprint('never')"));
        assert_eq!(run.result, Ok(()), "{script}");
        assert!(!run.log.contains("never"), "{script}");
    }
}

#[test]
fn nothing_is_written_to_disks_that_nobody_keeps() {
    let run = run("server.connect()");
    assert!(!run.log.contains("sync"), "{}", run.log);
}
