//! Scripts that fail, and the text that people then read.

use crate::fake::{run, run_on, run_with};

/// One snapshot for each script, which fails.
macro_rules! failures {
    ($($name:ident: $script:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let run = run($script);
                assert!(run.result.is_err(), "{}", run.text());
                insta::assert_snapshot!(run.text());
            }
        )*
    };
}

failures! {
    failed_command: "\nserver.succeed('fail it is broken')\n";
    failed_command_in_functions: "
def outer():
    inner('x')

def inner(what):
    print(f'now {what}')
    if server.succeed(
        'fail ' + what
    ):
        pass

outer()
";
    unexpected_success: "server.fail('echo hi')";
    command_killed_for_its_time: "server.succeed('hang', timeout=2)";
    command_killed_by_signal: "server.succeed('segv')";
    failed_assert: "x = 1\nassert x == 2, f'{x} is not two'\n";
    failed_assert_without_message: "assert server.name == 'client'";
    failed_unittest_assertion: "out = server.succeed('echo hi')\nt.assertIn('ping', out)";
    failed_subtest: "
with subtest('outer'):
    with subtest('inner ✓'):
        server.succeed('fail a', 'echo never')
";
    python_error: "machines = {}\nprint(machines['x'])\n";
    error_from_the_library: "import json\ndata = json.loads('{')\n";
    error_while_handling: "
try:
    server.succeed('fail a')
except Exception as e:
    raise ValueError('ä' * 3 + str(1)) from e
";
    error_in_context: "
def undo():
    undefined_name

try:
    server.succeed('fail a')
finally:
    undo()
";
    error_after_wide_characters: "x = 'ÄÖÜ✓✓'; y = 'ä' + 1 + 2\n";
    own_exception: "
class Broken(Exception):
    pass

raise Broken('multi\\nline')
";
    machine_died: "server.succeed('true')\nserver.succeed('die')\n";
    dead_machine_is_not_started_again: "
try:
    server.succeed('die')
except Exception as e:
    print('caught', type(e).__name__)
server.succeed('true')
";
    guest_panicked: "with subtest('x'):\n    server.succeed('panic')\n";
    stopped_by_the_runner: "
for attempt in range(3):
    try:
        server.succeed('stop')
    except Exception:
        print('not reached')
";
    refused_copy: "server.copy_from_machine('/missing')";
    missing_source: "server.copy_from_host('/no/such/file', '/tmp/x')";
    exit_with_status: "import sys\nsys.exit(3)\n";
    exit_with_message: "import sys\nsys.exit('no good')\n";
    error_message_ends_the_test: "log.error('cannot go on')\nprint('never')\n";
    syntax_error: "start_all()\nserver.succeed('x'\n";
    syntax_error_in_the_middle: "if True:\n    x = = 3\n";
    indentation_error: "def f():\nprint(1)\n";
    return_outside_function: "start_all()\nreturn 3\n";
    failed_assert_over_lines: "
def check(x):
    assert (
        x == 1
        and x != 2
    ), 'over lines'

check(5)
";
    failed_assert_without_parentheses_over_lines: "
with subtest('x'):
    assert [
        a for a in (1, 2)
    ] == [
        3,
    ]
";
    misspelt_machine: "print(sever.name)";
    misspelt_method: "server.suceed('x')";
    misspelt_function: "def f():\n    start_al()\nf()";
    misspelt_import: "from test_driver.errors import MachinError";
    error_inside_an_assert: "assert server.succeed('fail x') == 'y'";
    syntax_error_after_wide_characters: "x = 'ÄÖ✓'; y = = 3\n";
    too_deep: "def f():\n    f()\nf()\n";
}

#[test]
fn failure_is_told_apart_from_python_text() {
    // The file of a traceback is the script only, even if code of the same text runs elsewhere.
    let run = run_with(&["a"], "exec('raise KeyError(1)')");
    insta::assert_snapshot!(run.text());
}

/// All failures are told, and the first is the test's.
#[test]
fn the_script_goes_on_after_failed_subtests() {
    let run = run_on(
        "
def check(what):
    server.succeed(f'fail {what}')

with subtest('one'):
    check('a')
    print('not reached')
with subtest('two'):
    pass
with subtest('outer'):
    with subtest('inner'):
        assert 1 == 2
    print('in outer')

@subtest('decorated')
def decorated():
    machines['x']

decorated()
print('the end')
",
    );
    insta::assert_snapshot!(run.text());
}

/// What is outside of subtests ends the script still, and so does what is no error.
#[test]
fn other_failures_end_a_script_that_goes_on() {
    let outside =
        run_on("with subtest('one'):\n    assert False\nassert 1 == 2\nprint('not reached')\n");
    let failure = outside.result.as_ref().expect_err("it fails");
    assert_eq!(failure.line, Some(3), "{}", outside.text());
    let quit = run_on("with subtest('one'):\n    quit(3)\nprint('not reached')\n");
    assert!(quit.result.is_err(), "{}", quit.text());
    for run in [outside, quit] {
        assert!(!run.log.contains("not reached"), "{}", run.text());
    }
    let fine = run_on("with subtest('one'):\n    pass\n");
    assert!(fine.result.is_ok(), "{}", fine.text());
}

/// The report shows the step that has failed, and not what contains it.
#[test]
fn failures_name_the_step_that_they_have_left() {
    let step = |script: &str| {
        run(script)
            .result
            .expect_err("it fails")
            .step
            .map(|id| id.0)
    };
    let script = "server.succeed('true')\nwith subtest('a'):\n    server.succeed('fail a')\n";
    // Steps: the script, starting and connecting to the machine, `true`, the subtest, `fail a`.
    let inner = step(script).expect("a step");
    assert_eq!(
        step(&script.replace("server.succeed('fail a')", "assert False")),
        Some(inner - 1)
    );
    assert_eq!(step("1 / 0"), None);
}
