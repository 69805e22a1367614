//! Pulling studies from the provinces that keep them to this front-end machine.

use std::collections::BTreeMap;
use std::net::ToSocketAddrs;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use mic_transfer::adapter::tcp::{Pull, PullEvent, PullReport, StudyOutcome};
use mic_transfer::receiver::Progress;
use mic_transfer::{Auth, SignatureRefused, SignedManifest, Uid};

use super::Hospital;
use super::registration::Registration;
use crate::consent;
use crate::node::Role;
use crate::node::nation::lock;
use crate::problem::Problem;
use crate::trust::Trust;
use crate::wire::{Exam, Hello, Job, SignedDocument};

/// Studies asked for over one connection; a proof of use is good for a minute, so the next studies get
/// theirs when it is their turn.
const STUDIES_AT_ONCE: usize = 8;

/// One study to pull: where it is and what to show there.
#[derive(Debug)]
pub(super) struct StudyOrder {
    pub(super) exam: Exam,
    pub(super) door: String,
    pub(super) authorisation: Vec<u8>,
}

/// Starts a pull on a thread of its own; the job is filled as it goes.
pub(super) fn start(
    hospital: &Arc<Hospital>,
    registration: Arc<Mutex<Registration>>,
    studies: Vec<String>,
) -> Result<Arc<Mutex<Job>>, Problem> {
    let mut studies = studies;
    studies.sort_unstable();
    studies.dedup();
    let listed = lock(&registration)?.exams(&studies)?;
    let job = Arc::new(Mutex::new(Job {
        studies: listed.len() as u32,
        bytes: listed.iter().map(|exam| exam.bytes).sum(),
        instances: listed.iter().map(|exam| u64::from(exam.instances)).sum(),
        ..Job::default()
    }));
    let (hospital, shared) = (Arc::clone(hospital), Arc::clone(&job));
    std::thread::Builder::new()
        .name("pull".to_owned())
        .spawn(move || {
            let watch = Watch::new(&shared);
            for batch in studies.chunks(STUDIES_AT_ONCE) {
                if let Err(problem) = pull_batch(&hospital, &registration, batch, &watch) {
                    watch.fail(problem);
                }
            }
        })?;
    Ok(job)
}

/// Pulls some studies, each with a proof of use that is made now.
fn pull_batch(
    hospital: &Hospital,
    registration: &Mutex<Registration>,
    studies: &[String],
    watch: &Watch<'_>,
) -> Result<(), Problem> {
    let orders = lock(registration)?.orders(hospital, studies)?;
    let mut by_keeper: BTreeMap<(String, String), Vec<StudyOrder>> = BTreeMap::new();
    for order in orders {
        let keeper = (order.exam.keeper.clone(), order.door.clone());
        by_keeper.entry(keeper).or_default().push(order);
    }
    by_keeper
        .into_iter()
        .try_for_each(|((keeper, door), orders)| pull(hospital, &keeper, &door, orders, watch))
}

/// Pulls all wanted studies of one keeper over one connection.
///
/// The proofs of use are good for one presentation: a lost connection ends the pull, and pulling again
/// with new proofs goes on where it ended.
fn pull(
    hospital: &Hospital,
    keeper: &str,
    door: &str,
    orders: Vec<StudyOrder>,
    watch: &Watch<'_>,
) -> Result<(), Problem> {
    let odd = |e: &dyn core::fmt::Display| Problem::data("pull.order", e);
    let trust = &hospital.context.trust;
    let address = door
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| Problem::system("pull.door", format!("no address for {door}")))?;
    let hello = SignedDocument::seal(trust.key(), &Hello::to(keeper))?;
    let mut pull = Pull::new(address)
        .connections(1)
        .auth(Auth::new(serde_json::to_vec(&hello)?).map_err(|e| odd(&e))?)
        .reconnects(0)
        .verify_with(|signed| is_of(trust, keeper, signed))
        .sign_with(|message| trust.key().transfer_signature(message).map(Some));
    for order in orders {
        let study = Uid::new(&order.exam.study).map_err(|e| odd(&e))?;
        let auth = Auth::new(order.authorisation).map_err(|e| odd(&e))?;
        pull = pull.study(study, auth);
    }
    let report = pull
        .run(hospital.studies.store(), |event| watch.see(&event))
        .map_err(|e| Problem::system("pull.connect", e))?;
    watch.finish(&report);
    report
        .studies
        .iter()
        .try_for_each(|study| match &study.outcome {
            // Without a kept receipt the study is whole all the same; the next pull makes one.
            StudyOutcome::Complete(_) | StudyOutcome::Unreceipted(_) => Ok(()),
            StudyOutcome::Failed(error) => {
                let place = format!("study {}", study.study);
                Err(consent::transfer_problem(error).at(place))
            }
            _ => Err(Problem::system(
                "pull.outcome",
                "the study ended in an unknown way",
            )),
        })
}

/// Whether the manifest is signed by the keeper that the national index names.
fn is_of(trust: &Trust, keeper: &str, signed: &SignedManifest) -> Result<(), SignatureRefused> {
    signed.check(|message, signature| {
        let key = hex::encode(signature.key_id());
        trust.verify(&key, message, signature.bytes()).is_ok()
            && trust
                .caller(&key)
                .is_ok_and(|caller| caller.role == Role::Province && caller.organisation == keeper)
    })
}

/// Fills a job from the events of its pulls.
struct Watch<'a> {
    job: &'a Mutex<Job>,
    started: Instant,
    studies: Mutex<BTreeMap<String, Progress>>,
}

impl<'a> Watch<'a> {
    fn new(job: &'a Mutex<Job>) -> Self {
        Self {
            job,
            started: Instant::now(),
            studies: Mutex::default(),
        }
    }

    fn see(&self, event: &PullEvent<'_>) {
        match event {
            PullEvent::Planned(study, progress)
            | PullEvent::Progress(study, progress)
            | PullEvent::Complete(study, progress) => {
                let done = matches!(event, PullEvent::Complete(..));
                self.note(study.as_str(), *progress, done);
            }
            PullEvent::Unreceipted(..) => {
                if let Ok(mut job) = lock(self.job) {
                    job.studies_done += 1;
                }
            }
            PullEvent::Instance { .. } => {
                let elapsed = self.started.elapsed().as_millis() as u64;
                if let Ok(mut job) = lock(self.job) {
                    job.first_instance_ms.get_or_insert(elapsed);
                }
            }
            _ => {}
        }
    }

    fn note(&self, study: &str, progress: Progress, done: bool) {
        let (Ok(mut studies), Ok(mut job)) = (lock(&self.studies), lock(self.job)) else {
            return;
        };
        studies.insert(study.to_owned(), progress);
        let sum = |field: fn(&Progress) -> u64| studies.values().map(field).sum();
        job.bytes_done = sum(|p| p.bytes_done);
        job.bytes_fetched = sum(|p| p.bytes_fetched);
        job.instances_done = sum(|p| p.instances_done.into());
        job.instances_held = sum(|p| p.instances_held.into());
        job.studies_done += u32::from(done);
    }

    fn finish(&self, report: &PullReport) {
        if let Ok(mut job) = lock(self.job) {
            job.wire_bytes += report.received + report.sent;
        }
    }

    /// Keeps the first problem; the other studies are pulled all the same.
    fn fail(&self, problem: Problem) {
        if let Ok(mut job) = lock(self.job) {
            job.problem.get_or_insert(problem);
        }
    }
}

/// However the thread ends, the job has ended.
impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Ok(mut job) = lock(self.job) {
            job.ended = true;
        }
    }
}
