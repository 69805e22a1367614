//! The province's intake: one DICOM instance a call, kept bit for bit under its digest.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use mic_index::dicom::ExamDraft;

use super::store::{self, Kept};
use super::{Province, lock};
use crate::dicom::{self, InMemDicomObject, NotTaken, ReadOptions};
use crate::node::Role;
use crate::node::server::{Signed, SignedBytes, blocking};
use crate::problem::Problem;
use crate::wire::{Digests, Intake};

/// What became of files that were offered before, by digest; nothing for those that were not.
pub(super) async fn known(
    State(province): State<Arc<Province>>,
    offered: Signed<Digests>,
) -> Result<Json<Vec<Option<Intake>>>, Problem> {
    blocking(move || {
        let store = lock(&province.store)?;
        let outcomes = offered
            .body
            .digests
            .iter()
            .map(|text| store.outcome(&digest(text)?));
        outcomes.collect::<Result<_, _>>().map(Json)
    })
    .await
}

/// Takes one instance in. A refusal is an answer, not a failure: the sender lists it and goes on.
pub(super) async fn take(
    State(province): State<Arc<Province>>,
    sent: SignedBytes,
) -> Result<Json<Intake>, Problem> {
    sent.by.must_be(Role::Hospital)?;
    let (owner, bytes) = (sent.by.organisation, sent.bytes);
    blocking(move || {
        let digest = *blake3::hash(&bytes).as_bytes();
        if let Some(known) = lock(&province.store)?.outcome(&digest)? {
            return Ok(Json(known));
        }
        let read = dicom::read_header(&bytes, &ReadOptions::default());
        let header = match read {
            Ok(header) => header,
            Err(reason) => {
                let refused = lock(&province.store)?.refuse(&digest, code(&reason), &reason)?;
                return Ok(Json(refused));
            }
        };
        let draft = ExamDraft::from_elements_with(&header.object, InMemDicomObject::iter);
        let facts = header.facts;
        let mut findings: Vec<String> = facts.findings.iter().map(ToString::to_string).collect();
        findings.extend(draft.findings().iter().map(ToString::to_string));
        let kept = Kept {
            digest,
            study: facts.study_uid,
            series: facts.series_uid,
            sop: facts.sop_instance_uid,
            sop_class: facts.sop_class_uid.unwrap_or_default(),
            syntax: facts.transfer_syntax_uid,
            bytes: bytes.len() as u64,
            modality: facts.modality,
            series_number: facts.series_number,
            instance_number: facts.instance_number,
            description: facts.study_description,
            exam_time: draft.exam_time().map(|time| time.to_string()),
            owner,
        };
        store::keep(&province.files, &digest, &bytes)?;
        let another_encoding = lock(&province.store)?.record(&kept)?;
        Ok(Json(Intake::Stored {
            study: kept.study,
            another_encoding,
            findings,
        }))
    })
    .await
}

fn digest(text: &str) -> Result<[u8; 32], Problem> {
    blake3::Hash::from_hex(text)
        .map(|hash| *hash.as_bytes())
        .map_err(|e| Problem::data("intake.digest", e))
}

/// The stable name of a reason.
fn code(reason: &NotTaken) -> &'static str {
    match reason {
        NotTaken::Empty => "intake.empty",
        NotTaken::NotDicom => "intake.not_dicom",
        NotTaken::Directory => "intake.directory",
        NotTaken::Cut { .. } => "intake.cut",
        NotTaken::Unreadable { .. } => "intake.unreadable",
        NotTaken::UidAbsent(_) => "intake.uid_absent",
        NotTaken::UidInvalid(_) => "intake.uid_invalid",
    }
}
