//! Machines that are saved, and go back.

use std::time::Duration;

use vmtest_script::backend::MachineErrorKind as Failure;

use crate::bench::{Bench, Test, block_on};

pub(crate) const TESTS: &[Test] = &[(
    "snapshots::an_agent_that_does_not_answer_is_not_waited_for_for_ever",
    an_agent_that_does_not_answer_is_not_waited_for_for_ever,
)];

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
