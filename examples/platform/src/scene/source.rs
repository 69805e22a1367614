//! The examining hospital's picture archive, played by the scene: a folder of files or the made CT.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::folder::Folder;
use crate::node::server::INSTANCE_BYTES_MAX;
use crate::phantom::Phantom;
use crate::problem::Problem;

/// Where the scene's files come from.
#[derive(Debug)]
pub(super) enum Source {
    /// A folder as it is.
    Folder { root: PathBuf, found: Folder },
    /// The made head CT; slices are computed when they are asked for.
    Made(Phantom),
}

/// What the scene remembers of a file: enough to know it again without keeping its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// BLAKE3, by which the province and the front-end machine know a file.
    pub(super) blake3: String,
    /// SHA-256, by which the scene proves at the end that it is the same file: another hash on purpose.
    pub(super) sha256: String,
    pub(super) bytes: u64,
}

impl Source {
    pub(super) fn folder(root: &Path) -> Result<Self, Problem> {
        let found = Folder::walk(root)?;
        Ok(Self::Folder {
            root: root.to_path_buf(),
            found,
        })
    }

    /// How many files there are.
    pub(super) fn files(&self) -> usize {
        match self {
            Self::Folder { found, .. } => found.files.len(),
            Self::Made(phantom) => phantom.slices().into(),
        }
    }

    /// What the walk had to pass over, with the reason.
    pub(super) fn passed_over(&self) -> &[(PathBuf, String)] {
        match self {
            Self::Folder { found, .. } => &found.passed_over,
            Self::Made(_) => &[],
        }
    }

    /// The name people know the file by: its path below the folder.
    pub(super) fn name(&self, file: usize) -> String {
        match self {
            Self::Folder { root, found } => {
                found.files.get(file).map_or_else(String::new, |path| {
                    path.strip_prefix(root)
                        .unwrap_or(path)
                        .display()
                        .to_string()
                })
            }
            Self::Made(_) => format!("made CT, slice {}", file + 1),
        }
    }

    /// The file's bytes.
    pub(super) fn read(&self, file: usize) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Folder { found, .. } => match found.files.get(file) {
                Some(path) => {
                    let told = fs::metadata(path).map_or(0, |facts| facts.len());
                    if told > INSTANCE_BYTES_MAX as u64 {
                        return Err(Problem::data(
                            "folder.too_large",
                            format!(
                                "{told} bytes are more than the {INSTANCE_BYTES_MAX} of an instance"
                            ),
                        ));
                    }
                    fs::read(path).map_err(Problem::from)
                }
                None => Err(Problem::system("scene.file", "no such file in the folder")),
            },
            Self::Made(phantom) => u16::try_from(file)
                .map(|slice| phantom.slice(slice))
                .map_err(|e| Problem::system("scene.slice", e)),
        }
    }
}

impl Fingerprint {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self {
            blake3: blake3::hash(bytes).to_hex().to_string(),
            sha256: hex::encode(Sha256::digest(bytes)),
            bytes: bytes.len() as u64,
        }
    }
}
