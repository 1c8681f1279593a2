//! Sockets of the host, in the notation of socat: `unix-connect:PATH`, `tcp:HOST:PORT` and their kind.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::str::FromStr;

/// Where to connect to, or to wait for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Unix { path: String },
    UnixListen { path: String },
    Tcp { host: String, port: u16 },
    TcpListen { port: u16 },
}

/// An address that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot understand the address `{address}`: write unix-connect:PATH, tcp:HOST:PORT, unix-listen:PATH or tcp-listen:PORT"
)]
pub(super) struct AddressError {
    address: String,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(address: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError {
            address: address.to_owned(),
        };
        // What follows a comma are options of socat's, such as `reuseaddr`, which nothing here needs.
        let plain = address.split(',').next().unwrap_or_default();
        let (kind, place) = plain.split_once(':').ok_or_else(wrong)?;
        if place.is_empty() {
            return Err(wrong());
        }
        let path = place.to_owned();
        match kind.to_ascii_lowercase().as_str() {
            "unix" | "unix-connect" | "unix-client" => Ok(Self::Unix { path }),
            "unix-listen" | "unix-l" => Ok(Self::UnixListen { path }),
            "tcp" | "tcp4" | "tcp6" | "tcp-connect" | "tcp4-connect" | "tcp6-connect" => {
                let (host, port) = place.rsplit_once(':').ok_or_else(wrong)?;
                Ok(Self::Tcp {
                    host: host
                        .trim_start_matches('[')
                        .trim_end_matches(']')
                        .to_owned(),
                    port: port.parse().map_err(|_| wrong())?,
                })
            }
            "tcp-listen" | "tcp-l" | "tcp4-listen" | "tcp4-l" => Ok(Self::TcpListen {
                port: place.parse().map_err(|_| wrong())?,
            }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix { path } => write!(f, "unix-connect:{path}"),
            Self::UnixListen { path } => write!(f, "unix-listen:{path}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
            Self::TcpListen { port } => write!(f, "tcp-listen:{port}"),
        }
    }
}

impl Address {
    /// Connects, or waits for a connection; `pause` waits a moment, or says that there is no more waiting.
    pub(super) fn connect<E: From<io::Error>>(
        &self,
        mut pause: impl FnMut() -> Result<(), E>,
    ) -> Result<Stream, E> {
        match self {
            Self::Unix { path } => Ok(Stream::Unix(UnixStream::connect(path)?)),
            Self::Tcp { host, port } => {
                Ok(Stream::Tcp(TcpStream::connect((host.as_str(), *port))?))
            }
            Self::UnixListen { path } => {
                let listener = UnixListener::bind(path)?;
                listener.set_nonblocking(true)?;
                let (stream, _) = accept(|| listener.accept(), &mut pause)?;
                stream.set_nonblocking(false)?;
                Ok(Stream::Unix(stream))
            }
            Self::TcpListen { port } => {
                let listener = TcpListener::bind(("127.0.0.1", *port))?;
                listener.set_nonblocking(true)?;
                let (stream, _) = accept(|| listener.accept(), &mut pause)?;
                stream.set_nonblocking(false)?;
                Ok(Stream::Tcp(stream))
            }
        }
    }
}

fn accept<T, E: From<io::Error>>(
    mut accept: impl FnMut() -> io::Result<T>,
    pause: &mut impl FnMut() -> Result<(), E>,
) -> Result<T, E> {
    loop {
        match accept() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => pause()?,
            result => return Ok(result?),
        }
    }
}

/// A connection.
#[derive(Debug)]
pub(super) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    /// Another handle of the same connection.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
        })
    }

    /// Ends it, for all handles.
    pub(super) fn shut_down(&self) {
        // One that has ended already is as it should be.
        let _ = match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(bytes),
            Self::Tcp(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.flush(),
            Self::Tcp(stream) => stream.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_are_read_as_socat_reads_them() {
        let cases = [
            ("unix-connect:/run/x.sock", Some("unix-connect:/run/x.sock")),
            ("UNIX:/run/x.sock,retry=3", Some("unix-connect:/run/x.sock")),
            ("UNIX-LISTEN:/run/y", Some("unix-listen:/run/y")),
            ("tcp:127.0.0.1:4444", Some("tcp:127.0.0.1:4444")),
            ("TCP4-CONNECT:host:80", Some("tcp:host:80")),
            ("tcp:[::1]:80", Some("tcp:::1:80")),
            ("tcp-listen:4444,reuseaddr,fork", Some("tcp-listen:4444")),
            ("tcp:host", None),
            ("tcp:host:many", None),
            ("unix-connect:", None),
            ("exec:sh", None),
            ("", None),
        ];
        for (text, shown) in cases {
            let address = text.parse::<Address>().ok();
            assert_eq!(
                address.map(|address| address.to_string()).as_deref(),
                shown,
                "{text}"
            );
        }
    }
}
