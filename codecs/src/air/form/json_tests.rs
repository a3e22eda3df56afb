use super::samples::{any_current_form, any_form};
use super::*;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Whether JSON keeps a schema, for the keywords that ours have and no others.
fn keeps(schema: &Json, json: &Json) -> bool {
    let rules = schema.as_object().expect("a schema is an object");
    rules.iter().all(|(keyword, rule)| match keyword.as_str() {
        "$schema" | "$id" | "title" | "description" => rule.is_string(),
        "const" => json == rule,
        "enum" => rule.as_array().unwrap().contains(json),
        "type" => match rule.as_str().unwrap() {
            "object" => json.is_object(),
            "array" => json.is_array(),
            "string" => json.is_string(),
            "boolean" => json.is_boolean(),
            "number" => json.is_number(),
            "integer" => json.is_i64() || json.is_u64(),
            other => panic!("type {other}"),
        },
        "minimum" => json.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => json.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        "maxLength" => {
            json.as_str().is_none_or(|t| u64::try_from(t.chars().count()).unwrap() <= rule.as_u64().unwrap())
        }
        "minItems" => json.as_array().is_none_or(|a| u64::try_from(a.len()).unwrap() >= rule.as_u64().unwrap()),
        "maxItems" => json.as_array().is_none_or(|a| u64::try_from(a.len()).unwrap() <= rule.as_u64().unwrap()),
        "items" => json.as_array().is_none_or(|items| items.iter().all(|item| keeps(rule, item))),
        // The two patterns are tried by `times_are_as_their_pattern_says`.
        "pattern" => json.as_str().is_none_or(|text| text.contains(':')),
        "properties" => json.as_object().is_none_or(|object| {
            object.iter().all(|(key, value)| rule.get(key).is_none_or(|property| keeps(property, value)))
        }),
        "additionalProperties" => {
            let known = |key: &String| rules["properties"].get(key).is_some();
            *rule == json!(false) && json.as_object().is_none_or(|object| object.keys().all(known))
        }
        "required" => json
            .as_object()
            .is_none_or(|object| rule.as_array().unwrap().iter().all(|key| object.contains_key(key.as_str().unwrap()))),
        "oneOf" => rule.as_array().unwrap().iter().filter(|one| keeps(one, json)).count() == 1,
        "anyOf" => rule.as_array().unwrap().iter().any(|one| keeps(one, json)),
        "allOf" => rule.as_array().unwrap().iter().all(|one| keeps(one, json)),
        "if" => keeps(rule, json) || keeps(&rules["else"], json),
        "else" => true,
        other => panic!("keyword {other}"),
    })
}

proptest! {
    #[test]
    fn every_form_comes_back_from_its_json(form in prop_oneof![any_form(), any_current_form()]) {
        let json = form.to_json();
        let text = json.to_string();
        prop_assert_eq!(Form::from_json(&serde_json::from_str(&text).unwrap()), Ok(form.clone()), "{}", text);
        prop_assert!(keeps(&json_schema(form.schema()), &json), "{}", text);
    }

    #[test]
    fn what_keeps_the_schema_and_is_no_form_is_only_what_a_schema_cannot_say(
        form in any_form(), key in any::<prop::sample::Index>(), value in prop_oneof![
            Just(json!(null)), Just(json!(true)), Just(json!("same")), Just(json!(0)), Just(json!(7)), Just(json!(99_999)),
            Just(json!(1.5)), Just(json!("14:05")), Just(json!([])), Just(json!({})), Just(json!({ "now": 3, "by": 1 })),
            Just(json!({ "lat": 30.5, "lon": 104.5 })), Just(json!({ "lat": 91, "lon": 104.5 })), Just(json!("other")),
        ],
    ) {
        let mut json = form.to_json();
        let object = json.as_object_mut().unwrap();
        let fields = &form.schema().fields;
        object.insert(fields[key.index(fields.len())].name.clone(), value);
        match Form::from_json(&json) {
            Ok(_) => prop_assert!(keeps(&json_schema(form.schema()), &json), "{}", json),
            Err(JsonError::Form(FormError::MoreThanWhole { .. } | FormError::Change { .. })) => {}
            Err(error) => prop_assert!(!keeps(&json_schema(form.schema()), &json), "{} {}", error, json),
        }
    }
}

fn refused(json: &Json) -> String {
    Form::from_json(json).unwrap_err().to_string()
}

#[test]
fn json_is_what_people_mean() {
    let form =
        read_line("#1 续报 滑坡 死3增1 转同 位30.6521,104.0812 截至14:05 断路 说青龙村", &Area::default()).unwrap();
    let expected = json!({
        "form": "situation", "version": 0, "report": "followup", "hazard": "landslide",
        "dead": { "now": 3, "by": 1 }, "moved": "same", "fix": { "lat": 30.6520968, "lon": 104.0811949 },
        "at": "14:05", "road_cut": true, "note": "青龙村",
    });
    assert_eq!(form.to_json(), expected);
    let typed = json!({ "form": "order", "verb": "assemble", "by": "12T19:30", "people": 40 });
    let form = Form::from_json(&typed).unwrap();
    assert_eq!(form.line().unwrap(), "#4 集合 限12日19:30 共40");
    let rounded = Form::from_json(
        &json!({ "form": "answer", "answer": "executing", "about": { "station": 1, "low": 2 }, "eta": 42 }),
    );
    assert_eq!(rounded.unwrap().get("eta"), Some(&Value::Number(40)));
}

#[test]
fn what_is_wrong_in_json_is_named() {
    assert_eq!(refused(&json!(3)), "a form is an object with form, version and the values of its fields");
    assert_eq!(refused(&json!({ "form": "weather" })), "there is no form weather in version 0");
    assert_eq!(refused(&json!({ "form": "sos", "version": 3 })), "there is no form sos in version 3");
    assert_eq!(refused(&json!({ "form": "sos", "colour": 3 })), "this form has no field colour");
    assert_eq!(refused(&json!({ "form": "sos", "nature": "rain" })), "nature is not one of its list");
    assert_eq!(refused(&json!({ "form": "sos", "people": 0 })), "field people is 0, it holds 1..=16520");
    assert_eq!(refused(&json!({ "form": "sos", "note": 3 })), "note is not a text");
    assert_eq!(
        refused(&json!({ "form": "order", "verb": "assemble", "by": "32T10:00" })),
        "by is not a time HH:MM or DDTHH:MM"
    );
    assert_eq!(refused(&json!({ "form": "order" })), "field verb is missing");
    assert_eq!(refused(&json!({ "form": "headcount", "sites": [] })), "field sites has 0 rows, 1..=16 are possible");
}

#[test]
fn times_are_as_their_pattern_says() {
    let by = |time: &str| Form::from_json(&json!({ "form": "order", "verb": "assemble", "by": time })).is_ok();
    let at =
        |time: &str| Form::from_json(&json!({ "form": "headcount", "sites": [{ "site": 1 }], "at": time })).is_ok();
    for time in ["00:00", "23:59", "09:05"] {
        assert!(by(time) && at(time), "{time}");
    }
    for time in ["24:00", "12:60", "9:05", "09:5", "+9:05", "0905", "", "09:05:00", "T09:05"] {
        assert!(!by(time) && !at(time), "{time}");
    }
    for (time, right) in
        [("01T09:05", true), ("31T09:05", true), ("00T09:05", false), ("32T09:05", false), ("1T09:05", false)]
    {
        assert_eq!(by(time), right, "{time}");
        assert!(!at(time), "{time}");
    }
}
