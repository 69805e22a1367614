//! Step: every file of the source is offered to the province, and what became of each is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::ProgressBar;
use serde::Serialize;

use super::source::{Fingerprint, Source};
use crate::client::Client;
use crate::problem::Problem;
use crate::wire::{Digests, Intake};

/// Connections that carry files to the province at the same time.
const LANES: usize = 4;

/// A file that the province did not take, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// Its path below the folder.
    pub file: String,
    /// Stable name of the reason.
    pub code: String,
    /// What was found, where, and what was expected.
    pub reason: String,
}

/// The count of an intake; [`TakenIn::adds_up`] says whether each file is counted once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TakenIn {
    /// Files (and other entries) in the folder.
    pub files: usize,
    /// New at the province.
    pub stored: usize,
    /// Already there, byte for byte, from an earlier run.
    pub held: usize,
    /// The same bytes under another name in this folder.
    pub repeated: usize,
    /// Passed over, each with its reason.
    pub passed_over: Vec<PassedOver>,
    /// Stored as another encoding beside an instance with the same SOP Instance UID.
    pub other_encodings: usize,
    /// Files whose header has something wrong or unusual, by finding.
    pub findings: BTreeMap<String, usize>,
    /// Studies the files belong to.
    pub studies: BTreeSet<String>,
    /// Bytes sent to the province.
    pub bytes_sent: u64,
    /// The taken files: BLAKE3 → SHA-256 and size, for the proof at the end.
    #[serde(skip)]
    pub(super) taken: BTreeMap<String, Fingerprint>,
    #[serde(skip)]
    refused: Vec<String>,
    /// Files with the bytes of one that was offered before them, settled once its outcome is known.
    #[serde(skip)]
    twins: Vec<(String, String)>,
}

impl TakenIn {
    /// Whether every entry of the folder has exactly one outcome.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.files == self.stored + self.held + self.repeated + self.passed_over.len()
    }
}

/// Offers every file; files the province already holds are not sent.
pub(super) fn take_in(
    source: &Source,
    province: &Client,
    bar: &ProgressBar,
) -> Result<TakenIn, Problem> {
    let count = Mutex::new(TakenIn {
        files: source.files() + source.passed_over().len(),
        passed_over: source
            .passed_over()
            .iter()
            .map(|(path, reason)| PassedOver {
                file: path.display().to_string(),
                code: "folder".to_owned(),
                reason: reason.clone(),
            })
            .collect(),
        ..TakenIn::default()
    });
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let file = next.fetch_add(1, Ordering::Relaxed);
                        if file >= source.files() {
                            return Ok(());
                        }
                        offer(source, file, province, &count)?;
                        bar.inc(1);
                    }
                })
            })
            .collect();
        lanes.into_iter().try_for_each(|lane| {
            lane.join()
                .unwrap_or_else(|_| Err(Problem::system("scene.lane", "a lane broke down")))
        })
    })?;
    let mut count = count
        .into_inner()
        .map_err(|e| Problem::system("scene.lane", e))?;
    count.settle_twins();
    count.passed_over.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(count)
}

fn offer(
    source: &Source,
    file: usize,
    province: &Client,
    count: &Mutex<TakenIn>,
) -> Result<(), Problem> {
    let locked = || count.lock().map_err(|e| Problem::system("scene.lane", e));
    let bytes = match source.read(file) {
        Ok(bytes) => bytes,
        Err(problem) => {
            locked()?.passed_over.push(PassedOver {
                file: source.name(file),
                code: problem.code,
                reason: problem.detail,
            });
            return Ok(());
        }
    };
    let print = Fingerprint::of(&bytes);
    if !locked()?.claim(&print, || source.name(file)) {
        return Ok(());
    }
    let known: Vec<Option<Intake>> = province.post(
        "/v1/instances/known",
        &Digests {
            digests: vec![print.blake3.clone()],
        },
    )?;
    let (outcome, sent) = match known.into_iter().next().flatten() {
        Some(outcome) => (outcome, 0),
        None => {
            let outcome = province.post_bytes("/v1/instances", "application/dicom", &bytes)?;
            (outcome, print.bytes)
        }
    };
    locked()?.note(outcome, &print, sent, || source.name(file));
    Ok(())
}

impl TakenIn {
    /// Whether the caller is the first with these bytes and has to offer them.
    fn claim(&mut self, print: &Fingerprint, name: impl Fn() -> String) -> bool {
        let first = self
            .taken
            .insert(print.blake3.clone(), print.clone())
            .is_none();
        if !first {
            self.twins.push((print.blake3.clone(), name()));
        }
        first
    }

    fn settle_twins(&mut self) {
        for digest in core::mem::take(&mut self.refused) {
            self.taken.remove(&digest);
        }
        for (digest, file) in core::mem::take(&mut self.twins) {
            if self.taken.contains_key(&digest) {
                self.repeated += 1;
            } else {
                self.passed_over.push(PassedOver {
                    file,
                    code: "intake.repeated".to_owned(),
                    reason: "the same bytes as a file that was not taken".to_owned(),
                });
            }
        }
    }

    fn note(&mut self, outcome: Intake, print: &Fingerprint, sent: u64, name: impl Fn() -> String) {
        self.bytes_sent += sent;
        match outcome {
            Intake::Stored {
                study,
                another_encoding,
                findings,
            } => {
                self.stored += 1;
                self.other_encodings += usize::from(another_encoding);
                self.studies.insert(study);
                for finding in findings {
                    *self.findings.entry(finding).or_default() += 1;
                }
            }
            Intake::Held { study } => {
                self.held += 1;
                self.studies.insert(study);
            }
            Intake::Refused { code, reason } => {
                self.refused.push(print.blake3.clone());
                self.passed_over.push(PassedOver {
                    file: name(),
                    code,
                    reason,
                });
            }
        }
    }
}
