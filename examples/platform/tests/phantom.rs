//! The made head CT: it is what it says, the same for the same seed, and readable by others.
#![expect(clippy::std_instead_of_alloc, reason = "a test says what it measured")]

use std::collections::BTreeSet;
use std::time::Instant;

use dicom_dictionary_std::tags;
use mic_platform::dicom::{ReadOptions, read};
use mic_platform::phantom::{HU_MAX, HU_MIN, Phantom, SIDE};

/// Some slices from all parts of the head; all 240 take too long without optimisation.
const SAMPLE: [u16; 9] = [0, 30, 60, 90, 120, 150, 180, 210, 239];

#[test]
fn ok_same_seed_same_bytes_other_seed_other_bytes() {
    let one = Phantom::new(11, 240);
    assert_eq!(one.slice(100), Phantom::new(11, 240).slice(100));
    assert_ne!(one.slice(100), Phantom::new(12, 240).slice(100));
    assert_ne!(one.study_uid(), Phantom::new(12, 240).study_uid());
    assert_ne!(one.study_uid(), Phantom::new(11, 241).study_uid());
}

#[test]
fn ok_values_are_hounsfield_units_within_twelve_bits() {
    let phantom = Phantom::new(5, 240);
    for slice in SAMPLE {
        let values = phantom.hounsfield(slice);
        assert_eq!(values.len(), usize::from(SIDE) * usize::from(SIDE));
        assert!(values.iter().all(|hu| (HU_MIN..=HU_MAX).contains(hu)));
    }
    let middle = phantom.hounsfield(140);
    let within = |low: i16, high: i16| {
        let count = middle.iter().filter(|hu| (low..high).contains(*hu)).count();
        count * 1000 / middle.len()
    };
    assert!(within(0, 80) > 150, "brain: {}", within(0, 80));
    assert!(within(900, 2000) > 5, "bone: {}", within(900, 2000));
    assert!(within(-1024, -900) > 300, "air: {}", within(-1024, -900));
}

#[test]
fn ok_slices_differ_and_identifiers_are_unique() {
    let phantom = Phantom::new(5, 240);
    let mut pixels = BTreeSet::new();
    for slice in 100..116 {
        assert!(pixels.insert(phantom.hounsfield(slice)));
    }
    let uids: BTreeSet<String> = (0..240).map(|i| phantom.sop_instance_uid(i)).collect();
    assert_eq!(uids.len(), 240);
    assert!(
        uids.iter()
            .all(|uid| uid.starts_with("2.25.") && uid.len() <= 64)
    );
}

#[test]
fn ok_an_independent_reader_reads_the_file_back() {
    let phantom = Phantom::new(9, 240);
    let bytes = phantom.slice(140);
    let object = dicom_object::from_reader(bytes.as_slice()).unwrap();
    let text = |tag| object.element(tag).unwrap().to_str().unwrap().into_owned();
    assert_eq!(text(tags::PATIENT_NAME), "测试^患者");
    assert_eq!(text(tags::INSTITUTION_NAME), "示例医院（虚构）");
    assert_eq!(text(tags::STUDY_INSTANCE_UID), phantom.study_uid());
    assert_eq!(text(tags::SERIES_INSTANCE_UID), phantom.series_uid());
    assert_eq!(text(tags::SOP_INSTANCE_UID), phantom.sop_instance_uid(140));
    let pixels = object
        .element(tags::PIXEL_DATA)
        .unwrap()
        .to_bytes()
        .unwrap();
    let written: Vec<u8> = phantom
        .hounsfield(140)
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    assert_eq!(pixels.as_ref(), written.as_slice());
    let facts = read(&bytes, &ReadOptions::default()).unwrap();
    assert!(facts.findings.is_empty(), "{:?}", facts.findings);
    let range = facts.pixels.unwrap().native_bytes.unwrap();
    let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
    assert_eq!(bytes.get(range), Some(written.as_slice()));
}

#[test]
fn ok_plain_zstd_makes_it_two_to_three_times_smaller() {
    let phantom = Phantom::new(1, 240);
    let started = Instant::now();
    let files: Vec<Vec<u8>> = SAMPLE.map(|slice| phantom.slice(slice)).into();
    eprintln!("{} slices made in {:?}", files.len(), started.elapsed());
    let plain: usize = files.iter().map(Vec::len).sum();
    for level in [1, 3] {
        let packed: usize = files
            .iter()
            .map(|file| zstd::bulk::compress(file, level).unwrap().len())
            .sum();
        let per_mille = plain * 1000 / packed;
        eprintln!("zstd level {level}: ratio {per_mille}/1000");
        assert!(
            (2000..=3000).contains(&per_mille),
            "level {level}: {per_mille}/1000"
        );
    }
}
