//! The device: requests are taken from its queues, and their answers put there.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};
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
            while let Some(request) = next(queue, &memory)? {
                let head = request.head_index();
                let length = self.answer(&memory, request).unwrap_or_else(|error| {
                    tracing::warn!(%error, "a guest's request for a shared folder is not answered");
                    0
                });
                queue.add_used(head, u32::try_from(length).unwrap_or(0))?;
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
    let mut requests = state.get_queue_mut().iter(memory.clone())?;
    Ok(requests.next())
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

    fn update_memory(&self, memory: Memory) -> io::Result<()> {
        self.change(|state| state.memory = Some(memory));
        Ok(())
    }

    fn exit_event(&self, _thread: usize) -> Option<(EventConsumer, EventNotifier)> {
        let (consumer, notifier) = &self.exit;
        let (consumer, notifier) = (consumer.try_clone().ok()?, notifier.try_clone().ok()?);
        self.left_open
            .store(consumer.as_raw_fd(), Ordering::Relaxed);
        Some((consumer, notifier))
    }

    /// Never an error: that would end the thread, and leave the guest waiting.
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
        if let Some(queue) = queues.get(usize::from(queue))
            && let Err(error) = self.drain(queue)
        {
            tracing::warn!(%error, "a shared folder's requests cannot be read");
        }
        Ok(())
    }
}
