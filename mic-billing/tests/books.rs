//! Books in TOML and in JSON: the same faults at the same places, each with its line; and the JSON
//! Schema says of the form what the reader says.

#![cfg(all(feature = "toml", feature = "read"))]
#![expect(clippy::unwrap_used, reason = "a test")]

extern crate alloc;

mod common;

use common::{cases, root, shipped};
use mic_billing::{Book, BookError, BookErrorKind, Layer};
use serde_json::Value;

/// Loads the layers of a case, one of them read by the given reader.
fn faults(case: &Value, layer: Result<Layer, BookError>) -> Vec<BookError> {
    let named = case["input"]["shipped"].as_array().unwrap();
    let shipped = named.iter().map(|id| shipped(id.as_str().unwrap()));
    match layer {
        Err(error) => vec![error],
        Ok(layer) => match Book::load(shipped.chain([layer])) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.iter().cloned().collect(),
        },
    }
}

/// A case's layer as JSON over many lines, if its TOML is TOML.
fn as_json(case: &Value) -> Option<Value> {
    let text = case["input"]["toml"].as_str().unwrap();
    let table: toml::Table = toml::from_str(text).ok()?;
    Some(serde_json::to_value(table).unwrap())
}

/// The last name of a path: `version[0].price` → `price`.
fn last_name(path: &str) -> &str {
    let name = path.rsplit('.').next().unwrap();
    name.split('[').next().unwrap()
}

#[test]
fn ok_toml_and_json_have_the_same_faults_each_on_its_line() {
    let (mut located, mut same) = (0, 0);
    for case in cases("books") {
        let Some(json) = as_json(&case) else { continue };
        let text = serde_json::to_string_pretty(&json).unwrap();
        let from_json = faults(&case, Layer::from_json(&text));
        let from_toml = faults(
            &case,
            Layer::from_toml(case["input"]["toml"].as_str().unwrap()),
        );
        let without = faults(
            &case,
            serde_json::from_value(json.clone()).map_err(|_| from_json[0].clone()),
        );
        let what = |errors: &[BookError]| -> Vec<String> {
            errors
                .iter()
                .map(|error| match error.kind() {
                    // What a reader says of a wrong type is its own.
                    BookErrorKind::Syntax { .. } => "syntax".to_owned(),
                    kind => format!("{} {} {kind}", error.layer(), error.path()),
                })
                .collect()
        };
        assert_eq!(what(&from_json), what(&from_toml), "{}", case["id"]);
        assert_eq!(what(&from_json), what(&without), "{}", case["id"]);
        same += 1;
        for error in &from_json {
            let line = error.line();
            assert!(
                line.is_some()
                    || error.path().is_empty()
                    || json.get(last_name(error.path())).is_none()
                    || error.layer() != json["id"],
                "{}: {error}",
                case["id"]
            );
            let Some(line) = line else { continue };
            let there = text
                .lines()
                .nth(usize::try_from(line).unwrap() - 1)
                .unwrap();
            let name = last_name(error.path());
            // A fact that is not there, or a version as a whole, is told where it would be.
            if !matches!(error.kind(), BookErrorKind::Syntax { .. })
                && name != "version"
                && !name.is_empty()
                && json.to_string().contains(&format!("\"{name}\""))
            {
                assert!(
                    there.contains(&format!("\"{name}\"")),
                    "{}: {error}: {there}",
                    case["id"]
                );
            }
            located += 1;
        }
    }
    assert!(
        same > 35 && located > 30,
        "{same} layers, {located} located faults"
    );
}

/// A shipped book written and read in either form is the same book.
#[test]
fn ok_shipped_books_survive_json() {
    for id in ["nation", "guangdong", "shenzhen", "fictional-separate-item"] {
        let layer = shipped(id);
        assert_eq!(
            Layer::from_json(&serde_json::to_string_pretty(&layer).unwrap()).as_ref(),
            Ok(&layer)
        );
        assert_eq!(
            Layer::from_json(&serde_json::to_string(&layer).unwrap()).as_ref(),
            Ok(&layer)
        );
    }
}

#[test]
fn err_json_that_is_none() {
    for (text, line) in [
        ("", 1),
        ("{", 1),
        ("[]", 1),
        ("{\n\"format\": \"mic-billing-book/1\",\n", 3),
        ("{\"format\": 1}", 1),
    ] {
        let error = Layer::from_json(text).unwrap_err();
        assert_eq!(error.line(), Some(line), "{text}");
        assert!(
            matches!(error.kind(), BookErrorKind::Syntax { .. })
                && !error.to_string().contains("column")
        );
    }
    assert_eq!(
        Layer::from_json(&" ".repeat((1 << 20) + 1))
            .unwrap_err()
            .line(),
        None
    );
}

/// What the schema says of a value: nothing, or where and by which word it refuses it.
fn refuses(schema: &Value, whole: &Value, value: &Value) -> Option<String> {
    let number = |name: &str| schema[name].as_i64();
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => value.is_boolean(),
    };
    if let Value::Bool(open) = schema {
        return (!open).then(|| "nothing".to_owned());
    }
    if let Some(path) = schema["$ref"].as_str() {
        let target = whole.pointer(path.strip_prefix('#').unwrap()).unwrap();
        if let Some(fault) = refuses(target, whole, value) {
            return Some(fault);
        }
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if let Some(fault) = refuses(part, whole, value) {
            return Some(fault);
        }
    }
    if schema["type"].as_str().is_some_and(|kind| !is(kind)) {
        return Some(format!("type {}", schema["type"]));
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|words| !words.contains(value))
    {
        return Some("enum".to_owned());
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return Some("const".to_owned());
    }
    if let Some(fen) = value.as_i64() {
        if number("minimum").is_some_and(|min| fen < min)
            || number("maximum").is_some_and(|max| fen > max)
        {
            return Some("bounds".to_owned());
        }
    }
    if let Some(list) = value.as_array() {
        if number("minItems").is_some_and(|min| (list.len() as i64) < min)
            || number("maxItems").is_some_and(|max| list.len() as i64 > max)
        {
            return Some("items".to_owned());
        }
        return list.iter().find_map(|item| {
            refuses(&schema["items"], whole, item).filter(|_| schema.get("items").is_some())
        });
    }
    let fields = value.as_object()?;
    if let Some(name) = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|name| !fields.contains_key(name.as_str().unwrap()))
    {
        return Some(format!("required {name}"));
    }
    fields.iter().find_map(|(name, field)| {
        let known = schema["properties"]
            .get(name)
            .or_else(|| schema.get("additionalProperties"));
        known
            .and_then(|known| refuses(known, whole, field))
            .map(|fault| format!("{name}: {fault}"))
    })
}

/// The schema is of the form: it takes every book that loads, and of those that don't load it
/// refuses every one whose fault is form, word or bound.
#[test]
fn ok_the_schema_takes_what_loads_and_refuses_what_is_no_layer() {
    let text = std::fs::read_to_string(root().join("spec/book.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    for id in ["nation", "guangdong", "shenzhen", "fictional-separate-item"] {
        assert_eq!(
            refuses(
                &schema,
                &schema,
                &serde_json::to_value(shipped(id)).unwrap()
            ),
            None,
            "{id}"
        );
    }
    let (mut taken, mut refused) = (0, 0);
    for case in cases("books") {
        let Some(json) = as_json(&case) else { continue };
        let faults = faults(&case, Layer::from_json(&json.to_string()));
        let said = refuses(&schema, &schema, &json);
        // The days of the calendar are not for a schema.
        let day = |error: &BookError| error.to_string().contains("expected a day written");
        let form = |error: &BookError| {
            !day(error)
                && matches!(
                    error.kind(),
                    BookErrorKind::Syntax { .. }
                        | BookErrorKind::UnknownField { .. }
                        | BookErrorKind::OutOfBounds { .. }
                        | BookErrorKind::Format
                        | BookErrorKind::EmptyList
                        | BookErrorKind::NoVersion
                )
        };
        if faults.is_empty() {
            assert_eq!(said, None, "{}", case["id"]);
            taken += 1;
        }
        if faults.iter().any(form) {
            assert!(said.is_some(), "{}: {faults:?}", case["id"]);
            refused += 1;
        }
    }
    assert!(
        taken >= 3 && refused > 15,
        "{taken} taken, {refused} refused"
    );
}

/// A share told twice in JSON is a fault, not the last one's.
#[test]
fn err_a_share_told_twice() {
    let mut json = serde_json::to_value(shipped("fictional-separate-item")).unwrap();
    json["version"][0]["payee_shares"]["value"] = "HERE".into();
    let text = json
        .to_string()
        .replace("\"HERE\"", "{\"hospital\":500000,\"hospital\":1000000}");
    let error = Layer::from_json(&text).unwrap_err();
    assert_eq!(error.to_string(), "book ?, line 1: expected hospital once");
    assert!(serde_json::from_str::<Layer>(&text).is_err());
}

/// No source says that Shenzhen deducted before all its hospitals were due, and the explanation
/// says that even that day is assumed.
#[test]
fn ok_shenzhen_begins_when_all_hospitals_were_due() {
    let book = Book::load([shipped("nation"), shipped("shenzhen")]).unwrap();
    let now = "2026-01-01T00:00:00+08:00".parse().unwrap();
    let charge = |day: &str| {
        let policy = book.policy(day.parse().unwrap(), now);
        policy.charge().cloned()
    };
    assert_eq!(charge("2025-11-30"), None);
    let begun = charge("2025-12-01").unwrap();
    let shenzhen = begun.grounds.versions.last().unwrap();
    assert!(shenzhen.assumed && shenzhen.note.is_some());
    assert_eq!(shenzhen.document.as_deref(), Some("深医保〔2025〕19号"));
}

/// BIL-31: a file within all bounds whose policies would hold gigabytes of one long clause.
#[test]
fn err_a_book_that_cites_too_much() {
    let clause = "x".repeat(200_000);
    let fact =
        |value: &str| format!("{{ value = {value}, verified = false, clause = \"{clause}\" }}");
    let mut text = "format = \"mic-billing-book/1\"\nid = \"x\"\nname = \"made up\"\nlevel = \"city\"\nregion = \"990100\"\nfictional = true\n".to_owned();
    for version in 0..63 {
        let long = if version == 0 {
            fact("500")
        } else {
            "{ value = 500, verified = false }".to_owned()
        };
        text.push_str(&format!(
            "[[version]]\nid = \"{version}\"\nfrom = \"20{:02}-{:02}-01\"\nknown_from = \"20{:02}-01-01T00:00:00+08:00\"\nverified = false\ncharge_model = {{ value = \"separate_item\", verified = false }}\nprice = {long}\n",
            10 + version / 12, 1 + version % 12, 10 + version,
        ));
    }
    let city = Layer::from_toml(&text).unwrap();
    // The clause is cited on the days of the first version alone: few policies, little memory.
    assert!(Book::load([shipped("nation"), city]).is_ok());
    // A long clause of an upper layer is cited by each policy of the versions below it.
    let upper = format!(
        "format = \"mic-billing-book/1\"\nid = \"y\"\nname = \"made up\"\nlevel = \"province\"\nregion = \"990000\"\nfictional = true\n[[version]]\nid = \"1\"\nfrom = \"2001-01-01\"\nknown_from = \"2001-01-01T00:00:00+08:00\"\nverified = false\ncharge_model = {{ value = \"separate_item\", verified = false }}\nprice = {{ value = 500, verified = false }}\ngrace_hours = {{ value = 24, verified = false, clause = \"{}\" }}\n",
        "x".repeat(1_000_000)
    );
    let layers = [
        shipped("nation"),
        Layer::from_toml(&upper).unwrap(),
        Layer::from_toml(&text).unwrap(),
    ];
    let errors = Book::load(layers).unwrap_err();
    assert!(
        matches!(errors.first().kind(), BookErrorKind::TooLarge { .. }),
        "{errors}"
    );
}

/// K-02: from the day of the notice on a retention cites the document of its clock, and before it says
/// that the clock is assumed.
#[test]
fn ok_the_clock_of_retention_is_cited() {
    let book = Book::load([shipped("nation"), shipped("shenzhen")]).unwrap();
    let at = "2026-01-01T00:00:00+08:00".parse().unwrap();
    for (day, document) in [
        ("2010-06-01", None),
        ("2020-06-01", Some("国卫医发〔2013〕31号")),
        ("2025-12-01", Some("国卫医发〔2013〕31号")),
    ] {
        let policy = book.policy(day.parse().unwrap(), at);
        let grounds = &policy.retention().unwrap().grounds;
        let clock = grounds
            .citations
            .iter()
            .find(|citation| citation.fact == "retention_clock");
        let clock = clock.unwrap();
        assert_eq!(
            (clock.value.as_str(), clock.document.as_deref()),
            ("last_contact", document)
        );
        assert_eq!(clock.verified, document.is_some());
    }
}
