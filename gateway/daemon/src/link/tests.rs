use super::*;
use crate::config::{Parity, Serial, Udp};
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio_serial::SerialStream;

fn config(serial: Option<Serial>, udp: Option<Udp>) -> config::Link {
    config::Link {
        name: "l".into(),
        device: "any".into(),
        serial,
        udp,
        tcp: None,
        period: None,
        capacity_bits: None,
        guard: config::Span(Duration::ZERO),
        profile: toml::Table::new(),
        reach: Vec::new(),
    }
}

fn port(path: &std::path::Path, baud: u32) -> Serial {
    Serial { port: path.to_owned(), baud, parity: Parity::None, stop_bits: 1, exclusive: true }
}

struct Rig {
    link: Link,
    inputs: mpsc::Receiver<Input>,
    stop: CancellationToken,
    board: Board,
}

fn start(config: &config::Link) -> Rig {
    let (sender, inputs) = mpsc::channel(64);
    let (stop, board) = (CancellationToken::new(), Board::default());
    Rig { link: Link::start(config, sender, stop.clone(), board.clone()), inputs, stop, board }
}

impl Rig {
    async fn next(&mut self) -> Input {
        tokio::time::timeout(Duration::from_secs(30), self.inputs.recv()).await.expect("in time").expect("an input")
    }

    /// Stops the link and waits until its task is over.
    async fn ended(mut self) {
        self.stop.cancel();
        while tokio::time::timeout(Duration::from_secs(30), self.inputs.recv()).await.expect("in time").is_some() {}
    }

    fn transmit(&self, id: u64, to: Option<SocketAddr>, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.link.transmit(Transmission { id: TransmitId(id), to: to.map(Peer), bytes }).expect("room");
    }
}

/// The terminal's end of a pseudo-terminal, and the path of the station's end.
fn terminal() -> (SerialStream, std::path::PathBuf, SerialStream) {
    use tokio_serial::SerialPort;
    let (far, near) = SerialStream::pair().unwrap();
    let path = near.name().map(std::path::PathBuf::from);
    let path = path.unwrap_or_else(|| {
        use std::os::fd::AsRawFd;
        std::fs::read_link(format!("/proc/self/fd/{}", near.as_raw_fd())).unwrap()
    });
    (far, path, near)
}

#[tokio::test]
async fn a_missing_port_is_named_unplugged_once_and_refuses_what_should_be_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = start(&config(Some(port(&folder.path().join("none"), 9_600)), None));
    assert!(matches!(rig.next().await, Input::LinkDown { why: LinkTrouble::Unplugged, .. }));
    rig.transmit(7, None, b"x");
    assert!(matches!(rig.next().await, Input::TransmitFailed { id: TransmitId(7), why: TransmitTrouble::NotWritten }));
    // A different trouble is told; the same one again is not.
    std::fs::write(folder.path().join("none"), "not a port").unwrap();
    assert!(matches!(rig.next().await, Input::LinkDown { why: LinkTrouble::NotATty, .. }));
    rig.ended().await;
}

#[tokio::test]
async fn a_character_device_without_a_terminal_line_is_no_tty() {
    assert_eq!(serial::open(&port("/dev/null".as_ref(), 9_600)).err(), Some(LinkTrouble::NotATty));
}

#[tokio::test]
async fn bytes_go_both_ways_and_a_vanished_port_is_reopened_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("bd-1");
    let (mut far, path, near) = terminal();
    drop(near);
    std::os::unix::fs::symlink(&path, &name).unwrap();
    let mut rig = start(&config(Some(port(&name, 115_200)), None));
    assert!(matches!(rig.next().await, Input::LinkUp { .. }));
    far.write_all(b"$BDICP").await.unwrap();
    let Input::Heard { from: None, bytes, .. } = rig.next().await else { panic!("bytes expected") };
    assert!(b"$BDICP".starts_with(&bytes));
    rig.transmit(1, None, b"$CCICR");
    let mut buffer = [0; 6];
    far.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"$CCICR");
    while !matches!(rig.next().await, Input::Transmitted { id: TransmitId(1) }) {}

    drop(far);
    assert!(matches!(rig.next().await, Input::LinkDown { why: LinkTrouble::Unplugged, .. }));
    let (_far, path, near) = terminal();
    drop(near);
    std::fs::remove_file(&name).unwrap();
    std::os::unix::fs::symlink(&path, &name).unwrap();
    assert!(matches!(rig.next().await, Input::LinkUp { .. }));
    rig.ended().await;
}

#[tokio::test]
async fn a_port_that_another_program_holds_is_busy() {
    let (_far, path, near) = terminal();
    drop(near);
    let first = serial::open(&port(&path, 9_600)).unwrap();
    assert_eq!(serial::open(&port(&path, 9_600)).err(), Some(LinkTrouble::Busy));
    drop(first);
    assert!(serial::open(&port(&path, 9_600)).is_ok());
}

#[tokio::test]
async fn a_port_that_dies_in_the_middle_leaves_the_transmission_unknown() {
    let (near, mut far) = tokio::io::duplex(8);
    let (sender, mut inputs) = mpsc::channel(8);
    let (queue, mut transmissions) = mpsc::channel(8);
    let line = Line { id: LinkId::new("l"), inputs: sender, stop: CancellationToken::new(), board: Board::default() };
    let serving = tokio::spawn(async move {
        serial::serve(near, pace::Pace::of(&port("/dev/null".as_ref(), 115_200)), &line, &mut transmissions).await
    });
    for id in [1, 2] {
        let bytes = Bytes::from_static(b"0123456789abcdef");
        queue.send(Transmission { id: TransmitId(id), to: None, bytes }).await.unwrap();
    }
    let mut taken = [0; 4];
    far.read_exact(&mut taken).await.unwrap();
    drop(far);
    assert!(matches!(serving.await.unwrap(), End::Lost(_)));
    assert!(matches!(
        inputs.recv().await,
        Some(Input::TransmitFailed { id: TransmitId(1), why: TransmitTrouble::Unknown })
    ));
    assert!(inputs.recv().await.is_none(), "the second one stays in the queue and is answered by the supervisor");
}

#[tokio::test]
async fn a_datagram_leaves_from_the_local_port_that_has_the_peers_number() {
    let udp = Udp {
        bind: vec!["127.0.0.1:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap()],
        peers: vec!["127.0.0.0/8".parse().unwrap()],
        any_peer: false,
        ..Udp::default()
    };
    let mut rig = start(&config(None, Some(udp)));
    assert!(matches!(rig.next().await, Input::LinkUp { .. }));
    let bound = rig.board.of(&LinkId::new("l")).bound;
    // The same port numbers on another loopback address: the radio.
    let radio = UdpSocket::bind(("127.0.0.2", bound[1].port())).await.unwrap();
    radio.send_to("报到".as_bytes(), bound[1]).await.unwrap();
    let Input::Heard { from: Some(from), .. } = rig.next().await else { panic!("a datagram expected") };
    assert_eq!(from, Peer(radio.local_addr().unwrap()));
    rig.transmit(3, Some(from.0), b"ack");
    let mut buffer = [0; 16];
    let (length, source) = radio.recv_from(&mut buffer).await.unwrap();
    assert_eq!((&buffer[..length], source), (&b"ack"[..], bound[1]));
    assert!(matches!(rig.next().await, Input::Transmitted { id: TransmitId(3) }));
    rig.transmit(4, None, b"nowhere");
    assert!(matches!(rig.next().await, Input::TransmitFailed { id: TransmitId(4), why: TransmitTrouble::NotWritten }));
}

#[test]
fn a_peer_is_spoken_to_from_a_port_of_its_own_family_first_and_of_its_number_then() {
    let locals = ["0.0.0.0:4711", "0.0.0.0:4710", "[fd00::1]:4711", "[fd00::1]:4710"].map(|text| text.parse().unwrap());
    for (to, from) in [("10.0.0.2:4710", 1), ("[fd00::2]:4710", 3), ("[fd00::2]:9", 2), ("10.0.0.2:9", 0)] {
        let to = to.parse().unwrap();
        let nearest = locals.iter().min_by_key(|local| udp::apart(**local, to));
        assert_eq!(nearest, Some(&locals[from]), "{to}");
    }
}

#[tokio::test]
async fn a_stranger_is_not_heard() {
    let udp = Udp {
        bind: vec!["127.0.0.1:0".parse().unwrap()],
        peers: vec!["127.0.0.3".parse().unwrap()],
        any_peer: false,
        ..Udp::default()
    };
    let mut rig = start(&config(None, Some(udp)));
    assert!(matches!(rig.next().await, Input::LinkUp { .. }));
    let bound = rig.board.of(&LinkId::new("l")).bound[0];
    let (stranger, friend) =
        (UdpSocket::bind("127.0.0.2:0").await.unwrap(), UdpSocket::bind("127.0.0.3:0").await.unwrap());
    stranger.send_to(b"let me in", bound).await.unwrap();
    friend.send_to(b"hello", bound).await.unwrap();
    let Input::Heard { bytes, .. } = rig.next().await else { panic!("a datagram expected") };
    assert_eq!(&bytes[..], b"hello");
}

#[tokio::test]
async fn an_address_in_use_is_called_that() {
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let udp = Udp { bind: vec![taken.local_addr().unwrap()], any_peer: true, ..Udp::default() };
    let mut rig = start(&config(None, Some(udp)));
    assert!(matches!(rig.next().await, Input::LinkDown { why: LinkTrouble::AddressInUse, .. }));
    rig.ended().await;
}

#[tokio::test]
async fn a_stop_lets_the_frame_being_written_finish_and_begins_no_other() {
    let (near, mut far) = tokio::io::duplex(4);
    let (sender, mut inputs) = mpsc::channel(8);
    let (queue, mut transmissions) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let line = Line { id: LinkId::new("l"), inputs: sender, stop: stop.clone(), board: Board::default() };
    let serving = tokio::spawn(async move {
        let pace = pace::Pace::of(&port("/dev/null".as_ref(), 115_200));
        let end = serial::serve(near, pace, &line, &mut transmissions).await;
        (end, transmissions.try_recv().map(|transmission| transmission.id))
    });
    for id in [1, 2] {
        let bytes = Bytes::from_static(b"0123456789abcdef");
        queue.send(Transmission { id: TransmitId(id), to: None, bytes }).await.unwrap();
    }
    let mut frame = [0; 16];
    far.read_exact(&mut frame[..1]).await.unwrap();
    stop.cancel();
    far.read_exact(&mut frame[1..]).await.unwrap();
    assert_eq!(&frame, b"0123456789abcdef");
    assert!(matches!(inputs.recv().await, Some(Input::Transmitted { id: TransmitId(1) })));
    assert_eq!(serving.await.unwrap(), (End::Stopped, Ok(TransmitId(2))));
}

fn over_tcp(tcp: config::Tcp) -> config::Link {
    config::Link { tcp: Some(tcp), ..config(None, None) }
}

#[tokio::test]
async fn a_terminal_that_is_called_is_up_at_once_and_down_at_once_when_it_hangs_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = Some(listener.local_addr().unwrap().to_string());
    let mut rig = start(&over_tcp(config::Tcp { connect, ..config::Tcp::default() }));
    let (mut far, _) = listener.accept().await.unwrap();
    assert!(matches!(rig.next().await, Input::LinkUp { .. }));
    far.write_all(b"hello").await.unwrap();
    assert!(matches!(rig.next().await, Input::Heard { bytes, from: None, .. } if &bytes[..] == b"hello"));
    rig.transmit(1, None, b"text");
    assert!(matches!(rig.next().await, Input::Transmitted { id: TransmitId(1) }));
    let mut heard = [0; 4];
    far.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"text");
    drop(far);
    assert!(matches!(rig.next().await, Input::LinkDown { why: LinkTrouble::Unplugged, .. }));
    let (_again, _) = listener.accept().await.unwrap();
    assert!(matches!(rig.next().await, Input::LinkUp { .. }), "called again by itself");
    rig.ended().await;
}

#[tokio::test]
async fn a_terminal_that_nobody_answers_for_is_unplugged() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = Some(listener.local_addr().unwrap().to_string());
    drop(listener);
    let mut rig = start(&over_tcp(config::Tcp { connect, ..config::Tcp::default() }));
    assert!(matches!(rig.next().await, Input::LinkDown { why: LinkTrouble::Unplugged, .. }));
    rig.ended().await;
}

#[tokio::test]
async fn a_listening_link_takes_one_known_terminal_and_refuses_strangers_and_latecomers() {
    let tcp = |peer: &str| config::Tcp {
        connect: None,
        listen: Some("127.0.0.1:0".parse().unwrap()),
        peers: vec![peer.parse().unwrap()],
    };
    let address = async |rig: &Rig| loop {
        if let Some(address) = rig.board.of(&LinkId::new("l")).bound.first() {
            return *address;
        }
        tokio::task::yield_now().await;
    };
    let strict = start(&over_tcp(tcp("10.9.8.7")));
    let mut stranger = tokio::net::TcpStream::connect(address(&strict).await).await.unwrap();
    assert_eq!(stranger.read(&mut [0; 8]).await.unwrap_or(0), 0, "hung up on");
    strict.ended().await;

    let mut rig = start(&over_tcp(tcp("127.0.0.1")));
    let at = address(&rig).await;
    rig.transmit(1, None, b"nobody there");
    assert!(matches!(rig.next().await, Input::TransmitFailed { why: TransmitTrouble::NotWritten, .. }));
    let mut known = tokio::net::TcpStream::connect(at).await.unwrap();
    assert!(matches!(rig.next().await, Input::LinkUp { .. }));
    let mut late = tokio::net::TcpStream::connect(at).await.unwrap();
    assert_eq!(late.read(&mut [0; 8]).await.unwrap_or(0), 0, "hung up on");
    known.write_all(b"still here").await.unwrap();
    assert!(matches!(rig.next().await, Input::Heard { bytes, .. } if &bytes[..] == b"still here"));
    drop(known);
    assert!(matches!(rig.next().await, Input::LinkDown { why: LinkTrouble::Unplugged, .. }));
    rig.ended().await;
}

#[tokio::test]
async fn a_group_is_heard_and_spoken_to_beside_another_program_on_its_port() {
    let group: Ipv4Addr = "224.0.0.69".parse().unwrap();
    let peers = vec!["127.0.0.0/8".parse().unwrap()];
    let udp = Udp {
        bind: vec!["0.0.0.0:0".parse().unwrap()],
        peers,
        multicast: vec![group],
        interface: Some(Ipv4Addr::LOCALHOST),
        loopback: true,
        ..Udp::default()
    };
    let mut rig = start(&config(None, Some(udp.clone())));
    assert!(matches!(rig.next().await, Input::LinkUp { .. }));
    let port = rig.board.of(&LinkId::new("l")).bound[0].port();
    let shared = Udp { bind: vec![SocketAddr::from(([0, 0, 0, 0], port))], ..udp };
    let neighbour = udp::open(&shared).await.expect("the port is shared").remove(0);

    neighbour.send_to(b"heard", (group, port)).await.unwrap();
    let Input::Heard { from: Some(Peer(from)), bytes, .. } = rig.next().await else { panic!("a datagram expected") };
    assert_eq!((from.port(), &bytes[..]), (port, &b"heard"[..]));

    let mut buffer = [0; 16];
    for expected in [&b"heard"[..], b"spoken"] {
        // The first is its own: where loopback is asked for, a program hears itself too.
        let heard = tokio::time::timeout(Duration::from_secs(30), neighbour.recv(&mut buffer)).await;
        assert_eq!(&buffer[..heard.unwrap().unwrap()], expected);
        rig.transmit(1, Some(SocketAddr::from((group, port))), b"spoken");
    }
    rig.ended().await;
}

#[tokio::test]
async fn a_group_in_a_network_that_is_not_there_is_tried_again() {
    let absent = Udp {
        bind: vec!["0.0.0.0:0".parse().unwrap()],
        any_peer: true,
        multicast: vec!["224.0.0.69".parse().unwrap()],
        interface: Some("192.0.2.77".parse().unwrap()),
        ..Udp::default()
    };
    assert_eq!(udp::open(&absent).await.err(), Some(LinkTrouble::Unplugged));
}
