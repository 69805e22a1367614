//! From a study to a record.

use alloc::vec::Vec;

use chrono::DateTime;

use super::finding::{Finding, FindingKind};
use super::mapper::{DCM, DICOM_UID, Mapper, OID, Release, one};
use super::resource::{CodeableConcept, Identifier, ImagingStudy, Modality, Reference};
use crate::code::IndexCode;
use crate::exam_item::{ExamItem, ItemCode, ItemName};
use crate::exam_type::ExamType;
use crate::institution::InstitutionCode;
use crate::moment::Moment;
use crate::person::PersonCode;
use crate::record::{ExamRecord, RecordBuilder};
use crate::site::SiteCode;
use crate::study_uid::StudyInstanceUid;

impl Mapper {
    /// A builder with what a study says, and what is wrong with it or was read past.
    ///
    /// The index code is believed before `started` and `subject`; both are compared with it. What
    /// the builder lacks it names itself. Either release is read, whichever the mapper writes.
    ///
    /// Every entry of an element that gives nothing to the record is told once per element. Not told are
    /// `id` and `subject.reference`, which most studies on a server have and no record keeps, and what the
    /// types of this module do not hold of an entry that is read: `version`, `period`, `assigner`, and `display`
    /// and `text` but for those of an exam item.
    #[must_use]
    pub fn read(&self, study: &ImagingStudy) -> (RecordBuilder, Vec<Finding>) {
        let mut reader = Reader {
            mapper: self,
            study,
            builder: ExamRecord::builder(),
            findings: Vec::new(),
            item: None,
        };
        if study.resource_type == ImagingStudy::RESOURCE_TYPE {
            reader.read();
        } else {
            reader.note("resourceType", FindingKind::OtherResource);
        }
        (reader.builder, reader.findings)
    }
}

struct Reader<'a> {
    mapper: &'a Mapper,
    study: &'a ImagingStudy,
    builder: RecordBuilder,
    findings: Vec<Finding>,
    item: Option<ExamItem>,
}

impl Reader<'_> {
    fn read(&mut self) {
        if matches!(self.study.status.as_str(), "cancelled" | "entered-in-error") {
            self.note("status", FindingKind::NotToBeUsed);
        }
        let code = self.code();
        self.uid();
        self.accession_number();
        self.other_identifiers();
        self.started(code);
        self.subject(code);
        self.modality();
        self.techniques();
        self.institution();
        let series = self.study.number_of_series.unwrap_or_default();
        let images = self.study.number_of_instances.unwrap_or_default();
        self.set(|builder| builder.counts(series, images));
        let others = self.study.others().map(Finding::not_read);
        self.findings.extend(others);
    }

    fn code(&mut self) -> Option<IndexCode> {
        let systems = &self.mapper.systems;
        let codes = self.study.identifier.iter();
        let codes: Vec<_> = codes
            .filter_map(|found| found.index_code(systems))
            .collect();
        if codes.is_empty() {
            self.note("identifier", FindingKind::NoCode);
            return None;
        }
        let Some(code) = one(codes) else {
            self.note("identifier", FindingKind::SeveralCodes);
            return None;
        };
        let Ok(code) = code else {
            self.note("identifier", FindingKind::NotCode);
            return None;
        };
        self.set(|builder| builder.code(code));
        Some(code)
    }

    fn uid(&mut self) {
        let uids: Vec<Option<StudyInstanceUid>> = self
            .values_of(DICOM_UID)
            .map(|value| value.strip_prefix(OID).and_then(|uid| uid.parse().ok()))
            .collect();
        if uids.is_empty() {
            self.note("identifier", FindingKind::NoUid);
            return;
        }
        match one(uids) {
            Some(Some(uid)) => self.set(|builder| builder.study_instance_uid(uid)),
            Some(None) => self.note("identifier", FindingKind::NotUid),
            None => self.note("identifier", FindingKind::SeveralUids),
        }
    }

    fn values_of<'s>(&'s self, system: &'s str) -> impl Iterator<Item = &'s str> {
        let of_system = self
            .study
            .identifier
            .iter()
            .filter(move |found| found.system.as_deref() == Some(system));
        of_system.map(|found| found.value.as_deref().unwrap_or_default())
    }

    fn accession_number(&mut self) {
        let study = self.study;
        let other = |of: &Reference| {
            let number = of
                .identifier
                .as_ref()
                .and_then(Identifier::accession_number);
            of.reference.is_some() || number.is_none()
        };
        if study.based_on.iter().any(other) {
            self.note("basedOn", FindingKind::NotRead);
        }
        let requests = study
            .based_on
            .iter()
            .filter_map(|of| of.identifier.as_ref());
        let mut numbers = study
            .identifier
            .iter()
            .chain(requests)
            .filter_map(Identifier::accession_number);
        let Some(first) = numbers.next() else { return };
        if numbers.any(|number| number != first) {
            self.note("identifier", FindingKind::SeveralAccessionNumbers);
        }
        self.set(|builder| builder.accession_number(first));
    }

    fn other_identifiers(&mut self) {
        let own = [DICOM_UID, &self.mapper.systems.code];
        let other = |found: &Identifier| {
            let of_own = found
                .system
                .as_deref()
                .is_some_and(|system| own.contains(&system));
            !of_own && found.accession_number().is_none()
        };
        if self.study.identifier.iter().any(other) {
            self.note("identifier", FindingKind::NotRead);
        }
    }

    fn started(&mut self, code: Option<IndexCode>) {
        let Some(started) = self.study.started.as_deref() else {
            return;
        };
        let instant = DateTime::parse_from_rfc3339(started).ok();
        let moment = instant.and_then(|instant| Moment::from_chrono(&instant).ok());
        let Some(moment) = moment else {
            self.note("started", FindingKind::NotInstant);
            return;
        };
        if code.is_some_and(|code| code.exam_time() != moment.minute()) {
            self.note("started", FindingKind::OtherMinute);
        } else if moment.second() > 0 {
            self.set(|builder| builder.exam_time(moment.minute()).started_at(moment));
        } else {
            // Filled in where only the minute is known.
            self.set(|builder| builder.exam_time(moment.minute()));
        }
    }

    fn subject(&mut self, code: Option<IndexCode>) {
        let subject = self.study.subject.as_ref();
        let Some(identifier) = subject.and_then(|subject| subject.identifier.as_ref()) else {
            return;
        };
        if identifier.system.as_ref() != Some(&self.mapper.systems.person) {
            self.note("subject", FindingKind::NotRead);
            return;
        }
        let value = identifier.value.as_deref().unwrap_or_default();
        let Ok(person) = value.parse::<PersonCode>() else {
            self.note("subject", FindingKind::NotPerson);
            return;
        };
        match code {
            Some(code) if code.person() == person => {}
            Some(_) => self.note("subject", FindingKind::OtherPerson),
            None => self.set(|builder| builder.person(person)),
        }
    }

    fn modality(&mut self) {
        let of_release = |modality: &Modality| match self.mapper.release {
            Release::R4 => matches!(modality, Modality::Coding(_)),
            Release::R5 => matches!(modality, Modality::Concept(_)),
        };
        let modalities = &self.study.modality;
        if !modalities.iter().all(of_release) {
            self.note("modality", FindingKind::OtherRelease);
        }
        // Reports and the like beside the images do not count.
        let codings = modalities.iter().flat_map(Modality::codings);
        let types: Vec<ExamType> = codings
            .filter(|coding| coding.system.as_deref() == Some(DCM))
            .filter_map(|coding| ExamType::from_modality(coding.code.as_deref()?))
            .collect();
        if types.is_empty() && !modalities.is_empty() {
            self.note("modality", FindingKind::NoExamType);
        } else if let Some(exam_type) = one(types.iter().copied()) {
            self.set(|builder| builder.exam_type(exam_type));
        } else if !types.is_empty() {
            self.note("modality", FindingKind::SeveralExamTypes);
        }
    }

    fn techniques(&mut self) {
        let study = self.study;
        for concept in &study.procedure_code {
            self.technique("procedureCode", concept);
        }
        for procedure in &study.procedure {
            match &procedure.concept {
                Some(concept) => self.technique("procedure", concept),
                None => self.note("procedure", FindingKind::NotRead),
            }
        }
    }

    fn technique(&mut self, element: &'static str, concept: &CodeableConcept) {
        let systems = &self.mapper.systems;
        let mut used = false;
        for coding in concept.of_system(&systems.technique) {
            used = true;
            match coding
                .code
                .as_deref()
                .unwrap_or_default()
                .parse::<SiteCode>()
            {
                Ok(site) => self.set(|builder| builder.part(site)),
                Err(_) => self.note(element, FindingKind::NotSite),
            }
        }
        for coding in concept.of_system(&systems.item) {
            used = true;
            self.item(element, coding.code.as_deref(), coding.display.as_deref());
        }
        if concept.coding.is_empty() && concept.text.is_some() {
            used = true;
            self.item(element, None, concept.text.as_deref());
        }
        if !used {
            self.note(element, FindingKind::NotRead);
        }
    }

    /// The first exam item is the record's.
    fn item(&mut self, element: &'static str, code: Option<&str>, name: Option<&str>) {
        let code = code.map(ItemCode::try_from).transpose();
        let name = name.map(ItemName::try_from).transpose();
        let (Ok(code), Ok(name)) = (code, name) else {
            self.note(element, FindingKind::NotItem);
            return;
        };
        let Some(item) = ExamItem::new(code, name) else {
            self.note(element, FindingKind::NotItem);
            return;
        };
        match &self.item {
            None => {
                self.set(|builder| builder.item(item.clone()));
                self.item = Some(item);
            }
            Some(first) if *first == item => {}
            Some(_) => self.note(element, FindingKind::SeveralItems),
        }
    }

    fn institution(&mut self) {
        let location = self.study.location.as_ref();
        let identifier = location.and_then(|location| location.identifier.as_ref());
        let own = Some(&self.mapper.systems.institution);
        let Some(identifier) = identifier.filter(|found| found.system.as_ref() == own) else {
            self.note("location", FindingKind::NoInstitution);
            return;
        };
        if location.is_some_and(|location| location.reference.is_some()) {
            self.note("location", FindingKind::NotRead);
        }
        match identifier
            .value
            .as_deref()
            .unwrap_or_default()
            .parse::<InstitutionCode>()
        {
            Ok(institution) => self.set(|builder| builder.institution(institution)),
            Err(_) => self.note("location", FindingKind::NotInstitution),
        }
    }

    fn set(&mut self, change: impl FnOnce(RecordBuilder) -> RecordBuilder) {
        self.builder = change(core::mem::take(&mut self.builder));
    }

    fn note(&mut self, element: &'static str, kind: FindingKind) {
        self.findings.push(Finding::new(element, kind));
    }
}
