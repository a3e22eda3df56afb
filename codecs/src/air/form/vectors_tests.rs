//! Golden vectors: `vectors.jsonl`, one case a line. A case has a `line` that is typed and what it means (`json`, `hex`,
//! `bits`, `words`, `short`), or a `line` and the `question` that it is answered with, or `hex` alone and the `refused` reason.

use super::{Area, Form, read_line};
use serde_json::Value as Json;
use std::collections::BTreeSet;

fn text<'a>(case: &'a Json, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("no {key} in {case}"))
}

#[test]
fn every_vector_is_what_it_was() {
    let (mut ids, mut forms) = (BTreeSet::new(), BTreeSet::new());
    for case in include_str!("vectors.jsonl").lines() {
        let case: Json = serde_json::from_str(case).unwrap();
        let id = text(&case, "id");
        assert!(ids.insert(id.to_owned()) && !text(&case, "source").is_empty(), "{id}");
        if let Some(question) = case.get("question") {
            let asked = read_line(text(&case, "line"), &Area::default()).unwrap_err();
            assert_eq!(&asked.text, question.as_str().unwrap(), "{id}");
            continue;
        }
        let bytes = hex::decode(text(&case, "hex")).unwrap();
        if let Some(refused) = case.get("refused") {
            assert_eq!(Form::unpack(&bytes).unwrap_err().to_string(), refused.as_str().unwrap(), "{id}");
            continue;
        }
        let form = Form::from_json(&case["json"]).unwrap();
        forms.insert((form.schema().name.clone(), form.schema().version));
        let packed = form.pack().unwrap();
        assert_eq!(
            (hex::encode(&packed.bytes), Some(packed.bits)),
            (text(&case, "hex").into(), case["bits"].as_u64().map(|b| usize::try_from(b).unwrap())),
            "{id}"
        );
        let mut unpacked = Form::unpack(&bytes).unwrap();
        unpacked.set_note(form.note()).unwrap();
        assert_eq!((&unpacked, unpacked.to_json()), (&form, case["json"].clone()), "{id}");
        assert_eq!(form.words(&Area::default()), text(&case, "words"), "{id}");
        assert_eq!(form.short(&Area::default(), 77), text(&case, "short"), "{id}");
        if let Some(line) = case["line"].as_str() {
            assert_eq!(read_line(line, &Area::default()), Ok(form), "{id}");
        }
    }
    assert_eq!(forms.len(), super::schemas().len(), "a form has no vector: {forms:?}");
}
