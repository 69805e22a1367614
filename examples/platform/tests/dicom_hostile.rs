//! Bytes that are no friend: nothing panics, nothing hangs, and what is cut is said to be.

use std::sync::LazyLock;

use mic_platform::dicom::{HeaderFinding, NotTaken, ReadOptions, UidName, read, read_header};
use mic_platform::phantom::Phantom;
use proptest::prelude::*;

/// The header of a phantom slice with a little of its pixels.
static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut file = Phantom::new(1, 4).slice(2);
    file.truncate(2600);
    file
});

fn strict() -> ReadOptions {
    ReadOptions::default()
}

#[test]
fn err_empty_text_and_zeros_are_no_dicom() {
    assert_eq!(read(b"", &strict()), Err(NotTaken::Empty));
    assert_eq!(read(b"{\"a\": 1}", &strict()), Err(NotTaken::NotDicom));
    assert_eq!(read(&[0; 4096], &strict()), Err(NotTaken::NotDicom));
    assert_eq!(
        NotTaken::NotDicom.to_string(),
        "not a DICOM file: expected the letters DICM at byte 128 or a data set at byte 0"
    );
}

#[test]
fn ok_cut_pixels_are_taken_and_said() {
    let facts = read(&FILE, &strict()).unwrap();
    let tag = dicom_core::Tag(0x7FE0, 0x0010);
    assert_eq!(
        facts.findings,
        [HeaderFinding::Cut {
            at: 2600,
            tag: Some(tag)
        }]
    );
    assert_eq!(facts.pixels.unwrap().native_bytes, None);
}

#[test]
fn err_cut_before_the_identifiers_names_the_byte() {
    // In the middle of the patient's name: the instance is known, the study is not.
    let at = FILE
        .windows(4)
        .position(|four| four == [0x10, 0, 0x10, 0])
        .unwrap()
        + 10;
    let cut = FILE.get(..at).unwrap();
    let reason = read(cut, &strict()).unwrap_err();
    assert_eq!(
        reason,
        NotTaken::Cut {
            at,
            missing: UidName::Study
        }
    );
    assert_eq!(
        reason.to_string(),
        format!("cut at byte {at}, before StudyInstanceUID (0020,000D)")
    );
}

#[test]
fn ok_sequences_nested_without_end_are_given_up() {
    let mut file = FILE.clone();
    let pixels = file
        .windows(4)
        .position(|four| four == [0xE0, 0x7F, 0x10, 0])
        .unwrap();
    file.truncate(pixels);
    for _ in 0..10_000 {
        // (0040,A730) SQ and its first item, both of undefined length.
        file.extend([
            0x40, 0, 0x30, 0xA7, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF,
        ]);
        file.extend([0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]);
    }
    let facts = read_header(&file, &strict()).unwrap().facts;
    let gave_up = |finding: &HeaderFinding| matches!(finding, HeaderFinding::TooDeep { .. });
    assert!(facts.findings.iter().any(gave_up), "{:?}", facts.findings);
}

#[test]
fn ok_a_length_of_four_gigabytes_allocates_nothing() {
    let mut file = FILE.clone();
    let pixels = file
        .windows(4)
        .position(|four| four == [0xE0, 0x7F, 0x10, 0])
        .unwrap();
    file.truncate(pixels);
    file.extend([
        0x29, 0, 0x10, 0x10, b'O', b'B', 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4,
    ]);
    let facts = read_header(&file, &strict()).unwrap().facts;
    assert!(matches!(
        facts.findings.last(),
        Some(HeaderFinding::Cut { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn ok_any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read_header(&bytes, &strict());
        let mut with_magic = vec![0; 128];
        with_magic.extend(b"DICM");
        with_magic.extend(&bytes);
        let _ = read_header(&with_magic, &strict());
    }

    #[test]
    fn ok_changed_bytes_have_an_answer(
        changes in prop::collection::vec((132_usize..2600, any::<u8>()), 1..12)
    ) {
        let mut file = FILE.clone();
        for (at, byte) in changes {
            if let Some(place) = file.get_mut(at) {
                *place = byte;
            }
        }
        if let Ok(header) = read_header(&file, &strict()) {
            prop_assert!(!header.facts.study_uid.is_empty());
            prop_assert!(header.facts.study_uid.len() <= 64);
        }
    }

    #[test]
    fn ok_every_cut_has_an_answer(end in 0_usize..2600) {
        let cut = FILE.get(..end).unwrap();
        match read_header(cut, &strict()) {
            Ok(header) => prop_assert_eq!(header.facts.sop_instance_uid, Phantom::new(1, 4).sop_instance_uid(2)),
            Err(reason) => prop_assert!(!reason.to_string().is_empty()),
        }
    }
}
