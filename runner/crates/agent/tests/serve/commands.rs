//! Commands: streams, ends, process groups, those left behind.

use std::fs;

use vmtest_protocol::{Ended, Outcome, Run, Stream, ToGuest, ToHost};

use crate::fifo::{Fifo, make};
use crate::host::{Host, ended, out_of_time, plain};

#[test]
fn streams_and_status_are_told_apart() {
    let result = Host::new().run("echo out; echo err >&2; exit 3");
    assert_eq!((result.text(), result.code()), ("out\n", 3));
    assert_eq!(result.stderr, b"err\n");
}

#[test]
fn a_signal_is_told() {
    let result = Host::new().run("kill -SEGV $$");
    assert_eq!(result.end, Ok(ended(Ended::Signal(11))));
}

#[test]
fn output_is_whole_and_binary_safe() {
    let script = "for i in 1 2 3 4; do printf '\\377\\0\\376'; head -c 300000 /dev/zero; done";
    let result = Host::new().run(script);
    let mut expected = Vec::new();
    for _ in 0..4 {
        expected.extend([255, 0, 254]);
        expected.resize(expected.len() + 300_000, 0);
    }
    assert!(result.stdout == expected, "{} bytes", result.stdout.len());
}

#[test]
fn output_comes_while_the_command_runs() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let fifo = make(&folder, "fifo");
    let mut host = Host::new();
    let id = host.start(&format!("echo first; read line < {fifo}; echo $line"), None);
    assert!(matches!(host.next_of(id), ToHost::Output(_, _, data) if data == b"first\n"));
    fs::write(&fifo, "second\n").expect("written");
    assert_eq!(host.finish(id).text(), "second\n");
}

#[test]
fn a_command_has_the_environment_of_a_login() {
    let script = "echo $HOME $USER $LOGNAME $PATH; pwd; echo ${PAGER-unset}; tty; cat";
    let mut host = Host::new();
    let result = host.run(script);
    let lines: Vec<&str> = result.text().lines().collect();
    assert!(lines[0].starts_with("/root root root /"), "{lines:?}");
    assert_eq!(lines[1..], ["/tmp", "", "not a tty"]);
    let group = host.run("echo $$; ps -o pgid= -p $$");
    let numbers: Vec<&str> = group.text().split_whitespace().collect();
    assert_eq!(numbers[0], numbers[1], "a process group of its own");
}

#[test]
fn a_script_may_be_larger_than_an_argument() {
    let script = format!("cat << END | wc -c\n{}\nEND\nexit 7", "x".repeat(1_000_000));
    let result = Host::new().run(&script);
    assert_eq!((result.text().trim(), result.code()), ("1000001", 7));
}

#[test]
fn a_script_that_cannot_be_passed_is_a_failure() {
    let failure = Host::new().run("echo \0").end.expect_err("no such command");
    assert!(failure.0.starts_with("cannot run /"), "{failure}");
}

#[test]
fn whoever_holds_the_output_does_not_hold_up_the_command() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let go = make(&folder, "go");
    let done = Fifo::new();
    let mut host = Host::new();
    // The one left behind writes more than a pipe holds, after the command has ended: nothing of it is lost.
    let id = host.start(
        &format!(
            "(exec 3> {}; read line < {go}; head -c 1000000 /dev/zero && echo done >&3) & echo first",
            done.path
        ),
        None,
    );
    let result = host.finish(id);
    assert_eq!((result.text(), result.code()), ("first\n", 0));
    let [holder] = result.holders() else {
        panic!("one holds it: {:?}", result.holders());
    };
    assert!(holder.contains("sh (pid "), "{holder}");
    fs::write(&go, "go\n").expect("written");
    let mut late = 0;
    while late < 1_000_000 {
        match host.next_of(id) {
            ToHost::Late(_, Stream::Stdout, data) => late += data.len(),
            other => panic!("no late output: {other:?}"),
        }
    }
    assert_eq!(done.all(), "done\n");
}

#[test]
fn what_comes_after_the_end_is_late() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let go = make(&folder, "go");
    let mut host = Host::new();
    let id = host.start(
        &format!("(read line < {go}; echo $line >&2) & echo first"),
        None,
    );
    assert_eq!(host.finish(id).text(), "first\n");
    fs::write(&go, "second\n").expect("written");
    let late = ToHost::Late(id, Stream::Stderr, b"second\n".to_vec());
    assert_eq!(host.next_of(id), late);
}

#[test]
fn a_command_can_wait_for_its_outputs() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let go = make(&folder, "go");
    let mut host = Host::new();
    let wait = |script: &str, timeout_ms| Run {
        timeout_ms,
        wait_for_output: true,
        ..plain(script)
    };
    let script = format!("(read line < {go}; echo $line) & echo first; exit 3");
    let id = host.start_as(wait(&script, None));
    assert!(matches!(host.next_of(id), ToHost::Output(_, _, data) if data == b"first\n"));
    fs::write(&go, "second\n").expect("written");
    let result = host.finish(id);
    assert_eq!((result.text(), result.code()), ("second\n", 3));
    assert!(result.holders().is_empty());

    let fifo = Fifo::new();
    let script = format!("(exec 3> {}; echo up >&3; sleep 1000) & true", fifo.path);
    let id = host.start_as(wait(&script, Some(1000)));
    assert_eq!(host.finish(id).end, Ok(out_of_time()));
    assert_eq!(fifo.all(), "up\n", "it was killed");
}

#[test]
fn what_ends_a_little_later_still_belongs_to_it() {
    let result = Host::new().run("bash -c 'echo x > >(cat)'");
    assert_eq!((result.text(), result.holders().len()), ("x\n", 0));
}

#[test]
fn a_command_reads_what_it_is_sent() {
    let mut host = Host::new();
    let stdin = |script: &str| Run {
        stdin: true,
        ..plain(script)
    };
    let id = host.start_as(stdin("cat; echo end"));
    let mut sent = Vec::new();
    // Much more than a pipe holds: each piece waits for the credit that its predecessors bring.
    for number in 0..200_u8 {
        let piece = vec![number; 20_000];
        host.send(&ToGuest::Data(id, piece.clone()));
        sent.extend(piece);
        let mut credit = 0;
        let mut echoed = 0;
        while credit < 20_000 || echoed < 20_000 {
            match host.next_of(id) {
                ToHost::Credit(_, more) => credit += more,
                ToHost::Output(_, Stream::Stdout, data) => {
                    assert!(data.iter().all(|byte| *byte == number));
                    echoed += data.len();
                }
                other => panic!("no part of it: {other:?}"),
            }
        }
    }
    host.send(&ToGuest::Data(id, Vec::new()));
    let result = host.finish(id);
    assert_eq!((result.text(), result.code()), ("end\n", 0));

    // One that does not read is not held up.
    let id = host.start_as(stdin("exec 0<&-; echo deaf"));
    assert!(matches!(host.next_of(id), ToHost::Output(_, _, data) if data == b"deaf\n"));
    host.send(&ToGuest::Data(id, b"hello".to_vec()));
    assert_eq!(host.finish(id).code(), 0);
}

#[test]
fn one_who_writes_for_ever_does_not_hold_up_the_command() {
    let pid = tempfile::NamedTempFile::new().expect("temporary file");
    let mut host = Host::new();
    let script = format!("yes & echo $! > {}; exit 5", pid.path().display());
    assert_eq!(host.run(&script).code(), 5);
    let pid = fs::read_to_string(pid).expect("written");
    assert_eq!(host.run(&format!("kill {pid}")).code(), 0, "it was alive");
}

/// A command with a grandchild: both live until they are killed, and the fifo tells of it.
fn family(fifo: &Fifo) -> String {
    let path = &fifo.path;
    format!(
        "(sh -c 'exec 3> {path}; echo up >&3; echo up; sleep 1000; true'; true) & sleep 1000; true"
    )
}

#[test]
fn a_time_out_kills_the_whole_group() {
    let fifo = Fifo::new();
    let mut host = Host::new();
    let id = host.start(&family(&fifo), Some(1000));
    let result = host.finish(id);
    assert_eq!((result.text(), &result.end), ("up\n", &Ok(out_of_time())));
    assert_eq!(fifo.all(), "up\n");
}

#[test]
fn a_command_whose_time_is_over_may_end_in_its_own_way() {
    let mut host = Host::new();
    let id = host.start("trap 'echo bye; exit' TERM; sleep 1000 & wait", Some(1000));
    let result = host.finish(id);
    assert_eq!((result.text(), &result.end), ("bye\n", &Ok(out_of_time())));
    let deaf = "trap '' TERM; echo up; while :; do sleep 1000; done";
    let id = host.start(deaf, Some(1000));
    let result = host.finish(id);
    assert_eq!((result.text(), &result.end), ("up\n", &Ok(out_of_time())));
}

#[test]
fn a_cancelled_command_is_killed_with_its_children() {
    let fifo = Fifo::new();
    let mut host = Host::new();
    let id = host.start(&family(&fifo), None);
    assert!(matches!(host.next_of(id), ToHost::Output(_, _, data) if data == b"up\n"));
    host.send(&ToGuest::Cancel(id));
    assert_eq!(host.finish(id).end, Ok(Outcome::Cancelled));
    assert_eq!(fifo.all(), "up\n");
}

#[test]
fn a_flood_that_nobody_reads_still_times_out() {
    let fifo = Fifo::new();
    let mut host = Host::new();
    let id = host.start(
        &format!("exec 3> {}; echo up >&3; yes", fifo.path),
        Some(1000),
    );
    // What was said so far is read when the flood has gone.
    assert!(matches!(host.next_of(id), ToHost::Output(..)));
    assert_eq!(fifo.all(), "up\n");
    let result = host.finish(id);
    assert_eq!(result.end, Ok(out_of_time()));
    assert!(
        result.stdout.len() < 2 * 1024 * 1024,
        "{}",
        result.stdout.len()
    );
}

#[test]
fn many_run_at_once() {
    const MANY: usize = 30;
    let folder = tempfile::tempdir().expect("temporary folder");
    let fifos: Vec<String> = (0..=MANY)
        .map(|number| make(&folder, &number.to_string()))
        .collect();
    let mut host = Host::new();
    // Each waits for the one that is started after it.
    let ids: Vec<_> = fifos
        .windows(2)
        .enumerate()
        .map(|(number, fifos)| {
            let script = format!(
                "read x < {}; echo {number}; echo go > {}; exit {number}",
                fifos[1], fifos[0]
            );
            host.start(&script, None)
        })
        .collect();
    let last = host.start(&format!("echo go > {}", fifos[MANY]), None);
    let first = host.start(&format!("read x < {}", fifos[0]), None);
    for (number, id) in ids.into_iter().enumerate() {
        let result = host.finish(id);
        let expected = (format!("{number}\n"), number);
        assert_eq!(
            (result.text().to_owned(), usize::from(result.code())),
            expected
        );
    }
    assert_eq!(
        (host.finish(last).code(), host.finish(first).code()),
        (0, 0)
    );
}
