//! Any header gives a draft, and what the draft lacks has a finding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_index::dicom::{Attribute, ExamDraft, Finding, HeaderText};

fuzz_target!(|text: &str| {
    // One line per attribute, in the order of `Attribute::ALL`; an empty line leaves it out.
    let header = Attribute::ALL
        .into_iter()
        .zip(text.lines())
        .filter(|(_, line)| !line.is_empty())
        .fold(HeaderText::new(), |header, (attribute, line)| {
            header.with(attribute, line)
        });
    let draft = ExamDraft::from_text(&header);
    let told = |attribute| {
        draft
            .findings()
            .iter()
            .any(|f| f.attribute() == attribute && f.used().is_none())
    };
    assert!(draft.study_instance_uid().is_some() || told(Attribute::StudyInstanceUid));
    assert!(
        draft.exam_time().is_some() || told(Attribute::StudyDate) || told(Attribute::StudyTime)
    );
    if let Some(code) = draft.carried_code() {
        let minute = draft
            .exam_time()
            .is_none_or(|time| time == code.exam_time());
        let noted = |f: &&Finding| f.attribute() == Attribute::IndexCode;
        assert_eq!(
            draft.findings().iter().filter(noted).count(),
            usize::from(!minute)
        );
    }
    assert!(draft.exam_type().is_some() || draft.findings().iter().any(|f| f.used().is_none()));
});
