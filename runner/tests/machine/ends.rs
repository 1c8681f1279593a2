//! Machines that end as no test wants, and what is said of it.

use std::path::Path;
use std::time::Duration;

use vmtest::machine::lifecycle::{End, State};
use vmtest_protocol::boot::FAILURE;
use vmtest_script::backend::MachineErrorKind as Failure;

use crate::bench::{Bench, LAST_RESET, POWERED_OFF, Test, block_on, command};

pub(crate) const TESTS: &[Test] = &[
    (
        "ends::a_program_that_cannot_be_run",
        a_program_that_cannot_be_run,
    ),
    (
        "ends::qemu_that_refuses_its_arguments",
        qemu_that_refuses_its_arguments,
    ),
    ("ends::qemu_that_is_killed", qemu_that_is_killed),
    ("ends::a_panic_while_booting", a_panic_while_booting),
    ("ends::a_panic_under_a_command", a_panic_under_a_command),
    (
        "ends::a_panic_of_a_guest_that_does_not_reset",
        a_panic_of_a_guest_that_does_not_reset,
    ),
    (
        "ends::an_agent_that_cannot_boot_the_guest",
        an_agent_that_cannot_boot_the_guest,
    ),
    (
        "ends::an_agent_of_another_version",
        an_agent_of_another_version,
    ),
    (
        "ends::an_accelerator_that_breaks",
        an_accelerator_that_breaks,
    ),
];

const PANIC: &str = "console:[    4.21] Kernel panic - not syncing: Attempted to kill init!";

fn panicked() -> Failure {
    Failure::Panicked {
        message: "Kernel panic - not syncing: Attempted to kill init!".into(),
    }
}

fn died(status: &str) -> Failure {
    Failure::Died {
        status: status.to_owned(),
    }
}

fn broken(reason: &str) -> Failure {
    Failure::Broken {
        reason: reason.to_owned(),
    }
}

fn a_program_that_cannot_be_run() {
    block_on(async {
        let bench = Bench::with(Path::new("/no/qemu"), &[], Duration::from_secs(1));
        let reason = "cannot run /no/qemu: No such file or directory (os error 2)".to_owned();
        assert_eq!(
            bench.handle.start(false).await,
            Err(Failure::CannotStart { reason })
        );
        assert_eq!(bench.handle.state(), State::Off(None));
        assert_eq!(bench.handle.connect().await, Err(Failure::NotRunning));
    });
}

fn qemu_that_refuses_its_arguments() {
    block_on(async {
        let bench = Bench::new(&["stderr:qemu: -device nonsense: no such device\n", "exit:1"]);
        bench.handle.start(false).await.expect("started");
        let failure = died("exit status: 1; it said: qemu: -device nonsense: no such device");
        assert_eq!(bench.handle.connect().await, Err(failure.clone()));
        // It stays so until the test gives the machine up.
        assert_eq!(bench.handle.start(false).await, Err(failure.clone()));
        assert_eq!(
            bench.handle.run(&command("true")).await,
            Err(failure.clone())
        );
        assert_eq!(bench.handle.wait_for_shutdown(None).await, Err(failure));
        bench.handle.kill().await.expect("given up");
        assert_eq!(bench.handle.state(), State::Off(Some(End::Killed)));
        bench.handle.start(false).await.expect("started again");
    });
}

fn qemu_that_is_killed() {
    block_on(async {
        let bench = Bench::ready(&["hello", "booted", "hear", "screendump"]).await;
        let process = bench.process();
        let long = command("sleep infinity");
        let (result, ()) = tokio::join!(bench.handle.run(&long), async {
            process.kill();
            process.end().await;
        });
        assert_eq!(result, Err(died("signal: 9 (SIGKILL)")));
        bench.handle.kill().await.expect("given up");
        bench.handle.start(false).await.expect("started again");
        bench.handle.connect().await.expect("booted again");
    });
}

fn a_panic_while_booting() {
    block_on(async {
        let bench = Bench::new(&["hello", PANIC, LAST_RESET, "exit:0"]);
        bench.handle.start(false).await.expect("started");
        assert_eq!(bench.handle.connect().await, Err(panicked()));
        assert_eq!(bench.handle.wait_for_shutdown(None).await, Err(panicked()));
        assert_eq!(bench.handle.start(false).await, Err(panicked()));
    });
}

fn a_panic_under_a_command() {
    block_on(async {
        let bench = Bench::ready(&["hello", "booted", "hear", PANIC, LAST_RESET, "exit:0"]).await;
        let trigger = command("echo c > /proc/sysrq-trigger");
        assert_eq!(bench.handle.run(&trigger).await, Err(panicked()));
    });
}

/// Takes the five seconds that such a QEMU is given.
fn a_panic_of_a_guest_that_does_not_reset() {
    block_on(async {
        let bench = Bench::new(&["hello", "booted", PANIC, "hang"]);
        bench.handle.start(false).await.expect("started");
        let process = bench.process();
        assert_eq!(bench.handle.wait_for_shutdown(None).await, Err(panicked()));
        process.end().await;
    });
}

fn an_agent_that_cannot_boot_the_guest() {
    block_on(async {
        let reason = format!("{FAILURE}no disk `vmtest-root`");
        let note = format!("note:{reason}");
        // The guest powers off then; should it not, it is not waited for.
        for rest in [&[POWERED_OFF, "exit:0"][..], &["exit:0"], &["hang"]] {
            let steps = [&["hello", &note], rest].concat();
            let bench = Bench::new(&steps);
            bench.handle.start(false).await.expect("started");
            assert_eq!(
                bench.handle.connect().await,
                Err(broken(&reason)),
                "{rest:?}"
            );
        }
    });
}

fn an_agent_of_another_version() {
    block_on(async {
        let bench = Bench::new(&["wrong-version", "hang"]);
        bench.handle.start(false).await.expect("started");
        let failure = broken("its agent speaks version 2 of the protocol");
        assert_eq!(bench.handle.connect().await, Err(failure));
    });
}

fn an_accelerator_that_breaks() {
    block_on(async {
        let bench = Bench::new(&["hello", "booted", r#"event:{"event":"STOP"}"#, "hang"]);
        bench.handle.start(false).await.expect("started");
        let failure = broken("the accelerator cannot run the guest (internal error)");
        assert_eq!(bench.handle.wait_for_shutdown(None).await, Err(failure));
    });
}
