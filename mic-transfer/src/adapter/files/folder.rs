//! A folder of DICOM files as studies: every file has one answer (`spec/p10.md`, XFR-96 to XFR-98).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{FileError, FileStudy, Labels};
use crate::manifest::Added;
use crate::p10::{self, Header, NotAnInstance};
use crate::{PixelRange, Uid};

/// What became of a file.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOutcome {
    /// It is an instance of its study.
    Listed,
    /// It is one, and another file has the same SOP Instance UID and other bytes, as when an archive keeps two
    /// encodings: both travel.
    Variant,
    /// Another file has the same bytes: they travel once.
    Duplicate,
    /// It is no instance of a study.
    NotAnInstance(NotAnInstance),
    /// It is an instance and can't be part of a manifest.
    Refused(FileError),
}

/// The studies of a folder, and what became of each of its files.
///
/// The order of the files in the folder, their names and their folders say nothing: two archives that hold the
/// same files make the same manifest, and its root is one.
///
/// ```
/// use mic_transfer::adapter::files::{FileOutcome, Folder};
/// use mic_transfer::p10::NotAnInstance;
/// # let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("notes.txt"), "minutes of a meeting")?;
/// let read = Folder::read(folder.path())?;
/// let [(_, outcome)] = read.outcomes() else { panic!() };
/// assert_eq!(*outcome, FileOutcome::NotAnInstance(NotAnInstance::NotDicom));
/// assert!(read.into_studies().is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Folder {
    studies: BTreeMap<Uid, FileStudy>,
    outcomes: Vec<(PathBuf, FileOutcome)>,
}

impl Folder {
    /// Reads the labels of all files in a folder and those below it, and hashes those that are instances. Links
    /// to folders are not followed.
    ///
    /// # Errors
    /// As the operating system says of the folders; a file that can't be read is among the outcomes.
    pub fn read(path: &Path) -> io::Result<Self> {
        Self::read_with(path, FileStudy::new)
    }

    /// [`Folder::read`], beginning each study by `begin`: to hash with SM3 as well, say.
    ///
    /// # Errors
    /// As [`Folder::read`].
    pub fn read_with(path: &Path, begin: impl Fn(Uid) -> FileStudy) -> io::Result<Self> {
        let mut outcomes = Vec::new();
        let mut found: BTreeMap<Uid, Vec<Found>> = BTreeMap::new();
        for path in files_below(path)? {
            let read = File::open(&path)
                .map_err(|error| NotAnInstance::Io(error.kind()))
                .and_then(|mut file| p10::read(&mut file));
            match read {
                Ok(header) => found
                    .entry(header.study().clone())
                    .or_default()
                    .push(Found::new(path, &header)),
                Err(reason) => outcomes.push((path, FileOutcome::NotAnInstance(reason))),
            }
        }
        let mut studies = BTreeMap::new();
        for (uid, mut files) in found {
            let mut study = begin(uid.clone());
            rank(&mut files);
            let mut hashed = Vec::with_capacity(files.len());
            for file in files {
                match study.hash(&file.path) {
                    Ok(bytes) => hashed.push((file, bytes)),
                    Err(error) => outcomes.push((file.path, FileOutcome::Refused(error))),
                }
            }
            hashed.sort_by(|(one, bytes), (other, others)| {
                one.key()
                    .cmp(&other.key())
                    .then_with(|| bytes.digest.cmp(&others.digest))
            });
            let mut listed = false;
            for (file, bytes) in hashed {
                let outcome = match study.put(&file.path, file.labels, bytes) {
                    Ok(Added::New(_)) => FileOutcome::Listed,
                    Ok(Added::Variant { .. }) => FileOutcome::Variant,
                    Ok(Added::Duplicate(_)) => FileOutcome::Duplicate,
                    Err(error) => FileOutcome::Refused(error),
                };
                listed |= matches!(outcome, FileOutcome::Listed | FileOutcome::Variant);
                outcomes.push((file.path, outcome));
            }
            if listed {
                studies.insert(uid, study);
            }
        }
        outcomes.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Self { studies, outcomes })
    }

    /// Every file, in the order of the paths, and what became of it.
    #[must_use]
    pub fn outcomes(&self) -> &[(PathBuf, FileOutcome)] {
        &self.outcomes
    }

    /// The studies, to be signed or not.
    #[must_use]
    pub fn into_studies(self) -> BTreeMap<Uid, FileStudy> {
        self.studies
    }
}

impl From<&Header> for Labels {
    /// The labels of a header, without its place in the series: that follows from all of them.
    fn from(header: &Header) -> Self {
        let labels = Self::new(
            header.sop_class().clone(),
            header.sop_instance().clone(),
            header.series().clone(),
            header.transfer_syntax().clone(),
        );
        let range = header.pixels().map(p10::Pixels::range);
        let pixels = range
            .and_then(|range| PixelRange::new(range.start, range.end.checked_sub(range.start)?));
        let labels = match pixels {
            Some(pixels) => labels.with_pixels(pixels),
            None => labels,
        };
        #[cfg(feature = "coding")]
        let labels = match hint(header) {
            Some(hint) => labels.with_hint(hint),
            None => labels,
        };
        labels
    }
}

/// What the coding of chunks wants to know of native samples; `None` for samples that it does not predict.
#[cfg(feature = "coding")]
fn hint(header: &Header) -> Option<crate::coding::PixelHint> {
    let layout = header.layout()?;
    let bytes = u8::try_from(layout.bits_allocated() / 8).ok()?;
    let row = u32::try_from(layout.row_bytes()?).ok()?;
    let components = if layout.is_planar() {
        1
    } else {
        u8::try_from(layout.samples()).ok()?
    };
    let hint =
        crate::coding::PixelHint::new(layout.range().start, layout.pixel_bytes()?, row, bytes)?;
    Some(
        hint.interleaved(components)?
            .big_endian(layout.is_big_endian())
            .signed(header.pixel_representation() == Some(1)),
    )
}

/// A file that is an instance.
struct Found {
    path: PathBuf,
    labels: Labels,
    slice: Option<Slice>,
    number: Option<i64>,
    references: Vec<Uid>,
}

/// A place along the normal of a plane.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Slice {
    nm: i64,
    orientation: [i64; 6],
}

impl Found {
    fn new(path: PathBuf, header: &Header) -> Self {
        let place = header.slice_nm().zip(header.orientation_millionths());
        Self {
            path,
            labels: Labels::from(header),
            slice: place.map(|(nm, orientation)| Slice { nm, orientation }),
            number: header.instance_number(),
            references: header.references().to_vec(),
        }
    }

    /// Series by identifier, instances by place in the series, encodings of one by transfer syntax.
    fn key(&self) -> (&Uid, u32, &Uid, &Uid) {
        let labels = &self.labels;
        let rank = labels.rank.unwrap_or(u32::MAX);
        (
            &labels.series,
            rank,
            &labels.sop_instance,
            &labels.transfer_syntax,
        )
    }
}

/// Where an instance says it stands: its slice, its number.
type Place = (Option<Slice>, Option<i64>);

/// Gives each file the place of its instance in the series, and marks key images.
fn rank(files: &mut [Found]) {
    let keys: BTreeSet<Uid> = files
        .iter()
        .flat_map(|file| file.references.iter().cloned())
        .collect();
    let mut series: BTreeMap<Uid, BTreeMap<Uid, Place>> = BTreeMap::new();
    for file in &*files {
        let instances = series.entry(file.labels.series.clone()).or_default();
        // Encodings of one instance share its place.
        instances
            .entry(file.labels.sop_instance.clone())
            .or_insert((file.slice, file.number));
    }
    let ranks: BTreeMap<Uid, BTreeMap<Uid, u32>> = series
        .into_iter()
        .map(|(uid, instances)| (uid, ranks(instances)))
        .collect();
    for file in &mut *files {
        let series = ranks.get(&file.labels.series);
        file.labels.rank = series.and_then(|ranks| ranks.get(&file.labels.sop_instance).copied());
        file.labels.key_image = keys.contains(&file.labels.sop_instance);
    }
}

/// By place along the common normal where each has its own, else by instance number; where neither says
/// anything there is no rank.
fn ranks(instances: BTreeMap<Uid, Place>) -> BTreeMap<Uid, u32> {
    let slices: Option<Vec<Slice>> = instances.values().map(|(slice, _)| *slice).collect();
    let by_slice = slices.is_some_and(|slices| {
        let places: BTreeSet<i64> = slices.iter().map(|slice| slice.nm).collect();
        let first = slices.first().map(|slice| slice.orientation);
        let alike = |slice: &Slice| Some(slice.orientation) == first;
        places.len() == slices.len() && slices.iter().all(alike)
    });
    if !by_slice && instances.values().any(|(_, number)| number.is_none()) {
        return BTreeMap::new();
    }
    let mut order: Vec<(i64, Uid)> = instances
        .into_iter()
        .map(|(uid, (slice, number))| {
            let place = if by_slice {
                slice.map(|slice| slice.nm)
            } else {
                number
            };
            (place.unwrap_or(0), uid)
        })
        .collect();
    order.sort();
    (0_u32..)
        .zip(order)
        .map(|(rank, (_, uid))| (uid, rank))
        .collect()
}

/// All files of a folder and those below it, by path.
fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else if !path.is_dir() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
