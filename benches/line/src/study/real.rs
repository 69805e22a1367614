//! Real files from the folder of `MIC_TEST_DATA`.

use std::fs;
use std::path::{Path, PathBuf};

use super::dicom::{INSTANCE, PIXELS, SERIES, STUDY, find, text};
use crate::line::Random;
use anyhow::Context;

/// A pixel in so many is moved by one: copies are no longer the same chunks.
const PERTURBED: usize = 64;

fn sources(name: &str) -> anyhow::Result<Vec<PathBuf>> {
    let root =
        std::env::var_os("MIC_TEST_DATA").context("MIC_TEST_DATA names no folder of real files")?;
    let mut found = Vec::new();
    collect(&Path::new(&root).join(name), &mut found)?;
    found.sort_unstable();
    anyhow::ensure!(!found.is_empty(), "{name} has no DICOM files");
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if fs::read(&path)?.get(128..132) == Some(b"DICM") {
            found.push(path);
        }
    }
    Ok(())
}

/// The files of one study as they are.
pub(super) fn copy(name: &str, folder: &Path) -> anyhow::Result<()> {
    for (index, path) in sources(name)?.iter().enumerate() {
        fs::copy(path, folder.join(format!("{index:05}.dcm")))?;
    }
    Ok(())
}

/// Rounds of all files until there are so many bytes: every instance with a UID of its own and perturbed pixels,
/// all in one study. New UIDs are as long as the old ones, so that everything stays in its place.
pub(super) fn repeat(name: &str, bytes: u64, folder: &Path) -> anyhow::Result<()> {
    let sources = sources(name)?;
    let (mut written, mut index) = (0_u64, 0_usize);
    while written < bytes {
        let round = index / sources.len();
        for path in &sources {
            let mut file = fs::read(path)?;
            for (tag, what) in [
                (STUDY, 0),
                (SERIES, round + 1),
                (INSTANCE, 1_000_000 + index),
            ] {
                let old = text(&file, tag)?;
                let new = uid(old.len(), what)?;
                replace(&mut file, old.as_bytes(), new.as_bytes());
            }
            let mut random = Random::new(index as u64);
            let pixels = find(&file, PIXELS)?;
            for low in file
                .get_mut(pixels)
                .unwrap_or_default()
                .iter_mut()
                .step_by(2 * PERTURBED)
            {
                *low ^= (random.next() & 1) as u8;
            }
            fs::write(folder.join(format!("{index:05}.dcm")), &file)?;
            written += file.len() as u64;
            index += 1;
        }
    }
    Ok(())
}

/// A UID of so many characters with a number in it.
fn uid(length: usize, number: usize) -> anyhow::Result<String> {
    let digits = length
        .checked_sub("2.25.7".len())
        .context("a UID too short to be replaced")?;
    let number = format!("{number:0digits$}");
    anyhow::ensure!(number.len() == digits, "a UID too short to be replaced");
    Ok(format!("2.25.7{number}"))
}

fn replace(file: &mut [u8], old: &[u8], new: &[u8]) {
    let found: Vec<usize> = memchr::memmem::find_iter(file, old).collect();
    for at in found {
        // Not where it is the start of a longer one.
        if !file
            .get(at + old.len())
            .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.')
        {
            file[at..at + old.len()].copy_from_slice(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_uids_keep_their_length() -> anyhow::Result<()> {
        assert_eq!(uid(12, 17)?, "2.25.7000017");
        assert!(uid(12, 12_345_678).is_err() && uid(3, 1).is_err());
        let mut file = b"1.2.33 1.2.3 1.2.3.4 1.2.3".to_vec();
        replace(&mut file, b"1.2.3", b"9.9.9");
        assert_eq!(file, b"1.2.33 9.9.9 1.2.3.4 9.9.9");
        Ok(())
    }
}
