//! Any text is a study or an error; neither errors nor findings repeat a long number; what was read is
//! written and read again without a finding about the code.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_index::RecordOutcome;
use mic_index::fhir::{ImagingStudy, Mapper, Release, Subject};

fuzz_target!(|text: &str| {
    let mapper = Mapper::new(Release::R4);
    let mut shown = String::new();
    match serde_json::from_str::<ImagingStudy>(text) {
        Err(error) => shown = error.to_string(),
        Ok(study) => {
            let (builder, findings) = mapper.read(&study);
            for finding in findings {
                shown += &format!("{finding} {finding:?} ");
            }
            if let Ok(RecordOutcome::Record(record)) = builder.build() {
                let (again, _) = mapper.write(&record, Subject::Reference("Patient/1"));
                let (_, findings) = mapper.read(&again);
                assert_eq!(findings, []);
            }
        }
    }
    let longest = shown
        .split(|c: char| !c.is_ascii_digit())
        .map(str::len)
        .max();
    assert!(longest < Some(10), "{shown}");
});
