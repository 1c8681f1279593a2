//! Machines that are saved, and go back.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use vmtest::machine::lifecycle::{End, State};
use vmtest::machine::record::Forward;
use vmtest::machine::{Initial, Otherwise};
use vmtest::snapshot::{Saved, save};
use vmtest::vm::launch::Launch;
use vmtest_script::backend::MachineErrorKind as Failure;

use crate::bench::{Bench, Test, block_on};

pub(crate) const TESTS: &[Test] = &[
    (
        "snapshots::an_agent_that_does_not_answer_is_not_waited_for_for_ever",
        an_agent_that_does_not_answer_is_not_waited_for_for_ever,
    ),
    (
        "snapshots::a_drive_that_nobody_would_save_is_named",
        a_drive_that_nobody_would_save_is_named,
    ),
    (
        "snapshots::a_machine_goes_back_with_its_disks",
        a_machine_goes_back_with_its_disks,
    ),
    (
        "snapshots::a_machine_that_cannot_go_on_boots_with_new_disks",
        a_machine_that_cannot_go_on_boots_with_new_disks,
    ),
    (
        "snapshots::a_machine_that_must_go_on_never_boots",
        a_machine_that_must_go_on_never_boots,
    ),
    (
        "snapshots::ports_of_the_host_lead_into_a_machine_that_went_back",
        ports_of_the_host_lead_into_a_machine_that_went_back,
    ),
    (
        "snapshots::machines_that_do_not_all_go_on_are_all_off",
        machines_that_do_not_all_go_on_are_all_off,
    ),
    (
        "snapshots::nobody_starts_a_machine_while_its_files_are_copied",
        nobody_starts_a_machine_while_its_files_are_copied,
    ),
];

/// What a QEMU does that is saved, and goes on as it has begun: its agent says hello.
const SAVED: &[&str] = &["hello", "booted", "sync", "hang"];

async fn saved(bench: &Bench) -> Arc<Saved> {
    let saved = save::save(std::slice::from_ref(&bench.handle)).await;
    saved.expect("saved").remove(0)
}

/// The state of devices in the one state of a machine that is there.
fn devices_in(bench: &Bench) -> PathBuf {
    let entries = fs::read_dir(bench.scratch("")).expect("a folder");
    let files = entries.map(|entry| entry.expect("an entry").path().join("devices"));
    let found: Vec<PathBuf> = files.filter(|file| file.exists()).collect();
    let [devices] = found.as_slice() else {
        panic!("one state, not {found:?}");
    };
    devices.clone()
}

async fn is_up(bench: &Bench) {
    bench.handle.start(false).await.expect("started");
    bench.handle.connect().await.expect("up");
}

fn an_agent_that_does_not_answer_is_not_waited_for_for_ever() {
    block_on(async {
        let bench = Bench::ready(&["hello", "booted", "hang"]).await;
        tokio::time::pause();
        assert_eq!(
            bench.handle.hold().await.err(),
            Some(Failure::TimedOut {
                what: "an answer of the guest's agent (is the machine paused?)".into(),
                after: Duration::from_secs(30),
            })
        );
    });
}

fn a_drive_that_nobody_would_save_is_named() {
    block_on(async {
        let bench = Bench::ready(&["drive:/extra.img", "hello", "booted", "sync", "hang"]).await;
        let saved = save::save(std::slice::from_ref(&bench.handle)).await;
        assert_eq!(
            saved.expect_err("refused").to_string(),
            "server: the machine cannot be saved: it can write to the drive /extra.img, which is not one of its option `disks` \
             and would not be saved with it"
        );
    });
}

fn a_machine_goes_back_with_its_disks() {
    block_on(async {
        let bench = Bench::with_disk(SAVED);
        is_up(&bench).await;
        fs::write(bench.disk(), "saved").expect("written");
        let before = saved(&bench).await;
        fs::write(bench.disk(), "changed since").expect("written");
        let back = [(bench.handle.clone(), before)];
        save::restore(&back).await.expect("restored");
        bench.handle.connect().await.expect("up");
        assert_eq!(bench.disk_content(), "saved");
    });
}

fn ports_of_the_host_lead_into_a_machine_that_went_back() {
    block_on(async {
        let bench = Bench::with_disk(SAVED);
        is_up(&bench).await;
        bench.handle.forward_port(8080, 80).await.expect("open");
        let before = saved(&bench).await;
        bench.handle.forward_port(8081, 81).await.expect("open");
        let back = [(bench.handle.clone(), before)];
        save::restore(&back).await.expect("restored");
        let forward = Forward {
            host_port: 8080,
            guest_port: 80,
        };
        assert_eq!(bench.handle.forwards(), [forward]);
        let heard = bench.handle.qmp("heard", "").await.expect("heard");
        assert!(heard.contains("hostfwd_add tcp::8080-:80"), "{heard}");
        assert!(!heard.contains("8081"), "{heard}");
    });
}

fn machines_that_do_not_all_go_on_are_all_off() {
    block_on(async {
        let well = Bench::with_disk(SAVED);
        let steps = [&["refuse-restored:cont"], SAVED].concat();
        let stuck = Bench::with_disk(&steps);
        let handles = [well.handle.clone(), stuck.handle.clone()];
        is_up(&well).await;
        is_up(&stuck).await;
        let states = save::save(&handles).await.expect("saved");
        let back: Vec<_> = handles.iter().cloned().zip(states).collect();
        let error = save::restore(&back).await.expect_err("one is stuck");
        let expected = "server: cannot start: QEMU refuses `cont`: no";
        assert_eq!(error.to_string(), expected);
        for handle in handles {
            assert!(!handle.state().is_running(), "{:?}", handle.state());
        }
    });
}

/// Nothing is left of the attempt: neither on its disks, nor in what runs.
fn a_machine_that_cannot_go_on_boots_with_new_disks() {
    block_on(async {
        let mut bench = Bench::with_disk(&[&["console:a run"], SAVED].concat());
        is_up(&bench).await;
        fs::write(bench.disk(), "saved").expect("written");
        let saved = saved(&bench).await;
        bench.handle.kill().await.expect("ended");
        let devices = devices_in(&bench);
        fs::remove_file(&devices).expect("there");
        let initial = |otherwise| Initial {
            saved: Arc::clone(&saved),
            otherwise,
            fresh: Vec::new(),
        };
        bench.handle.set_initial(initial(Otherwise::Fail)).await;
        let failure = bench.handle.start(false).await.expect_err("it cannot");
        let path = devices.display().to_string();
        assert!(failure.to_string().contains(&path), "{failure}");
        assert_eq!(bench.disk_content(), "saved");
        let boot = Otherwise::Boot {
            mke2fs: "/nowhere".into(),
        };
        bench.handle.set_initial(initial(boot)).await;
        is_up(&bench).await;
        assert_eq!(bench.disk_content(), "");
        // A script that looks from the beginning does not see the run before.
        let shown = bench.handle.console_text(0, None).await.text;
        assert_eq!(shown.matches("a run").count(), 1, "{shown}");
        let lines = bench
            .log_until("No such file or directory (os error 2)")
            .await;
        let warning = "vmtest: warning: server: it boots, since it cannot go on: ";
        assert!(
            lines.iter().any(|line| line.starts_with(warning)),
            "{lines:?}"
        );
    });
}

/// No start of it boots, whatever the script makes of the error of the first; and no QEMU is left that waits.
fn a_machine_that_must_go_on_never_boots() {
    block_on(async {
        let steps = [&["refuse-restored:cont"], SAVED].concat();
        let bench = Bench::with_disk(&steps);
        is_up(&bench).await;
        let saved = saved(&bench).await;
        bench.handle.kill().await.expect("ended");
        let initial = Initial {
            saved,
            otherwise: Otherwise::Fail,
            fresh: Vec::new(),
        };
        bench.handle.set_initial(initial).await;
        for _ in 0..2 {
            let failure = bench.handle.start(false).await.expect_err("it cannot");
            let expected = "cannot start: QEMU refuses `cont`: no";
            assert_eq!(failure.to_string(), expected);
            assert_eq!(bench.handle.state(), State::Off(Some(End::Killed)));
        }
    });
}

/// Whoever waited for the copy may have given up; the thread that copies has not.
fn nobody_starts_a_machine_while_its_files_are_copied() {
    block_on(async {
        let bench = Bench::new(&["hello", "booted", "hang"]);
        let Launch::Planned(planned) = bench.handle.launch() else {
            panic!("no command starts it");
        };
        let copying = planned.copies.begin().await;
        tokio::time::pause();
        let limit = Duration::from_secs(20);
        let started = timeout(limit, bench.handle.start(false)).await;
        assert!(started.is_err(), "it has started");
        assert!(bench.handle.settle().await.is_err(), "it has settled");
        tokio::time::resume();
        drop(copying);
        is_up(&bench).await;
        bench.handle.settle().await.expect("nobody copies");
    });
}
