//! Every file of the real test data: nothing panics, nothing is lost, the counts add up, and what
//! is known of the tricky files holds. The folder is named by `MIC_TEST_DATA`; without it the made
//! phantom takes its place.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    reason = "a test says what it read"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use mic_platform::dicom::{
    HeaderFinding, InstanceFacts, NotTaken, ReadOptions, UidName, read, read_header,
};
use mic_platform::phantom::Phantom;

/// The folder of the test data; says on stderr when there is none.
fn data() -> Option<PathBuf> {
    let Some(folder) = env::var_os("MIC_TEST_DATA") else {
        eprintln!("MIC_TEST_DATA is not set: made data only");
        return None;
    };
    let folder = PathBuf::from(folder);
    assert!(
        folder.is_dir(),
        "MIC_TEST_DATA is set and no readable folder"
    );
    Some(folder)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn ok_every_file_is_taken_or_has_a_reason() {
    let Some(folder) = data() else {
        let facts = read(&Phantom::new(1, 8).slice(3), &ReadOptions::default()).unwrap();
        assert_eq!(facts.pixels.unwrap().rows, 512);
        return;
    };
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    let (mut taken, mut bytes) = (0_usize, 0_usize);
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut syntaxes: BTreeMap<String, usize> = BTreeMap::new();
    let mut findings: BTreeMap<String, usize> = BTreeMap::new();
    let (mut studies, mut series) = (BTreeSet::new(), BTreeSet::new());
    for path in &paths {
        let content = fs::read(path).unwrap();
        bytes += content.len();
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        match read_header(&content, &ReadOptions::default()) {
            Ok(header) => {
                let facts = header.facts;
                taken += 1;
                assert_eq!(
                    header
                        .object
                        .element(dicom_dictionary_std::tags::STUDY_INSTANCE_UID)
                        .unwrap()
                        .to_str()
                        .unwrap(),
                    facts.study_uid
                );
                *syntaxes
                    .entry(facts.transfer_syntax_uid.clone())
                    .or_default() += 1;
                for finding in &facts.findings {
                    let kind = format!("{finding:?}");
                    let kind = kind.split([' ', '{']).next().unwrap_or_default();
                    *findings.entry(kind.to_owned()).or_default() += 1;
                }
                check_range(&facts, &content);
                series.insert((facts.study_uid.clone(), facts.series_uid.clone()));
                studies.insert(facts.study_uid);
            }
            Err(reason) => reasons.entry(reason.to_string()).or_default().push(name),
        }
    }
    let not_taken: usize = reasons.values().map(Vec::len).sum();
    eprintln!(
        "{} files, {bytes} bytes: {taken} taken, {not_taken} not; {} studies, {} series",
        paths.len(),
        studies.len(),
        series.len()
    );
    for (reason, names) in &reasons {
        eprintln!("{:5} {reason}: {}", names.len(), names.join(", "));
    }
    eprintln!("transfer syntaxes: {syntaxes:#?}\nfindings: {findings:#?}");
    assert_eq!(taken + not_taken, paths.len());
    assert!(!reasons.keys().any(String::is_empty));
    assert!(taken > 700, "the test data is whole");
}

#[track_caller]
fn of(folder: &Path, file: &str) -> Result<InstanceFacts, NotTaken> {
    read(
        &fs::read(folder.join(file)).unwrap(),
        &ReadOptions::default(),
    )
}

#[test]
fn ok_tricky_files_have_the_outcomes_known_of_them() {
    let Some(folder) = data() else { return };
    let of = |file: &str| of(&folder, file);
    for (file, reason) in [
        (
            "pydicom/test_files/dicomdirtests/DICOMDIR",
            NotTaken::Directory,
        ),
        (
            "pydicom/test_files/dicomdirtests/DICOMDIR-bigEnd",
            NotTaken::Directory,
        ),
        (
            "pydicom/test_files/dicomdirtests/DICOMDIR-implicit",
            NotTaken::Directory,
        ),
        ("ge-ct-hispeed/LICENSE", NotTaken::NotDicom),
        (
            "pydicom/test_files/no_meta_group_length.dcm",
            NotTaken::UidAbsent(UidName::Study),
        ),
        (
            "pydicom/test_files/nested_priv_SQ.dcm",
            NotTaken::UidAbsent(UidName::Instance),
        ),
    ] {
        assert_eq!(of(file), Err(reason), "{file}");
    }
    let cut = of("pydicom/test_files/MR_truncated.dcm").unwrap();
    assert!(matches!(
        cut.findings.as_slice(),
        [HeaderFinding::Cut { tag: Some(_), .. }]
    ));
    assert_eq!(cut.pixels.unwrap().native_bytes, None);
    let bare = of("pydicom/test_files/ExplVR_LitEndNoMeta.dcm").unwrap();
    assert!(bare.findings.contains(&HeaderFinding::MetaGroupMissing));
    assert_eq!(bare.transfer_syntax_uid, "1.2.840.10008.1.2.1");
    let bare = of("pydicom/test_files/ExplVR_BigEndNoMeta.dcm").unwrap();
    assert_eq!(bare.transfer_syntax_uid, "1.2.840.10008.1.2.2");
    let deflated = of("pydicom/test_files/image_dfl.dcm").unwrap();
    let pixels = deflated.pixels.unwrap();
    assert_eq!(
        (pixels.rows, pixels.columns, pixels.native_bytes),
        (512, 512, None)
    );
}

/// Native pixels lie inside the file.
fn check_range(facts: &InstanceFacts, content: &[u8]) {
    let range = facts
        .pixels
        .as_ref()
        .and_then(|pixels| pixels.native_bytes.clone());
    let length = u64::try_from(content.len()).unwrap();
    assert!(range.is_none_or(|range| range.start <= range.end && range.end <= length));
}
