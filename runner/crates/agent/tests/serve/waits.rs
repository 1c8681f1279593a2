//! Waits: what holds already, what comes to hold, what never does.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;

use vmtest_protocol::{Condition, Failure, Outcome, RequestId, ToGuest, ToHost};

use crate::host::Host;

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

fn file(path: &Path) -> Condition {
    Condition::File {
        word: path.display().to_string(),
    }
}

fn end(host: &mut Host, id: RequestId) -> Result<Outcome, Failure> {
    match host.next_of(id) {
        ToHost::Done(_, end) => end,
        other => panic!("the one answer to a wait is its end: {other:?}"),
    }
}

fn outcome(host: &mut Host, id: RequestId) -> Outcome {
    end(host, id).expect("waited for")
}

/// What the last look of a wait whose time is over has seen.
fn last_seen(host: &mut Host, condition: Condition) -> String {
    let id = wait(host, condition, Some(20));
    match outcome(host, id) {
        Outcome::TimedOut { last } => last,
        other => panic!("its time is over: {other:?}"),
    }
}

/// Has the agent look at something once, so that what comes after it is an event.
fn after_a_look(host: &mut Host) {
    assert_eq!(host.run("true").code(), 0);
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
    let refused = "127.0.0.1: connection refused";
    assert_eq!(last_seen(&mut host, open("127.0.0.1", port)), refused);
    let nowhere = "no-such-host.invalid";
    let unknown = format!("no address for {nowhere}");
    assert_eq!(last_seen(&mut host, open(nowhere, port)), unknown);
    assert_eq!(
        last_seen(&mut host, Condition::UdpOpen { port }),
        "no socket is bound to it"
    );
    let never = Path::new("/no/such/file");
    assert_eq!(last_seen(&mut host, file(never)), "no such file");
    let id = wait(&mut host, open("127.0.0.1", port), None);
    host.send(&ToGuest::Cancel(id));
    assert_eq!(outcome(&mut host, id), Outcome::Cancelled);
    let id = wait(&mut host, file(never), None);
    host.send(&ToGuest::Cancel(id));
    assert_eq!(outcome(&mut host, id), Outcome::Cancelled);
}

#[test]
fn without_any_time_there_is_one_look() {
    let (_listener, port) = unused();
    let mut host = Host::new();
    for condition in [open("localhost", port), file(Path::new("/dev/null"))] {
        let id = wait(&mut host, condition, Some(0));
        assert_eq!(outcome(&mut host, id), Outcome::Complete);
    }
}

#[test]
fn a_file_is_seen_wherever_its_way_begins() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("a/b/file");
    let mut host = Host::new();
    let id = wait(&mut host, file(&path), None);
    after_a_look(&mut host);
    fs::create_dir_all(folder.path().join("elsewhere/b")).expect("made");
    fs::rename(folder.path().join("elsewhere"), folder.path().join("a")).expect("moved");
    fs::write(&path, "").expect("written");
    assert_eq!(outcome(&mut host, id), Outcome::Complete);
}

#[test]
fn a_link_counts_with_its_target() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (link, target) = (folder.path().join("link"), folder.path().join("x/target"));
    std::os::unix::fs::symlink(&target, &link).expect("linked");
    let mut host = Host::new();
    assert_eq!(last_seen(&mut host, file(&link)), "no such file");
    let id = wait(&mut host, file(&link), None);
    after_a_look(&mut host);
    fs::create_dir(folder.path().join("x")).expect("made");
    fs::write(&target, "").expect("written");
    assert_eq!(outcome(&mut host, id), Outcome::Complete);
}

#[test]
fn a_word_of_the_shell_is_expanded_at_every_look() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (spaced, text) = (folder.path().join("a b"), folder.path().display());
    let mut host = Host::new();
    let words = [
        format!("{text}/*"),
        format!("{text}/[a-c]?b"),
        format!("'{text}/a b'"),
        format!("\"$(echo {text})/a b\""),
    ];
    let ids = words.map(|word| wait(&mut host, Condition::File { word }, None));
    after_a_look(&mut host);
    fs::write(&spaced, "").expect("written");
    fs::write(folder.path().join("another"), "").expect("written");
    for id in ids {
        assert_eq!(outcome(&mut host, id), Outcome::Complete);
    }
    let id = wait(&mut host, Condition::File { word: " ".into() }, None);
    assert_eq!(
        end(&mut host, id),
        Err(Failure("there is no name of a file to wait for".into()))
    );
}

#[test]
fn a_unix_socket_is_open_when_somebody_listens() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("deep/socket");
    let unix = |datagram| Condition::UnixOpen {
        path: path.display().to_string(),
        datagram,
    };
    let mut host = Host::new();
    assert_eq!(last_seen(&mut host, unix(false)), "entity not found");
    let id = wait(&mut host, unix(false), None);
    after_a_look(&mut host);
    fs::create_dir(folder.path().join("deep")).expect("made");
    drop(UnixListener::bind(&path).expect("bound"));
    assert_eq!(last_seen(&mut host, unix(false)), "connection refused");
    fs::remove_file(&path).expect("removed");
    let listener = UnixListener::bind(&path).expect("bound");
    assert_eq!(outcome(&mut host, id), Outcome::Complete);
    assert_eq!(last_seen(&mut host, unix(true)), "a socket of another type");
    drop(listener);
    fs::remove_file(&path).expect("removed");
    let _socket = UnixDatagram::bind(&path).expect("bound");
    let id = wait(&mut host, unix(true), None);
    assert_eq!(outcome(&mut host, id), Outcome::Complete);
    let long = Condition::UnixOpen {
        path: "/x".repeat(60),
        datagram: false,
    };
    let id = wait(&mut host, long, None);
    let failure = end(&mut host, id).expect_err("no such name");
    assert!(failure.0.contains("it is too long"), "{failure}");
}

#[test]
fn a_udp_port_is_open_when_it_is_bound() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let port = socket.local_addr().expect("address").port();
    drop(socket);
    let mut host = Host::new();
    let id = wait(&mut host, Condition::UdpOpen { port }, None);
    after_a_look(&mut host);
    let _socket = UdpSocket::bind(("0.0.0.0", port)).expect("bound again");
    assert_eq!(outcome(&mut host, id), Outcome::Complete);
}

#[test]
fn units_need_systemd_and_users() {
    let mut host = Host::new();
    let unit = |user: Option<&str>| Condition::Unit {
        unit: "x.service".into(),
        user: user.map(str::to_owned),
        state: None,
    };
    let id = wait(&mut host, unit(Some("no-such-user")), None);
    assert_eq!(
        end(&mut host, id),
        Err(Failure("the guest has no user \"no-such-user\"".into()))
    );
}
