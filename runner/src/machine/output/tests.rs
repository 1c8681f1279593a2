//! What commands print, and what of it the log shows.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::advance;

use super::*;
use crate::event::Stamped;
use crate::report::Terminal;

struct Shown {
    events: UnboundedReceiver<Stamped>,
    terminal: Terminal,
}

impl Shown {
    fn new() -> (Arc<Output>, Self) {
        let (events, receiver) = Events::new();
        let shown = Self {
            events: receiver,
            terminal: Terminal::default(),
        };
        let console = Arc::default();
        (Arc::new(Output::new("server", events, console)), shown)
    }

    fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            lines.extend(self.terminal.render(&event));
        }
        lines
    }
}

#[tokio::test(start_paused = true)]
async fn lines_are_shown_as_they_come() {
    let (output, mut shown) = Shown::new();
    let mut log = output.command();
    log.push(Stream::Stdout, b"one\ntw");
    log.push(Stream::Stderr, b"oops\n");
    assert_eq!(shown.lines(), ["server: | one", "server: ! oops"]);
    log.push(Stream::Stdout, b"o\nthree");
    assert_eq!(shown.lines(), ["server: | two"]);
    drop(log);
    assert_eq!(shown.lines(), ["server: | three"], "a line without an end");
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_counted() {
    let (output, mut shown) = Shown::new();
    let mut log = output.command();
    log.push(Stream::Stdout, &b"y\n".repeat(1000));
    assert_eq!(shown.lines().len(), 200);
    advance(Duration::from_secs(1)).await;
    log.push(Stream::Stdout, &b"z\n".repeat(60));
    let lines = shown.lines();
    assert_eq!(lines[0], "server: | (800 lines left out)");
    assert_eq!((lines.len(), lines[1].as_str()), (51, "server: | z"));
    drop(log);
    assert_eq!(shown.lines(), ["server: | (10 lines left out)"]);
    // Another command is not punished for it.
    output.command().push(Stream::Stdout, b"x\n");
    assert_eq!(shown.lines(), ["server: | x"]);
}

#[tokio::test(start_paused = true)]
async fn late_output_says_that_it_is_late() {
    let (output, mut shown) = Shown::new();
    output.late(3, Stream::Stdout, b"half ");
    output.late(4, Stream::Stderr, b"other\n");
    output.late(3, Stream::Stdout, b"a line\nrest");
    assert_eq!(
        shown.lines(),
        ["server: (late) ! other", "server: (late) | half a line"]
    );
    output.restarted();
    assert_eq!(shown.lines(), ["server: (late) | rest"]);
    // Commands that have long ended do not fill the memory.
    for id in 0..100 {
        output.late(id, Stream::Stdout, b"x");
    }
    assert_eq!(output.lock().late.len(), LATE_COMMANDS);
    assert_eq!(shown.lines().len(), 100 - LATE_COMMANDS);
}

#[test]
fn holders_are_named_once() {
    let (output, mut shown) = Shown::new();
    let holders = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let warning = |holders: &str| {
        format!(
            "server: warning: a command has ended, and its output is still held by {holders}: the call returns without \
             what those will print; with wait_for_output=True it waits for them"
        )
    };
    output.held_by(&[]);
    assert_eq!(shown.lines(), [""; 0]);
    output.held_by(&holders(&["sleep (pid 417)"]));
    assert_eq!(shown.lines(), [warning("sleep (pid 417)")]);
    output.held_by(&holders(&[
        "sleep (pid 417)",
        "cat (pid 418)",
        "tee (pid 419)",
    ]));
    assert_eq!(shown.lines(), [warning("cat (pid 418), tee (pid 419)")]);
    output.held_by(&holders(&["tee (pid 419)"]));
    assert_eq!(shown.lines(), [""; 0]);
    // After a reboot, the same number is another process.
    output.restarted();
    output.held_by(&holders(&["tee (pid 419)"]));
    assert_eq!(shown.lines().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn standard_errors_are_on_the_console_too() {
    let (output, _shown) = Shown::new();
    output.console.push("login: ");
    let mut log = output.command();
    log.push(Stream::Stdout, b"out\n");
    log.push(Stream::Stderr, b"one\ntw");
    log.push(Stream::Stderr, b"o\n");
    assert_eq!(output.console.from(0).0, "login: \none\ntwo\n");
}
