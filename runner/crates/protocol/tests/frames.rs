//! Framing: round trips, cuts, resets and refusals; golden frames hold the wire format.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use vmtest_protocol::frame::decode;
use vmtest_protocol::{
    Condition, Decoder, Ended, Failure, Features, FrameError, Hello, MAX_FRAME, Outcome, PREAMBLE,
    Resume, Run, Stream, ToGuest, ToHost, encode,
};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..200)
}

fn hello() -> impl Strategy<Value = Hello> {
    (any::<u16>(), any::<u64>(), any::<u64>()).prop_map(|(version, features, session)| Hello {
        version,
        features: Features(features),
        session,
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        (".*", any::<u16>()).prop_map(|(host, port)| Condition::TcpOpen { host, port }),
        (".*", any::<u16>()).prop_map(|(host, port)| Condition::TcpClosed { host, port }),
        any::<u16>().prop_map(|port| Condition::UdpOpen { port }),
        (".*", any::<bool>()).prop_map(|(path, datagram)| Condition::UnixOpen { path, datagram }),
        ".*".prop_map(|word| Condition::File { word }),
        (".*", option::of(".*"), option::of(".*"))
            .prop_map(|(unit, user, state)| Condition::Unit { unit, user, state }),
    ]
}

fn to_guest() -> impl Strategy<Value = ToGuest> {
    let timeout = || option::of(any::<u64>());
    prop_oneof![
        hello().prop_map(ToGuest::Hello),
        (any::<u32>(), ".*", timeout(), any::<(bool, bool)>()).prop_map(
            |(id, script, timeout_ms, (wait_for_output, stdin))| {
                let run = Run {
                    script,
                    timeout_ms,
                    wait_for_output,
                    stdin,
                };
                ToGuest::Run(id, run)
            }
        ),
        (any::<u32>(), condition(), timeout()).prop_map(|(id, condition, timeout_ms)| {
            ToGuest::Wait {
                id,
                condition,
                timeout_ms,
            }
        }),
        (any::<u32>(), ".*").prop_map(|(id, target)| ToGuest::Put { id, target }),
        (any::<u32>(), ".*").prop_map(|(id, source)| ToGuest::Get { id, source }),
        (any::<u32>(), bytes()).prop_map(|(id, data)| ToGuest::Data(id, data)),
        any::<u32>().prop_map(ToGuest::Cancel),
        any::<u32>().prop_map(ToGuest::Sync),
        (any::<u64>(), any::<[u8; 32]>())
            .prop_map(|(time_ns, seed)| ToGuest::Resume(Resume { time_ns, seed })),
        any::<u64>().prop_map(ToGuest::Clock),
    ]
}

fn to_host() -> impl Strategy<Value = ToHost> {
    let stream = || prop_oneof![Just(Stream::Stdout), Just(Stream::Stderr)];
    let ended = prop_oneof![
        any::<u8>().prop_map(Ended::Code),
        any::<u8>().prop_map(Ended::Signal),
    ];
    let outcome = prop_oneof![
        (ended, vec(".*", 0..3)).prop_map(|(how, holders)| Outcome::Ended { how, holders }),
        ".*".prop_map(|last| Outcome::TimedOut { last }),
        Just(Outcome::Complete),
        Just(Outcome::Cancelled),
    ];
    prop_oneof![
        hello().prop_map(ToHost::Hello),
        (any::<u32>(), stream(), bytes())
            .prop_map(|(id, stream, data)| ToHost::Output(id, stream, data)),
        (any::<u32>(), stream(), bytes())
            .prop_map(|(id, stream, data)| ToHost::Late(id, stream, data)),
        (any::<u32>(), bytes()).prop_map(|(id, data)| ToHost::Data(id, data)),
        (any::<u32>(), any::<u64>()).prop_map(|(id, count)| ToHost::Credit(id, count)),
        (any::<u32>(), outcome).prop_map(|(id, outcome)| ToHost::Done(id, Ok(outcome))),
        (any::<u32>(), ".*").prop_map(|(id, text)| ToHost::Done(id, Err(Failure(text)))),
        bytes().prop_map(ToHost::Journal),
        ".*".prop_map(ToHost::Note),
        Just(ToHost::Booted),
    ]
}

/// Everything that the decoder makes of a stream which arrives in pieces of `piece` bytes.
fn drain<T: serde::de::DeserializeOwned>(stream: &[u8], piece: usize) -> Vec<T> {
    let mut decoder = Decoder::default();
    let mut messages = Vec::new();
    for part in stream.chunks(piece) {
        decoder.push(part);
        while let Some(message) = decoder.next_message().expect("a well-formed stream") {
            messages.push(message);
        }
    }
    messages
}

fn stream<T: serde::Serialize>(messages: &[T]) -> Vec<u8> {
    let frames = messages
        .iter()
        .flat_map(|message| encode(message).expect("small enough"));
    PREAMBLE.into_iter().chain(frames).collect()
}

proptest! {
    #[test]
    fn messages_to_guest_survive_any_cut(messages in vec(to_guest(), 0..5), piece in 1usize..64) {
        prop_assert_eq!(drain::<ToGuest>(&stream(&messages), piece), messages);
    }

    #[test]
    fn messages_to_host_survive_any_cut(messages in vec(to_host(), 0..5), piece in 1usize..64) {
        prop_assert_eq!(drain::<ToHost>(&stream(&messages), piece), messages);
    }

    /// A guest that is reset leaves a part of a frame; after a resync the new session's messages all arrive.
    #[test]
    fn a_reset_peer_is_found_again(
        old in vec(to_host(), 1..4), lost in 1usize..40, new in vec(to_host(), 0..4), piece in 1usize..64,
    ) {
        let mut cut = stream(&old);
        cut.truncate(cut.len().saturating_sub(lost));
        let mut decoder = Decoder::default();
        decoder.push(&cut);
        while decoder.next_message::<ToHost>().expect("well-formed so far").is_some() {}
        decoder.resync();
        let mut received = Vec::new();
        for part in stream(&new).chunks(piece) {
            decoder.push(part);
            while let Some(message) = decoder.next_message::<ToHost>().expect("well-formed") {
                received.push(message);
            }
        }
        prop_assert_eq!(received, new);
    }

    #[test]
    fn trailing_bytes_are_refused(message in to_guest(), extra in vec(any::<u8>(), 1..8)) {
        let mut payload = encode(&message).expect("small enough").split_off(4);
        payload.extend(extra);
        prop_assert!(decode::<ToGuest>(&payload).is_err());
    }

    #[test]
    fn noise_never_panics(noise in vec(any::<u8>(), 0..300)) {
        let mut decoder = Decoder::default();
        decoder.push(&PREAMBLE);
        decoder.push(&noise);
        for _ in 0..noise.len() {
            let _ = decoder.next_message::<ToHost>();
        }
    }
}

#[test]
fn a_preamble_without_notice_starts_anew() {
    let twice = [
        stream(&[ToHost::Note("old".into())]),
        stream(&[ToHost::Note("new".into())]),
    ]
    .concat();
    let notes: Vec<ToHost> = drain(&twice, 7);
    assert_eq!(
        notes,
        [ToHost::Note("old".into()), ToHost::Note("new".into())]
    );
}

#[test]
fn frames_that_are_too_long_are_refused_on_both_sides() {
    let message = ToGuest::Data(1, vec![0; MAX_FRAME]);
    assert!(matches!(encode(&message), Err(FrameError::TooLong(_))));
    let mut decoder = Decoder::default();
    decoder.push(&PREAMBLE);
    decoder.push(&u32::to_le_bytes(
        u32::try_from(MAX_FRAME).expect("fits") + 1,
    ));
    assert!(matches!(
        decoder.next_message::<ToGuest>(),
        Err(FrameError::TooLong(_))
    ));
}

/// The wire format is held: a change here is a new [`vmtest_protocol::VERSION`].
#[test]
fn golden_frames() {
    let hello = Hello {
        version: 1,
        features: Features(0),
        session: 300,
    };
    assert_eq!(
        encode(&ToHost::Hello(hello)).expect("encodes"),
        [5, 0, 0, 0, 0, 1, 0, 172, 2]
    );
    let run = ToGuest::Run(
        7,
        Run {
            script: "true".into(),
            timeout_ms: Some(1000),
            wait_for_output: false,
            stdin: true,
        },
    );
    assert_eq!(
        encode(&run).expect("encodes"),
        [
            12, 0, 0, 0, 1, 7, 4, b't', b'r', b'u', b'e', 1, 232, 7, 0, 1
        ][..]
    );
    let output = ToHost::Output(7, Stream::Stderr, b"x".to_vec());
    assert_eq!(
        encode(&output).expect("encodes"),
        [5, 0, 0, 0, 1, 7, 1, 1, b'x']
    );
    let done = ToHost::Done(
        7,
        Ok(Outcome::Ended {
            how: Ended::Code(1),
            holders: Vec::new(),
        }),
    );
    assert_eq!(
        encode(&done).expect("encodes"),
        [7, 0, 0, 0, 4, 7, 0, 0, 0, 1, 0]
    );
}
