//! What goes between a command and the runner.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_setfl, fstat};
use rustix::io::ioctl_fionread;
use vmtest_protocol::{Stream, ToHost};

use super::PIECE;
use crate::serve::feed::{Next, Supply};
use crate::serve::task::{Stopped, Task};

/// A command's input, and the reading ends of its outputs that are open still.
pub(super) struct Pipes {
    open: Vec<(Stream, File)>,
    input: Option<Input>,
    buffer: Vec<u8>,
}

impl Pipes {
    pub(super) fn of(child: &mut Child, input: Option<Supply>) -> io::Result<Self> {
        let stdout = child
            .stdout
            .take()
            .map(|pipe| (Stream::Stdout, OwnedFd::from(pipe)));
        let stderr = child
            .stderr
            .take()
            .map(|pipe| (Stream::Stderr, OwnedFd::from(pipe)));
        let open = stdout.into_iter().chain(stderr);
        let input = match (child.stdin.take(), input) {
            (Some(pipe), Some(supply)) => Some(Input::new(pipe.into(), supply)?),
            _ => None,
        };
        Ok(Self {
            open: open
                .map(|(stream, pipe)| (stream, File::from(pipe)))
                .collect(),
            input,
            buffer: vec![0; PIECE],
        })
    }

    /// Sends output and input as they come, until the process ends.
    pub(super) fn follow(&mut self, task: &Task, process: &OwnedFd) -> Result<(), Stopped> {
        loop {
            let mut fds = vec![PollFd::new(process, PollFlags::IN)];
            fds.extend(self.outputs());
            fds.extend(self.input.iter().flat_map(Input::awaited));
            let ready = task.poll(&fds, None)?;
            drop(fds);
            let outputs = 1..=self.open.len();
            self.read(task, &ready[outputs])?;
            if let Some(input) = &mut self.input
                && !input.pass_on(task)?
            {
                self.input = None;
            }
            if ready[0] {
                self.input = None;
                return Ok(());
            }
        }
    }

    /// Sends output as it comes until nobody holds the pipes any more, or for so long.
    pub(super) fn until_closed(
        &mut self,
        task: &Task,
        limit: Option<Duration>,
    ) -> Result<(), Stopped> {
        let end = limit.map(|limit| Instant::now() + limit);
        while !self.open.is_empty() {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(());
            }
            let fds: Vec<PollFd<'_>> = self.outputs().collect();
            let ready = task.poll(&fds, left)?;
            drop(fds);
            self.read(task, &ready)?;
        }
        Ok(())
    }

    fn outputs(&self) -> impl Iterator<Item = PollFd<'_>> {
        self.open
            .iter()
            .map(|(_, pipe)| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN))
    }

    /// Reads from the pipes that are ready, and forgets those that are closed.
    fn read(&mut self, task: &Task, ready: &[bool]) -> Result<(), Stopped> {
        // From the last to the first: one that is closed is removed.
        for index in (0..ready.len()).rev().filter(|index| ready[*index]) {
            let (stream, pipe) = &mut self.open[index];
            match pipe.read(&mut self.buffer) {
                Ok(length) if length > 0 => {
                    let data = self.buffer[..length].to_vec();
                    task.send(&ToHost::Output(task.id, *stream, data))?;
                }
                _ => {
                    self.open.remove(index);
                }
            }
        }
        Ok(())
    }

    /// Sends what the pipes hold at this moment, and no more: others may go on writing for ever.
    pub(super) fn drain(&mut self, task: &Task) {
        for (stream, pipe) in &mut self.open {
            let held = ioctl_fionread(&pipe).unwrap_or_default();
            let mut held = pipe.take(held);
            while let Ok(length @ 1..) = held.read(&mut self.buffer) {
                let message = ToHost::Output(task.id, *stream, self.buffer[..length].to_vec());
                // One that is to end has no time to wait for room.
                if task.send(&message).is_err() {
                    task.try_send(&message);
                }
            }
        }
    }

    /// The numbers of the pipes that are open still.
    pub(super) fn inodes(&self) -> Vec<u64> {
        let number = |pipe: &File| fstat(pipe).ok().map(|stat| stat.st_ino);
        self.open
            .iter()
            .filter_map(|(_, pipe)| number(pipe))
            .collect()
    }

    /// Reads on for those who still hold the pipes, until they have gone; what they say is late.
    pub(super) fn read_on(mut self, task: &Task) {
        while !self.open.is_empty() {
            let mut fds: Vec<PollFd<'_>> = self.outputs().collect();
            let _ = poll(&mut fds, None);
            let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            drop(fds);
            let mut ready = ready.into_iter();
            self.open.retain_mut(|(stream, pipe)| {
                if !ready.next().unwrap_or_default() {
                    return true;
                }
                match pipe.read(&mut self.buffer) {
                    Ok(length @ 1..) => {
                        let data = self.buffer[..length].to_vec();
                        // Without a runner nobody hears it.
                        task.send_late(&ToHost::Late(task.id, *stream, data));
                        true
                    }
                    _ => false,
                }
            });
        }
    }
}

/// What a command reads.
struct Input {
    pipe: File,
    supply: Supply,
    /// Taken from the supply, and not read by the command yet.
    piece: Vec<u8>,
}

impl Input {
    fn new(pipe: OwnedFd, supply: Supply) -> io::Result<Self> {
        // The command's end is another one, and waits as ever.
        fcntl_setfl(&pipe, OFlags::NONBLOCK)?;
        Ok(Self {
            pipe: pipe.into(),
            supply,
            piece: Vec::new(),
        })
    }

    /// What to wait for: room in the pipe, or something to put into it.
    fn awaited(&self) -> impl Iterator<Item = PollFd<'_>> + use<'_> {
        let (fd, flags) = match self.piece.is_empty() {
            true => (self.supply.ready(), PollFlags::IN),
            false => (self.pipe.as_fd(), PollFlags::OUT),
        };
        std::iter::once(PollFd::from_borrowed_fd(fd, flags))
    }

    /// Passes on what there is, as far as the command reads; the runner may then send as much more. False when there will
    /// be no more, or nobody reads it.
    fn pass_on(&mut self, task: &Task) -> Result<bool, Stopped> {
        loop {
            if self.piece.is_empty() {
                match self.supply.try_next() {
                    Next::Piece(piece) if piece.is_empty() => return Ok(false),
                    Next::Piece(piece) => self.piece = piece,
                    Next::Nothing => return Ok(true),
                    Next::Gone => return Ok(false),
                }
            }
            match self.pipe.write(&self.piece) {
                Ok(length) => {
                    self.piece.drain(..length);
                    task.send(&ToHost::Credit(task.id, length as u64))?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Ok(false),
            }
        }
    }
}
