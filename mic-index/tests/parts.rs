//! What the parts mean: units, divisions, institutions, exam types.
#![expect(
    clippy::unwrap_used,
    reason = "a vector that lacks a field is a broken vector"
)]

use mic_index::{
    Department, Division, DivisionError, ExamType, InstitutionCode, InstitutionCodeError,
    InstitutionField, InstitutionKind, Province, StorageUnitCode, UnitCategory, UnitCheck,
    UnitFinding,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn cases(file: &str) -> Vec<Value> {
    let root: Value = serde_json::from_str(file).unwrap();
    root["cases"].as_array().unwrap().clone()
}

/// The character that would fit.
fn fitting(check: UnitCheck, last: char) -> char {
    match check {
        UnitCheck::Match => last,
        UnitCheck::Mismatch { expected, found } => {
            assert_eq!(found, last);
            expected
        }
    }
}

/// `IDX-44` to `IDX-46`: the inner check (`IDX-44`), departments and categories (`IDX-45`), divisions (`IDX-46`).
#[test]
fn units() {
    for case in cases(include_str!("../vectors/unit.json")) {
        let input = case["input"].as_str().unwrap();
        let unit: StorageUnitCode = input.parse().unwrap();
        let place = |at: usize| input.chars().nth(at).unwrap();
        let names: Vec<&str> = unit.findings().map(UnitFinding::name).collect();
        let found = json!({
            "department": unit.department().map(Department::chinese_name),
            "category": unit.category().map(UnitCategory::chinese_name),
            "division": unit.division().map(|division| division.to_string()),
            "province": unit.division().and_then(Division::province).map(Province::chinese_name),
            "organisation_check": fitting(unit.organisation_check(), place(16)),
            "check": fitting(unit.check(), place(17)),
            "errors": names,
        });
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

/// `IDX-47`, `IDX-48`.
#[test]
fn institutions() {
    for case in cases(include_str!("../vectors/institution.json")) {
        let (input, expect) = (case["input"].as_str().unwrap(), &case["expect"]);
        let mut found = match input.parse::<InstitutionCode>() {
            Ok(code) => json!({
                "kind": match code.kind() {
                    InstitutionKind::Hospital => "hospital",
                    InstitutionKind::Pharmacy => "pharmacy",
                    _ => "other",
                },
                "division": code.division().to_string(),
                "province": code.division().province().map(Province::chinese_name),
                "serial": code.serial(),
            }),
            Err(InstitutionCodeError::Length { found }) => {
                json!({ "error": "length", "found": found })
            }
            Err(InstitutionCodeError::HeaderField) => json!({ "error": "header_field" }),
            Err(InstitutionCodeError::Character { at }) => {
                json!({ "error": "character", "at": at })
            }
            Err(error) => json!({ "error": error.to_string() }),
        };
        // IDX-48: fourteen characters are a field, and no code is cut out of them.
        let field = input.parse::<InstitutionField>();
        assert_eq!(
            field.map(|field| field.code()).ok().flatten(),
            input.parse().ok()
        );
        if let (Ok(field), None) = (field, field.ok().and_then(|field| field.code())) {
            found["field"] = json!(field.as_str());
        }
        assert_eq!(&found, expect, "{}", case["id"]);
    }
}

#[test]
fn err_what_is_no_division() {
    for (text, error) in [
        ("", DivisionError::Length { found: 0 }),
        ("35020", DivisionError::Length { found: 5 }),
        ("3502000", DivisionError::Length { found: 7 }),
        ("35020A", DivisionError::Character { at: 5 }),
        ("３50200", DivisionError::Character { at: 0 }),
    ] {
        assert_eq!(text.parse::<Division>(), Err(error), "{text}");
    }
    assert_eq!(Division::from_code(1_000_000), None);
}

/// The first two digits and the short names of GB/T 2260, written down here once more.
const PROVINCES: [(u8, &str); 34] = [
    (11, "北京"),
    (12, "天津"),
    (13, "河北"),
    (14, "山西"),
    (15, "内蒙古"),
    (21, "辽宁"),
    (22, "吉林"),
    (23, "黑龙江"),
    (31, "上海"),
    (32, "江苏"),
    (33, "浙江"),
    (34, "安徽"),
    (35, "福建"),
    (36, "江西"),
    (37, "山东"),
    (41, "河南"),
    (42, "湖北"),
    (43, "湖南"),
    (44, "广东"),
    (45, "广西"),
    (46, "海南"),
    (50, "重庆"),
    (51, "四川"),
    (52, "贵州"),
    (53, "云南"),
    (54, "西藏"),
    (61, "陕西"),
    (62, "甘肃"),
    (63, "青海"),
    (64, "宁夏"),
    (65, "新疆"),
    (71, "台湾"),
    (81, "香港"),
    (82, "澳门"),
];

#[test]
fn provinces_are_those_of_the_standard() {
    let table = Province::ALL.map(|province| (province.digits(), province.chinese_name()));
    assert_eq!(table, PROVINCES);
    let digits: Vec<u8> = Province::ALL.into_iter().map(Province::digits).collect();
    assert!(digits.is_sorted() && digits.len() == 34);
    for number in 0..=u8::MAX {
        let province = Province::from_digits(number);
        assert_eq!(province.is_some(), digits.contains(&number));
        assert_eq!(province.map_or(number, Province::digits), number);
    }
}

/// IDX-49: defined terms of DICOM PS3.3 C.7.3.1.1.1 that make no exam of the five types.
#[test]
fn modalities_without_a_type() {
    for modality in [
        "SR", "SEG", "PR", "KO", "REG", "RWV", "DOC", "RTDOSE", "RTPLAN", "RTSTRUCT", "RTIMAGE",
        "FID", "PLAN", "ES", "SM", "GM", "OP", "OPT", "OCT", "IVOCT", "ECG", "HD", "AU", "XC",
        "OT", "TG", "BI", "AS", "DM", "FA", "FS", "CP", "CS", "LP", "OPR", "", "ct", "CT ", "MRI",
        "DR",
    ] {
        assert_eq!(ExamType::from_modality(modality), None, "{modality}");
    }
    let of = |modality| ExamType::from_modality(modality).map(ExamType::code);
    assert_eq!(
        ["XA", "CT", "MR", "US", "PT"].map(of),
        [1, 2, 3, 4, 5].map(Some)
    );
    // Retired terms that archives still hold.
    assert_eq!(
        ["DS", "VF", "MA", "EC", "ST"].map(of),
        [1, 1, 3, 4, 5].map(Some)
    );
}

fn units_of_any_kind() -> impl Strategy<Value = String> {
    "[0-9A-HJ-NP-RTUW-Y]{18}".prop_filter("zeros are no unit", |text| text.contains(|c| c != '0'))
}

proptest! {
    #[test]
    fn the_expected_check_characters_fit(text in units_of_any_kind()) {
        let unit: StorageUnitCode = text.parse().unwrap();
        let place = |at: usize| text.chars().nth(at).unwrap();
        let inner = fitting(unit.organisation_check(), place(16));
        let repaired = format!("{}{inner}{}", &text[..16], &text[17..]);
        let repaired: StorageUnitCode = repaired.parse().unwrap();
        prop_assert!(repaired.organisation_check().is_match());
        let outer = fitting(repaired.check(), place(17));
        let both = format!("{}{outer}", &repaired.to_string()[..17]);
        // A unit of zeros alone is none.
        if let Ok(both) = both.parse::<StorageUnitCode>() {
            prop_assert!(both.check().is_match() && both.organisation_check().is_match());
        }
    }

    #[test]
    fn findings_are_what_the_single_answers_say(text in units_of_any_kind()) {
        let unit: StorageUnitCode = text.parse().unwrap();
        let found: Vec<UnitFinding> = unit.findings().collect();
        let has = |name: &str| found.iter().any(|finding| finding.name() == name);
        prop_assert_eq!(has("department"), unit.department().is_none());
        prop_assert_eq!(has("category"), unit.department().is_some() && unit.category().is_none());
        prop_assert_eq!(has("division"), unit.division().is_none());
        prop_assert_eq!(has("check"), !unit.check().is_match());
        prop_assert_eq!(has("organisation_check"), !unit.organisation_check().is_match());
        prop_assert_eq!(unit.department().map(Department::code), text.chars().next().filter(|c| {
            Department::from_code(*c).is_some()
        }));
        prop_assert_eq!(unit.division().is_some(), text[2..8].bytes().all(|b| b.is_ascii_digit()));
    }

    #[test]
    fn divisions_print_as_they_were_read(code in 0..1_000_000_u32) {
        let division = Division::from_code(code).unwrap();
        prop_assert_eq!(division.to_string(), format!("{code:06}"));
        prop_assert_eq!(division.to_string().parse(), Ok(division));
        let again = u32::from(division.province_digits()) * 10_000
            + u32::from(division.city_digits()) * 100
            + u32::from(division.county_digits());
        prop_assert_eq!(again, code);
    }

    #[test]
    fn any_text_is_a_field_or_an_error(text in "[A-Z]?[0-9A-Za-z]{0,16}|.{0,16}") {
        match text.parse::<InstitutionField>() {
            Ok(field) => {
                prop_assert_eq!(field.as_str(), &text);
                prop_assert!(matches!(text.len(), 12 | 14));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
