//! Commands and what they print.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use vmtest::machine::lifecycle::State;
use vmtest_script::backend::{Command, ExitStatus, MachineErrorKind as Failure};

use crate::bench::{Bench, Test, block_on, command};

/// First argument of this program when its memory is looked at.
pub(crate) const MEASURED: &str = "--measured";

/// MiB that a command prints then.
const FLOOD: usize = 100;

pub(crate) const TESTS: &[Test] = &[
    ("commands::output_is_shown_as_it_comes", output_is_shown),
    ("commands::late_output_is_shown", late_output_is_shown),
    ("commands::quiet_and_detached_ones", quiet_and_detached_ones),
    (
        "commands::early_ones_do_not_wait_for_the_boot",
        early_ones_do_not_wait_for_the_boot,
    ),
    ("commands::a_text_that_is_too_long", a_text_that_is_too_long),
    ("commands::a_shell_to_talk_to", a_shell_to_talk_to),
    (
        "commands::a_guest_that_does_not_keep_the_time_is_given_up",
        a_guest_that_does_not_keep_the_time_is_given_up,
    ),
    ("commands::much_output", much_output),
    ("commands::too_much_output", too_much_output),
];

fn output_is_shown() {
    block_on(async {
        let mut bench = Bench::ready(&["hello", "booted", "answer:1", "hang"]).await;
        let completed = bench.handle.run(&command("one\ntwo")).await.expect("ran");
        assert_eq!(completed.status, ExitStatus::Code(1));
        assert_eq!(
            bench.log_until("an error").await,
            ["server: | one", "server: | two", "server: ! an error"]
        );
    });
}

fn late_output_is_shown() {
    block_on(async {
        let mut bench = Bench::ready(&[
            "hello",
            "booted",
            "held:sleep (pid 417)",
            "held:sleep (pid 417)",
            "late:at last",
            "hang",
        ])
        .await;
        for _ in 0..2 {
            let completed = bench.handle.run(&command("sleep 1 &")).await.expect("ran");
            assert_eq!(completed.stdout, b"output\n");
        }
        let log = bench.log_until("at last").await;
        let lines = |end: &str| log.iter().filter(|line| line.ends_with(end)).count();
        assert_eq!(lines("server: (late) | at last"), 1);
        let warnings = log
            .iter()
            .filter(|line| line.contains("held by sleep (pid 417)"));
        assert_eq!(warnings.count(), 1, "{log:?}");
    });
}

fn quiet_and_detached_ones() {
    block_on(async {
        let steps = ["hello", "booted", "answer:0", "answer:0", "hang"];
        let mut bench = Bench::ready(&steps).await;
        let quiet = Command {
            quiet: true,
            ..command("quiet")
        };
        let completed = bench.handle.run(&quiet).await.expect("ran");
        assert_eq!(completed.stdout, b"quiet");
        let detached = Command {
            detached: true,
            ..command("detached")
        };
        let completed = bench.handle.run(&detached).await.expect("begun");
        assert_eq!(completed.stdout, b"");
        assert_eq!(
            bench.log_until("an error").await,
            ["server: | detached", "server: ! an error"]
        );
    });
}

fn early_ones_do_not_wait_for_the_boot() {
    block_on(async {
        let bench = Bench::new(&["screendump", "hello", "answer:0", "hang"]);
        bench.handle.start(false).await.expect("started");
        let early = Command {
            early: true,
            ..command("early")
        };
        let (completed, ()) = tokio::join!(bench.handle.run(&early), bench.next_step());
        assert_eq!(completed.expect("ran").stdout, b"early");
        let allow_reboot = false;
        assert_eq!(bench.handle.state(), State::Booting { allow_reboot });
    });
}

fn a_guest_that_does_not_keep_the_time_is_given_up() {
    block_on(async {
        let bench = Bench::ready(&["hello", "booted", "hang"]).await;
        tokio::time::pause();
        let after = Duration::from_secs(7);
        let what = "a certain state";
        let answer = bench.handle.run_quietly("true", what, after).await;
        let what = what.to_owned();
        assert_eq!(answer, Err(Failure::TimedOut { what, after }));
    });
}

fn a_text_that_is_too_long() {
    block_on(async {
        let bench = Bench::ready(&["hello", "booted", "answer:0", "hang"]).await;
        let long = command(&"x".repeat(5 << 20));
        match bench.handle.run(&long).await {
            Err(Failure::Refused { reason }) => {
                assert!(reason.contains("a message of 52428"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
        // The connection is as it was.
        bench.handle.run(&command("true")).await.expect("ran");
    });
}

fn a_shell_to_talk_to() {
    block_on(async {
        let bench = Bench::ready(&["hello", "booted", "shell:exit", "hang"]).await;
        let shell = bench.handle.open_shell().await.expect("opened");
        let moment = Some(Duration::from_millis(1));
        assert_eq!(shell.receive(moment).await, Some(Vec::new()));
        shell.send(b"").await.expect("nothing");
        shell.send(b"one").await.expect("sent");
        assert_eq!(shell.receive(None).await, Some(b"one".into()));
        // More than may be on its way at once.
        let much = b"0123456789".repeat(100_000);
        shell.send(&much).await.expect("sent");
        let mut echo = Vec::new();
        while echo.len() < much.len() {
            echo.extend(shell.receive(None).await.expect("it runs"));
        }
        assert!(echo == much, "what it reads is what was sent");
        shell.send(b"exit").await.expect("sent");
        assert_eq!(shell.receive(None).await, Some(b"bye".into()));
        assert_eq!(shell.receive(None).await, None);
        assert_eq!(shell.receive(moment).await, None);
        let reason = "the shell has ended".to_owned();
        assert_eq!(shell.send(b"more").await, Err(Failure::Refused { reason }));
    });
}

/// 100 MiB on each output: the one is the script's value, the other is nobody's.
fn much_output() {
    let measuring = std::env::current_exe().map(|program| {
        let mut command = std::process::Command::new(program);
        command.arg(MEASURED).output()
    });
    let output = measuring.expect("this program").expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let peak: usize = text.trim().parse().expect("a number of MiB");
    assert!(peak < FLOOD + 40, "{peak} MiB for {FLOOD} MiB of output");
}

/// What this program does in a process of its own, whose memory can be looked at.
pub(crate) fn run_measured() -> ExitCode {
    block_on(async {
        let flood = format!("flood:{FLOOD}");
        let bench = Bench::ready(&["hello", "booted", &flood, "hang"]).await;
        let completed = bench.handle.run(&command("seq")).await.expect("ran");
        assert_eq!(completed.stdout.len(), FLOOD << 20);
        assert!(completed.stdout.starts_with(b"0123456789abcde\n0"));
        assert!(completed.stderr.len() < 2 << 20);
        writeln!(std::io::stdout(), "{}", peak_memory() >> 20).expect("the test listens");
    });
    ExitCode::SUCCESS
}

fn too_much_output() {
    block_on(async {
        let bench = Bench::ready(&["hello", "booted", "flood:300", "answer:0", "hang"]).await;
        let reason = "the command wrote more than 256 MiB to its standard output, and was killed: \
                      have it write to a file, or to /dev/null"
            .to_owned();
        assert_eq!(
            bench.handle.run(&command("yes")).await,
            Err(Failure::Refused { reason })
        );
    });
}

/// Of this process, in bytes.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number
        .expect("VmHWM")
        .trim()
        .parse::<usize>()
        .expect("a number")
        << 10
}
