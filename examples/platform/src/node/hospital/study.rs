//! The studies on this front-end machine: kept by `mic-transfer`, hashed again for proof, drawn.

use std::path::Path;
use std::sync::{Arc, Mutex};

use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::{Digest, Uid};
use sha2::{Digest as _, Sha256};

use crate::node::nation::lock;
use crate::picture::{self, Picture, PictureError, PictureReport};
use crate::problem::Problem;
use crate::wire::{Drawn, Proof};

/// The store, and the pictures of the study that was drawn last.
#[derive(Debug)]
pub(super) struct Studies {
    store: DiskStore,
    last: Mutex<Option<Arc<Drawing>>>,
}

#[derive(Debug)]
struct Drawing {
    study: String,
    report: Drawn,
    preview: Option<Vec<u8>>,
    sheet: Option<Vec<u8>>,
}

impl Studies {
    pub(super) fn open(state: &Path) -> Result<Self, Problem> {
        let folder = state.join("studies");
        std::fs::create_dir_all(&folder)?;
        let store = DiskStore::open(&folder).map_err(|e| Problem::system("store.open", e))?;
        Ok(Self {
            store,
            last: Mutex::default(),
        })
    }

    pub(super) fn store(&self) -> &DiskStore {
        &self.store
    }

    /// SHA-256 of every file of a complete study, read from the disk now.
    pub(super) fn proof(&self, study: &str) -> Result<Vec<Proof>, Problem> {
        self.instances(study)?
            .iter()
            .map(|digest| {
                let bytes = self.read(digest)?;
                Ok(Proof {
                    sha256: hex::encode(Sha256::digest(&bytes)),
                    bytes: bytes.len() as u64,
                })
            })
            .collect()
    }

    /// Tells what of a study could be drawn.
    pub(super) fn drawn(&self, study: &str) -> Result<Drawn, Problem> {
        Ok(self.drawing(study)?.report.clone())
    }

    pub(super) fn preview(&self, study: &str) -> Result<Vec<u8>, Problem> {
        self.drawing(study)?.preview.clone().ok_or_else(nothing)
    }

    pub(super) fn sheet(&self, study: &str) -> Result<Vec<u8>, Problem> {
        self.drawing(study)?.sheet.clone().ok_or_else(nothing)
    }

    /// The drawing of this study; the one that was made last is kept. Nothing is locked while it is
    /// drawn: two doctors may draw at the same time.
    fn drawing(&self, study: &str) -> Result<Arc<Drawing>, Problem> {
        let last = lock(&self.last)?.clone();
        if let Some(drawing) = last.filter(|drawing| drawing.study == study) {
            return Ok(drawing);
        }
        let drawing = Arc::new(self.draw(study)?);
        *lock(&self.last)? = Some(Arc::clone(&drawing));
        Ok(drawing)
    }

    fn draw(&self, study: &str) -> Result<Drawing, Problem> {
        let instances = self.instances(study)?;
        let read = |number: usize| {
            let digest = instances.get(number).ok_or(std::io::ErrorKind::NotFound)?;
            self.read(digest).map_err(std::io::Error::other)
        };
        let sheet = drawn(picture::contact_sheet(instances.len(), &read))?;
        let preview = drawn(picture::preview(instances.len(), &read))?;
        Ok(Drawing {
            study: study.to_owned(),
            report: told(&sheet.1),
            sheet: sheet.0,
            preview: preview.0,
        })
    }

    /// The digests of a complete study's instances, in the manifest's order.
    fn instances(&self, study: &str) -> Result<Vec<Digest>, Problem> {
        let uid = Uid::new(study).map_err(|e| Problem::usage("study.uid", e))?;
        let newest = self
            .store
            .complete()
            .into_iter()
            .filter(|stored| *stored.signed().manifest().study() == uid)
            .max_by_key(|stored| stored.signed().manifest().instances().len());
        let Some(stored) = newest else {
            return Err(Problem::usage(
                "study.incomplete",
                "the study is not complete on this machine",
            ));
        };
        let listed = stored.signed().manifest().instances();
        Ok(listed.iter().map(|instance| *instance.digest()).collect())
    }

    fn read(&self, digest: &Digest) -> Result<Vec<u8>, Problem> {
        self.store
            .read_instance(digest)
            .map_err(|e| Problem::system("store.read", e))
    }
}

fn nothing() -> Problem {
    Problem::usage("picture.none", "nothing of this study can be drawn")
}

/// A study in which nothing can be drawn has a report, too.
fn drawn(
    result: Result<Picture, PictureError>,
) -> Result<(Option<Vec<u8>>, PictureReport), Problem> {
    match result {
        Ok(picture) => Ok((Some(picture.png), picture.report)),
        Err(PictureError::NothingToDraw(report)) => Ok((None, report)),
        Err(error) => Err(Problem::system("picture", error)),
    }
}

fn told(report: &PictureReport) -> Drawn {
    Drawn {
        instances: report.instances,
        frames: report.frames,
        drawn: report.drawn,
        left_out: report.left_out,
        without_pixels: report.without_pixels,
        not_drawn: report
            .not_drawn
            .iter()
            .chain(&report.not_read)
            .map(|one| {
                format!(
                    "instance {}, frame {}: {}",
                    one.instance + 1,
                    one.frame + 1,
                    one.reason
                )
            })
            .collect(),
    }
}
