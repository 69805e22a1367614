//! Sealing: the province fixes what a study consists of, signs it, indexes it and reports the visit.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, FixedOffset};
use mic_billing::{
    CareSetting, Event, EventKind, ExamLineId, Modality, Moment, PersonRef, ReceiptId, Source,
    StudyUid, VisitKey,
};
use mic_index::{DeviceCode, ExamTime, IndexCode, PersonCode, SiteCode, StorageUnitCode};
use mic_transfer::{Digest, Instance, Manifest, ManifestBuilder, SignedManifest, Uid};

use super::store::{Kept, Study};
use super::{Province, lock};
use crate::consent;
use crate::node::Role;
use crate::node::server::{Signed, blocking};
use crate::problem::Problem;
use crate::time;
use crate::wire::{Exam, Indexed, Order, Sealed, TimeSource};

/// Seals the studies of an order, tells the nation, and reports what happened at the visit.
pub(super) async fn seal(
    State(province): State<Arc<Province>>,
    order: Signed<Order>,
) -> Result<Json<Vec<Sealed>>, Problem> {
    order.by.must_be(Role::Hospital)?;
    if order.by.organisation != order.body.institution {
        return Err(Problem::denied(
            "seal.institution",
            "the order names another hospital than the one that signed the call",
        ));
    }
    blocking(move || province.seal(&order.body).map(Json)).await
}

impl Province {
    fn seal(&self, order: &Order) -> Result<Vec<Sealed>, Problem> {
        let person: PersonCode = order
            .person
            .reveal()
            .parse()
            .map_err(|e| Problem::data("seal.person", e))?;
        let studies = order
            .studies
            .iter()
            .map(|study| self.seal_study(study, person, order))
            .collect::<Result<Vec<_>, _>>()?;
        let exams: Vec<&Exam> = studies.iter().map(|(exam, _)| exam).collect();
        let outcomes: Vec<Indexed> = self.nation.post("/v1/index", &exams)?;
        self.report(&exams)?;
        Ok(studies
            .into_iter()
            .zip(outcomes)
            .map(|((exam, root), indexed)| Sealed {
                exam,
                indexed,
                root: root.to_string(),
            })
            .collect())
    }

    /// Fixes the study's manifest and its exam record. The index code is frozen at the first sealing,
    /// and only the hospital that sent every instance may seal, for the patient of the first sealing.
    fn seal_study(
        &self,
        study: &str,
        person: PersonCode,
        order: &Order,
    ) -> Result<(Exam, Digest), Problem> {
        let mut store = lock(&self.store)?;
        let instances = store.instances(study)?;
        if instances.is_empty() {
            return Err(Problem::usage(
                "seal.unknown",
                format!("study {study} is not kept here"),
            ));
        }
        let sealed = store.study(study)?;
        let strange = instances.iter().any(|one| one.owner != order.institution);
        let other = sealed
            .as_ref()
            .is_some_and(|sealed| sealed.exam.code.person() != person);
        if strange || other {
            return Err(Problem::denied(
                "seal.owner",
                format!("study {study} is of another hospital or another patient"),
            ));
        }
        if let Some(sealed) = &sealed
            && sealed.exam.instances as usize == instances.len()
        {
            return Ok((sealed.exam.clone(), *sealed.signed.manifest().root()));
        }
        let first = sealed.is_none();
        let (code, time_source) = match sealed {
            Some(sealed) => (sealed.exam.code, sealed.exam.time_source),
            None => code_of(&instances, person, &order.visit, self.storage_unit)?,
        };
        let exam = Exam {
            code,
            study: study.to_owned(),
            institution: order.institution.clone(),
            modalities: distinct(instances.iter().filter_map(|one| one.modality.clone())),
            description: instances.iter().find_map(|one| one.description.clone()),
            series: distinct(instances.iter().map(|one| one.series.clone())).len() as u32,
            instances: instances.len() as u32,
            bytes: instances.iter().map(|one| one.bytes).sum(),
            time_source,
            keeper: self.context.trust.own().organisation().to_string(),
        };
        let key = self.context.trust.key();
        let signed = SignedManifest::sign(manifest(study, &instances)?, &|message: &[u8]| {
            key.transfer_signature(message)
        })
        .map_err(|e| Problem::system("seal.sign", e))?;
        let root = *signed.manifest().root();
        let events = match first {
            true => Some(self.events(order, person, &exam, &root)?),
            false => None,
        };
        let study = Study { exam, signed };
        store.seal(&study, events.as_deref())?;
        Ok((study.exam, root))
    }

    /// What happened at the visit, for the insurer. Made once, with the study's first sealing, and kept
    /// until the insurer has it.
    fn events(
        &self,
        order: &Order,
        person: PersonCode,
        exam: &Exam,
        root: &Digest,
    ) -> Result<Vec<Event>, Problem> {
        let visit = VisitKey::new(
            order.institution.parse().map_err(odd)?,
            order.encounter.parse().map_err(odd)?,
        );
        let person = self.pseudonym(&person);
        let happened = Moment::try_from(order.visit).map_err(odd)?;
        let known = Moment::try_from(time::now()).map_err(odd)?;
        let event = |source, kind, at| Event::new(visit, person, source, kind, at, known);
        let study = Some(exam.study.parse::<StudyUid>().map_err(odd)?);
        let receipt: ReceiptId = root.to_string().parse().map_err(odd)?;
        let (setting, modality) = (CareSetting::Outpatient, modality(&exam.modalities));
        let exam = exam_line(&exam.study)?;
        Ok(vec![
            event(
                Source::Hospital,
                EventKind::Registered { setting },
                happened,
            ),
            event(
                Source::Hospital,
                EventKind::ExamOrdered { exam, modality },
                happened,
            ),
            event(
                Source::Hospital,
                EventKind::Performed { exam, modality },
                happened,
            ),
            event(
                Source::Vendor,
                EventKind::PixelsStored { exam, study },
                known,
            ),
            event(
                Source::Platform,
                EventKind::IndexAccepted {
                    exam,
                    study,
                    receipt,
                },
                known,
            ),
        ])
    }

    /// Tells the insurer what the outbox holds of these studies, now that the nation has their records.
    /// If the line breaks here, sealing the same order again tells it.
    fn report(&self, indexed: &[&Exam]) -> Result<(), Problem> {
        let mut waiting = lock(&self.store)?.outbox()?;
        waiting.retain(|(study, _)| indexed.iter().any(|exam| exam.study == *study));
        if waiting.is_empty() {
            return Ok(());
        }
        let events: Vec<&Event> = waiting.iter().flat_map(|(_, events)| events).collect();
        self.nation.post::<usize>("/v1/insurer/events", &events)?;
        let store = lock(&self.store)?;
        waiting
            .iter()
            .try_for_each(|(study, _)| store.acknowledged(study))
    }

    /// The insurer knows a patient by a pseudonym that only this province can make.
    fn pseudonym(&self, person: &PersonCode) -> PersonRef {
        let hash = blake3::keyed_hash(&self.pseudonym_key, person.text().as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        PersonRef::new(bytes)
    }
}

/// The key of the province's pseudonyms; made at first use.
pub(super) fn pseudonym_key(state: &Path) -> Result<[u8; 32], Problem> {
    let path = state.join("pseudonym.key");
    if let Ok(bytes) = fs::read(&path) {
        return bytes
            .try_into()
            .map_err(|_| Problem::usage("pseudonym.key", "expected a file of 32 bytes"));
    }
    let key = consent::random()?;
    crate::trust::write_secret(&path, &key)?;
    Ok(key)
}

/// The index code of a study: the earliest exam time its headers give, or else the order's.
fn code_of(
    instances: &[Kept],
    person: PersonCode,
    visit: &DateTime<FixedOffset>,
    unit: StorageUnitCode,
) -> Result<(IndexCode, TimeSource), Problem> {
    let stated = instances
        .iter()
        .filter_map(|one| one.exam_time.as_deref())
        .min();
    let (time, source) = match stated {
        Some(text) => {
            let time: ExamTime = text.parse().map_err(|e| Problem::data("seal.time", e))?;
            (time, TimeSource::Header)
        }
        None => {
            let time = ExamTime::from_chrono(visit).map_err(|e| Problem::data("seal.time", e))?;
            (time, TimeSource::Order)
        }
    };
    Ok((
        IndexCode::new(person, time, SiteCode::FILLER, DeviceCode::FILLER, unit),
        source,
    ))
}

fn manifest(study: &str, instances: &[Kept]) -> Result<Manifest, Problem> {
    let uid = |text: &str| Uid::new(text).map_err(|e| Problem::data("seal.uid", e));
    let mut builder = ManifestBuilder::new(uid(study)?);
    for (rank, kept) in (0..).zip(instances) {
        // An instance whose header has no SOP Class UID is kept all the same; "0.0" is no class.
        let class = if kept.sop_class.is_empty() {
            "0.0"
        } else {
            &kept.sop_class
        };
        let instance = Instance::new(
            uid(class)?,
            uid(&kept.sop)?,
            uid(&kept.series)?,
            uid(&kept.syntax)?,
            kept.bytes,
            Digest::from_bytes(kept.digest),
        )
        .map_err(|e| Problem::data("seal.instance", e))?;
        builder
            .push(instance.with_rank(rank))
            .map_err(|e| Problem::data("seal.manifest", e))?;
    }
    builder
        .build()
        .map_err(|e| Problem::data("seal.manifest", e))
}

/// A fee-line serial for a study: the scene has no hospital information system to ask.
fn exam_line(study: &str) -> Result<ExamLineId, Problem> {
    let hash = blake3::hash(study.as_bytes()).to_hex();
    format!("F{}", &hash[..24].to_uppercase())
        .parse()
        .map_err(odd)
}

fn modality(modalities: &[String]) -> Modality {
    let known = modalities.iter().find_map(|text| match text.as_str() {
        "CT" => Some(Modality::Ct),
        "MR" => Some(Modality::Mr),
        "CR" | "DX" | "DR" | "IO" | "PX" => Some(Modality::XRay),
        "XA" => Some(Modality::Angiography),
        "RF" => Some(Modality::Fluoroscopy),
        "MG" => Some(Modality::Mammography),
        "NM" | "PT" => Some(Modality::Nuclear),
        "US" => Some(Modality::Ultrasound),
        "ES" => Some(Modality::Endoscopy),
        "SM" => Some(Modality::Pathology),
        "ECG" => Some(Modality::Ecg),
        _ => None,
    });
    known.unwrap_or(Modality::Other)
}

fn distinct(items: impl Iterator<Item = String>) -> Vec<String> {
    items.collect::<BTreeSet<_>>().into_iter().collect()
}

fn odd(error: impl core::fmt::Display) -> Problem {
    Problem::data("seal.visit", error)
}
