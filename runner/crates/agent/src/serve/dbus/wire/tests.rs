//! Messages as bytes and back, and those of the other side for the fake of one.

use super::*;

/// What a fake of the other side says: the answer to a call, with strings and numbers in its body.
pub(in crate::serve::dbus) fn answer(to: u32, body: &[Value]) -> Vec<u8> {
    message(
        RETURN,
        &[(REPLY_SERIAL, "u", &to.to_string())],
        &bytes(body),
    )
}

/// A refusal.
pub(in crate::serve::dbus) fn refusal(to: u32, error: &str, text: &str) -> Vec<u8> {
    let fields = [
        (ERROR_NAME, "s", error),
        (REPLY_SERIAL, "u", &to.to_string()),
    ];
    message(ERROR, &fields, &bytes(&[Value::Text(text)]))
}

/// A signal.
pub(in crate::serve::dbus) fn signal(path: &str, member: &str, body: &[Value]) -> Vec<u8> {
    let fields = [(PATH, "o", path), (MEMBER, "s", member)];
    message(SIGNAL, &fields, &bytes(body))
}

/// A part of a message's body.
pub(in crate::serve::dbus) enum Value<'a> {
    Signature(&'a str),
    Text(&'a str),
    Number(u32),
    /// The beginning of a structure.
    Structure,
}

fn bytes(values: &[Value]) -> Vec<u8> {
    let mut written = Writer::default();
    for value in values {
        match value {
            Value::Signature(signature) => written.signature(signature),
            Value::Text(text) => {
                written.align(4);
                written.string(text);
            }
            Value::Number(number) => written.number(*number),
            Value::Structure => written.align(8),
        }
    }
    written.0
}

impl Message {
    pub(in crate::serve::dbus) fn member(&self) -> &str {
        &self.member
    }

    /// Whether the text is somewhere in its body.
    pub(in crate::serve::dbus) fn mentions(&self, text: &str) -> bool {
        self.body
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    }
}

/// A message with these fields: code, type, and text or number.
fn message(kind: u8, fields: &[(u8, &str, &str)], body: &[u8]) -> Vec<u8> {
    let mut written = Writer::default();
    for (code, kind, value) in fields {
        written.field(*code, kind);
        match *kind {
            "u" => written.number(value.parse().expect("a number")),
            "g" => written.signature(value),
            _ => written.string(value),
        }
    }
    let mut message = Writer(vec![LITTLE_ENDIAN, kind, 1, VERSION]);
    message.length(body.len());
    message.number(7);
    message.length(written.0.len());
    message.0.extend(written.0);
    message.align(8);
    message.0.extend(body);
    message.0
}

#[test]
fn a_call_is_what_the_specification_says() {
    let call = Call {
        path: "/a",
        interface: "b.c",
        member: "D",
        arguments: &["x"],
    };
    let expected = [
        b"l\x01\0\x01".as_slice(),
        b"\x06\0\0\0",
        b"\x09\0\0\0",
        b"\x37\0\0\0",
        b"\x01\x01o\0\x02\0\0\0/a\0\0\0\0\0\0",
        b"\x02\x01s\0\x03\0\0\0b.c\0\0\0\0\0",
        b"\x03\x01s\0\x01\0\0\0D\0\0\0\0\0\0\0",
        b"\x08\x01g\0\x01s\0",
        b"\0",
        b"\x01\0\0\0x\0",
    ];
    assert_eq!(call.encode(9), expected.concat());
}

#[test]
fn messages_are_taken_one_by_one_and_whole() {
    let signal = message(
        SIGNAL,
        &[
            (PATH, "o", "/unit"),
            (INTERFACE, "s", "i.i"),
            (MEMBER, "s", "Changed"),
            (9, "u", "0"),
        ],
        b"body",
    );
    let answer = message(
        RETURN,
        &[(REPLY_SERIAL, "u", "3"), (SIGNATURE, "g", "s")],
        b"\x01\0\0\0a\0",
    );
    let mut input = Vec::new();
    for byte in &signal[..signal.len() - 1] {
        input.push(*byte);
        assert_eq!(Message::take(&mut input), Ok(None));
    }
    input.push(signal[signal.len() - 1]);
    input.extend(&answer);
    let taken = |input: &mut Vec<u8>| {
        let message = Message::take(input).expect("well-formed");
        message.map(Message::into_content)
    };
    assert_eq!(
        taken(&mut input),
        Some(Content::Signal {
            path: "/unit".into(),
            member: "Changed".into(),
            body: b"body".to_vec(),
        })
    );
    match taken(&mut input) {
        Some(Content::Answer { to: 3, body }) => {
            assert_eq!(Reader::new(&body).string(), Ok("a"));
        }
        other => panic!("an answer is next, not {other:?}"),
    }
    assert_eq!(taken(&mut input), None);
}

#[test]
fn a_property_is_found_among_others() {
    let mut body = Writer::default();
    body.string("interface");
    body.align(4);
    body.number(100);
    body.align(8);
    for (name, value) in [
        ("SubState", "dead"),
        ("ActiveState", "inactive"),
        ("Other", "x"),
    ] {
        body.align(8);
        body.string(name);
        body.signature("s");
        body.string(value);
    }
    let found = |name| text_property(&body.0, name);
    assert_eq!(found("ActiveState").as_deref(), Some("inactive"));
    assert_eq!(found("SubState").as_deref(), Some("dead"));
    assert_eq!(found("State"), None);
    assert_eq!(found("inactive"), None);
}

#[test]
fn a_refusal_has_a_name_and_a_text() {
    let fields = [(ERROR_NAME, "s", "e.e"), (REPLY_SERIAL, "u", "1")];
    let mut input = message(ERROR, &fields, b"\x02\0\0\0no\0");
    let content = Message::take(&mut input).expect("well-formed");
    let expected = Content::Refusal {
        to: 1,
        error: "e.e".into(),
        body: b"\x02\0\0\0no\0".to_vec(),
    };
    assert_eq!(content.map(Message::into_content), Some(expected));
}

#[test]
fn what_is_no_message_is_refused() {
    let good = message(SIGNAL, &[(PATH, "o", "/unit")], b"");
    for (at, byte) in [
        (0, b'B'),
        (3, 2),
        (7, 0xff),
        (15, 0xff),
        (17, 200),
        (20, 200),
    ] {
        let mut bad = good.clone();
        bad[at] = byte;
        assert_eq!(Message::take(&mut bad), Err(Malformed), "byte {at}");
    }
}
