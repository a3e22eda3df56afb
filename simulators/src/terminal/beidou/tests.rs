use super::*;
use yizhan_codecs::device::beidou::wire::content::HanziRule;
use yizhan_codecs::device::beidou::wire::content::pack_text;
use yizhan_codecs::device::beidou::wire::rdss40::{self, Body, Frame, Txsq};
use yizhan_codecs::device::beidou::wire::text::{self, Sentence};
use yizhan_codecs::device::beidou::wire::{content, rdss21, rsmc3};

const OWN: u32 = 142_020;
const FAR: u32 = 166_166;

fn terminal(dialect: Dialect) -> BeidouTerminal {
    let card = Card { number: OWN, broadcast: 0, period: Duration::from_secs(60), level: 3, subordinates: 0 };
    BeidouTerminal::new(dialect, card, &Seed::new(1))
}

fn send_order(dialect: Dialect, text: &str) -> Bytes {
    let payload = content::encode_gb18030(text).unwrap();
    match dialect {
        Dialect::Rdss40 => {
            let packed = pack_text(text, HanziRule::Binary).unwrap();
            let bits = u16::try_from(packed.bytes.len() * 8).unwrap();
            let send = Txsq { category: 0x44, dest: FAR, bits, answer: 0, content: packed.bytes };
            Frame { user: OWN, body: Body::Txsq(send) }.emit().unwrap()
        }
        Dialect::Rdss21 => Sentence::Txa(rdss21::Txa {
            dest: FAR,
            urgent: false,
            form: content::Form::Mixed,
            content: content::mixed_hex(&payload),
        })
        .emit()
        .unwrap(),
        Dialect::Rsmc3 => Sentence::Tcq(rsmc3::Tcq {
            dest: FAR,
            point: 2,
            confirm: 1,
            encoding: 3,
            extra_field: false,
            content: content::mixed_hex(&payload),
            period_s: Some(0),
        })
        .emit()
        .unwrap(),
    }
}

/// Runs the terminal's plans until `until`: bytes to the host and messages to the air.
fn run(terminal: &mut BeidouTerminal, mut now: Duration, until: Duration) -> (Vec<Bytes>, Vec<AirMessage>) {
    let (mut host, mut air) = (Vec::new(), Vec::new());
    loop {
        let mut wake = None;
        while let Some(output) = terminal.poll() {
            match output {
                TerminalOutput::ToHost { bytes, .. } => host.push(bytes),
                TerminalOutput::ToAir(message) => air.push(message),
                TerminalOutput::WakeAt(at) => wake = Some(at),
                TerminalOutput::Shown { .. } => {}
            }
        }
        match wake {
            Some(at) if at <= until => now = at.max(now),
            _ => return (host, air),
        }
        terminal.wake(now);
    }
}

/// What feedback says: `None` radiated, `Some(wait)` too early.
fn feedback(bytes: &Bytes) -> Option<u32> {
    if let Ok(Frame { body: Body::Fkxx { flag, extra }, .. }) = rdss40::parse(bytes) {
        return (flag == 4).then_some(extra[3].into());
    }
    match text::parse(bytes).unwrap() {
        Sentence::Fki(fki) => (!fki.executed).then(|| fki.wait_s()),
        Sentence::Fki3(fki) => (!fki.sent).then_some(fki.wait_s),
        other => panic!("no feedback: {other:?}"),
    }
}

#[test]
fn a_send_before_the_slot_is_free_is_refused_with_the_wait_and_counted() {
    for dialect in [Dialect::Rdss40, Dialect::Rdss21, Dialect::Rsmc3] {
        let mut terminal = terminal(dialect);
        let seconds = Duration::from_secs;
        terminal.heard_host(Duration::ZERO, None, &send_order(dialect, "水位上涨"));
        let (host, air) = run(&mut terminal, Duration::ZERO, seconds(5));
        assert_eq!(host.iter().map(feedback).collect::<Vec<_>>(), [None], "{dialect:?}");
        assert_eq!(air[0].said, Said::Text { text: "水位上涨".into(), request: 0 }, "{dialect:?}");
        terminal.heard_host(seconds(20), None, &send_order(dialect, "水位上涨"));
        let (host, air) = run(&mut terminal, seconds(20), seconds(25));
        assert!(matches!(host.iter().map(feedback).collect::<Vec<_>>()[..], [Some(41..=42)]), "{dialect:?} {host:?}");
        assert!(air.is_empty());
        terminal.heard_host(seconds(62), None, &send_order(dialect, "水位上涨"));
        assert_eq!(run(&mut terminal, seconds(62), seconds(70)).1.len(), 1);
        let tally = terminal.tally();
        assert_eq!((tally.ordered, tally.sent, tally.sent_too_early), (3, 2, 1), "{dialect:?}");
    }
}

#[test]
fn orders_are_understood_in_any_chunking_and_after_noise() {
    for dialect in [Dialect::Rdss40, Dialect::Rdss21, Dialect::Rsmc3] {
        let mut terminal = terminal(dialect);
        let mut seed = Seed::new(9);
        let wire = [Bytes::from_static(b"\xFF$X"), send_order(dialect, "$三号,桥*断了")].concat();
        for piece in in_pieces(wire.into(), &mut seed) {
            terminal.heard_host(Duration::ZERO, None, &piece);
        }
        let (_, air) = run(&mut terminal, Duration::ZERO, Duration::from_secs(5));
        assert_eq!(air[0].said, Said::Text { text: "$三号,桥*断了".into(), request: 0 }, "{dialect:?}");
    }
}

#[test]
fn a_message_of_the_air_reaches_the_host_in_its_dialect() {
    for dialect in [Dialect::Rdss40, Dialect::Rdss21, Dialect::Rsmc3] {
        let mut terminal = terminal(dialect);
        let far = TerminalId::from_number(Bearer::Beidou, FAR);
        let to = Addressee::Terminal(TerminalId::from_number(Bearer::Beidou, OWN));
        let said = Said::Text { text: "收到".into(), request: 0 };
        terminal.heard_air(Duration::ZERO, &AirMessage { from: far, to, serial: 1, said });
        let (host, _) = run(&mut terminal, Duration::ZERO, Duration::ZERO);
        let sender = match rdss40::parse(&host[0]).map(|frame| frame.body) {
            Ok(Body::Txxx(message)) => message.sender,
            _ => match text::parse(&host[0]).unwrap() {
                Sentence::Txr(message) => message.sender,
                Sentence::Tci(message) => message.sender,
                other => panic!("no message: {other:?}"),
            },
        };
        assert_eq!(sender, FAR, "{dialect:?}");
    }
}

#[test]
fn a_reboot_forgets_the_reports_that_were_asked_for() {
    let mut terminal = terminal(Dialect::Rdss40);
    let ask = Frame { user: OWN, body: Body::Xtzj { period_s: 10 } }.emit().unwrap();
    terminal.heard_host(Duration::ZERO, None, &ask);
    assert_eq!(run(&mut terminal, Duration::ZERO, Duration::from_secs(35)).0.len(), 4);
    terminal.act(Duration::from_secs(36), &Act::Reboot);
    let (host, _) = run(&mut terminal, Duration::from_secs(36), Duration::from_secs(100));
    assert_eq!(host.len(), 1, "only its card, unasked");
}

#[test]
fn what_does_not_fit_the_card_is_refused_and_counted() {
    let mut terminal = terminal(Dialect::Rdss21);
    terminal.heard_host(Duration::ZERO, None, &send_order(Dialect::Rdss21, &"长".repeat(60)));
    assert!(run(&mut terminal, Duration::ZERO, Duration::from_secs(5)).1.is_empty());
    assert_eq!(terminal.tally().too_long, 1);
}
