//! Texts of every kind, there and back.

use super::*;
use proptest::prelude::*;

const SAMPLES: [&str; 8] = [
    "",
    "水位超警戒1.2米，速派抢险队。",
    "老鹰岩裂缝又宽了2公分,下面还住着五户人",
    "SOS 31.5283N 102.9917E",
    "第一行\n第二行\r\n\t空格 　结束",
    "堃𠮷龘🚒👨‍👩‍👧 é\u{0}\u{7F}\u{200D}",
    "0000000000 9876543210 3.14159",
    "\u{10FFFF}\u{10FFFE}\u{10FFFD}\u{E000}",
];

fn model() -> &'static Model {
    &READ.iter().find(|(codec, _)| *codec == FIRST_MODEL).expect("the model is a model").1
}

#[test]
fn every_sample_comes_back_whatever_codec_writes_it() {
    for text in SAMPLES {
        for announced in [ModelSet::default(), own_models()] {
            let packed = write(text, announced).unwrap();
            assert!(announced.has(packed.codec));
            assert_eq!(read(packed.codec, &packed.body).as_deref(), Ok(text));
        }
        assert_eq!(model().read_text(&model().write(text)).as_deref(), Ok(text));
    }
}

#[test]
fn a_model_that_was_not_announced_is_not_used() {
    assert!(write(SAMPLES[1], ModelSet::default()).unwrap().codec < 3);
    assert_eq!(write(SAMPLES[1], own_models()).unwrap().codec, 8);
    assert_eq!(read(9, &[1, 2, 3]), Err(TextError::Codec { codec: 9 }));
    assert_eq!(read(3, &[]), Err(TextError::Codec { codec: 3 }));
}

#[test]
fn what_is_too_long_is_refused_and_not_cut() {
    let long = "水".repeat(CHARACTERS_MAX + 1);
    assert_eq!(write(&long, own_models()), Err(TextError::Long { found: CHARACTERS_MAX + 1 }));
    assert_eq!(read(0, &vec![b'a'; BODY_MAX + 1]), Err(TextError::Body { found: BODY_MAX + 1 }));
    // A body whose text never ends: decoding stops at the limit.
    let endless = model().write(&"一".repeat(CHARACTERS_MAX));
    assert_eq!(model().read_text(&endless).map(|text| text.chars().count()), Ok(CHARACTERS_MAX));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_comes_back_and_is_never_longer_than_its_plain_forms(text in "\\PC{0,60}|[一-龥，。0-9]{0,80}") {
        let packed = write(&text, own_models()).unwrap();
        prop_assert!(packed.body.len() <= text.len());
        if let Some(gb) = plain::write_gb18030(&text) {
            prop_assert!(packed.body.len() <= gb.len());
        }
        prop_assert_eq!(read(packed.codec, &packed.body), Ok(text.clone()));
        prop_assert_eq!(model().read_text(&model().write(&text)), Ok(text));
    }

    #[test]
    fn any_bytes_are_a_text_or_an_error(codec in 0_u8..32, body in proptest::collection::vec(any::<u8>(), 0..90)) {
        if let Ok(text) = read(codec, &body) {
            prop_assert!(text.chars().count() <= CHARACTERS_MAX);
        }
    }

    #[test]
    fn an_altered_body_never_reads_as_what_was_written(place in 0_usize..20, bit in 0_u32..8) {
        let mut body = model().write(SAMPLES[1]);
        let place = place % body.len();
        body[place] ^= 1 << bit;
        // The check is 8 bits: the tag of the frame is what keeps altered bytes out.
        if let Ok(text) = model().read_text(&body) {
            prop_assert_ne!(text, SAMPLES[1]);
        }
    }
}

/// One case of `vectors/model.jsonl`.
#[derive(serde::Serialize, serde::Deserialize)]
struct Golden {
    id: String,
    protocol: String,
    expect: String,
    codec: u8,
    hex: String,
    text: String,
    source: String,
}

/// Texts of every kind with the bytes that model 8 writes for ever. `UPDATE=1` writes the file: only for a new model.
#[test]
fn model_8_writes_the_golden_bytes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/air/text/vectors/model.jsonl");
    let test_set = include_str!("vectors/messages-zh.txt").lines().step_by(8);
    let cases: Vec<Golden> = SAMPLES
        .into_iter()
        .chain(test_set)
        .zip(1..)
        .map(|(text, number)| Golden {
            id: format!("model-8-{number}"),
            protocol: "air-text".into(),
            expect: "decode".into(),
            codec: FIRST_MODEL,
            text: text.into(),
            hex: hex::encode(model().write(text)),
            source: "invented".into(),
        })
        .collect();
    if std::env::var_os("UPDATE").is_some() {
        let lines: Vec<String> = cases.iter().map(|case| serde_json::to_string(case).unwrap()).collect();
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap();
    let stored: Vec<Golden> = stored.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(stored.len(), cases.len());
    for (case, golden) in cases.iter().zip(&stored) {
        assert_eq!((&case.text, &case.hex), (&golden.text, &golden.hex));
        assert_eq!(read(golden.codec, &hex::decode(&golden.hex).unwrap()).as_deref(), Ok(golden.text.as_str()));
    }
}

#[test]
fn each_model_file_is_the_one_that_its_number_is_bound_to() {
    use sm3::{Digest, Sm3};
    let bound = [(8, MODEL_8_SM3)];
    for ((number, file), (bound, hash)) in MODELS.iter().zip(bound) {
        assert_eq!((*number, hex::encode(Sm3::digest(file))), (bound, hash.to_owned()));
    }
}

/// The SM3 of the file of model 8.
const MODEL_8_SM3: &str = "8821d8841aae8616583eb85489a605619c1215dabfdfab24258e9f86d4135d9f";
