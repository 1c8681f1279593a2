//! Machines that go back to what they were.

use crate::fake::{run, run_with};

#[test]
fn a_machine_goes_back_to_a_snapshot() {
    insta::assert_snapshot!(
        run(r#"
before = server.snapshot()
print(before, before.machines)
server.succeed("true")
server.restore(before)
server.succeed("true")
del before
"#)
        .text()
    );
}

#[test]
fn several_are_saved_at_one_moment_and_go_back_together_or_alone() {
    insta::assert_snapshot!(
        run_with(
            &["a", "b", "c"],
            r#"
a.start()
b.start()
all = snapshot()
both = machines[1:].snapshot()
restore(all)
machines.restore(both)
c.restore(both)
with pristine(group(a, c)):
    a.succeed("true")
@pristine(b)
def changes():
    b.succeed("true")
changes()
try:
    with subtest("it fails"), pristine(a):
        a.fail("true")
except Exception:
    print("failed")
"#
        )
        .text()
    );
}

/// A machine that waits for itself would wait for ever.
#[test]
fn a_machine_that_is_named_twice_is_saved_and_goes_back_once() {
    let script = r#"
a.start()
with pristine(machines, a) as before:
    print(before.machines)
    group(a, a, b).restore(before)
print(snapshot(a, [a, b], b).machines)
"#;
    let run = run_with(&["a", "b"], script);
    let calls = |line: &&str| {
        let names = ["out: ", "snapshot ", "restore "];
        names.iter().any(|name| line.starts_with(name))
    };
    let text = run.text();
    let calls: Vec<&str> = text.lines().filter(calls).collect();
    assert_eq!(
        calls,
        [
            "snapshot 0 of a, b",
            "out: ['a', 'b']",
            "restore a, b to snapshot 0",
            "restore a, b to snapshot 0",
            "snapshot 1 of a, b",
            "out: ['a', 'b']",
        ],
        "{text}"
    );
}

#[test]
fn mistakes_are_told() {
    let table = [
        (
            "snapshot()",
            "no machine runs that a snapshot could be taken of",
        ),
        (
            "a.restore(b.snapshot())",
            "the snapshot is of b, not of this machine",
        ),
        ("restore(3)", "expected a Snapshot, got int"),
        ("snapshot('a')", "expected a Machine, got str"),
    ];
    for (script, expected) in table {
        let failure = run_with(&["a", "b"], script).result.expect_err("a mistake");
        let text = failure.to_string();
        assert!(text.contains(expected), "{script}: {text}");
    }
}
