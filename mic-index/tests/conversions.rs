//! The conversions an engineer reaches for without looking them up.

mod common;

use core::marker::PhantomData;

use common::EXAMPLE;
use mic_index::{
    DeviceCode, ExamTime, IndexCode, InstitutionCode, PersonCode, SiteCode, StorageUnitCode,
    StudyInstanceUid, diagnose, index_code,
};
use proptest::prelude::*;

const CODE: IndexCode = index_code!(
    "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
);

#[test]
fn texts_and_strings_go_both_ways() {
    assert_eq!(IndexCode::try_from(EXAMPLE), Ok(CODE));
    assert_eq!(IndexCode::try_from(EXAMPLE.to_owned()), Ok(CODE));
    assert_eq!(String::from(CODE), EXAMPLE);
    assert!(IndexCode::try_from("1000").is_err());
    assert_eq!(PersonCode::try_from(&EXAMPLE[..26]), Ok(CODE.person()));
    assert_eq!(ExamTime::try_from("202411221430"), Ok(CODE.exam_time()));
    assert_eq!(SiteCode::try_from("000000000"), Ok(SiteCode::FILLER));
    assert_eq!(String::from(DeviceCode::FILLER), "0".repeat(13));
    assert_eq!(StorageUnitCode::try_from(&EXAMPLE[64..]), Ok(CODE.unit()));
    let uid = StudyInstanceUid::try_from("1.2.3".to_owned()).unwrap();
    assert_eq!(String::from(uid), "1.2.3");
    let institution = InstitutionCode::try_from("H35020300001").unwrap();
    assert_eq!(AsRef::<str>::as_ref(&institution), "H35020300001");
}

#[test]
fn display_has_two_forms_and_the_bytes_have_hex() {
    assert_eq!(format!("{CODE}"), EXAMPLE);
    assert_eq!(format!("{CODE:#}"), EXAMPLE.replace('-', ""));
    assert_eq!(format!("{CODE:>84}"), format!("  {EXAMPLE}"));
    let hex = "0ee6b2800000002a3a4a497d4a2cc00000000000000000000000000000221940200082318003a426";
    assert_eq!(format!("{CODE:x}"), hex);
    assert_eq!(format!("{CODE:X}"), hex.to_uppercase());
    assert_eq!(format!("{CODE:#x}"), format!("0x{hex}"));
}

#[test]
fn bytes_go_both_ways() {
    let bytes = <[u8; 40]>::from(CODE);
    assert_eq!(IndexCode::try_from(bytes), Ok(CODE));
    assert_eq!(CODE.as_ref().len(), 40);
    assert_eq!(AsRef::<[u8; 40]>::as_ref(&CODE), &bytes);
}

/// What `diagnose` takes is text; packed bytes are none.
#[test]
fn a_code_is_no_text_for_readers_of_text() {
    struct Probe<T>(PhantomData<T>);
    trait No {
        const YES: bool = false;
    }
    impl<T> No for Probe<T> {}
    impl<T: AsRef<[u8]>> Probe<T> {
        const YES: bool = true;
    }
    const { assert!(Probe::<&str>::YES && !Probe::<IndexCode>::YES) };
}

/// `{:#}` asks for another form of text and `{:#?}` for more lines; neither shows what `{:?}` hides.
#[test]
fn alternate_debug_is_not_the_compact_form() {
    let shown = format!("{CODE:#?} {:#?}", [Some(CODE)]);
    assert!(!shown.contains("708463177"), "{shown}");
}

#[test]
fn parts_go_both_ways() {
    let parts: (PersonCode, ExamTime, SiteCode, DeviceCode, StorageUnitCode) = CODE.into();
    assert_eq!(IndexCode::from(parts), CODE);
}

#[test]
fn faults_are_iterated() {
    let diagnosis = diagnose("1000");
    let mut faults = 0;
    for fault in &diagnosis {
        assert_eq!(fault.kind().name(), "length");
        faults += 1;
    }
    assert_eq!(faults, 1);
}

#[test]
fn the_bounds_are_codes() {
    assert_eq!(IndexCode::MIN.to_string().parse(), Ok(IndexCode::MIN));
    assert_eq!(
        IndexCode::MAX.to_string(),
        "99999999999999999999999999-215412312359-ZZZZZZZZZ-ZZZZZZZZZZZZZ-YYYYYYYYYYYYYYYYYY"
    );
    assert!(IndexCode::from_packed(*IndexCode::MAX.packed()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_code_lies_between_the_bounds_and_in_its_persons_range(code in common::code()) {
        prop_assert!((IndexCode::MIN..=IndexCode::MAX).contains(&code));
        let range = code.person().codes();
        prop_assert!(range.contains(&code));
        prop_assert_eq!(range.start().person(), range.end().person());
        prop_assert!(code.packed().starts_with(&code.person().prefix()));
        let minute = code.exam_time();
        prop_assert!(code.person().codes_between(minute, minute).contains(&code));
    }

    /// `IDX-27`: parts from literals are those that are parsed.
    #[test]
    fn literals_and_parsers_agree(text in common::nearly()) {
        for part in text.split('-') {
            let bytes = part.as_bytes();
            prop_assert_eq!(PersonCode::try_parse(bytes), part.parse().ok());
            prop_assert_eq!(ExamTime::try_parse(bytes), part.parse().ok());
            prop_assert_eq!(SiteCode::try_parse(bytes), part.parse().ok());
            prop_assert_eq!(DeviceCode::try_parse(bytes), part.parse().ok());
            prop_assert_eq!(StorageUnitCode::try_parse(bytes), part.parse().ok());
        }
    }
}
