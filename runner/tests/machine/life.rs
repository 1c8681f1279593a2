//! Machines that go the way a test wants.

use std::time::Duration;

use vmtest::machine::lifecycle::{End, State};
use vmtest_script::backend::{ExitStatus, MachineErrorKind as Failure};

use crate::bench::{Bench, LAST_RESET, PORT_CLOSED, POWERED_OFF, RESET, Test, block_on, command};

pub(crate) const TESTS: &[Test] = &[
    (
        "life::from_power_on_to_power_off",
        from_power_on_to_power_off,
    ),
    (
        "life::a_guest_may_power_off_before_it_has_answered",
        a_guest_may_power_off_before_it_has_answered,
    ),
    (
        "life::a_guest_that_powers_off_and_a_qemu_that_does_not_end",
        a_qemu_that_does_not_end,
    ),
    (
        "life::a_reboot_is_over_when_the_guest_is_up_again",
        a_reboot,
    ),
    (
        "life::a_reset_loses_what_is_under_way",
        a_reset_loses_what_is_under_way,
    ),
    ("life::another_kernel", another_kernel),
    (
        "life::a_script_that_knows_of_a_reboot",
        a_script_that_knows_of_a_reboot,
    ),
    (
        "life::a_script_that_expects_a_reboot_in_vain",
        a_script_that_expects_a_reboot_in_vain,
    ),
    (
        "life::a_reboot_that_was_not_allowed",
        a_reboot_that_was_not_allowed,
    ),
    ("life::a_crash_and_another_start", a_crash_and_another_start),
    ("life::boot_deadline", boot_deadline),
    ("life::the_last_handle_ends_qemu", the_last_handle_ends_qemu),
];

fn off(end: End) -> State {
    State::Off(Some(end))
}

fn from_power_on_to_power_off() {
    block_on(async {
        let mut bench = Bench::new(&[
            "console:[    0.1] Linux",
            "hello",
            "journal:[    1.2] systemd[1]: Started",
            "booted",
            "answer:3",
            "answer:0",
            POWERED_OFF,
            "exit:0",
        ]);
        let handle = bench.handle.clone();
        assert_eq!(handle.state(), State::Off(None));
        assert_eq!(
            handle.run(&command("early")).await,
            Err(Failure::NotRunning)
        );
        handle.start(false).await.expect("started");
        assert!(handle.pid().is_some());
        handle.connect().await.expect("booted");
        let completed = handle.run(&command("echo")).await.expect("completed");
        assert_eq!(completed.status, ExitStatus::Code(3));
        assert_eq!(completed.stdout, b"echo");
        assert_eq!(completed.stderr, b"an error");
        handle.power_off().await.expect("told");
        handle.wait_for_shutdown(None).await.expect("powered off");
        assert_eq!(handle.pid(), None);
        let how = "the guest powered off".to_owned();
        assert_eq!(
            handle.run(&command("late")).await,
            Err(Failure::Ended { how })
        );
        let allow_reboot = false;
        assert_eq!(
            bench.states_until(&off(End::PoweredOff)).await,
            [
                State::Booting { allow_reboot },
                State::Ready { allow_reboot },
                State::Ending(End::PoweredOff),
                off(End::PoweredOff),
            ]
        );
        assert_eq!(bench.log("console.log"), "[    0.1] Linux\r\n");
        assert_eq!(bench.log("journal.log"), "[    1.2] systemd[1]: Started\n");
    });
}

fn a_guest_may_power_off_before_it_has_answered() {
    block_on(async {
        let bench = Bench::ready(&["hello", "booted", "hear", POWERED_OFF, "exit:0"]).await;
        bench.handle.power_off().await.expect("told");
        bench
            .handle
            .wait_for_shutdown(None)
            .await
            .expect("powered off");
        assert_eq!(bench.handle.state(), off(End::PoweredOff));
    });
}

/// Takes the five seconds that such a QEMU is given.
fn a_qemu_that_does_not_end() {
    block_on(async {
        let bench = Bench::ready(&["hello", "booted", "answer:0", POWERED_OFF, "hang"]).await;
        let process = bench.process();
        bench.handle.power_off().await.expect("told");
        bench
            .handle
            .wait_for_shutdown(None)
            .await
            .expect("powered off");
        process.end().await;
        assert_eq!(bench.handle.state(), off(End::PoweredOff));
    });
}

/// A second or more lies in real life between a reset and the agent's hello: here two of [`Bench::next_step`], the first
/// of which comes back after the reset was read.
fn a_reboot() {
    block_on(async {
        let mut bench = Bench::new(&[
            "hello",
            "booted",
            "answer:0",
            "screendump",
            RESET,
            "screendump",
            "screendump",
            "hello",
            "booted",
            "answer:0",
            "hang",
        ]);
        let handle = bench.handle.clone();
        let allow_reboot = true;
        handle.start(allow_reboot).await.expect("started");
        bench.until(&State::Ready { allow_reboot }).await;
        handle.reboot().await.expect("told");
        assert_eq!(handle.state(), State::Booting { allow_reboot });
        bench.until(&State::Booting { allow_reboot }).await;
        bench.next_step().await;
        bench.next_step().await;
        // A command that is given now waits until the guest is up again.
        let early = command("early");
        let (completed, ()) = tokio::join!(handle.run(&early), bench.next_step());
        assert_eq!(completed.expect("completed").stdout, b"early");
        assert_eq!(handle.state(), State::Ready { allow_reboot });
    });
}

fn a_reset_loses_what_is_under_way() {
    block_on(async {
        let mut bench = Bench::new(&[
            "hello",
            "booted",
            "hear",
            RESET,
            "screendump",
            "hello",
            "booted",
            "answer:0",
            "hang",
        ]);
        let handle = bench.handle.clone();
        let allow_reboot = true;
        handle.start(allow_reboot).await.expect("started");
        assert_eq!(
            handle.run(&command("reboot -f")).await,
            Err(Failure::Closed)
        );
        bench.until(&State::Ready { allow_reboot }).await;
        bench.until(&State::Booting { allow_reboot }).await;
        bench.next_step().await;
        let completed = handle.run(&command("uptime")).await.expect("completed");
        assert_eq!(completed.stdout, b"uptime");
    });
}

/// QEMU does not know that a guest boots another kernel: the agent closes its port, and later one says hello.
fn another_kernel() {
    block_on(async {
        let mut bench = Bench::ready(&[
            "hello",
            "booted",
            "hear",
            PORT_CLOSED,
            "screendump",
            "hello",
            "booted",
            "answer:0",
            "hang",
        ])
        .await;
        let allow_reboot = false;
        let handle = bench.handle.clone();
        let kexec = command("systemctl kexec");
        let (gone, ()) = tokio::join!(handle.run(&kexec), async {
            bench.until(&State::Lost { allow_reboot }).await;
            bench.next_step().await;
        });
        assert_eq!(gone, Err(Failure::Closed));
        let completed = bench.handle.run(&command("uname")).await.expect("ran");
        assert_eq!(completed.stdout, b"uname");
    });
}

/// The agent that the script has spoken to still answers, and does not count.
fn a_script_that_knows_of_a_reboot() {
    block_on(async {
        let mut bench = Bench::new(&[
            "hello",
            "booted",
            "answer:0",
            "screendump",
            RESET,
            "screendump",
            "screendump",
            "hello",
            "booted",
            "hang",
        ]);
        let handle = bench.handle.clone();
        let allow_reboot = true;
        handle.start(allow_reboot).await.expect("started");
        handle.reconnect().await.expect("nobody has spoken to it");
        handle.run(&command("reboot &")).await.expect("ran");
        bench.until(&State::Ready { allow_reboot }).await;
        let (again, ()) = tokio::join!(handle.reconnect(), async {
            for _ in 0..3 {
                bench.next_step().await;
            }
        });
        again.expect("booted again");
        assert_eq!(
            bench.states_until(&State::Ready { allow_reboot }).await,
            [
                State::Booting { allow_reboot },
                State::Ready { allow_reboot }
            ]
        );
        // It is there already when the script asks for it.
        handle.reconnect().await.expect("the new one counts");
    });
}

/// Takes the ten seconds that a reboot is given to show.
fn a_script_that_expects_a_reboot_in_vain() {
    block_on(async {
        let steps = ["hello", "booted", "answer:0", "answer:0", "hang"];
        let mut bench = Bench::ready(&steps).await;
        bench.handle.run(&command("true")).await.expect("ran");
        bench.handle.reconnect().await.expect("goes on");
        bench.log_until("it goes on with this one").await;
    });
}

fn a_reboot_that_was_not_allowed() {
    block_on(async {
        let steps = ["hello", "booted", "hear", PORT_CLOSED, LAST_RESET, "exit:0"];
        let bench = Bench::ready(&steps).await;
        let how =
            "the guest rebooted, which a machine survives only after start(allow_reboot=True)";
        let ended = Failure::Ended {
            how: how.to_owned(),
        };
        let reboot = command("reboot");
        assert_eq!(bench.handle.run(&reboot).await, Err(ended.clone()));
        assert_eq!(bench.handle.connect().await, Err(ended.clone()));
        assert_eq!(bench.handle.monitor("info status").await, Err(ended));
        // Whoever expected it may go on.
        bench.handle.wait_for_shutdown(None).await.expect("off");
        bench.handle.start(true).await.expect("started again");
    });
}

fn a_crash_and_another_start() {
    block_on(async {
        let bench = Bench::ready(&["hello", "booted", "hang"]).await;
        let first = bench.process();
        bench.handle.kill().await.expect("ended");
        first.end().await;
        assert_eq!(bench.handle.state(), off(End::Killed));
        bench
            .handle
            .wait_for_shutdown(None)
            .await
            .expect("nothing is wrong with it");
        bench.handle.start(false).await.expect("started again");
        bench.handle.start(false).await.expect("it runs already");
        bench.handle.connect().await.expect("booted again");
        let limit = Duration::from_millis(1);
        assert_eq!(
            bench.handle.wait_for_shutdown(Some(limit)).await,
            Err(Failure::TimedOut {
                what: "shutdown".into(),
                after: limit
            })
        );
    });
}

fn boot_deadline() {
    block_on(async {
        let after = Duration::from_millis(100);
        let program = std::env::current_exe().expect("this program");
        // The agent is there, and the guest does not come up.
        let bench = Bench::with(&program, &["hello", "hang"], after);
        bench.handle.start(false).await.expect("started");
        let what = "the end of the boot (see the machine's option `bootTimeout`)".to_owned();
        assert_eq!(
            bench.handle.connect().await,
            Err(Failure::TimedOut { what, after })
        );
        bench.handle.kill().await.expect("ended");
        assert_eq!(bench.handle.state(), off(End::Killed));
    });
}

fn the_last_handle_ends_qemu() {
    block_on(async {
        let bench = Bench::ready(&["hello", "booted", "hang"]).await;
        let process = bench.process();
        let other = bench.handle.clone();
        drop(bench.handle);
        other.connect().await.expect("it still runs");
        drop(other);
        process.end().await;
        bench.task.await.expect("the task has ended");
    });
}
