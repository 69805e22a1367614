//! A study as its files say it, whichever order they come in.

use std::collections::{BTreeMap, BTreeSet};

use mic_index::dicom::{Attribute, ExamDraft, Finding, FindingKind};
use mic_index::{ExamItem, ExamTime, ExamType, IndexCode, StudyInstanceUid};
use mic_platform::dicom::Header;
use serde::Serialize;

/// Modalities of objects that refer to images and are none, whatever else they hold: reports,
/// presentation states, key object selections.
const NO_IMAGES: [&str; 3] = ["SR", "PR", "KO"];

/// All files of a study.
#[derive(Default)]
pub(super) struct Study {
    images: Fold,
    /// Reports, presentation states, plans: they speak only where there is no image.
    others: Fold,
    series: BTreeSet<String>,
    /// PatientID of the files that have one.
    patients: BTreeSet<String>,
}

/// What files of one kind say together.
#[derive(Default)]
struct Fold {
    /// The earliest file.
    lead: Option<(Rank, ExamDraft)>,
    accession_number: Option<(Rank, String)>,
    institution_name: Option<(Rank, String)>,
    item: Option<(Rank, ExamItem)>,
    carried: BTreeSet<String>,
    carried_code: Option<IndexCode>,
    /// Files by exam time.
    times: BTreeMap<ExamTime, u64>,
    types: BTreeMap<u8, ExamType>,
    /// Modalities of exam types.
    typed: BTreeSet<String>,
    untyped: BTreeSet<String>,
    findings: BTreeSet<FindingRow>,
    instances: BTreeSet<String>,
}

/// By exam time, then by SOP Instance UID: files without a time last.
type Rank = (bool, Option<ExamTime>, String);

/// Something about the headers that their owner should know; never a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct FindingRow {
    pub(super) attribute: &'static str,
    pub(super) kind: &'static str,
    pub(super) used: Option<&'static str>,
}

impl Study {
    /// Takes a file into account.
    pub(super) fn add(&mut self, header: Header) {
        let draft = ExamDraft::from_elements_with(header.object.iter(), |item| item.iter());
        let facts = header.facts;
        let no_image = draft
            .modality()
            .is_some_and(|modality| NO_IMAGES.contains(&modality));
        self.series.insert(facts.series_uid);
        self.patients.extend(draft.patient_id().map(str::to_owned));
        let fold = if facts.pixels.is_some() && !no_image {
            &mut self.images
        } else {
            &mut self.others
        };
        // A copy of a file says nothing new.
        if fold.instances.insert(facts.sop_instance_uid.clone()) {
            fold.add(facts.sop_instance_uid, draft);
        }
    }

    fn told(&self) -> &Fold {
        if self.images.lead.is_some() {
            &self.images
        } else {
            &self.others
        }
    }

    /// The draft of the earliest file: its time is that of the study.
    pub(super) fn lead(&self) -> Option<&ExamDraft> {
        self.told().lead.as_ref().map(|(_, draft)| draft)
    }

    pub(super) fn uid(&self) -> Option<StudyInstanceUid> {
        self.lead().and_then(ExamDraft::study_instance_uid)
    }

    /// The one exam type of all images; series of no type beside them do not count.
    pub(super) fn exam_type(&self) -> Option<ExamType> {
        let types = &self.told().types;
        types.values().next().copied().filter(|_| types.len() == 1)
    }

    /// The modalities that have an exam type, or else those there are.
    pub(super) fn modality(&self) -> Option<String> {
        let fold = self.told();
        [&fold.typed, &fold.untyped]
            .into_iter()
            .find(|names| !names.is_empty())
            .map(|names| names.iter().cloned().collect::<Vec<_>>().join("\\"))
    }

    pub(super) fn accession_number(&self) -> Option<&str> {
        let number = self.told().accession_number.as_ref();
        number.map(|(_, number)| number.as_str())
    }

    pub(super) fn institution_name(&self) -> Option<&str> {
        let name = self.told().institution_name.as_ref();
        name.map(|(_, name)| name.as_str())
    }

    pub(super) fn item(&self) -> Option<&ExamItem> {
        self.told().item.as_ref().map(|(_, item)| item)
    }

    /// The one code the files carry.
    pub(super) fn carried_code(&self) -> Option<IndexCode> {
        let fold = self.told();
        fold.carried_code.filter(|_| fold.carried.len() == 1)
    }

    /// Files whose own exam time is another than the one taken.
    pub(super) fn other_times(&self) -> u64 {
        self.told().times.values().skip(1).sum()
    }

    /// All series, those of reports among them.
    pub(super) fn series_count(&self) -> usize {
        self.series.len()
    }

    pub(super) fn image_count(&self) -> usize {
        self.images.instances.len()
    }

    /// Each PatientID there is; `None` where no file has one.
    pub(super) fn patients(&self) -> impl Iterator<Item = Option<&str>> {
        let nobody = self.patients.is_empty().then_some(None);
        self.patients
            .iter()
            .map(|id| Some(id.as_str()))
            .chain(nobody)
    }

    pub(super) fn findings(&self) -> Vec<FindingRow> {
        let fold = self.told();
        let no_type = FindingKind::NoExamType.name();
        let mut findings = fold.findings.clone();
        if !fold.types.is_empty() {
            findings.retain(|finding| finding.kind != no_type);
        }
        let several = [
            (
                fold.types.len(),
                Attribute::Modality,
                FindingKind::SeveralExamTypes,
            ),
            (
                fold.carried.len(),
                Attribute::IndexCode,
                FindingKind::SeveralCodes,
            ),
        ];
        for (count, attribute, kind) in several {
            if count > 1 {
                findings.insert(FindingRow {
                    attribute: attribute.keyword(),
                    kind: kind.name(),
                    used: None,
                });
            }
        }
        findings.into_iter().collect()
    }
}

impl Fold {
    fn add(&mut self, sop_instance_uid: String, draft: ExamDraft) {
        let time = draft.exam_time();
        let rank = (time.is_none(), time, sop_instance_uid);
        if let Some(time) = time {
            *self.times.entry(time).or_default() += 1;
        }
        let (number, name) = (draft.accession_number(), draft.institution_name());
        keep(&mut self.accession_number, &rank, number.map(str::to_owned));
        keep(&mut self.institution_name, &rank, name.map(str::to_owned));
        keep(&mut self.item, &rank, draft.item().cloned());
        if let Some(code) = draft.carried_code() {
            self.carried.insert(code.to_string());
            self.carried_code = Some(code);
        }
        if let Some(kind) = draft.exam_type() {
            self.types.insert(kind.code(), kind);
        }
        if let Some(modality) = draft.modality() {
            let names = if draft.exam_type().is_some() {
                &mut self.typed
            } else {
                &mut self.untyped
            };
            if !names.contains(modality) {
                names.insert(modality.to_owned());
            }
        }
        self.findings.extend(draft.findings().iter().map(row));
        if self.lead.as_ref().is_none_or(|(first, _)| rank < *first) {
            self.lead = Some((rank, draft));
        }
    }
}

/// Keeps the value of the earliest file that has one.
fn keep<T>(kept: &mut Option<(Rank, T)>, rank: &Rank, value: Option<T>) {
    let Some(value) = value else { return };
    if kept.as_ref().is_none_or(|(first, _)| rank < first) {
        *kept = Some((rank.clone(), value));
    }
}

fn row(finding: &Finding) -> FindingRow {
    FindingRow {
        attribute: finding.attribute().keyword(),
        kind: finding.kind().name(),
        used: finding.used().map(Attribute::keyword),
    }
}
