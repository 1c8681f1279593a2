//! Frames through real sockets.

use std::os::unix::net::UnixDatagram as StdUnixDatagram;

use tokio::net::UnixDatagram;
use vmtest_switch::switch::QUEUE;
use vmtest_switch::{Plug, Switch};

struct Machine {
    mac: u8,
    socket: UnixDatagram,
    _plug: Plug,
}

impl Machine {
    fn new(switch: &Switch, mac: u8) -> Self {
        let (ours, theirs) = StdUnixDatagram::pair().expect("socket pair");
        ours.set_nonblocking(true).expect("non-blocking");
        let socket = UnixDatagram::from_std(ours).expect("tokio socket");
        Self {
            mac,
            socket,
            _plug: switch.plug(theirs).expect("plug"),
        }
    }

    async fn send(&self, to: u8, text: &str) {
        let head = [2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, self.mac, 0x08, 0x00];
        self.socket
            .send(&[&head[..], text.as_bytes()].concat())
            .await
            .expect("sent");
    }

    async fn broadcast(&self, text: &str) {
        let head = [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, self.mac, 0x08, 0x00,
        ];
        self.socket
            .send(&[&head[..], text.as_bytes()].concat())
            .await
            .expect("sent");
    }

    async fn receive(&self) -> String {
        let mut buffer = [0; 2048];
        let length = self.socket.recv(&mut buffer).await.expect("received");
        String::from_utf8_lossy(&buffer[14..length]).into_owned()
    }
}

#[tokio::test]
async fn unicast_goes_to_its_receiver_alone() {
    let switch = Switch::default();
    let [a, b, c] = [1, 2, 3].map(|mac| Machine::new(&switch, mac));
    b.broadcast("here is b").await;
    assert_eq!(a.receive().await, "here is b");
    assert_eq!(c.receive().await, "here is b");
    a.send(2, "for b").await;
    a.broadcast("for all").await;
    assert_eq!(b.receive().await, "for b");
    assert_eq!(b.receive().await, "for all");
    // Had the first frame come here too, it would have come first.
    assert_eq!(c.receive().await, "for all");
    assert_eq!(switch.counters().frames, 3);
}

#[tokio::test]
async fn a_pulled_plug_is_forgotten() {
    let switch = Switch::default();
    let [a, b, c] = [1, 2, 3].map(|mac| Machine::new(&switch, mac));
    b.broadcast("here is b").await;
    assert_eq!(a.receive().await, "here is b");
    assert_eq!(c.receive().await, "here is b");
    drop(b);
    a.send(2, "where is b?").await;
    assert_eq!(c.receive().await, "where is b?");
}

#[tokio::test]
async fn a_slow_receiver_loses_frames_and_stops_nobody() {
    let switch = Switch::default();
    let [a, b, slow] = [1, 2, 3].map(|mac| Machine::new(&switch, mac));
    for machine in [&b, &slow] {
        machine.broadcast("here").await;
        assert_eq!(a.receive().await, "here");
    }
    assert_eq!(b.receive().await, "here");
    let flood = 2 * QUEUE;
    for _ in 0..flood {
        a.send(3, "flood").await;
    }
    a.send(2, "to b").await;
    assert_eq!(b.receive().await, "to b");
    assert!(switch.counters().dropped > 0, "{:?}", switch.counters());
}
