//! Scripts with threads.

use crate::fake::{printed, run, run_with};

#[test]
fn machines_are_driven_at_the_same_time() {
    // Passes only if both calls are under way at once, and if a waiting call lets the other thread run.
    let script = r#"
import threading
thread = threading.Thread(target=lambda: a.succeed("wait-for-gate"))
thread.start()
b.succeed("open-gate")
thread.join()
print("together")
"#;
    let run = run_with(&["a", "b"], script);
    assert_eq!(run.result, Ok(()), "{}", run.text());
    assert!(run.log.contains("out: together\n"), "{}", run.log);
}

#[test]
fn one_machine_takes_commands_from_two_threads() {
    let script = r#"
import threading
thread = threading.Thread(target=server.succeed, args=("wait-for-gate",))
server.connect()
thread.start()
server.succeed("open-gate")
thread.join()
"#;
    let run = run(script);
    assert_eq!(run.result, Ok(()), "{}", run.text());
}

#[test]
fn a_child_process_starts_while_another_thread_waits_for_a_machine() {
    // Forking stops all threads; one that waits for a machine must count as stopped.
    let script = r#"
import subprocess, threading
server.connect()
thread = threading.Thread(target=lambda: server.succeed("wait-for-gate"))
thread.start()
print(subprocess.run(["/bin/sh", "-c", "echo child"], capture_output=True, text=True).stdout)
server.succeed("open-gate")
thread.join()
"#;
    assert_eq!(printed(script), "child\n");
}

#[test]
fn the_end_waits_for_threads() {
    let script = r#"
import threading
def work():
    server.succeed("wait-for-gate")
    print("thread is done")
server.connect()
threading.Thread(target=work).start()
threading.Thread(target=lambda: server.succeed("open-gate")).start()
"#;
    assert_eq!(printed(script), "thread is done");
}

#[test]
fn a_failed_script_does_not_wait_for_threads() {
    let script = r#"
import threading
server.connect()
threading.Thread(target=lambda: server.succeed("wait-for-gate")).start()
assert False, "at once"
"#;
    let failure = run(script).result.expect_err("the script fails");
    assert_eq!(failure.message, "AssertionError: at once");
}

#[test]
fn lines_of_threads_stay_whole() {
    let script = r#"
import threading
def work(name):
    for i in range(200):
        print(name, "x" * 40, i)
threads = [threading.Thread(target=work, args=(n,)) for n in "abcd"]
for thread in threads: thread.start()
for thread in threads: thread.join()
"#;
    let text = printed(script);
    assert_eq!(text.lines().count(), 800);
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!((words.len(), words[1].len()), (3, 40), "{line}");
    }
}

#[test]
fn steps_of_threads_do_not_nest_in_each_other() {
    let script = r#"
import threading
with subtest("main"):
    thread = threading.Thread(target=lambda: b.log("x") or b.succeed("true"))
    thread.start()
    thread.join()
"#;
    let run = run_with(&["b"], script);
    // A step inside another one is shown with a `>` by the fake.
    assert!(run.log.contains("\nb: must succeed: true\n"), "{}", run.log);
    assert!(run.log.contains("> subtest: main\n"), "{}", run.log);
}

#[test]
fn a_machine_is_started_once_by_many_threads() {
    let script = r#"
import threading
threads = [threading.Thread(target=server.succeed, args=("true",)) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(server.pid)
"#;
    let run = run(script);
    assert_eq!(run.result, Ok(()), "{}", run.text());
    assert_eq!(run.log.matches("<server: start ").count(), 1, "{}", run.log);
    assert!(run.log.contains("out: 100\n"), "{}", run.log);
}
