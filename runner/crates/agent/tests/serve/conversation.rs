//! Hello, noise, half a frame, and leaving.

use vmtest_protocol::{Hello, Outcome, PREAMBLE, Resume, ToGuest, ToHost, VERSION, encode};

use crate::fifo::Fifo;
use crate::host::{Host, plain};

fn run(id: u32) -> ToGuest {
    ToGuest::Run(id, plain(&format!("echo {id}")))
}

#[test]
fn the_agent_says_hello_first() {
    let (_host, hello) = Host::meet();
    assert_eq!(hello.version, VERSION);
    let (_other, another) = Host::meet();
    assert_ne!(hello.session, another.session);
}

#[test]
fn what_was_meant_for_an_earlier_boot_is_passed_over() {
    let (mut host, hello) = Host::meet();
    let earlier = Hello {
        session: hello.session.wrapping_add(1),
        ..hello
    };
    let half = encode(&run(9)).expect("small")[3..].to_vec();
    host.write(&half);
    host.write(&PREAMBLE);
    host.send(&ToGuest::Hello(earlier));
    host.send(&run(1));
    host.write(&PREAMBLE);
    host.send(&ToGuest::Hello(hello));
    host.send(&run(2));
    assert_eq!(host.finish(2).text(), "2\n");
    host.send(&run(3));
    // Nothing has come of the first one, before or after.
    assert_eq!(host.finish(3).text(), "3\n");
    assert_eq!(host.others().count(), 0);
}

#[test]
fn another_version_is_refused_in_words() {
    let (mut host, hello) = Host::meet();
    host.write(&PREAMBLE);
    host.send(&ToGuest::Hello(Hello {
        version: VERSION + 1,
        ..hello
    }));
    let expected = format!(
        "the runner speaks version {}, the agent version {VERSION}",
        VERSION + 1
    );
    assert_eq!(host.receive(), ToHost::Note(expected));
}

#[test]
fn a_frame_in_pieces_is_one_frame() {
    let mut host = Host::new();
    for byte in encode(&run(1)).expect("small") {
        host.write(&[byte]);
    }
    assert_eq!(host.finish(1).text(), "1\n");
}

#[test]
fn noise_is_named_and_passed_over() {
    let mut host = Host::new();
    host.write(&[2, 0, 0, 0, 77, 77]);
    let note = host.receive();
    assert!(
        matches!(&note, ToHost::Note(text) if text.starts_with("passed over from the runner")),
        "{note:?}"
    );
    host.write(&PREAMBLE);
    assert_eq!(host.run("echo on").text(), "on\n");
}

#[test]
fn commands_end_with_the_runner_that_asked_for_them() {
    let fifo = Fifo::new();
    let mut host = Host::new();
    let id = host.start(
        &format!("exec 3> {}; echo up >&3; echo up; sleep 1000", fifo.path),
        None,
    );
    assert!(matches!(host.next_of(id), ToHost::Output(..)));
    host.leave().expect("the agent takes it calmly");
    assert_eq!(fifo.all(), "up\n");
}

#[test]
fn cancelling_what_is_not_there_does_nothing() {
    let mut host = Host::new();
    host.send(&ToGuest::Cancel(77));
    host.send(&ToGuest::Data(78, vec![1, 2, 3]));
    let result = host.run("echo on");
    assert!(matches!(result.end, Ok(Outcome::Ended { .. })));
}

/// The answer says that the reader has taken everything before; what it has begun goes on.
#[test]
fn a_sync_is_answered_in_its_turn() {
    let mut host = Host::new();
    let sleeper = host.start("sleep 0.2; echo done", None);
    let id = host.id();
    host.send(&ToGuest::Sync(id));
    assert_eq!(host.receive(), ToHost::Done(id, Ok(Outcome::Complete)));
    assert_eq!(host.finish(sleeper).text(), "done\n");
}

/// The machine stood still, and this runner goes on with it: the conversation is the same. This host's clock is left alone.
#[test]
fn the_time_is_told_within_a_conversation() {
    let mut host = Host::new();
    let sleeper = host.start("sleep 0.2; echo done", None);
    host.send(&ToGuest::Clock(7));
    assert_eq!(host.finish(sleeper).text(), "done\n");
}

/// Another runner goes on with a saved machine: nobody answers to the one before, and its commands are killed.
#[test]
fn whoever_resumes_is_greeted_anew() {
    let (mut host, hello) = Host::meet();
    host.write(&PREAMBLE);
    host.send(&ToGuest::Hello(hello.clone()));
    let fifo = Fifo::new();
    let script = format!("exec 3> {}; echo here; sleep 1000", fifo.path);
    let id = host.start(&script, None);
    assert!(matches!(host.next_of(id), ToHost::Output(..)));
    host.write(&PREAMBLE);
    host.send(&ToGuest::Resume(Resume {
        time_ns: 0,
        seed: [7; 32],
    }));
    let next = loop {
        match host.receive() {
            ToHost::Hello(hello) => break hello,
            ToHost::Done(_, end) => assert_eq!(end, Ok(Outcome::Cancelled)),
            other => panic!("a hello, not {other:?}"),
        }
    };
    assert_ne!(next.session, hello.session);
    host.write(&PREAMBLE);
    host.send(&ToGuest::Hello(next));
    assert_eq!(host.run("echo on").text(), "on\n");
    // It ends when nobody holds it any more.
    assert_eq!(fifo.all(), "");
    host.leave().expect("left in peace");
}
