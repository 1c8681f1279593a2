//! Messages of D-Bus as bytes, as far as service managers are spoken to.
//!
//! Format: "Message Protocol" of the D-Bus specification. Both ends are on one machine, and all machines that run tests
//! are little-endian.

/// The mark of little-endian messages.
const LITTLE_ENDIAN: u8 = b'l';

/// Version of the protocol.
const VERSION: u8 = 1;

/// Bytes of a message before the array of its header fields.
const FIXED: usize = 12;

/// Most bytes of one message; the specification allows 128 MiB, and no answer of a service manager comes near this.
const LONGEST: usize = 16 << 20;

/// Kinds of messages.
const CALL: u8 = 1;
const RETURN: u8 = 2;
const ERROR: u8 = 3;
const SIGNAL: u8 = 4;

/// Codes of header fields.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const SIGNATURE: u8 = 8;

/// A call of a method whose arguments are strings.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'a str,
    pub(super) arguments: &'a [&'a str],
}

/// What the other side says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    kind: u8,
    reply_to: u32,
    path: String,
    member: String,
    error: String,
    body: Vec<u8>,
}

/// What a message is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// The answer to the call of this number.
    Answer { to: u32, body: Vec<u8> },
    /// The call of this number was refused.
    Refusal {
        to: u32,
        error: String,
        body: Vec<u8>,
    },
    /// Something has happened.
    Signal {
        path: String,
        member: String,
        body: Vec<u8>,
    },
    /// Nothing of interest.
    Other,
}

/// The bytes are no message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Call<'_> {
    /// The call as bytes.
    pub(super) fn encode(&self, serial: u32) -> Vec<u8> {
        let mut body = Writer::default();
        self.arguments.iter().for_each(|text| body.string(text));
        let signature = "s".repeat(self.arguments.len());
        let mut fields = Writer::default();
        for (code, kind, text) in [
            (PATH, "o", self.path),
            (INTERFACE, "s", self.interface),
            (MEMBER, "s", self.member),
        ] {
            fields.field(code, kind);
            fields.string(text);
        }
        if !signature.is_empty() {
            fields.field(SIGNATURE, "g");
            fields.signature(&signature);
        }
        let mut message = Writer(vec![LITTLE_ENDIAN, CALL, 0, VERSION]);
        message.length(body.0.len());
        message.number(serial);
        message.length(fields.0.len());
        message.0.extend(fields.0);
        message.align(8);
        message.0.extend(body.0);
        message.0
    }
}

impl Message {
    /// Takes the first message off the input; none while it is not there as a whole.
    pub(super) fn take(input: &mut Vec<u8>) -> Result<Option<Self>, Malformed> {
        let Some(fixed) = input.get(..FIXED + 4) else {
            return Ok(None);
        };
        if fixed[0] != LITTLE_ENDIAN || fixed[3] != VERSION {
            return Err(Malformed);
        }
        let number = |at: usize| {
            let bytes = [fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]];
            usize::try_from(u32::from_le_bytes(bytes)).map_err(|_| Malformed)
        };
        let (body, fields) = (number(4)?, number(FIXED)?);
        if body.max(fields) > LONGEST {
            return Err(Malformed);
        }
        let header = (FIXED + 4 + fields).next_multiple_of(8);
        if input.len() < header + body {
            return Ok(None);
        }
        let mut message = Self {
            kind: fixed[1],
            ..Self::default()
        };
        let mut reader = Reader::new(&input[..FIXED + 4 + fields]);
        reader.at = FIXED + 4;
        while !reader.is_at_end() {
            message.take_field(&mut reader)?;
        }
        message.body = input[header..header + body].to_vec();
        input.drain(..header + body);
        Ok(Some(message))
    }

    fn take_field(&mut self, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        reader.align(8)?;
        let code = reader.byte()?;
        match (code, reader.signature()?) {
            (REPLY_SERIAL, "u") => self.reply_to = reader.number()?,
            (_, "u") => drop(reader.number()?),
            (PATH, "o") => self.path = reader.string()?.to_owned(),
            (MEMBER, "s") => self.member = reader.string()?.to_owned(),
            (ERROR_NAME, "s") => self.error = reader.string()?.to_owned(),
            (_, "s" | "o") => drop(reader.string()?),
            (_, "g") => drop(reader.signature()?),
            _ => return Err(Malformed),
        }
        Ok(())
    }

    pub(super) fn into_content(self) -> Content {
        match self.kind {
            RETURN => Content::Answer {
                to: self.reply_to,
                body: self.body,
            },
            ERROR => Content::Refusal {
                to: self.reply_to,
                error: self.error,
                body: self.body,
            },
            SIGNAL => Content::Signal {
                path: self.path,
                member: self.member,
                body: self.body,
            },
            _ => Content::Other,
        }
    }
}

/// The value of a property that is a text, in the body of a signal about changed properties. Its name, its type and their
/// ends are looked for as they stand there, without reading what comes before: no text can hold them.
pub(super) fn text_property(body: &[u8], name: &str) -> Option<String> {
    let mut entry = Writer::default();
    entry.string(name);
    entry.signature("s");
    let at = body
        .windows(entry.0.len())
        .position(|part| part == entry.0)?;
    let mut reader = Reader::new(body);
    reader.at = at + entry.0.len();
    reader.string().ok().map(str::to_owned)
}

/// Puts values into bytes.
#[derive(Debug, Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    fn number(&mut self, number: u32) {
        self.align(4);
        self.0.extend(number.to_le_bytes());
    }

    /// What this program has to say is short.
    fn length(&mut self, length: usize) {
        self.number(u32::try_from(length).unwrap_or(u32::MAX));
    }

    fn string(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend(text.bytes());
        self.0.push(0);
    }

    fn signature(&mut self, signature: &str) {
        self.0
            .push(u8::try_from(signature.len()).unwrap_or(u8::MAX));
        self.0.extend(signature.bytes());
        self.0.push(0);
    }

    /// The beginning of a header field: what follows is its value.
    fn field(&mut self, code: u8, kind: &str) {
        self.align(8);
        self.0.push(code);
        self.signature(kind);
    }
}

/// Takes values out of bytes.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(length).ok_or(Malformed)?;
        let taken = self.bytes.get(self.at..end).ok_or(Malformed)?;
        self.at = end;
        Ok(taken)
    }

    fn align(&mut self, to: usize) -> Result<(), Malformed> {
        self.take(self.at.next_multiple_of(to) - self.at).map(drop)
    }

    /// The beginning of a structure.
    pub(super) fn structure(&mut self) -> Result<(), Malformed> {
        self.align(8)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn number(&mut self) -> Result<u32, Malformed> {
        self.align(4)?;
        let bytes = self.take(4)?.try_into().map_err(|_| Malformed)?;
        Ok(u32::from_le_bytes(bytes))
    }

    pub(super) fn string(&mut self) -> Result<&'a str, Malformed> {
        let length = self.number()?;
        self.text(usize::try_from(length).map_err(|_| Malformed)?)
    }

    pub(super) fn signature(&mut self) -> Result<&'a str, Malformed> {
        let length = self.byte()?;
        self.text(length.into())
    }

    fn text(&mut self, length: usize) -> Result<&'a str, Malformed> {
        let text = self.take(length)?;
        match self.byte()? {
            0 => str::from_utf8(text).map_err(|_| Malformed),
            _ => Err(Malformed),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
