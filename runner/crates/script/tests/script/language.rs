//! What scripts use of Python itself, where an embedded interpreter could differ.

use crate::fake::{printed, run};

/// Scripts with what they print.
const CASES: &[(&str, &str)] = &[
    ("print('✓ ü')", "✓ ü"),
    ("print(__name__)", "__main__"),
    ("import sys; print(sys.path)", "[]"),
    (
        "import sys; sys.stdout.write('a\\nb'); sys.stdout.flush(); print()",
        "a\nb",
    ),
    (
        "import dataclasses, json, re, pathlib, tempfile, subprocess, time, contextlib, datetime, unittest, random, shlex, base64, hashlib, itertools, functools, collections, typing, io, textwrap, queue, socket, struct, urllib.parse, configparser, string, uuid, ipaddress, csv, enum, math, copy, logging\nprint(1)",
        "1",
    ),
    (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: 'int' = 3\nprint(P())",
        "P(x=3)",
    ),
    ("print(f'{\"a\" if True else \"b\"!r:>5}')", "  'a'"),
    (
        "with open('/proc/self/comm') as f: print(len(f.read()) > 0)",
        "True",
    ),
    ("import re; print(re.sub(r'\\d+', 'n', 'a1b22'))", "anbn"),
    (
        "import os; os.environ['X_Y'] = 'z'; import subprocess; print(subprocess.check_output(['sh', '-c', 'echo $X_Y']).decode().strip())",
        "z",
    ),
    (
        "try:\n    t.assertEqual(1, 2)\nexcept AssertionError as e:\n    print(type(e).__name__, e)",
        "RequestedAssertionFailed 1 != 2",
    ),
    (
        "t.maxDiff = None\nprint(t.maxDiff)\nwith t.assertRaises(Exception):\n    server.succeed('fail x')",
        "None",
    ),
    (
        "import atexit; atexit.register(lambda: print('at the end')); print('first')",
        "first\nat the end",
    ),
    (
        "from contextlib import contextmanager\n@contextmanager\ndef c():\n    yield 3\nwith c() as x: print(x)",
        "3",
    ),
    ("match {'a': 1}:\n    case {'a': x}: print(x)", "1"),
    ("print(\"\\d\")", "\\d"),
];

#[test]
fn scripts_print_what_they_should() {
    for (script, expected) in CASES {
        assert_eq!(printed(script), *expected, "{script}");
    }
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
fn a_running_machine_is_synced_at_the_end() {
    let run = run("server.connect()");
    assert!(
        run.log.contains("<server: run `sync` timeout 900s>"),
        "{}",
        run.log
    );
}
