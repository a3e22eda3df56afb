use super::*;

fn radio() -> MeshRadio {
    MeshRadio::new("mesh:!a1b2c3d4".parse().unwrap(), &Seed::new(1)).unwrap()
}

fn text(id: u32, to: u32) -> Bytes {
    let data = Data { portnum: port::TEXT, payload: "请撤离".into(), ..Data::default() };
    let packet = MeshPacket { to, id, decoded: Some(data), want_ack: true, ..MeshPacket::default() };
    framed(&ToRadio { packet: Some(packet), ..ToRadio::default() }).unwrap()
}

/// Wakes the radio until it wants nothing more: when each result came, from whom, and how many transmissions there were.
fn results(radio: &mut MeshRadio) -> (Vec<(u64, u32, u32)>, usize) {
    let (mut results, mut on_air, mut now) = (Vec::new(), 0, Duration::ZERO);
    loop {
        let mut wake = None;
        while let Some(output) = radio.poll() {
            match output {
                TerminalOutput::ToHost { bytes, .. } => {
                    let message = FromRadio::decode(payload(&bytes).unwrap()).unwrap();
                    let Some(packet) = message.packet else { continue };
                    let data = packet.decoded.unwrap();
                    let code = Routing::decode(data.payload.as_slice()).unwrap().error_reason.unwrap_or(0);
                    results.push((now.as_secs(), packet.from, code));
                }
                TerminalOutput::ToAir(_) => on_air += 1,
                TerminalOutput::WakeAt(at) => wake = Some(at),
                TerminalOutput::Shown { .. } => {}
            }
        }
        let Some(at) = wake else { return (results, on_air) };
        now = at;
        radio.wake(now);
    }
}

#[test]
fn a_silent_radio_is_called_three_times_and_then_given_up() {
    let mut radio = radio();
    radio.heard_host(Duration::ZERO, None, &text(7, 0x0BAD_CAFE));
    let (results, on_air) = results(&mut radio);
    assert_eq!((results.last(), on_air), (Some(&(21, 0xA1B2_C3D4, error::MAX_RETRANSMIT)), 3));
    assert_eq!((radio.tally().ordered, radio.tally().sent), (1, 3));
}

#[test]
fn the_destination_speaks_in_its_own_name() {
    let mut radio = radio();
    radio.heard_host(Duration::ZERO, None, &text(7, 0x0BAD_CAFE));
    radio.wake(Duration::ZERO);
    let (from, to) = (terminal(0x0BAD_CAFE), Addressee::Terminal(terminal(0xA1B2_C3D4)));
    radio.heard_air(Duration::ZERO, &AirMessage { from, to, serial: 1, said: Said::Taken { request: 7 } });
    let (results, on_air) = results(&mut radio);
    assert!(results.contains(&(0, 0x0BAD_CAFE, 0)), "{results:?}");
    assert_eq!(on_air, 1);
}

#[test]
fn a_text_that_comes_too_fast_is_refused_and_a_known_number_is_ignored() {
    let mut radio = radio();
    radio.heard_host(Duration::ZERO, None, &text(7, BROADCAST));
    radio.heard_host(Duration::from_secs(1), None, &text(8, BROADCAST));
    radio.heard_host(Duration::from_secs(5), None, &text(7, BROADCAST));
    assert_eq!((radio.tally().sent_too_early, radio.tally().refused), (1, 1));
    let (results, _) = results(&mut radio);
    assert!(results.iter().any(|(.., code)| *code == error::RATE_LIMIT), "{results:?}");
}

#[test]
fn a_text_for_it_is_acknowledged_by_the_radio_itself_and_shown_once() {
    let mut radio = radio();
    let (from, to) = (terminal(0x0BAD_CAFE), Addressee::Terminal(terminal(0xA1B2_C3D4)));
    let said = Said::Text { text: "收到".into(), request: 9 };
    let message = AirMessage { from, to, serial: 1, said };
    radio.heard_air(Duration::ZERO, &message);
    radio.heard_air(Duration::ZERO, &message);
    let taken = std::iter::from_fn(|| radio.poll())
        .filter(|output| matches!(output, TerminalOutput::ToAir(AirMessage { said: Said::Taken { request: 9 }, .. })))
        .count();
    assert_eq!((taken, radio.tally().received), (2, 1));
}
