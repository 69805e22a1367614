//! What the public types are: sendable, comparable, small.

use core::fmt::{Debug, Display};
use core::hash::Hash;
use core::panic::{RefUnwindSafe, UnwindSafe};

use mic_index::{
    Change, Diagnosis, ExamTime, ExamType, IndexCode, PackedError, ParseError, ParseErrorKind,
    PersonCode, Proposal, SiteCode, StorageUnitCode, StudyInstanceUid, Text, TimeFault,
};

fn shared<
    T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + Debug + Clone + PartialEq + 'static,
>() {
}

fn key<T: Copy + Ord + Hash + Display>() {
    shared_copy::<T>();
}

fn shared_copy<T: Copy>() {}

fn error<T: core::error::Error + Copy + Eq + Hash + Send + Sync + 'static>() {}

#[test]
fn types_are_what_users_rely_on() {
    shared::<IndexCode>();
    shared::<Diagnosis>();
    shared::<Proposal>();
    shared::<Change>();
    shared::<Text<82>>();
    shared::<mic_index::dicom::ExamDraft>();
    shared::<mic_index::ExamRecord>();
    #[cfg(feature = "dicom")]
    shared::<mic_index::dicom::CodeBlock>();
    #[cfg(feature = "proptest")]
    shared::<mic_index::strategy::WrongText>();
    #[cfg(feature = "fhir")]
    {
        shared::<mic_index::fhir::ImagingStudy>();
        shared::<mic_index::fhir::Mapper>();
        shared::<mic_index::fhir::Finding>();
    }
    shared::<mic_index::repeat::Question>();
    shared::<mic_index::repeat::Nomination>();
    shared::<mic_index::ledger::Ledger>();
    shared::<mic_index::ledger::Summary>();
    shared::<mic_index::gaps::GapCounts>();
    shared::<mic_index::gaps::OrderError>();
    #[cfg(feature = "technique")]
    shared::<mic_index::technique::Lookup>();
    #[cfg(feature = "messages")]
    {
        shared::<mic_index::messages::ExamReport>();
        shared::<mic_index::messages::RepeatAnswer>();
        shared::<mic_index::messages::MessageError>();
    }
    key::<mic_index::Division>();
    key::<mic_index::Province>();
    key::<mic_index::UnitCategory>();
    key::<mic_index::ExamTypes>();
    key::<mic_index::InstitutionField>();
    key::<mic_index::ledger::ReasonCode>();
    key::<IndexCode>();
    key::<PersonCode>();
    key::<ExamTime>();
    key::<SiteCode>();
    key::<mic_index::DeviceCode>();
    key::<StorageUnitCode>();
    key::<StudyInstanceUid>();
    key::<ExamType>();
    key::<mic_index::Moment>();
    shared::<mic_index::ExamItem>();
    error::<mic_index::MomentError>();
    error::<mic_index::ItemTextError>();
    error::<ParseError>();
    error::<ParseErrorKind>();
    error::<PackedError>();
    error::<TimeFault>();
}

#[test]
fn sizes_are_small() {
    assert_eq!(size_of::<IndexCode>(), 40);
    assert_eq!(align_of::<IndexCode>(), 1);
    assert!(size_of::<ParseError>() <= 24);
    assert!(size_of::<PackedError>() <= 2);
}
