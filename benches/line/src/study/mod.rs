//! The studies that travel: made ones, and real ones repeated.

mod dicom;
mod image;
mod made;
mod real;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

pub use image::Image;

use crate::measure::Place;

/// What a study is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Made: 3 series, 800 images of 512 × 512 in 16 bits, 420 MB.
    Ct,
    /// The pixels of `ct` under edited headers.
    CtEdited,
    /// Made: 6 series, 2400 images of 256 × 256 in 16 bits, 317 MB.
    Mr,
    /// The real CT `ge-ct-hispeed` again and again, pixels perturbed, 400 MB and more.
    Hispeed,
    /// The real MR `ge-mr-fmri` as it is: files of 25 KB.
    Fmri,
}

impl Kind {
    /// Its name in rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ct => "ct",
            Self::CtEdited => "ct-edited",
            Self::Mr => "mr",
            Self::Hispeed => "hispeed",
            Self::Fmri => "fmri",
        }
    }
}

/// A study in a folder.
#[derive(Debug, Clone)]
pub struct Study {
    name: String,
    folder: PathBuf,
    files: Vec<PathBuf>,
    uid: String,
    bytes: u64,
    first_bytes: u64,
    first_data_bytes: u64,
}

impl Study {
    /// Makes it where it is not there yet; `count` keeps so many images from its start.
    pub fn make(kind: Kind, count: Option<usize>, place: &Place) -> anyhow::Result<Self> {
        let folder = place.join(&format!("study-{}", kind.name()));
        if !folder.exists() {
            // Under another name until it is whole.
            let making = place.join("study-in-the-making");
            let _ = fs::remove_dir_all(&making);
            fs::create_dir_all(&making)?;
            match kind {
                Kind::Ct => made::write(&made::CT, "", &making)?,
                Kind::CtEdited => made::write(&made::CT, " EDITED", &making)?,
                Kind::Mr => made::write(&made::MR, "", &making)?,
                Kind::Hispeed => real::repeat("ge-ct-hispeed", 400_000_000, &making)?,
                Kind::Fmri => real::copy("ge-mr-fmri", &making)?,
            }
            fs::rename(&making, &folder)?;
        }
        match count {
            None => Self::open(kind.name(), folder),
            Some(count) => {
                let part = place.join(&format!("study-{}-{count}", kind.name()));
                if !part.exists() {
                    fs::create_dir_all(&part)?;
                    for path in files(&folder)?.iter().take(count) {
                        fs::hard_link(path, part.join(path.file_name().unwrap_or_default()))?;
                    }
                }
                Self::open(kind.name(), part)
            }
        }
    }

    fn open(name: &str, folder: PathBuf) -> anyhow::Result<Self> {
        let files = files(&folder)?;
        let first = fs::read(files.first().context("no files")?)?;
        let sizes = files.iter().map(|path| Ok(fs::metadata(path)?.len()));
        let sizes: Vec<u64> = sizes.collect::<anyhow::Result<_>>()?;
        let least = sizes.iter().copied().min().unwrap_or(0);
        let data = crate::check::data_set(&first).map_or(0, <[u8]>::len) as u64;
        Ok(Self {
            name: name.to_owned(),
            uid: uid_of(&folder)?,
            bytes: sizes.iter().sum(),
            first_bytes: least,
            first_data_bytes: (least + data).saturating_sub(first.len() as u64),
            folder,
            files,
        })
    }

    /// Its name in rows.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its files in order.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// `StudyInstanceUID`.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes of the smallest file: one of so many is a whole instance.
    pub fn first_bytes(&self) -> u64 {
        self.first_bytes
    }

    /// The same for peers that write the meta group anew: without preamble and meta group.
    pub fn first_data_bytes(&self) -> u64 {
        self.first_data_bytes
    }

    /// One tar of the files, made once.
    pub fn tar(&self) -> anyhow::Result<PathBuf> {
        let folder = self.folder.with_extension("tar.d");
        let path = folder.join("study.tar");
        if !path.exists() {
            fs::create_dir_all(&folder)?;
            let mut tar = tar::Builder::new(fs::File::create(&path)?);
            for file in &self.files {
                tar.append_path_with_name(file, file.file_name().unwrap_or_default())?;
            }
            tar.finish()?;
        }
        Ok(path)
    }
}

/// The files of a folder in order.
pub fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    files.sort_unstable();
    Ok(files)
}

/// `StudyInstanceUID` of the first file.
pub fn uid_of(folder: &Path) -> anyhow::Result<String> {
    let files = files(folder)?;
    dicom::text(&fs::read(files.first().context("no files")?)?, dicom::STUDY)
}
