//! Records survive JSON and FHIR of both releases; what FHIR has no place for is named.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_index::ExamRecord;
use mic_index::fhir::{ImagingStudy, Mapper, Release, Subject};

fuzz_target!(|record: ExamRecord| {
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<ExamRecord>(&json).unwrap(), record);
    for release in [Release::R4, Release::R5] {
        let mapper = Mapper::new(release);
        let (study, lost) = mapper.write(&record, Subject::PersonCode);
        let json = serde_json::to_string(&study).unwrap();
        let study: ImagingStudy = serde_json::from_str(&json).unwrap();
        let (builder, findings) = mapper.read(&study);
        assert_eq!(findings, []);
        // An uid that is no oid is told and kept; everything else told is lost.
        if lost.iter().all(|finding| finding.element() == "identifier") {
            assert_eq!(builder.build().unwrap().record().as_ref(), Some(&record));
        }
    }
});
