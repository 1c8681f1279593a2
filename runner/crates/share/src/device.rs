//! The device: requests are taken from its queues, and their answers put there.

use std::io;
use std::sync::{PoisonError, RwLock};

use fuse_backend_rs::api::server::Server;
use fuse_backend_rs::transport::{Reader, VirtioFsWriter, Writer};
use thiserror::Error;
use vhost::vhost_user::message::{VhostUserProtocolFeatures, VhostUserVirtioFeatures};
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
use crate::folder::Folder;

/// One for what is urgent (requests without an answer), and one for all others.
const QUEUES: usize = 2;

type Memory = GuestMemoryAtomic<GuestMemoryMmap>;

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
    server: Server<Folder>,
    state: RwLock<State>,
    exit: (EventConsumer, EventNotifier),
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
        Ok(Self {
            server: Server::new(folder),
            state: RwLock::default(),
            exit: new_event_consumer_and_notifier(EventFlag::NONBLOCK | EventFlag::CLOEXEC)?,
        })
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Answers all requests in a queue.
    fn drain(&self, queue: &VringRwLock) -> Result<(), RequestError> {
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
    fn answer(
        &self,
        memory: &GuestMemoryMmap,
        request: DescriptorChain<GuestMemoryLoadGuard<GuestMemoryMmap>>,
    ) -> Result<usize, RequestError> {
        let reader = Reader::from_descriptor_chain(memory, request.clone())?;
        let writer = Writer::VirtioFs(VirtioFsWriter::new(memory, request)?);
        Ok(self.server.handle_message(reader, writer, None, None)?)
    }
}

type Request = DescriptorChain<GuestMemoryLoadGuard<GuestMemoryMmap>>;

/// The lock of the queue is held for this only, and not while a request is answered.
fn next(
    queue: &VringRwLock,
    memory: &GuestMemoryLoadGuard<GuestMemoryMmap>,
) -> Result<Option<Request>, RequestError> {
    let mut state = queue.get_mut();
    let mut requests = state.get_queue_mut().iter(memory.clone())?;
    Ok(requests.next())
}

impl VhostUserBackend for Device {
    type Bitmap = ();
    type Vring = VringRwLock;

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
            VhostUserVirtioFeatures::PROTOCOL_FEATURES.bits(),
            |features, bit| features | 1 << bit,
        )
    }

    fn protocol_features(&self) -> VhostUserProtocolFeatures {
        VhostUserProtocolFeatures::MQ | VhostUserProtocolFeatures::REPLY_ACK
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
        Some((consumer.try_clone().ok()?, notifier.try_clone().ok()?))
    }

    /// Never an error: that would end the thread, and leave the guest waiting.
    fn handle_event(
        &self,
        queue: u16,
        _events: EventSet,
        queues: &[VringRwLock],
        _thread: usize,
    ) -> io::Result<()> {
        if let Some(queue) = queues.get(usize::from(queue))
            && let Err(error) = self.drain(queue)
        {
            tracing::warn!(%error, "a shared folder's requests cannot be read");
        }
        Ok(())
    }
}
