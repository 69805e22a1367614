//! Messages of the platform: exact bytes on the wire, every fault at once, nothing dropped.
#![cfg(feature = "messages")]
#![expect(
    clippy::unwrap_used,
    reason = "a vector that lacks a field is a broken vector"
)]

use chrono::NaiveDate;
use mic_index::messages::{
    Booking, BookingOutput, CancelBooking, DataNode, ExamInfo, ExamReport, ImageInfo, IndexPage,
    IndexPageOutput, ItemInfo, MESSAGE_LEN_MAX, MessageError, Number, PageUrl, PageUrlError,
    RepeatAnswer, RepeatCheck, RepeatCheckOutput, SampleInfo, WireDate, WireTime, WireTimeError,
};
use mic_index::repeat::Question;
use mic_index::{ExamType, PersonCode, SiteCode, TimeFault};
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

/// Reads a message of a kind by its name: what is written again, or the faults.
fn read(kind: &str, json: &str) -> Result<String, MessageError> {
    fn again<T: Serialize>(read: Result<T, MessageError>) -> Result<String, MessageError> {
        read.map(|message| serde_json::to_string(&message).unwrap())
    }
    match kind {
        "4501" => again(ExamReport::from_json(json)),
        "4501 imageinfo" => again(ImageInfo::from_json(json)),
        "4801" => again(IndexPage::from_json(json)),
        "4801 output" => again(IndexPageOutput::from_json(json)),
        "4802" => again(Booking::from_json(json)),
        "4802 output" => again(BookingOutput::from_json(json)),
        "4803" => again(CancelBooking::from_json(json)),
        "4804" => again(RepeatCheck::from_json(json)),
        kind => {
            assert_eq!(kind, "4804 output");
            again(RepeatCheckOutput::from_json(json))
        }
    }
}

#[test]
fn every_vector() {
    let root: Value = serde_json::from_str(include_str!("../vectors/messages.json")).unwrap();
    for case in root["cases"].as_array().unwrap() {
        let (id, expect) = (&case["id"], &case["expect"]);
        let found = match read(
            case["kind"].as_str().unwrap(),
            case["input"].as_str().unwrap(),
        ) {
            Ok(json) => {
                // What was written is read and written again without a change.
                assert_eq!(
                    read(case["kind"].as_str().unwrap(), &json),
                    Ok(json.clone()),
                    "{id}"
                );
                json!({ "json": json })
            }
            Err(MessageError::TooLong { found }) => json!({ "error": "too_long", "found": found }),
            Err(MessageError::Syntax { line, column }) => {
                json!({ "error": "syntax", "line": line, "column": column })
            }
            Err(error) => {
                let faults: Vec<Value> = error
                    .faults()
                    .iter()
                    .map(|fault| {
                        json!({
                            "path": fault.path(), "kind": fault.kind().name(),
                        })
                    })
                    .collect();
                json!({ "error": "fields", "faults": faults, "message": error.to_string() })
            }
        };
        assert_eq!(&found, expect, "{id}");
    }
}

fn time(text: &str) -> WireTime {
    text.parse().unwrap()
}

/// Every message with all of its fields, as made-up persons would fill them.
fn golden() -> Vec<(&'static str, Value, String)> {
    fn pair<T: Serialize>(message: &T) -> (Value, String) {
        let text = serde_json::to_string_pretty(message).unwrap() + "\n";
        (serde_json::to_value(message).unwrap(), text)
    }
    let images = ImageInfo::builder()
        .rpotc_no("R20241122001")
        .study_uid("1.2.840.1".parse::<mic_index::StudyInstanceUid>().unwrap())
        .patient_id("A17")
        .patient_name("张三")
        .accession_no("A17")
        .study_time(time("2024-11-22 14:30:59"))
        .modality("CT")
        .store_path("study/1")
        .series_count(2_u32)
        .image_count(28_u32)
        .build()
        .unwrap();
    // What is not known: text is empty, numbers are "0".
    let unknown = ImageInfo::builder()
        .rpotc_no("R20241122001")
        .study_uid("1.2.840.2".parse::<mic_index::StudyInstanceUid>().unwrap())
        .build()
        .unwrap();
    let report = ExamReport::builder()
        .examinfo(
            ExamInfo::builder()
                .rpotc_no("R20241122001")
                .psn_no("35020000000000000001")
                .exam_date("2024-11-22")
                .exam_part("头部")
                .vali_flag("1")
                .build()
                .unwrap(),
        )
        .iteminfo(vec![
            ItemInfo::builder()
                .rpotc_no("R20241122001")
                .exam_charge("12.50".parse::<Number>().unwrap())
                .build()
                .unwrap(),
        ])
        .imageinfo(vec![images, unknown])
        .build()
        .unwrap();
    let page = IndexPage::builder()
        .psn_no("35020000000000000001")
        .psn_name("张三")
        .cert_type("01")
        .certno("110105194912310021")
        .dr_code("D350203000001")
        .dr_name("李四")
        .build()
        .unwrap();
    let booking = Booking::builder()
        .ordr_rgst_sn("Q1")
        .psn_name("张三")
        .cert_type("01")
        .certno("110105194912310021")
        .hospital_code("H35020300001")
        .hospital_name("某医院")
        .appointment_time(time("2024-12-01 08:00:00"))
        .build()
        .unwrap();
    let cancel = CancelBooking::builder().ordr_rgst_sn("Q1").build().unwrap();
    let day = NaiveDate::from_ymd_opt(2024, 11, 29).unwrap();
    let question = Question::builder(day)
        .person(PersonCode::from_u128(1).unwrap())
        .exam_type(ExamType::Ct)
        .exam_type(ExamType::XRay)
        .part("B020ZYZZZ".parse().unwrap())
        .part("BW23ZYZZZ".parse().unwrap())
        .build()
        .unwrap();
    let check = RepeatCheck::builder()
        .psn_name("张三")
        .psn_cert_type("01")
        .certno("110105194912310021")
        .question(&question)
        .admdvs("350200".parse::<mic_index::Division>().unwrap())
        .build()
        .unwrap();
    let url: PageUrl = "https://example.org/index?t=1".parse().unwrap();
    let page_output = IndexPageOutput::builder().url(url.clone()).build().unwrap();
    let check_output = RepeatCheckOutput::builder()
        .url(None::<PageUrl>)
        .build()
        .unwrap();
    let mut files = Vec::new();
    for (name, (value, text)) in [
        ("4501-input", pair(&report)),
        ("4801-input", pair(&DataNode(page))),
        ("4801-output", pair(&page_output)),
        ("4802-input", pair(&DataNode(booking))),
        ("4803-input", pair(&DataNode(cancel))),
        ("4804-input", pair(&DataNode(check))),
        ("4804-output", pair(&check_output)),
    ] {
        files.push((name, value, text));
    }
    files
}

/// `MIC_WRITE_GOLDEN=1` writes the files instead of comparing them.
#[test]
fn golden_files_are_byte_for_byte_what_is_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for (name, _, text) in golden() {
        let path = folder.join(format!("{name}.json"));
        if std::env::var_os("MIC_WRITE_GOLDEN").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "{name}");
    }
}

#[test]
fn names_on_the_wire_are_those_of_the_platform() {
    assert_eq!(
        ImageInfo::WIRE_NAMES,
        [
            "rpotc_no",
            "study_uid",
            "patient_id",
            "patient_name",
            "acession_no",
            "study_time",
            "modality",
            "store_path",
            "series_count",
            "image_count",
        ]
    );
    assert_eq!(
        IndexPage::WIRE_NAMES,
        ["psnNo", "psnName", "certType", "certno", "drCode", "drName"]
    );
    assert_eq!(
        RepeatCheck::WIRE_NAMES,
        [
            "psnName",
            "psnCertType",
            "certno",
            "imgExamType",
            "examDate",
            "examPart",
            "admdvs"
        ]
    );
    // 45xx is snake_case, 48xx camelCase, certno neither.
    let lower = |name: &&str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    assert!(
        ExamInfo::WIRE_NAMES
            .iter()
            .chain(ImageInfo::WIRE_NAMES)
            .all(lower)
    );
    let cloud = [
        IndexPage::WIRE_NAMES,
        Booking::WIRE_NAMES,
        RepeatCheck::WIRE_NAMES,
    ]
    .concat();
    assert!(cloud.iter().all(|name| !name.contains('_')));
    assert_eq!(ExamInfo::WIRE_NAMES.len(), 33);
}

#[test]
fn the_three_outcomes_of_4804_stay_apart() {
    let answer = |json: &str| RepeatAnswer::from(RepeatCheckOutput::from_json(json).unwrap());
    assert_eq!(answer(r#"{"url":""}"#), RepeatAnswer::Nothing);
    // What says nothing is not an answer that nothing was found.
    for json in [
        "{}",
        r#"{"url":null}"#,
        r#"{"URL":"https://example.org/a"}"#,
        r#"{"data":{"url":"https://example.org/a"}}"#,
    ] {
        let error = RepeatCheckOutput::from_json(json).unwrap_err();
        assert_eq!(
            error.to_string(),
            "url: expected text, empty if there is nothing"
        );
    }
    let unsaid = RepeatCheckOutput::builder().build().unwrap_err();
    assert_eq!(unsaid.to_string(), "url: missing");
    let url: PageUrl = "https://example.org/a".parse().unwrap();
    assert_eq!(
        answer(r#"{"url":"https://example.org/a"}"#),
        RepeatAnswer::Found(url)
    );
    let missing = RepeatCheck::builder().build().unwrap_err();
    assert_eq!(missing.faults().len(), 5);
    assert_eq!(
        RepeatAnswer::from(missing.clone()),
        RepeatAnswer::NotAskable(missing)
    );
    // A part that was asked of any kind has no code to send.
    let day = NaiveDate::from_ymd_opt(2024, 11, 29).unwrap();
    let any = Question::builder(day)
        .person(PersonCode::from_u128(1).unwrap())
        .exam_type(ExamType::Ultrasound)
        .any_part()
        .build()
        .unwrap();
    let check = RepeatCheck::builder()
        .psn_name("张三")
        .certno("1")
        .question(&any)
        .build();
    assert_eq!(check.unwrap_err().to_string(), "examPart: missing");
}

#[test]
fn nothing_personal_is_shown() {
    let json = r#"{"psnNo":{"a":48291750386617295004837261},"psnName":"张三","certno":["110105194912310021"],"x张三":1,"x张三":2}"#;
    let error = IndexPage::from_json(json).unwrap_err();
    let serde = serde_json::from_str::<IndexPage>(json).unwrap_err();
    let shown = format!("{error} {error:?} {serde} {serde:?}");
    let good = IndexPage::from_json(
        r#"{"psnNo":"4829175038","psnName":"张三","certno":"110105194912310021","more":"张三"}"#,
    );
    let good = good.unwrap();
    let shown = format!(
        "{shown} {good:?} {:?} {:?}",
        good.unknown(),
        IndexPage::builder().psn_name("张三")
    );
    let mut shown = shown;
    for json in [
        "\"张三\"",
        "{\"张三\":1}",
        "{\"data\":\"张三\"}",
        "{\"data\":{},\"张三\":1}",
        "48291.5",
    ] {
        let node = serde_json::from_str::<DataNode<IndexPage>>(json).unwrap_err();
        let bare = serde_json::from_str::<IndexPage>(json).unwrap_err();
        shown += &format!("{node} {bare}");
    }
    for secret in ["48291", "张三", "110105"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(
        error.to_string(),
        "psnNo: expected text, certno: expected text, an unknown field: expected once, found again"
    );
}

#[test]
fn err_times_and_addresses() {
    for (text, error) in [
        ("", WireTimeError::Date),
        ("20241122", WireTimeError::Date),
        ("2024-11-22 ", WireTimeError::Date),
        ("2024-1-22", WireTimeError::Date),
        ("2024-11-２2", WireTimeError::Date),
        ("2024-13-22", WireTimeError::Calendar(TimeFault::Month)),
        (
            "2023-02-29",
            WireTimeError::Calendar(TimeFault::Day { last: 28 }),
        ),
        ("1899-12-31", WireTimeError::Calendar(TimeFault::Year)),
    ] {
        assert_eq!(text.parse::<WireDate>(), Err(error), "{text}");
    }
    for (text, error) in [
        ("2024-11-22", WireTimeError::Time),
        ("2024-11-22T14:30:59", WireTimeError::Time),
        ("2024-11-22 14:30", WireTimeError::Time),
        ("2024-11-22 14:30:59.0", WireTimeError::Time),
        (
            "2024-11-22 24:00:00",
            WireTimeError::Calendar(TimeFault::Hour),
        ),
        ("2024-11-22 14:30:60", WireTimeError::Second),
    ] {
        assert_eq!(text.parse::<WireTime>(), Err(error), "{text}");
    }
    let long = format!("https://{}", "a".repeat(2048));
    for (text, error) in [
        ("", PageUrlError::Form),
        ("https://", PageUrlError::Form),
        ("ftp://a", PageUrlError::Form),
        (" https://a", PageUrlError::Form),
        ("https://a b", PageUrlError::Form),
        ("https://a\n", PageUrlError::Form),
        ("https://医院", PageUrlError::Form),
        (&long, PageUrlError::Length { found: 2056 }),
    ] {
        assert_eq!(text.parse::<PageUrl>(), Err(error), "{text}");
    }
}

#[test]
fn err_a_message_longer_than_the_platform_takes() {
    let json = |letters: usize| format!(r#"{{"ordrRgstSn":"{}"}}"#, "医".repeat(letters));
    let frame = json(0).len();
    assert!(CancelBooking::from_json(&json(MESSAGE_LEN_MAX - frame)).is_ok());
    assert_eq!(
        CancelBooking::from_json(&json(MESSAGE_LEN_MAX - frame + 1)),
        Err(MessageError::TooLong {
            found: MESSAGE_LEN_MAX + 1
        })
    );
}

#[test]
fn err_a_longer_message_is_neither_built_nor_written() {
    let cancel = |letters: usize| CancelBooking::builder().ordr_rgst_sn("医".repeat(letters));
    let frame = r#"{"ordrRgstSn":""}"#.len();
    let longest = cancel(MESSAGE_LEN_MAX - frame).build().unwrap();
    assert_eq!(
        cancel(MESSAGE_LEN_MAX - frame + 1).build(),
        Err(MessageError::TooLong {
            found: MESSAGE_LEN_MAX + 1
        })
    );
    let json = serde_json::to_string(&longest).unwrap();
    assert_eq!(json.chars().count(), MESSAGE_LEN_MAX);
    // The node data counts, both ways.
    let told = "expected at most 40000 characters, found 40009";
    let node = serde_json::to_string(&DataNode(longest)).unwrap_err();
    assert_eq!(node.to_string(), told);
    let node = format!(r#"{{"data":{json}}}"#);
    let node = serde_json::from_str::<DataNode<CancelBooking>>(&node).unwrap_err();
    assert!(node.to_string().starts_with(told), "{node}");
    // Read it fits, with its empty fields written it does not.
    let short = format!(
        r#"{{"psnNo":"1","psnName":"1","certno":"{}"}}"#,
        "1".repeat(39_960)
    );
    let page = IndexPage::from_json(&short).unwrap();
    assert!(serde_json::to_string(&page).is_err());
}

/// Every error that reading a message of a type gives, by all ways.
fn told<T: serde::de::DeserializeOwned>(json: &str) -> String
where
    DataNode<T>: serde::de::DeserializeOwned,
{
    let mut told = String::new();
    let mut add = |error: Option<serde_json::Error>| {
        if let Some(error) = error {
            told += &format!("{error} {error:?} ");
        }
    };
    add(serde_json::from_str::<T>(json).err());
    add(serde_json::from_slice::<T>(json.as_bytes()).err());
    add(serde_json::from_str::<Vec<T>>(&format!("[{json}]")).err());
    add(serde_json::from_str::<DataNode<T>>(json).err());
    let node = format!(r#"{{"data":{json}}}"#);
    add(serde_json::from_str::<DataNode<T>>(&node).err());
    if let Ok(value) = serde_json::from_str::<Value>(json) {
        add(serde_json::from_value::<T>(value).err());
    }
    told
}

fn told_by_every_type(json: &str) -> String {
    [
        told::<ExamReport>(json),
        told::<ExamInfo>(json),
        told::<ItemInfo>(json),
        told::<SampleInfo>(json),
        told::<ImageInfo>(json),
        told::<IndexPage>(json),
        told::<IndexPageOutput>(json),
        told::<Booking>(json),
        told::<BookingOutput>(json),
        told::<CancelBooking>(json),
        told::<RepeatCheck>(json),
        told::<RepeatCheckOutput>(json),
        told_by_node::<String>(json),
        told_by_node::<u32>(json),
        told_by_node::<Vec<ImageInfo>>(json),
    ]
    .concat()
}

/// What a node wraps by itself must be quiet, too.
fn told_by_node<T>(json: &str) -> String
where
    DataNode<T>: serde::de::DeserializeOwned,
{
    let node = serde_json::from_str::<DataNode<T>>(&format!(r#"{{"data":{json}}}"#));
    node.err()
        .map(|error| format!("{error} {error:?}"))
        .unwrap_or_default()
}

/// JSON of any type, full of what is not to be repeated.
fn secret_json() -> impl Strategy<Value = Value> {
    let secret = prop_oneof![
        Just(json!("张三")),
        Just(json!("110105194912310021")),
        Just(json!(110_105_194_912_310_021_u64)),
        Just(json!(-110_105_194_912_310_i64)),
        Just(json!(110_105_194.912)),
        Just(json!("2024-11-22 张三")),
        Just(json!(true)),
        Just(Value::Null),
    ];
    secret.prop_recursive(3, 16, 4, |inside| {
        let name = prop_oneof![
            Just("张三"),
            Just("110105194912310021"),
            Just("data"),
            Just("url"),
            Just("certno"),
            Just("psnName"),
            Just("imgExamType"),
            Just("examDate"),
            Just("examPart"),
            Just("admdvs"),
            Just("appointmentTime"),
            Just("examinfo"),
            Just("imageinfo"),
            Just("iteminfo"),
            Just("sampleinfo"),
            Just("study_uid"),
            Just("study_time"),
            Just("series_count"),
            Just("exam_charge"),
        ];
        prop_oneof![
            proptest::collection::vec(inside.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inside), 0..5).prop_map(|fields| {
                let fields = fields.into_iter();
                Value::Object(fields.map(|(name, value)| (name.into(), value)).collect())
            }),
        ]
    })
}

#[test]
fn err_a_node_of_another_type_repeats_nothing() {
    let json = r#"{"data":"110105194912310021"}"#;
    for error in [
        serde_json::from_str::<DataNode<u32>>(json).unwrap_err(),
        serde_json::from_str::<DataNode<RepeatCheck>>(json).unwrap_err(),
    ] {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("110105"), "{shown}");
    }
    // The fields of the node are named within it.
    let error = serde_json::from_str::<DataNode<CancelBooking>>(r#"{"data":{}}"#).unwrap_err();
    assert_eq!(error.to_string(), "data.ordrRgstSn: missing");
}

proptest! {
    #[test]
    fn no_error_of_serde_repeats_the_input(value in secret_json(), cut in 0..40_usize) {
        let whole = value.to_string();
        let cut: String = whole.chars().take(cut).collect();
        for json in [&whole, &cut] {
            let told = told_by_every_type(json);
            for secret in ["张", "三", "110105"] {
                prop_assert!(!told.contains(secret), "{}", told);
            }
        }
    }

    #[test]
    fn what_is_built_is_read_again(
        name in "\\PC{1,20}", number in "[!-~]{1,20}", path in ".{0,20}", series in any::<u32>(),
        minute in 0..134_117_280_u32, second in 0..60_u8,
    ) {
        prop_assume!(!name.trim().is_empty());
        let minute = mic_index::ExamTime::from_minutes(minute).unwrap();
        let time: WireTime = format!("{}:{second:02}", &WireTime::from(minute).to_string()[..16]).parse().unwrap();
        prop_assert_eq!(time.to_exam_time(), minute);
        let images = ImageInfo::builder()
            .rpotc_no(name).accession_no(number).store_path(path).series_count(series).study_time(time)
            .study_uid("1.2".parse::<mic_index::StudyInstanceUid>().unwrap())
            .build().unwrap();
        let json = serde_json::to_string(&images).unwrap();
        prop_assert_eq!(ImageInfo::from_json(&json), Ok(images.clone()));
        prop_assert_eq!(serde_json::from_str::<ImageInfo>(&json).unwrap(), images);
    }

    #[test]
    fn no_text_makes_a_reader_panic_or_forget(json in "\\{(\"(url|certno|psnName|x)\":(null|1|-1\\.50|\"a\"|\"\"|\\[1\\]),?){0,4}\\}|.{0,40}") {
        for kind in ["4501", "4501 imageinfo", "4801", "4801 output", "4802", "4802 output", "4803", "4804", "4804 output"] {
            if let Ok(written) = read(kind, &json) {
                // Every field that came is there again.
                let (came, goes): (Value, Value) = (serde_json::from_str(&json).unwrap(), serde_json::from_str(&written).unwrap());
                for name in came.as_object().unwrap().keys() {
                    prop_assert!(goes.get(name).is_some(), "{kind} {name}");
                }
                prop_assert_eq!(read(kind, &written), Ok(written.clone()));
            }
        }
    }

    #[test]
    fn parts_are_joined_and_parted(parts in proptest::collection::vec("[0-9A-Z]{9}", 1..5)) {
        let sites: Vec<SiteCode> = parts.iter().map(|part| part.parse().unwrap()).collect();
        let check = RepeatCheck::builder()
            .psn_name("a").certno("1").exam_part(sites.clone())
            .img_exam_type(ExamType::Mri).exam_date("2024-11-29".parse::<WireDate>().unwrap())
            .build().unwrap();
        let json = serde_json::to_value(&check).unwrap();
        prop_assert_eq!(&json["examPart"], &json!(parts.join("|")));
        let again = RepeatCheck::from_json(&json.to_string()).unwrap();
        prop_assert_eq!(again.exam_part(), &sites[..]);
    }
}
