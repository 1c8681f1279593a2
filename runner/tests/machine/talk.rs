//! What scripts say to QEMU and on the serial console, and what they hear.

use std::path::Path;
use std::time::Duration;

use vmtest::machine::lifecycle::{End, State};
use vmtest::ocr::Variant;
use vmtest_script::backend::{ConsoleText, MachineErrorKind as Failure};

use crate::bench::{Bench, POWERED_OFF, Test, block_on};

pub(crate) const TESTS: &[Test] = &[
    ("talk::the_console_is_kept", the_console_is_kept),
    ("talk::the_console_is_waited_for", the_console_is_waited_for),
    ("talk::the_console_is_typed_on", the_console_is_typed_on),
    ("talk::commands_of_the_monitor", commands_of_the_monitor),
    ("talk::events_of_the_monitor", events_of_the_monitor),
    (
        "talk::a_machine_that_is_off_has_no_monitor",
        a_machine_that_is_off_has_no_monitor,
    ),
    ("talk::the_screen_is_read", the_screen_is_read),
    ("talk::exit_statuses", exit_statuses),
];

const MOMENT: Option<Duration> = Some(Duration::from_millis(1));

fn text(text: &str, end: u64, running: bool) -> ConsoleText {
    ConsoleText {
        text: text.to_owned(),
        end,
        running,
    }
}

/// Over restarts, with prompts that have no end.
fn the_console_is_kept() {
    block_on(async {
        let bench = Bench::new(&[
            "console:\u{1b}[1mone",
            "prompt:login: ",
            POWERED_OFF,
            "exit:0",
        ]);
        let handle = &bench.handle;
        assert_eq!(handle.console_text(0, None).await, text("", 0, false));
        handle.start(false).await.expect("started");
        handle.wait_for_shutdown(None).await.expect("off");
        assert_eq!(
            handle.console_text(0, None).await,
            text("one\nlogin: \n", 12, false)
        );
        handle.start(false).await.expect("started again");
        handle.wait_for_shutdown(None).await.expect("off");
        assert_eq!(
            handle.console_text(12, None).await,
            text("one\nlogin: \n", 24, false)
        );
        assert_eq!(handle.console_text(24, None).await, text("", 24, false));
    });
}

fn the_console_is_waited_for() {
    block_on(async {
        let bench = Bench::new(&[
            "prompt:half",
            "screendump",
            "prompt: a line",
            "screendump",
            POWERED_OFF,
            "exit:0",
        ]);
        let handle = &bench.handle;
        handle.start(false).await.expect("started");
        assert_eq!(handle.console_text(0, None).await, text("half", 4, true));
        assert_eq!(handle.console_text(4, MOMENT).await, text("", 4, true));
        let (more, ()) = tokio::join!(handle.console_text(4, None), bench.next_step());
        assert_eq!(more, text(" a line", 11, true));
        // Its end is news, too.
        let (last, ()) = tokio::join!(handle.console_text(12, None), bench.next_step());
        assert_eq!(last, text("", 12, false));
    });
}

fn the_console_is_typed_on() {
    block_on(async {
        let bench = Bench::new(&["typed:root\n", "prompt:root", "hang"]);
        let off = Err(Failure::NotRunning);
        assert_eq!(bench.handle.send_console(b"x").await, off);
        bench.handle.start(false).await.expect("started");
        bench.handle.send_console(b"ro").await.expect("typed");
        bench.handle.send_console(b"ot\n").await.expect("typed");
        let echo = bench.handle.console_text(0, None).await;
        assert_eq!(echo, text("root", 4, true));
    });
}

fn commands_of_the_monitor() {
    block_on(async {
        let bench = Bench::on_vlan(&["hang"]);
        let handle = &bench.handle;
        handle.start(false).await.expect("started");
        handle.set_link(false).await.expect("unplugged");
        handle.set_link(true).await.expect("plugged in");
        handle.forward_port(8080, 80).await.expect("forwarded");
        let reason = "the host's port 1 cannot lead to the guest's port 80: could not set up host forwarding rule";
        assert_eq!(
            handle.forward_port(1, 80).await,
            Err(Failure::Refused {
                reason: reason.to_owned()
            })
        );
        assert_eq!(
            handle.monitor("what").await,
            Ok("unknown command\r\n".to_owned())
        );
        assert_eq!(
            handle.qmp("query-status", "").await,
            Ok(r#"{"status":"internal-error"}"#.to_owned())
        );
        assert_eq!(
            handle.qmp("nonsense", "{}").await,
            Err(Failure::Qmp {
                class: "CommandNotFound".into(),
                description: "no such command".into()
            })
        );
        let reason = "the arguments of `stop` are no JSON object: [1]".to_owned();
        assert_eq!(
            handle.qmp("stop", "[1]").await,
            Err(Failure::Refused { reason })
        );
        let heard = handle.qmp("heard", r#"{"a":[1]}"#).await.expect("heard");
        let heard: Vec<String> = serde_json::from_str(&heard).expect("a list");
        assert_eq!(
            heard,
            [
                "qmp_capabilities {}",
                r#"set_link {"name":"vlan0","up":false}"#,
                r#"set_link {"name":"vlan0","up":true}"#,
                r#"human-monitor-command {"command-line":"hostfwd_add tcp::8080-:80"}"#,
                r#"human-monitor-command {"command-line":"hostfwd_add tcp::1-:80"}"#,
                r#"human-monitor-command {"command-line":"what"}"#,
                "query-status {}",
                "nonsense {}",
                r#"heard {"a":[1]}"#,
            ]
        );
    });
}

fn events_of_the_monitor() {
    block_on(async {
        let event = |name: &str| format!(r#"{{"event":"{name}","data":{{"x":1}}}}"#);
        let step = |name: &str| format!("event:{}", event(name));
        let bench = Bench::new(&[
            &step("FIRST"),
            &step("SECOND"),
            "screendump",
            &step("THIRD"),
            "exit:0",
        ]);
        let handle = &bench.handle;
        assert_eq!(handle.next_qmp_event(None).await, Err(Failure::NotRunning));
        handle.start(false).await.expect("started");
        for name in ["FIRST", "SECOND"] {
            let next = handle.next_qmp_event(None).await.expect("runs");
            let next: serde_json::Value = serde_json::from_str(&next.expect("one")).expect("JSON");
            assert_eq!(
                (&next["event"], &next["data"]["x"]),
                (&name.into(), &1.into())
            );
        }
        assert_eq!(handle.next_qmp_event(MOMENT).await, Ok(None));
        let (third, ()) = tokio::join!(handle.next_qmp_event(None), bench.next_step());
        assert!(third.expect("runs").expect("one").contains("THIRD"));
        // It has died, and says so.
        let status = "exit status: 0".to_owned();
        assert_eq!(
            handle.next_qmp_event(None).await,
            Err(Failure::Died { status })
        );
    });
}

fn a_machine_that_is_off_has_no_monitor() {
    block_on(async {
        let bench = Bench::new(&["hang"]);
        let handle = &bench.handle;
        let off = || Failure::NotRunning;
        assert_eq!(handle.monitor("info status").await, Err(off()));
        assert_eq!(handle.qmp("stop", "").await, Err(off()));
        assert_eq!(handle.forward_port(1, 1).await, Err(off()));
        assert_eq!(handle.screenshot(Path::new("/x.png")).await, Err(off()));
    });
}

fn the_screen_is_read() {
    block_on(async {
        let refuse = |reason: &str| Failure::Refused {
            reason: reason.to_owned(),
        };
        let bench = Bench::new(&["hang"]);
        bench.handle.start(false).await.expect("started");
        assert_eq!(
            bench.handle.screen().await.expect_err("not enabled"),
            refuse("screens can be read in tests with `enableOCR = true` only")
        );
        let bench = Bench::seen(&["hang"]);
        let off = bench.handle.screen().await.expect_err("off");
        assert_eq!(off, Failure::NotRunning);
        bench.handle.start(false).await.expect("started");
        let screen = bench.handle.screen().await.expect("a picture");
        let text = screen.text(Variant::Words).await.expect("read");
        assert_eq!(text, "P5 8 4\n");
        let pictures = std::fs::read_dir(bench.handle.state_dir()).expect("folder");
        let left = pictures.filter(|entry| {
            let name = entry.as_ref().expect("entry").file_name();
            name.to_string_lossy().ends_with(".ppm")
        });
        assert_eq!(left.count(), 0, "pictures do not stay");
    });
}

fn exit_statuses() {
    block_on(async {
        for (steps, status) in [(&[POWERED_OFF, "exit:7"][..], 7), (&["hang"], -9)] {
            let bench = Bench::new(steps);
            let handle = &bench.handle;
            assert_eq!(handle.exit_status(), None);
            handle.start(false).await.expect("started");
            if status == -9 {
                assert_eq!(handle.exit_status(), None);
                handle.kill().await.expect("killed");
                assert_eq!(handle.state(), State::Off(Some(End::Killed)));
            }
            handle.wait_for_shutdown(None).await.expect("off");
            assert_eq!(handle.exit_status(), Some(status));
        }
    });
}
