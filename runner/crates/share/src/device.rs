//! The device: requests are taken from its queues, and their answers put there.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use fuse_backend_rs::api::server::Server;
use fuse_backend_rs::transport::{Reader, VirtioFsWriter, Writer};
use thiserror::Error;
use vhost::vhost_user::message::{
    VhostTransferStateDirection, VhostTransferStatePhase, VhostUserProtocolFeatures,
    VhostUserVirtioFeatures,
};
use vhost_user_backend::bitmap::BitmapMmapRegion;
use vhost_user_backend::{VhostUserBackend, VringRwLock, VringT};
use virtio_bindings::virtio_config::VIRTIO_F_VERSION_1;
use virtio_bindings::virtio_ring::{VIRTIO_RING_F_EVENT_IDX, VIRTIO_RING_F_INDIRECT_DESC};
use virtio_queue::{DescriptorChain, QueueOwnedT};
use vm_memory::{GuestAddressSpace, GuestMemoryAtomic, GuestMemoryLoadGuard, GuestMemoryMmap};
use vmm_sys_util::epoll::EventSet;
use vmm_sys_util::event::{
    EventConsumer, EventFlag, EventNotifier, new_event_consumer_and_notifier,
};

use crate::QUEUE_SIZE;
use crate::folder::{Folder, FolderState, prepare_thread};

/// One for what is urgent (requests without an answer), and one for all others.
const QUEUES: usize = 2;

/// The guest's memory. What is written to it could be logged, as QEMU demands of a device that can be saved; it is not,
/// since a machine is stopped before.
type Mapped = GuestMemoryMmap<BitmapMmapRegion>;

type Memory = GuestMemoryAtomic<Mapped>;

type Ring = VringRwLock<Memory>;

/// The bit of vhost's own among the features: writes to the guest's memory can be logged (`VHOST_F_LOG_ALL`).
const LOG_ALL: u32 = 26;

/// Why a request was not answered.
#[derive(Debug, Error)]
enum RequestError {
    #[error("bad queue: {0}")]
    Queue(#[from] virtio_queue::Error),
    #[error("bad buffers: {0}")]
    Buffers(#[from] fuse_backend_rs::transport::Error),
    #[error("bad message: {0}")]
    Message(#[from] fuse_backend_rs::Error),
    #[error("the guest cannot be notified: {0}")]
    Notify(#[from] io::Error),
}

/// A virtio-fs device.
pub(crate) struct Device {
    server: Server<Arc<Folder>>,
    folder: Arc<Folder>,
    state: RwLock<State>,
    /// Held from when a request is taken until its answer lies in the guest's memory: whoever saves the device or starts it
    /// anew waits for that, since the answer would be lost otherwise.
    answering: Mutex<()>,
    /// By queue: whether it was started, and its guest may not know of answers that came when it was stopped.
    started: [AtomicBool; QUEUES],
    /// Where the state of a guest comes from that was saved.
    loading: Mutex<Option<File>>,
    exit: (EventConsumer, EventNotifier),
    /// The descriptor that the daemon takes from [`exit_event`](VhostUserBackend::exit_event) and never closes.
    left_open: AtomicI32,
}

/// What QEMU says of the device.
#[derive(Default)]
struct State {
    memory: Option<Memory>,
    /// Whether each side tells the other from which request on it wants to be notified.
    event_idx: bool,
}

impl Device {
    pub(crate) fn new(folder: Folder) -> io::Result<Self> {
        let folder = Arc::new(folder);
        Ok(Self {
            server: Server::new(Arc::clone(&folder)),
            folder,
            state: RwLock::default(),
            answering: Mutex::default(),
            started: Default::default(),
            loading: Mutex::default(),
            exit: new_event_consumer_and_notifier(EventFlag::NONBLOCK | EventFlag::CLOEXEC)?,
            left_open: AtomicI32::new(-1),
        })
    }

    /// Closes what the daemon leaves open. It is gone.
    #[expect(unsafe_code, reason = "the daemon has made a number of a descriptor")]
    pub(crate) fn close_left_open(&self) {
        let left_open = self.left_open.swap(-1, Ordering::Relaxed);
        if left_open >= 0 {
            // SAFETY: vhost-user-backend 0.22.0 has called `into_raw_fd` on it and keeps the number in its epoll instance
            // only, which is gone: nobody else owns it.
            drop(unsafe { OwnedFd::from_raw_fd(left_open) });
        }
    }

    fn loading(&self) -> MutexGuard<'_, Option<File>> {
        self.loading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answering(&self) -> MutexGuard<'_, ()> {
        self.answering
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Answers all requests in a queue.
    fn drain(&self, queue: &Ring) -> Result<(), RequestError> {
        let (memory, event_idx) = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            match &state.memory {
                Some(memory) => (memory.memory(), state.event_idx),
                None => return Ok(()),
            }
        };
        loop {
            if event_idx {
                queue.disable_notification()?;
            }
            while self.answer_next(queue, &memory)? {
                if !event_idx || queue.needs_notification()? {
                    queue.signal_used_queue()?;
                }
            }
            // There may be one that came before notifications were on again.
            if !event_idx || !queue.enable_notification()? {
                return Ok(());
            }
        }
    }

    /// Answers the next request in a queue, if there is one.
    fn answer_next(
        &self,
        queue: &Ring,
        memory: &GuestMemoryLoadGuard<Mapped>,
    ) -> Result<bool, RequestError> {
        let _answering = self.answering();
        let Some(request) = next(queue, memory)? else {
            return Ok(false);
        };
        let head = request.head_index();
        let length = self.answer(memory, request).unwrap_or_else(|error| {
            tracing::warn!(%error, "a guest's request for a shared folder is not answered");
            0
        });
        queue.add_used(head, u32::try_from(length).unwrap_or(0))?;
        Ok(true)
    }

    /// Answers one request; returns how many bytes the answer has.
    fn answer(&self, memory: &Mapped, request: Request) -> Result<usize, RequestError> {
        let reader = Reader::from_descriptor_chain(memory, request.clone())?;
        let writer = Writer::VirtioFs(VirtioFsWriter::new(memory, request)?);
        Ok(self.server.handle_message(reader, writer, None, None)?)
    }
}

type Request = DescriptorChain<GuestMemoryLoadGuard<Mapped>>;

/// The lock of the queue is held for this only, and not while a request is answered.
fn next(
    queue: &Ring,
    memory: &GuestMemoryLoadGuard<Mapped>,
) -> Result<Option<Request>, RequestError> {
    let mut state = queue.get_mut();
    match state.get_queue_mut().iter(memory.clone()) {
        Ok(mut requests) => Ok(requests.next()),
        // The machine was stopped meanwhile: its requests are taken when it goes on.
        Err(virtio_queue::Error::QueueNotReady) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl VhostUserBackend for Device {
    type Bitmap = BitmapMmapRegion;
    type Vring = Ring;

    fn num_queues(&self) -> usize {
        QUEUES
    }

    fn max_queue_size(&self) -> usize {
        QUEUE_SIZE.into()
    }

    fn features(&self) -> u64 {
        let ring = [
            VIRTIO_F_VERSION_1,
            VIRTIO_RING_F_INDIRECT_DESC,
            VIRTIO_RING_F_EVENT_IDX,
        ];
        ring.iter().fold(
            VhostUserVirtioFeatures::PROTOCOL_FEATURES.bits() | 1 << LOG_ALL,
            |features, bit| features | 1 << bit,
        )
    }

    fn protocol_features(&self) -> VhostUserProtocolFeatures {
        VhostUserProtocolFeatures::MQ
            | VhostUserProtocolFeatures::REPLY_ACK
            | VhostUserProtocolFeatures::LOG_SHMFD
            | VhostUserProtocolFeatures::DEVICE_STATE
    }

    /// The state is a few bytes, which a pipe takes at once; one that comes is there when it is [checked](Self::check_device_state).
    fn set_device_state_fd(
        &self,
        direction: VhostTransferStateDirection,
        _phase: VhostTransferStatePhase,
        mut file: File,
    ) -> io::Result<Option<File>> {
        match direction {
            VhostTransferStateDirection::SAVE => {
                let _answered = self.answering();
                file.write_all(&self.folder.state().to_bytes())?;
            }
            VhostTransferStateDirection::LOAD => *self.loading() = Some(file),
        }
        Ok(None)
    }

    fn check_device_state(&self) -> io::Result<()> {
        let Some(mut file) = self.loading().take() else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let state = FolderState::from_bytes(&bytes);
        self.folder.resume(state.ok_or(io::ErrorKind::InvalidData)?)
    }

    fn set_event_idx(&self, enabled: bool) {
        self.change(|state| state.event_idx = enabled);
    }

    /// QEMU tells of the memory whenever it starts the device, before the queues.
    fn update_memory(&self, memory: Memory) -> io::Result<()> {
        let _answered = self.answering();
        self.change(|state| state.memory = Some(memory));
        for started in &self.started {
            started.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn exit_event(&self, _thread: usize) -> Option<(EventConsumer, EventNotifier)> {
        let (consumer, notifier) = &self.exit;
        let (consumer, notifier) = (consumer.try_clone().ok()?, notifier.try_clone().ok()?);
        self.left_open
            .store(consumer.as_raw_fd(), Ordering::Relaxed);
        Some((consumer, notifier))
    }

    /// Never an error: that would end the thread, and leave the guest waiting. A queue that is started is kicked by QEMU itself.
    fn handle_event(
        &self,
        queue: u16,
        _events: EventSet,
        queues: &[Ring],
        _thread: usize,
    ) -> io::Result<()> {
        if let Err(error) = prepare_thread() {
            tracing::warn!(%error, "files in a shared folder are made with the runner's mask");
        }
        let index = usize::from(queue);
        if let (Some(queue), Some(started)) = (queues.get(index), self.started.get(index)) {
            let mut drained = self.drain(queue);
            if started.swap(false, Ordering::Relaxed) {
                drained = drained.and(queue.signal_used_queue().map_err(RequestError::from));
            }
            if let Err(error) = drained {
                tracing::warn!(%error, "a shared folder's requests cannot be read");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{PipeReader, pipe};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use vm_memory::GuestAddress;

    use super::*;

    fn device() -> Device {
        let source = std::env::temp_dir();
        Device::new(Folder::open(&source, true).expect("a folder")).expect("a device")
    }

    /// An empty queue, and what tells the guest.
    fn queue(device: &Device) -> (Ring, PipeReader) {
        let memory = Mapped::from_ranges(&[(GuestAddress(0), 1 << 20)]).expect("memory");
        let memory = Memory::new(memory);
        device.update_memory(memory.clone()).expect("taken");
        let queue = Ring::new(memory, QUEUE_SIZE).expect("a queue");
        queue.set_queue_size(QUEUE_SIZE);
        let addresses = queue.set_queue_info(0, 0x8000, 0x10000);
        addresses.expect("good addresses");
        queue.set_queue_ready(true);
        let (told, call) = pipe().expect("a pipe");
        queue.set_call(Some(OwnedFd::from(call).into()));
        (queue, told)
    }

    fn kick(device: &Device, queue: &Ring) {
        let queues = [queue.clone()];
        let handled = device.handle_event(0, EventSet::IN, &queues, 0);
        handled.expect("never an error");
    }

    #[test]
    fn a_guest_that_goes_on_is_told_once_of_answers_that_it_may_have_missed() {
        let device = device();
        let (queue, mut told) = queue(&device);
        kick(&device, &queue);
        kick(&device, &queue);
        drop(queue);
        let mut events = Vec::new();
        told.read_to_end(&mut events).expect("read");
        assert_eq!(events.len(), size_of::<u64>(), "events");
    }

    #[test]
    fn a_machine_that_is_stopped_has_no_requests() {
        let device = device();
        let (queue, _told) = queue(&device);
        queue.set_queue_ready(false);
        device.drain(&queue).expect("a quiet end");
    }

    #[test]
    fn a_state_is_saved_when_the_request_under_way_is_answered() {
        let device = Arc::new(device());
        let (mut reader, writer) = pipe().expect("a pipe");
        let answering = device.answering();
        let (sender, saved) = mpsc::channel();
        let saving = Arc::clone(&device);
        let saver = thread::spawn(move || {
            let state = File::from(OwnedFd::from(writer));
            let direction = VhostTransferStateDirection::SAVE;
            let phase = VhostTransferStatePhase::STOPPED;
            saving
                .set_device_state_fd(direction, phase, state)
                .expect("saved");
            sender.send(()).expect("heard");
        });
        assert!(saved.recv_timeout(Duration::from_millis(50)).is_err());
        drop(answering);
        saver.join().expect("no panic");
        let mut state = Vec::new();
        reader.read_to_end(&mut state).expect("read");
        assert!(FolderState::from_bytes(&state).is_some());
    }
}
