//! `parallel`, and lists of machines that are told the same thing at once.

use crate::fake::{run, run_with};

#[test]
fn functions_run_at_once_and_return_in_order() {
    // Passes only if both calls are under way at once.
    let script = r#"
print(parallel(lambda: a.succeed("wait-for-gate") + "1", lambda: b.succeed("open-gate") + "2"))
print(parallel(), parallel(lambda: 3), parallel(*[lambda i=i: i * i for i in range(50)]) == [i * i for i in range(50)])
"#;
    let run = run_with(&["a", "b"], script);
    assert_eq!(run.result, Ok(()), "{}", run.text());
    assert!(run.log.contains("out: ['1', '2']\n"), "{}", run.log);
    assert!(run.log.contains("out: [] [3] True\n"), "{}", run.log);
}

#[test]
fn the_first_failure_is_raised_with_the_others_as_notes() {
    let script = r#"
import threading
first = threading.Event()
done = []

def early():
    try:
        assert 1 == 2, "early"
    finally:
        first.set()

def late():
    first.wait()
    done.append(1)
    server.succeed("fail it")

def good():
    first.wait()
    done.append(2)

try:
    parallel(good, late, early)
finally:
    print(sorted(done))
"#;
    let run = run(script);
    let failure = run.result.expect_err("the script fails");
    insta::assert_snapshot!(failure.to_string());
}

#[test]
fn steps_lie_inside_those_of_the_caller() {
    let script = r#"
with subtest("both"):
    parallel(lambda: a.succeed("true"), lambda: b.succeed("true"))
"#;
    let run = run_with(&["a", "b"], script);
    for machine in ["a", "b"] {
        // The fake shows with a `>` that a step lies inside another one.
        let line = format!("\n> {machine}: must succeed: true\n");
        assert!(run.log.contains(&line), "{}", run.log);
    }
}

#[test]
fn threads_have_room_for_deep_calls() {
    let script = r#"
def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)

print(parallel(lambda: depth(900), lambda: depth(900)))

def endless():
    return endless()

try:
    parallel(endless, endless)
except RecursionError as e:
    print("RecursionError")
"#;
    let run = run(script);
    assert!(
        run.log.contains("out: [900, 900]\nout: RecursionError\n"),
        "{}",
        run.text()
    );
}

#[test]
fn lists_of_machines_broadcast_and_are_lists() {
    let script = r#"
print(machines.succeed("echo x"), group(a, c).execute("echo y"), machines.is_up())
machines.wait_for_open_port(3000)
print(isinstance(machines, list), type(group(a)).__name__, machines == [a, b, c], [m.name for m in machines])
print(machines.index(b), machines[-1], machines[:2].succeed("true"), (machines + [a]).count(a), len(machines))
print(sorted(machines, key=lambda m: m.name)[0], a in machines, group().succeed("x"), bool(group()))
machines.append(create_machine("x", name="d"))
print(len(driver.machines), machines.succeed.__name__, "wait_for_unit" in dir(machines), machines.copy().booted_is if False else "")
machines.sort(key=lambda m: m.name, reverse=True)
print(machines.pop(), [*machines], repr(machines))
for name in ("suceed", "booted", "__enter__"):
    try:
        getattr(machines, name)
    except AttributeError as e:
        print(e)
"#;
    let run = run_with(&["a", "b", "c"], script);
    let lines = run.log.lines().filter(|line| line.starts_with("out: "));
    let printed: Vec<_> = lines.collect();
    assert_eq!(run.result, Ok(()));
    insta::assert_snapshot!(printed.join("\n"));
}

#[test]
fn a_broadcast_that_fails_names_the_machines() {
    let run = run_with(&["a", "b"], "machines.succeed('fail x')");
    let failure = run.result.expect_err("the script fails");
    assert!(failure.message.contains("on machine a"), "{failure}");
    assert!(failure.message.contains("on machine b"), "{failure}");
    assert_eq!(failure.line, Some(1));
}
