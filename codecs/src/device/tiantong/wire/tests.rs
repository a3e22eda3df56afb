use super::pdu::{Concat, Deliver, Message, Pdu, Report, Submit};
use super::*;
use crate::codec::DecodeError;
use crate::message::Utc;
use proptest::prelude::*;

fn address() -> impl Strategy<Value = Address> {
    let digits = "[0-9*#abc]{0,20}".prop_map(|value| Address { kind: 0x91, value });
    let letters = "[A-Za-z0-9 _]{1,11}".prop_map(|value| Address { kind: 0xD0, value });
    prop_oneof![digits, letters]
}

fn data() -> impl Strategy<Value = (u8, UserData)> {
    let header = prop::option::of((any::<u8>(), any::<bool>(), 1..=5_u8, 1..=5_u8).prop_map(|(r, is_wide, a, b)| {
        Concat { reference: r.into(), is_wide, total: a.max(b), number: a.min(b) }.element()
    }));
    let body = prop_oneof![
        prop::collection::vec(0..128_u8, 0..=150).prop_map(|septets| (0x00, Packed::Septets(septets))),
        prop::collection::vec(any::<u8>(), 0..=130).prop_map(|octets| (0x04, Packed::Octets(octets))),
        prop::collection::vec(any::<u8>(), 0..=130).prop_map(|octets| (0x08, Packed::Octets(octets))),
    ];
    (header, body).prop_map(|(header, (dcs, body))| (dcs, UserData { header, body }))
}

fn pdu() -> impl Strategy<Value = Pdu> {
    let message = prop_oneof![
        (address(), any::<[u8; 7]>(), data()).prop_map(|(from, at, (dcs, data))| {
            Message::Deliver(Deliver { flags: 0x04, from, pid: 0, dcs, at: Scts(at), data })
        }),
        (address(), any::<u8>(), any::<bool>(), data()).prop_map(|(to, reference, wants_report, (dcs, data))| {
            let validity = if wants_report { Validity::Relative(reference) } else { Validity::None };
            let (rejects_duplicates, reply_path) = (false, !wants_report);
            Message::Submit(Submit {
                rejects_duplicates,
                reply_path,
                wants_report,
                reference,
                to,
                pid: 0,
                dcs,
                validity,
                data,
            })
        }),
        (address(), any::<[u8; 7]>(), any::<u8>()).prop_map(|(to, at, status)| {
            let rest = bytes::Bytes::new();
            Message::Report(Report {
                flags: 0x04,
                reference: status,
                to,
                at: Scts(at),
                discharged: Scts(at),
                status,
                rest,
            })
        }),
    ];
    (prop::option::of("[0-9]{1,20}"), message)
        .prop_map(|(smsc, message)| Pdu { smsc: smsc.map(|digits| Address::international(&digits)), message })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(pdu in pdu()) {
        let (octets, length) = pdu.emit().unwrap();
        prop_assert!(length < octets.len());
        prop_assert_eq!(Pdu::parse(&octets).unwrap(), pdu);
    }

    #[test]
    fn nothing_shorter_and_nothing_longer_is_taken(pdu in pdu()) {
        let (octets, _) = pdu.emit().unwrap();
        for length in 0..octets.len() {
            prop_assert!(Pdu::parse(&octets[..length]).is_err());
        }
        // Behind a report an octet could announce more; 08 announces nothing that is known.
        if !matches!(pdu.message, Message::Report(_)) {
            prop_assert_eq!(Pdu::parse(&[&octets[..], &[0]].concat()), Err(DecodeError::Trailing(1)));
        }
    }

    #[test]
    fn septets_come_back_whatever_stands_before_them(septets in prop::collection::vec(0..128_u8, 0..160), fill in 0..7_u32) {
        prop_assert_eq!(alphabet::unpack(&alphabet::pack(&septets, fill), fill, septets.len()), septets);
    }
}

#[test]
fn a_time_is_the_same_in_every_zone() {
    let at = Utc::from_civil(2026, 11, 24, 6, 5, 9).unwrap();
    for quarters in [-48, -14, 0, 32, 56] {
        assert_eq!(Scts::from_utc(at, quarters).utc(), Some(at), "{quarters}");
    }
    assert_eq!(Scts([0xFF; 7]).utc(), None);
}

#[test]
fn a_validity_is_at_least_what_was_wanted() {
    for minutes in [5, 6, 720, 721, 750, 1_440, 1_441, 2_880, 43_200, 43_201, 635_040] {
        let given = Validity::of_minutes(minutes).minutes().unwrap();
        assert!(given >= minutes, "{minutes}: {given}");
    }
    assert_eq!(Validity::of_minutes(1_440), Validity::Relative(0xA7));
}

#[test]
fn every_character_of_the_default_alphabet_has_its_own_code() {
    for code in (0..128_u8).filter(|code| *code != 0x1B) {
        let (text, lossy) = alphabet::text_of_septets(&[code]);
        assert_eq!(alphabet::septets_of(text.chars().next().unwrap()), Some(vec![code]));
        assert!(!lossy);
    }
    assert_eq!(alphabet::text_of_septets(&[0x1B]), (String::new(), true));
}
