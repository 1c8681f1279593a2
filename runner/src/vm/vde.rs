//! The sockets of a VDE switch: how a QEMU that a start script starts (`-netdev vde,sock=…`) is plugged into a VLAN.
//!
//! The folder `sock` holds the stream socket `ctl`. Whoever connects sends one request with the path of a datagram socket of
//! its own, and is answered with the path of another: between the two each datagram is one Ethernet frame. The plug is pulled
//! when the connection ends. Numbers are in the host's byte order, paths in a `struct sockaddr_un` of Linux (unix(7)); the
//! format is that of `libvdeplug`, version 3 of the request.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use vmtest_switch::Switch;

/// The socket that a card connects to.
const CONTROL: &str = "ctl";

/// What a request begins with.
const MAGIC: u32 = 0xfeed_face;

/// The version of the request.
const VERSION: u32 = 3;

/// A `struct sockaddr_un`: family and path.
const ADDRESS: usize = 2 + 108;

/// A request without the description that may follow: magic, version, type, address.
const REQUEST: usize = 3 * 4 + ADDRESS;

/// `AF_UNIX`.
const FAMILY: u16 = 1;

/// How long a request may take to come once its connection is there.
const PATIENCE: Duration = Duration::from_secs(10);

/// The sockets of one VLAN; they are gone with this.
#[derive(Debug)]
pub struct Vde {
    folder: PathBuf,
    task: JoinHandle<()>,
}

impl Vde {
    /// Makes the folder and listens there.
    ///
    /// # Errors
    /// When the folder or its socket cannot be made.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn open(folder: PathBuf, switch: Switch) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let control = folder.join(CONTROL);
        // Left by a runner that was killed.
        match std::fs::remove_file(&control) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(control)?;
        let task = tokio::spawn(serve(listener, folder.clone(), switch));
        Ok(Self { folder, task })
    }

    /// What QEMU's option `sock` names.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Vde {
    fn drop(&mut self) {
        self.task.abort();
        // Where it fails, the whole folder of the test is removed later.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn serve(listener: UnixListener, folder: PathBuf, switch: Switch) {
    let mut cards = JoinSet::new();
    for number in 0_u64.. {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, folder = %folder.display(), "no more cards can be plugged in");
                return;
            }
        };
        let (data, switch) = (folder.join(format!("{number}.data")), switch.clone());
        cards.spawn(async move {
            if let Err(error) = follow(stream, &data, &switch).await {
                tracing::warn!(%error, socket = %data.display(), "a card cannot be plugged in");
            }
            let _ = std::fs::remove_file(&data);
        });
        while cards.try_join_next().is_some() {}
    }
}

/// Plugs in a card, until its connection ends.
async fn follow(mut stream: UnixStream, data: &Path, switch: &Switch) -> io::Result<()> {
    let mut request = [0; REQUEST];
    timeout(PATIENCE, stream.read_exact(&mut request)).await??;
    let card = card(&request)?;
    let socket = UnixDatagram::bind(data)?;
    socket.connect(card)?;
    let _plug = switch.plug(socket)?;
    stream.write_all(&address(data)?).await?;
    // A description, if any, and then nothing more.
    let mut rest = [0; 256];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

/// The path of the card's own socket.
fn card(request: &[u8; REQUEST]) -> io::Result<PathBuf> {
    let number = |at: usize| {
        let bytes = [
            request[at],
            request[at + 1],
            request[at + 2],
            request[at + 3],
        ];
        u32::from_ne_bytes(bytes)
    };
    let (magic, version) = (number(0), number(4));
    if (magic, version) != (MAGIC, VERSION) {
        let text = format!("not a request of version {VERSION}: {magic:#x}, {version}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    let path = &request[REQUEST - ADDRESS + 2..];
    let length = path
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(path.len());
    let path = String::from_utf8_lossy(&path[..length]);
    Ok(PathBuf::from(path.into_owned()))
}

fn address(path: &Path) -> io::Result<[u8; ADDRESS]> {
    use std::os::unix::ffi::OsStrExt;
    let path = path.as_os_str().as_bytes();
    let mut address = [0; ADDRESS];
    address[..2].copy_from_slice(&FAMILY.to_ne_bytes());
    // The byte behind the path stays zero.
    let room = address[2..ADDRESS - 1].get_mut(..path.len());
    room.ok_or_else(|| io::Error::other("the path of a socket is too long"))?
        .copy_from_slice(path);
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Card {
        _connection: UnixStream,
        socket: tokio::net::UnixDatagram,
    }

    async fn connect(vde: &Vde, own: &Path, description: &[u8]) -> io::Result<Card> {
        let socket = tokio::net::UnixDatagram::bind(own)?;
        let mut connection = UnixStream::connect(vde.folder().join(CONTROL)).await?;
        let mut request = Vec::new();
        for number in [MAGIC, VERSION, 0] {
            request.extend(number.to_ne_bytes());
        }
        request.extend(address(own)?);
        request.extend(description);
        connection.write_all(&request).await?;
        let mut answer = [0; ADDRESS];
        connection.read_exact(&mut answer).await?;
        let length = answer[2..].iter().position(|byte| *byte == 0).expect("end");
        socket.connect(std::str::from_utf8(&answer[2..2 + length]).expect("UTF-8"))?;
        Ok(Card {
            _connection: connection,
            socket,
        })
    }

    /// From the second address to everybody.
    fn frame(text: &[u8]) -> Vec<u8> {
        let mut frame = vec![0xff; 6];
        frame.extend([0x52, 0x54, 0, 0x12, 1, 2, 0x08, 0]);
        frame.extend(text);
        frame
    }

    #[tokio::test]
    async fn cards_hear_each_other_until_they_are_gone() {
        let folder = tempfile::tempdir().expect("folder");
        let switch = Switch::default();
        let vde = Vde::open(folder.path().join("vde1.ctl"), switch.clone()).expect("open");
        let one = connect(&vde, &folder.path().join("one"), b"QEMU").await;
        let one = one.expect("plugged in");
        let two = connect(&vde, &folder.path().join("two"), b"").await;
        let two = two.expect("plugged in");
        one.socket.send(&frame(b"hello")).await.expect("sent");
        let mut buffer = [0; 100];
        let length = timeout(PATIENCE, two.socket.recv(&mut buffer)).await;
        let length = length.expect("in time").expect("received");
        assert_eq!(buffer[..length], frame(b"hello"));

        drop(two);
        let data = folder.path().join("vde1.ctl/1.data");
        let gone = async {
            while data.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, gone).await.expect("the plug is pulled");
    }

    #[tokio::test]
    async fn what_is_no_request_is_not_answered() {
        let folder = tempfile::tempdir().expect("folder");
        let vde = Vde::open(folder.path().join("vde1.ctl"), Switch::default()).expect("open");
        let mut connection = UnixStream::connect(vde.folder().join(CONTROL))
            .await
            .expect("connected");
        connection.write_all(&[7; REQUEST]).await.expect("sent");
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, connection.read_to_end(&mut answer)).await;
        assert_eq!(read.expect("in time").expect("closed"), 0);
    }

    #[test]
    fn a_path_has_room_for_its_end() {
        assert!(address(Path::new(&"x".repeat(107))).is_ok());
        assert!(address(Path::new(&"x".repeat(108))).is_err());
    }
}
