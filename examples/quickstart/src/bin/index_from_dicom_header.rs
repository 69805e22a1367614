//! From a DICOM header to an index code: what the header says, what it leaves open, and what
//! happens to the dates that real archives hold.
//!
//! Type `cargo run -p mic-quickstart --bin index_from_dicom_header`. It prints:
//!
//! ```text
//! study      1.2.826.0.1.3680043.10.1.1
//! accession  A1048576
//! hospital   虚构医院
//! exam type  CT
//! exam time  2024-11-22 14:30:00
//! finding    PatientID (0010,0020): absent, nothing used
//! finding    StudyDate (0008,0020): a placeholder instead of a value, used SeriesDate (0008,0021)
//! finding    StudyTime (0008,0030): absent, used SeriesDate (0008,0021)
//! finding    SeriesDate (0008,0021): a date in the old form, used as read
//! code       10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916
//! ```
//!
//! The header and the person code are made up.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use mic_index::ExamType;
use mic_index::dicom::ExamDraft;

fn main() -> anyhow::Result<()> {
    // The elements of any dicom-rs reader will do, `object.iter()` of dicom-object for one.
    let header: [DataElement; 9] = [
        element(0x0008_0005, VR::CS, "ISO_IR 192"),
        element(0x0008_0020, VR::DA, "***"),
        element(0x0008_0021, VR::DA, "2024.11.22"),
        element(0x0008_0031, VR::TM, "013015.250"),
        element(0x0008_0050, VR::SH, "A1048576"),
        element(0x0008_0060, VR::CS, "CT"),
        element(0x0008_0080, VR::LO, "虚构医院"),
        element(0x0008_0201, VR::SH, "-0500"),
        element(0x0020_000d, VR::UI, "1.2.826.0.1.3680043.10.1.1"),
    ];
    let draft = ExamDraft::from_elements(&header);

    let study = draft.study_instance_uid().map(|uid| uid.to_string());
    println!("study      {}", study.as_deref().unwrap_or("-"));
    println!("accession  {}", draft.accession_number().unwrap_or("-"));
    println!("hospital   {}", draft.institution_name().unwrap_or("-"));
    let kind = draft.exam_type().map(ExamType::chinese_name);
    println!("exam type  {}", kind.unwrap_or("-"));
    // 01:30 five hours west of Greenwich is 14:30 in Beijing.
    let time = draft.exam_time().map(|time| time.to_naive().to_string());
    println!("exam time  {}", time.as_deref().unwrap_or("-"));
    for finding in draft.findings() {
        println!("finding    {finding}");
    }

    // The person code comes from the insurance platform, the storage unit from configuration.
    let person = "10000000000000000708463177".parse()?;
    let unit = "123502004266007916".parse()?;
    match draft.index_code(person, unit) {
        Some(code) => println!("code       {code}"),
        None => println!("code       none: the header has no time of the exam"),
    }
    Ok(())
}

fn element(tag: u32, vr: VR, value: &str) -> DataElement {
    let tag = Tag((tag >> 16) as u16, (tag & 0xffff) as u16);
    DataElement::new(tag, vr, PrimitiveValue::from(value))
}
