//! Conversations with an agent that does what a test wants.

use std::time::Duration;

use tokio::time::timeout;
use vmtest_protocol::{Condition, Ended, Run};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

const SESSION: u64 = 0x1234_5678_9abc_def0;

/// The guest's side of the channel.
struct FakeAgent {
    port: UnixStream,
    decoder: Decoder,
    news: mpsc::UnboundedReceiver<News>,
}

impl FakeAgent {
    fn new() -> (Self, Agent) {
        let (ours, theirs) = StdUnixStream::pair().expect("socket pair");
        ours.set_nonblocking(true).expect("non-blocking");
        theirs.set_nonblocking(true).expect("non-blocking");
        let (sender, news) = mpsc::unbounded_channel();
        let fake = Self {
            port: UnixStream::from_std(ours).expect("tokio socket"),
            decoder: Decoder::default(),
            news,
        };
        (fake, Agent::open(theirs, sender).expect("agent"))
    }

    /// One that has exchanged hellos.
    async fn connected() -> (Self, Agent) {
        let (mut fake, agent) = Self::new();
        fake.exchange_hellos(SESSION).await;
        (fake, agent)
    }

    async fn exchange_hellos(&mut self, session: u64) {
        self.write(&PREAMBLE).await;
        self.say(&hello(session)).await;
        assert_eq!(within(self.news.recv()).await, Some(News::Hello));
        // The runner sends its preamble anew, too.
        self.decoder = Decoder::default();
        match self.hear().await {
            ToGuest::Hello(answer) => assert_eq!(answer.session, session),
            other => panic!("a hello comes first, not {other:?}"),
        }
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.port.write_all(bytes).await.expect("written");
    }

    async fn say(&mut self, message: &ToHost) {
        self.write(&encode(message).expect("small")).await;
    }

    async fn hear(&mut self) -> ToGuest {
        loop {
            if let Some(message) = self.decoder.next_message().expect("well formed") {
                return message;
            }
            let mut buffer = [0; 1024];
            let length = within(self.port.read(&mut buffer)).await.expect("read");
            assert_ne!(length, 0, "the runner has closed the channel");
            self.decoder.push(&buffer[..length]);
        }
    }

    /// Says something that the runner takes note of: what was said before is then dealt with.
    async fn flush(&mut self) {
        self.say(&ToHost::Note("flush".into())).await;
        assert_eq!(
            within(self.news.recv()).await,
            Some(News::Note("flush".into()))
        );
    }
}

/// What does not come fails its test, and does not hang it.
async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it comes")
}

fn hello(session: u64) -> ToHost {
    ToHost::Hello(Hello {
        version: VERSION,
        features: Features(0b11),
        session,
    })
}

fn command(script: &str) -> impl FnOnce(RequestId) -> ToGuest {
    let run = Run {
        script: script.to_owned(),
        timeout_ms: None,
        wait_for_output: false,
        stdin: false,
    };
    |id| ToGuest::Run(id, run)
}

fn ended(code: u8) -> Outcome {
    Outcome::Ended {
        how: Ended::Code(code),
        holders: Vec::new(),
    }
}

fn done(code: u8) -> Reply {
    Reply::Done(Ok(ended(code)))
}

#[tokio::test]
async fn hellos_are_exchanged_preamble_first() {
    let (mut fake, agent) = FakeAgent::new();
    assert!(agent.request(command("early")).await.is_err());
    fake.write(b"noise of a boot loader").await;
    fake.write(&PREAMBLE).await;
    fake.say(&hello(SESSION)).await;
    let expected = Hello {
        version: VERSION,
        features: Features::default(),
        session: SESSION,
    };
    let expected = [
        &PREAMBLE[..],
        &encode(&ToGuest::Hello(expected)).expect("small"),
    ]
    .concat();
    let mut answer = vec![0; expected.len()];
    within(fake.port.read_exact(&mut answer))
        .await
        .expect("an answer");
    assert_eq!(answer, expected);
    assert_eq!(within(fake.news.recv()).await, Some(News::Hello));
    assert!(agent.request(command("now")).await.is_ok());
}

#[tokio::test]
async fn replies_find_their_requests() {
    let (mut fake, agent) = FakeAgent::connected().await;
    let mut first = agent.request(command("first")).await.expect("connected");
    let mut second = agent.request(command("second")).await.expect("connected");
    assert_ne!(first.id, second.id);
    for (id, script) in [(first.id, "first"), (second.id, "second")] {
        assert_eq!(fake.hear().await, command(script)(id));
    }
    let output = |id, stream, text: &str| ToHost::Output(id, stream, text.into());
    let end = |id, code| ToHost::Done(id, Ok(ended(code)));
    for message in [
        output(second.id, Stream::Stdout, "b1"),
        output(first.id, Stream::Stderr, "a1"),
        ToHost::Data(99, b"of nobody".into()),
        output(second.id, Stream::Stderr, "b2"),
        end(second.id, 2),
        output(first.id, Stream::Stdout, "a2"),
        ToHost::Credit(first.id, 7),
        end(first.id, 1),
    ] {
        fake.say(&message).await;
    }
    let reply = |stream, text: &str| Reply::Output(stream, text.into());
    for (request, replies) in [
        (
            &mut first,
            vec![
                reply(Stream::Stderr, "a1"),
                reply(Stream::Stdout, "a2"),
                Reply::Credit(7),
                done(1),
            ],
        ),
        (
            &mut second,
            vec![
                reply(Stream::Stdout, "b1"),
                reply(Stream::Stderr, "b2"),
                done(2),
            ],
        ),
    ] {
        for expected in replies {
            assert_eq!(within(request.next()).await, Some(expected));
        }
        assert_eq!(
            within(request.next()).await,
            None,
            "nothing comes after the end"
        );
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_is_cancelled_and_one_that_has_ended_is_not() {
    let (mut fake, agent) = FakeAgent::connected().await;
    let mut ended = agent.request(command("ends")).await.expect("connected");
    let dropped = agent.request(command("long")).await.expect("connected");
    let (ended_id, dropped_id) = (ended.id, dropped.id);
    fake.hear().await;
    fake.hear().await;
    fake.say(&ToHost::Done(ended_id, Ok(Outcome::Complete)))
        .await;
    assert!(within(ended.next()).await.is_some());
    drop(ended);
    drop(dropped);
    assert_eq!(fake.hear().await, ToGuest::Cancel(dropped_id));
    // Nothing else was sent in between, and the end of what was cancelled reaches nobody.
    fake.say(&ToHost::Done(dropped_id, Ok(Outcome::Cancelled)))
        .await;
    fake.flush().await;
    let wait = |id| ToGuest::Wait {
        id,
        condition: Condition::TcpOpen {
            host: "localhost".into(),
            port: 80,
        },
        timeout_ms: None,
    };
    let next = agent.request(wait).await.expect("connected");
    assert_eq!(fake.hear().await, wait(next.id));
}

#[tokio::test]
async fn a_reset_ends_what_is_under_way_until_the_next_hello() {
    let (mut fake, agent) = FakeAgent::connected().await;
    let mut request = agent.request(command("long")).await.expect("connected");
    fake.hear().await;
    // Half a frame, as a guest leaves it that is reset while it writes.
    let frame =
        encode(&ToHost::Output(request.id, Stream::Stdout, vec![b'x'; 100])).expect("small");
    fake.write(&frame[..50]).await;
    agent.reset();
    assert_eq!(within(request.next()).await, None);
    assert!(agent.request(command("early")).await.is_err());
    fake.exchange_hellos(SESSION + 1).await;
    let mut later = agent.request(command("later")).await.expect("connected");
    assert_ne!(later.id, request.id, "numbers are not used again");
    fake.hear().await;
    fake.say(&ToHost::Done(later.id, Ok(ended(0)))).await;
    assert_eq!(within(later.next()).await, Some(done(0)));
}

#[tokio::test]
async fn a_second_hello_ends_what_the_first_session_began() {
    let (mut fake, agent) = FakeAgent::connected().await;
    let mut request = agent.request(command("long")).await.expect("connected");
    fake.hear().await;
    fake.exchange_hellos(SESSION + 1).await;
    assert_eq!(within(request.next()).await, None);
    assert!(agent.request(command("later")).await.is_ok());
}

#[tokio::test]
async fn another_version_is_refused() {
    let (mut fake, agent) = FakeAgent::new();
    fake.write(&PREAMBLE).await;
    fake.say(&ToHost::Hello(Hello {
        version: VERSION + 1,
        features: Features::default(),
        session: SESSION,
    }))
    .await;
    assert_eq!(
        within(fake.news.recv()).await,
        Some(News::WrongVersion(VERSION + 1))
    );
    assert!(agent.request(command("never")).await.is_err());
}

#[tokio::test]
async fn half_a_frame_and_the_end_of_the_channel_end_every_request() {
    let (mut fake, agent) = FakeAgent::connected().await;
    let mut first = agent.request(command("first")).await.expect("connected");
    let mut second = agent.request(command("second")).await.expect("connected");
    fake.hear().await;
    fake.hear().await;
    let output = |text: &str| ToHost::Output(first.id, Stream::Stdout, text.into());
    let (whole, half) = (
        encode(&output("whole")).expect("small"),
        encode(&output("half")).expect("small"),
    );
    fake.write(&[&whole[..], &half[..half.len() - 1]].concat())
        .await;
    let FakeAgent { port, mut news, .. } = fake;
    drop(port);
    let whole = Reply::Output(Stream::Stdout, b"whole".into());
    assert_eq!(within(first.next()).await, Some(whole));
    assert_eq!(within(first.next()).await, None);
    assert_eq!(within(second.next()).await, None);
    assert_eq!(
        within(news.recv()).await,
        None,
        "nobody is left to bring news"
    );
    assert!(agent.request(command("later")).await.is_err());
}

#[tokio::test]
async fn what_belongs_to_no_request_becomes_news() {
    let (mut fake, _agent) = FakeAgent::connected().await;
    fake.say(&ToHost::Note("a module is missing".into())).await;
    fake.say(&ToHost::Journal(b"systemd[1]: Started\n".into()))
        .await;
    fake.say(&ToHost::Booted).await;
    for expected in [
        News::Note("a module is missing".into()),
        News::Journal(b"systemd[1]: Started\n".into()),
        News::Booted,
    ] {
        assert_eq!(within(fake.news.recv()).await, Some(expected));
    }
}

#[tokio::test]
async fn requests_end_with_the_agent() {
    let (_fake, agent) = FakeAgent::connected().await;
    let mut request = agent.request(command("long")).await.expect("connected");
    drop(agent);
    assert_eq!(within(request.next()).await, None);
}

#[tokio::test]
async fn while_it_is_held_the_agent_has_taken_everything_and_gets_nothing() {
    let (mut fake, agent) = FakeAgent::connected().await;
    let _before = within(agent.request(command("before")))
        .await
        .expect("sent");
    let hold = async {
        let held = within(agent.hold()).await.expect("held");
        // It is taken, and waits to be sent.
        let _after = within(agent.request(command("after")))
            .await
            .expect("sent later");
        held.end_after(Duration::from_millis(5));
        _after
    };
    let guest = async {
        assert!(matches!(fake.hear().await, ToGuest::Run(1, _)));
        let ToGuest::Sync(id) = fake.hear().await else {
            panic!("a sync comes next");
        };
        // Output of what is under way is taken as always.
        fake.flush().await;
        fake.say(&ToHost::Done(id, Ok(Outcome::Complete))).await;
        // What waits finds the clock put forward.
        assert_eq!(fake.hear().await, ToGuest::Clock(5_000_000));
        assert!(matches!(fake.hear().await, ToGuest::Run(3, _)));
    };
    tokio::join!(hold, guest);
}

#[tokio::test]
async fn an_agent_that_goes_cannot_be_held() {
    let (mut fake, agent) = FakeAgent::connected().await;
    let (held, ()) = tokio::join!(agent.hold(), async {
        assert!(matches!(fake.hear().await, ToGuest::Sync(1)));
        drop(fake);
    });
    assert_eq!(held.err(), Some(RequestError::NotConnected));
}

/// Half a frame of a conversation that was saved does not disturb the next one.
#[tokio::test]
async fn an_agent_that_was_saved_is_told_and_greets() {
    let (mut fake, agent) = FakeAgent::new();
    let resume = Resume {
        time_ns: 1_800_000_000_000_000_000,
        seed: [9; 32],
    };
    agent.resume(resume.clone()).await.expect("small");
    assert_eq!(fake.hear().await, ToGuest::Resume(resume));
    let late = encode(&ToHost::Note("of the other conversation".into())).expect("small");
    fake.write(&late[3..]).await;
    fake.exchange_hellos(SESSION).await;
    assert!(agent.is_connected());
}
