//! From a runner's arrival to its leaving: reads its messages and starts what they ask for.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use vmtest_protocol::{
    Condition, Decoder, Failure, Hello, Outcome, RequestId, Resume, Run, ToGuest, ToHost, VERSION,
};

use super::feed::{Feed, feed};
use super::queue::Queue;
use super::task::Task;
use super::{Agent, booted, command, get, greeting, journal, put, resume, wait};

/// Enough for a request; what is large lies on the heap.
pub(super) const STACK: usize = 256 * 1024;

/// Bytes read at once.
const BUFFER: usize = 64 * 1024;

/// Talks with one runner until it goes, or another one goes on with the machine; then nothing of it is left but what its
/// commands left behind.
pub(super) fn run(agent: &Agent, port: &OwnedFd) -> io::Result<Option<Resume>> {
    let mut input = File::from(port.try_clone()?);
    let output = File::from(port.try_clone()?);
    let queue = Arc::new(Queue::default());
    queue.open(&greeting(agent.session));
    let writer = {
        let queue = Arc::clone(&queue);
        let name = Builder::new().name("writer".into()).stack_size(STACK);
        name.spawn(move || queue.write_to(output))?
    };

    let mut desk = Desk::new(agent, Arc::clone(&queue));
    let read = desk.read_from(&mut input);
    desk.close();
    queue.close();
    let _ = writer.join();
    read
}

/// Where requests come in.
struct Desk<'a> {
    agent: &'a Agent,
    queue: Arc<Queue>,
    under_way: Arc<Mutex<HashMap<RequestId, Handle>>>,
    /// Whether the runner has answered the hello of this session.
    greeted: bool,
    /// What is told without a request.
    background: Vec<Arc<Task>>,
    /// The machine goes on from where it was saved.
    resumed: Option<Resume>,
}

/// What is left to do of a request once the runner knows its end.
pub(super) type Afterwards = Box<dyn FnOnce(&Task)>;

/// How a request went.
pub(super) struct Finished {
    pub(super) result: Result<Outcome, Failure>,
    pub(super) afterwards: Option<Afterwards>,
}

impl From<Result<Outcome, Failure>> for Finished {
    fn from(result: Result<Outcome, Failure>) -> Self {
        Self {
            result,
            afterwards: None,
        }
    }
}

/// What the reader needs of a request under way.
struct Handle {
    task: Arc<Task>,
    feed: Option<Feed>,
}

impl Handle {
    fn give_up(&mut self) {
        self.task.cancel();
        // Last: whoever waits for data is to find out why there is none.
        self.feed = None;
    }
}

impl<'a> Desk<'a> {
    fn new(agent: &'a Agent, queue: Arc<Queue>) -> Self {
        Self {
            agent,
            queue,
            under_way: Arc::default(),
            greeted: false,
            background: Vec::new(),
            resumed: None,
        }
    }

    fn read_from(&mut self, input: &mut File) -> io::Result<Option<Resume>> {
        let mut decoder = Decoder::default();
        let mut buffer = vec![0; BUFFER];
        loop {
            match input.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(length) => decoder.push(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            loop {
                match decoder.next_message() {
                    Ok(Some(message)) => self.take(message),
                    Ok(None) => break,
                    Err(error) => self.note(format!("passed over from the runner: {error}")),
                }
                // Whoever sends this sends nothing else before it has heard the next hello.
                if self.resumed.is_some() {
                    return Ok(self.resumed.take());
                }
            }
        }
    }

    fn take(&mut self, message: ToGuest) {
        match message {
            ToGuest::Hello(hello) => self.greet(&hello),
            ToGuest::Resume(resume) => self.resumed = Some(resume),
            // Meant for an earlier boot.
            _ if !self.greeted => {}
            ToGuest::Run(id, run) => self.run(id, run),
            ToGuest::Wait {
                id,
                condition,
                timeout_ms,
            } => self.wait(id, condition, timeout_ms),
            ToGuest::Put { id, target } => match feed() {
                Ok((feed, source)) => self.start(id, None, Some(feed), move |task| {
                    put::put(task, source, &target).into()
                }),
                Err(error) => self.refuse(id, &error),
            },
            ToGuest::Get { id, source } => {
                self.start(id, None, None, move |task| get::get(task, &source).into());
            }
            ToGuest::Data(id, data) => self.data(id, data),
            ToGuest::Cancel(id) => {
                if let Some(handle) = self.lock().get_mut(&id) {
                    handle.give_up();
                }
            }
            ToGuest::Clock(still_ns) if self.agent.guest => {
                resume::stood_still(&resume::System, still_ns);
            }
            ToGuest::Clock(_) => {}
            ToGuest::Sync(id) => self.queue.post(&ToHost::Done(id, Ok(Outcome::Complete))),
        }
    }

    fn greet(&mut self, hello: &Hello) {
        if hello.session != self.agent.session || self.greeted {
            return;
        }
        if hello.version != VERSION {
            let theirs = hello.version;
            self.note(format!(
                "the runner speaks version {theirs}, the agent version {VERSION}"
            ));
            return;
        }
        self.greeted = true;
        if self.agent.guest {
            let past = &self.agent.past;
            let (booted, told) = (Arc::clone(&past.booted), Arc::clone(&past.journal));
            self.tell("booted", move |task| booted::announce(task, &booted));
            self.tell("journal", move |task| journal::follow(task, &told));
        }
    }

    /// Starts something that is told until the runner goes.
    fn tell(&mut self, name: &str, work: impl FnOnce(&Task) + Send + 'static) {
        let started = Task::new(0, None, Arc::clone(&self.queue))
            .map_err(io::Error::from)
            .and_then(|task| {
                let task = Arc::new(task);
                self.background.push(Arc::clone(&task));
                let thread = Builder::new().name(name.into()).stack_size(STACK);
                thread.spawn(move || work(&task)).map(drop)
            });
        if let Err(error) = started {
            self.note(format!("no thread for `{name}`: {error}"));
        }
    }

    fn run(&self, id: RequestId, run: Run) {
        let shell = Arc::clone(&self.agent.shell);
        let (feed, input) = match run.stdin.then(feed).transpose() {
            Ok(both) => both.unzip(),
            Err(error) => return self.refuse(id, &error),
        };
        self.start(id, run.timeout_ms, feed, move |task| {
            command::run(task, &shell, &run, input)
        });
    }

    fn wait(&self, id: RequestId, condition: Condition, timeout_ms: Option<u64>) {
        let shell = Arc::clone(&self.agent.shell);
        self.start(id, timeout_ms, None, move |task| {
            wait::wait(task, &shell, condition)
        });
    }

    /// Starts a request's thread, which ends with the request's one `Done`.
    fn start(
        &self,
        id: RequestId,
        timeout_ms: Option<u64>,
        feed: Option<Feed>,
        work: impl FnOnce(&Task) -> Finished + Send + 'static,
    ) {
        let task = match Task::new(id, timeout_ms, Arc::clone(&self.queue)) {
            Ok(task) => Arc::new(task),
            Err(error) => return self.refuse(id, &io::Error::from(error)),
        };
        let handle = Handle {
            task: Arc::clone(&task),
            feed,
        };
        self.lock().insert(id, handle);
        let (under_way, queue) = (Arc::clone(&self.under_way), Arc::clone(&self.queue));
        let started = self.agent.workers.run(Box::new(move || {
            let finished = catch_unwind(AssertUnwindSafe(|| work(&task)));
            let Finished { result, afterwards } =
                finished.unwrap_or_else(|_| Err(Failure("the agent has a bug".into())).into());
            lock(&under_way).remove(&id);
            queue.finish(&ToHost::Done(id, result));
            if let Some(afterwards) = afterwards {
                // What is left behind has no bugs that anybody could be told of.
                let _ = catch_unwind(AssertUnwindSafe(|| afterwards(&task)));
            }
        }));
        if let Err(error) = started {
            self.lock().remove(&id);
            self.refuse(id, &error);
        }
    }

    fn refuse(&self, id: RequestId, error: &io::Error) {
        let failure = Failure(format!("the guest has no room for a request: {error}"));
        self.queue.post(&ToHost::Done(id, Err(failure)));
    }

    /// Hands data on to its request; none is waited for.
    fn data(&self, id: RequestId, data: Vec<u8>) {
        if let Some(handle) = self.lock().get_mut(&id)
            && let Some(feed) = handle.feed.take()
        {
            handle.feed = feed.push(data);
        }
    }

    fn note(&self, text: String) {
        self.queue.try_send(&ToHost::Note(text));
    }

    fn close(&self) {
        self.background.iter().for_each(|task| task.cancel());
        for handle in self.lock().values_mut() {
            handle.give_up();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RequestId, Handle>> {
        lock(&self.under_way)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
