//! Machines that are saved, and go back.

use std::time::Duration;

use vmtest::snapshot::save;
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
];

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
