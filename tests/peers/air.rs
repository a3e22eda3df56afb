//! What stations say to each other: the golden vectors and random frames, against a reading in Python that was written
//! from docs/air-format.md alone.

use crate::frames::AirFrames;
use crate::peer::{Peer, altered};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::fragment::Partial;
use yizhan_codecs::air::frame::{ClearMessage, Door, Opened, Proven, open_clear_object};
use yizhan_codecs::air::header::precedence_bits;
use yizhan_codecs::air::key::{Net, NetKey, Proof};
use yizhan_codecs::air::limits::Bearing;
use yizhan_codecs::air::nonce::{Digest, Number};
use yizhan_codecs::air::receipt::Receipt;
use yizhan_codecs::air::replay::Replay;
use yizhan_codecs::air::seal::SoftCipher;
use yizhan_codecs::message::StationId;

const COUNT: usize = 3_000;
const SEED: u64 = 20_261_123;

#[test]
fn they_read_every_golden_vector_as_it_is_meant() {
    let cases = golden();
    assert!(cases.len() > 150, "{}", cases.len());
    Peer::air().check(&cases).is_full_agreement(cases.len());
}

#[test]
fn one_altered_answer_of_every_kind_of_vector_is_seen() {
    let mut protocols: Vec<Value> = Vec::new();
    for case in golden().iter().filter(|case| case["expect"] == "decode") {
        if protocols.contains(&case["protocol"]) {
            continue;
        }
        protocols.push(case["protocol"].clone());
        let altered = if case["fields"].get("units").or(case["fields"].get("receipts")).is_some() {
            let mut case = case.clone();
            case["fields"] = serde_json::from_str(&case["fields"].to_string().replacen("[", "[0,", 1)).unwrap();
            case
        } else {
            altered(case)
        };
        let verdict = Peer::air().check(&[altered]);
        assert_eq!((verdict.agreed, verdict.differed, verdict.good), (0, 1, false), "{}", verdict.shown);
    }
    assert_eq!(protocols.len(), 14);
}

#[test]
fn a_vector_that_must_be_refused_and_is_taken_is_seen() {
    let mut cases = golden();
    let at = cases.iter().position(|case| case["id"] == "frame-1").expect("the first frame");
    cases[at]["expect"] = "refuse".into();
    let verdict = Peer::air().check(&cases);
    assert_eq!((verdict.differed, verdict.good), (1, false), "{}", verdict.shown);
}

#[test]
fn they_read_our_frames_as_we_mean_them() {
    let cases: Vec<Value> = AirFrames::new(SEED).take(COUNT).collect();
    Peer::air().check(&cases).is_full_agreement(COUNT);
}

#[test]
fn one_altered_field_of_our_frames_is_seen() {
    let mut cases: Vec<Value> = AirFrames::new(SEED).take(200).collect();
    cases[100] = altered(&cases[100]);
    let verdict = Peer::air().check(&cases);
    assert_eq!((verdict.agreed, verdict.differed, verdict.good), (199, 1, false), "{}", verdict.shown);
}

#[test]
fn we_read_their_frames_as_they_mean_them() {
    let cases = Peer::air().generate(SEED, COUNT);
    assert_eq!(cases.len(), COUNT);
    for case in &cases {
        match (read(case), case["expect"] == "decode") {
            (Ok(fields), true) => assert_eq!(fields, case["fields"], "{case}"),
            (Err(_), false) => {}
            (found, _) => panic!("{found:?} of {case}"),
        }
    }
    let refused = cases.iter().filter(|case| case["expect"] == "refuse").count();
    assert!((COUNT / 10..COUNT / 5).contains(&refused), "{refused} of {COUNT} are broken");
}

#[test]
fn every_frame_in_the_page_is_a_golden_one() {
    let page = include_str!("../../docs/air-format.md");
    let vectors: String = golden().iter().map(Value::to_string).collect();
    let example = page.split_once("### An example").expect("the page has an example").1;
    let is_frame = |word: &&str| word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let frames: Vec<&str> = example.split_whitespace().filter(is_frame).collect();
    assert!(frames.len() >= 9, "{frames:?}");
    for frame in frames {
        assert!(vectors.contains(frame), "{frame} is in no vector");
    }
}

/// Every line of `codecs/src/air/vectors/`.
fn golden() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("codecs/src/air/vectors");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).expect("UTF-8")).collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let cases = lines.map(|line| serde_json::from_str::<Value>(line).expect("a JSON object"));
    // Forms and texts have vectors of their own readers.
    cases.filter(|case| case["protocol"].as_str().is_some_and(|name| PROTOCOLS.contains(&name))).collect()
}

const PROTOCOLS: [&str; 14] = [
    "air-header",
    "air-extension",
    "air-erasure",
    "air-rows",
    "air-receipts",
    "air-bundle",
    "air-beacon",
    "air-content",
    "air-positions",
    "air-counter",
    "air-key",
    "air-seal",
    "air-frame",
    "air-message",
];

// --- our own reading of their cases ---

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn small(value: &Value) -> u16 {
    u16::try_from(number(value)).expect("16 bits")
}

fn station(value: &Value) -> StationId {
    StationId::new(small(value)).expect("1 to 1023")
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_else(|| panic!("no text: {value}"));
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(case: &Value) -> Result<Value, String> {
    let id = u32::try_from(number(&case["net"]["id"])).expect("32 bits");
    let key = <[u8; 32]>::try_from(bytes(&case["net"]["key"]).as_slice()).expect("32 bytes");
    let cipher = SoftCipher::centre(id, NetKey::from_bytes(&key));
    let (centre, epoch) = (station(&case["net"]["centre"]), small(&case["net"]["epoch"]));
    // Nobody of theirs has this number, so that no frame is our own.
    let me = StationId::new(1_001).expect("a station");
    let net = Net { id, traffic: Traffic::Real, centre, me, epoch, opens_last_epoch: true };
    let mtu = usize::try_from(number(&case["mtu"])).expect("small");
    let bearing = if case["open_radio"] == true { Bearing::open(mtu) } else { Bearing::closed(mtu) };
    let door = Door { cipher: &cipher, net: &net, bearing: &bearing };
    let mut replay = Replay::new();
    if let Some(highest) = case["highest"].as_u64() {
        let counter = u32::try_from(highest).expect("32 bits");
        replay.accept(Number { src: station(&case["highest_of"]), epoch, counter }, Digest::of(b"before"), 0);
    }
    match case["frames"].as_array() {
        None => {
            let opened = door.open(&replay, None, &bytes(&case["hex"])).map_err(|error| error.to_string())?;
            shown(&opened).ok_or("a row alone".into())
        }
        Some(frames) => together(&door, &replay, frames),
    }
}

fn together(door: &Door<'_>, replay: &Replay, frames: &[Value]) -> Result<Value, String> {
    let mut kept: Option<(Option<Number>, Partial)> = None;
    for frame in frames {
        let (number, row) = match door.open(replay, None, &bytes(frame)).map_err(|error| error.to_string())? {
            Opened::Row(sealed) => (Some(sealed.number), sealed.row),
            Opened::ClearRow(row) => (None, row),
            other => return Err(format!("no row: {other:?}")),
        };
        match &mut kept {
            None => kept = Some((number, Partial::begin(&row))),
            Some((_, partial)) => drop(partial.add(&row).map_err(|error| error.to_string())?),
        }
    }
    let (number, partial) = kept.ok_or("no frames")?;
    match number {
        None => Ok(clear(&open_clear_object(&partial).map_err(|error| error.to_string())?)),
        Some(number) => {
            let message = door.open_object(number, &partial).map_err(|error| error.to_string())?;
            Ok(head(&message.proven, "message", ("content", hexadecimal(&message.bytes).into())))
        }
    }
}

fn head(proven: &Proven, kind: &str, (name, value): (&str, Value)) -> Value {
    let (dst, extended) = proven.dst.numbers();
    let proof = if proven.proof == Proof::Pair { "pair" } else { "group" };
    json!({ "kind": kind, "src": proven.number.src.number(), "epoch": proven.number.epoch,
            "counter": proven.number.counter, "dst": dst, "extended": extended, "proof": proof,
            "precedence": precedence_bits(proven.precedence), "tag": proven.tag.len(), name: value })
}

fn clear(message: &ClearMessage) -> Value {
    let (dst, extended) = message.header.dst.numbers();
    json!({ "kind": "clear", "src": message.header.src.map_or(0, StationId::number), "seq": message.header.seq,
            "dst": dst, "extended": extended, "content": hexadecimal(&message.bytes) })
}

fn shown(opened: &Opened) -> Option<Value> {
    let item = |receipt: &Receipt| {
        let (state, arg) = receipt.state.numbers();
        vec![receipt.seq, state.into(), arg.into()]
    };
    Some(match opened {
        Opened::Single(message) => head(&message.proven, "single", ("content", hexadecimal(&message.bytes).into())),
        Opened::Receipts { proven, receipts } => {
            head(proven, "receipts", ("receipts", receipts.iter().map(item).collect()))
        }
        Opened::Bundle { proven, receipts } => {
            let items = receipts.iter().map(|b| [vec![b.src.number()], item(&b.receipt)].concat());
            head(proven, "bundle", ("receipts", items.collect()))
        }
        Opened::Beacon { proven, beacon } => {
            let mut shown = head(proven, "beacon", ("models", beacon.models.bits().into()));
            shown["flags"] = beacon.flags.into();
            shown
        }
        Opened::Clear(message) => clear(message),
        Opened::Row(_) | Opened::ClearRow(_) => return None,
    })
}
