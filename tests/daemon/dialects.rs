//! Every dialect of a Beidou terminal on a real port, and terminals that answer late or not at all.

use crate::rig::{BEIDOU, FAR, FAR_NUMBER, Rig, Setup, follow_until, is, send};
use bytes::Bytes;
use std::time::Duration;
use yizhan_simulators::live::What;
use yizhan_simulators::terminal::Act;

#[test]
fn every_beidou_dialect_carries_texts_both_ways_over_a_real_port_between_noise() {
    for dialect in ["rdss40", "rdss21", "rsmc3"] {
        let rig = Rig::with(&Setup { dialect, ..Setup::default() });
        let (mut station, api) = rig.start();
        let card = follow_until(&api, 0, "the card", |record| is(record, "card_learned", "link", BEIDOU));
        assert_eq!(
            (&card.record["data"]["number"], &card.record["data"]["period_ms"]),
            (&"142020".into(), &1_000.into())
        );
        let id = send(&api, &format!("beidou:{FAR_NUMBER}"), "请报水位，单位厘米");
        follow_until(&api, 0, "the terminal's word on it", |record| {
            is(record, "rung_raised", "id", id.as_str()) && record["data"]["rung"] == "radiated"
        });
        rig.until_seen(FAR, "请报水位，单位厘米");
        let half = b"$TXXX\x00\x20\x02garbage$$BDTXR,1,".as_slice();
        rig.rehearsal.act(BEIDOU, Act::Noise { bytes: Bytes::from_static(half) });
        rig.types(FAR, "水位 312 厘米，还在涨");
        let what = format!("the answer in {dialect}");
        follow_until(&api, 0, &what, |record| is(record, "message_kept", "text", "水位 312 厘米，还在涨"));
        let tally = rig.rehearsal.tally(BEIDOU).unwrap();
        assert_eq!((tally.sent, tally.sent_too_early, tally.unreadable), (1, 0, 0), "{dialect}: {tally:?}");
        assert!(station.stop().unwrap().success());
    }
}

#[test]
fn a_terminal_that_answers_late_or_never_is_not_pressed() {
    let rig = Rig::new();
    let (mut station, api) = rig.start();
    for (after, text, outcome) in
        [(Some(Duration::from_secs(5)), "反馈来得晚", "radiated"), (None, "反馈不来", "silent")]
    {
        rig.rehearsal.act(BEIDOU, Act::Feedback { after });
        let id = send(&api, &format!("beidou:{FAR_NUMBER}"), text);
        let radiated =
            |news: &yizhan_simulators::live::News| news.who == BEIDOU && matches!(news.what, What::Radiated(_));
        rig.until("the terminal radiates", radiated);
        let attempted = follow_until(&api, 0, "the attempt", |record| is(record, "attempted", "id", id.as_str()));
        let attempt = attempted.record["data"]["attempt"].clone();
        let ended = follow_until(&api, 0, "its end", |record| is(record, "attempt_ended", "attempt", attempt.clone()));
        assert_eq!(ended.record["data"]["outcome"], outcome, "{text}");
    }
    let tally = rig.rehearsal.tally(BEIDOU).unwrap();
    assert_eq!((tally.sent, tally.sent_too_early), (2, 0));
    assert!(station.stop().unwrap().success());
}
