//! Waits for TCP ports.

use std::net::TcpListener;

use vmtest_protocol::{Condition, Outcome, RequestId, ToGuest, ToHost};

use crate::host::{Host, out_of_time};

fn wait(host: &mut Host, condition: Condition, timeout_ms: Option<u64>) -> RequestId {
    let id = host.id();
    host.send(&ToGuest::Wait {
        id,
        condition,
        timeout_ms,
    });
    id
}

fn open(name: &str, port: u16) -> Condition {
    let host = name.into();
    Condition::TcpOpen { host, port }
}

fn closed(name: &str, port: u16) -> Condition {
    let host = name.into();
    Condition::TcpClosed { host, port }
}

fn outcome(host: &mut Host, id: RequestId) -> Outcome {
    match host.next_of(id) {
        ToHost::Done(_, Ok(outcome)) => outcome,
        other => panic!("the one answer to a wait is its end: {other:?}"),
    }
}

/// A port that nobody listens on, and that nobody else gets meanwhile.
fn unused() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = listener.local_addr().expect("address").port();
    (listener, port)
}

#[test]
fn what_holds_already_is_told_at_once() {
    let (listener, port) = unused();
    let mut host = Host::new();
    for name in ["127.0.0.1", "localhost"] {
        let id = wait(&mut host, open(name, port), None);
        assert_eq!(outcome(&mut host, id), Outcome::Complete);
    }
    drop(listener);
    let id = wait(&mut host, closed("localhost", port), None);
    assert_eq!(outcome(&mut host, id), Outcome::Complete);
}

#[test]
fn a_wait_sees_the_change() {
    let (listener, port) = unused();
    let mut host = Host::new();
    let id = wait(&mut host, closed("127.0.0.1", port), None);
    // Connections are taken in turn: the first attempt has been made.
    listener.accept().expect("an attempt");
    drop(listener);
    assert_eq!(outcome(&mut host, id), Outcome::Complete);
    let id = wait(&mut host, open("127.0.0.1", port), None);
    let _listener = TcpListener::bind(("127.0.0.1", port)).expect("bound again");
    assert_eq!(outcome(&mut host, id), Outcome::Complete);
}

#[test]
fn waits_end_in_time_or_when_cancelled() {
    let (listener, port) = unused();
    drop(listener);
    let mut host = Host::new();
    let id = wait(&mut host, open("127.0.0.1", port), Some(20));
    assert_eq!(outcome(&mut host, id), out_of_time());
    let id = wait(&mut host, open("no-such-host.invalid", port), Some(20));
    assert_eq!(outcome(&mut host, id), out_of_time());
    let id = wait(&mut host, open("127.0.0.1", port), None);
    host.send(&ToGuest::Cancel(id));
    assert_eq!(outcome(&mut host, id), Outcome::Cancelled);
}
