//! Whether what arrived is what was sent, byte by byte through digests. A run that fails here has no rate.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use memchr::memmem;
use mic_transfer::adapter::disk::DiskStore;

use crate::peers::{Delivered, share};

type Hash = [u8; 32];

/// Compares; the error says what differs.
pub fn compare(sent: &[PathBuf], delivered: &Delivered) -> anyhow::Result<()> {
    let whole = |bytes: &[u8]| Some(*blake3::hash(bytes).as_bytes());
    match delivered {
        Delivered::Nothing => anyhow::bail!("nothing to compare"),
        Delivered::Files(folder) => {
            same(hashes(sent, whole)?, hashes(&dicom_files(folder)?, whole)?)
        }
        Delivered::DataSets(folder) => {
            let of_set = |bytes: &[u8]| data_set(bytes).and_then(whole);
            same(
                hashes(sent, of_set)?,
                hashes(&dicom_files(folder)?, of_set)?,
            )
        }
        Delivered::Tar(path) => {
            let mut found = Vec::new();
            for entry in tar::Archive::new(File::open(path)?).entries()? {
                let mut bytes = Vec::new();
                entry?.read_to_end(&mut bytes)?;
                if is_dicom(&bytes) {
                    found.extend(whole(&bytes));
                }
            }
            same(hashes(sent, whole)?, found)
        }
        Delivered::Multipart(path) => {
            let parts = multipart(&fs::read(path)?)?;
            same(hashes(sent, whole)?, parts)
        }
        Delivered::Shares { folder, count } => {
            for index in 0..*count {
                let mut all = blake3::Hasher::new();
                for path in share(sent, index, *count) {
                    all.update(&fs::read(path)?);
                }
                let found = blake3::hash(&fs::read(folder.join(format!("share-{index}")))?);
                anyhow::ensure!(all.finalize() == found, "share {index} of {count} differs");
            }
            Ok(())
        }
        Delivered::Store(folder) => {
            let store = DiskStore::open(folder)?;
            let mut found = Vec::new();
            for study in store.complete() {
                for instance in study.signed().manifest().instances() {
                    found.extend(whole(&store.read_instance(instance.digest())?));
                }
            }
            same(hashes(sent, whole)?, found)
        }
    }
}

fn same(mut sent: Vec<Hash>, mut found: Vec<Hash>) -> anyhow::Result<()> {
    sent.sort_unstable();
    found.sort_unstable();
    if sent == found {
        return Ok(());
    }
    let right = found
        .iter()
        .filter(|hash| sent.binary_search(hash).is_ok())
        .count();
    anyhow::bail!(
        "{} instances sent, {} found, {right} of them right",
        sent.len(),
        found.len()
    )
}

fn hashes(paths: &[PathBuf], of: impl Fn(&[u8]) -> Option<Hash>) -> anyhow::Result<Vec<Hash>> {
    paths
        .iter()
        .map(|path| {
            of(&fs::read(path)?).with_context(|| format!("{} is no DICOM file", path.display()))
        })
        .collect()
}

/// Files with the mark of DICOM, any depth: servers keep others beside them.
fn dicom_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(dicom_files(&entry.path())?);
        } else {
            let mut head = [0; 132];
            if File::open(entry.path())?.read_exact(&mut head).is_ok() && is_dicom(&head) {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}

fn is_dicom(bytes: &[u8]) -> bool {
    bytes.get(128..132) == Some(b"DICM")
}

/// What follows the meta group: its length stands in its first element.
pub fn data_set(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = (bytes.get(132..140)?, bytes.get(140..144)?);
    if !is_dicom(bytes) || head != b"\x02\0\0\0UL\x04\0" {
        return None;
    }
    let length = u32::from_le_bytes(rest.try_into().ok()?);
    bytes.get(144 + usize::try_from(length).ok()?..)
}

/// Digests of the parts of a multipart body.
fn multipart(body: &[u8]) -> anyhow::Result<Vec<Hash>> {
    let start = memmem::find(body, b"--").context("no boundary")?;
    let end =
        memmem::find(body.get(start..).unwrap_or_default(), b"\r\n").context("no boundary")?;
    let mut mark = b"\r\n".to_vec();
    mark.extend_from_slice(&body[start..start + end]);
    let mut found = Vec::new();
    let mut from = start + end;
    for at in memmem::find_iter(&body[from..], &mark).map(|at| at + start + end) {
        let part = body.get(from..at).unwrap_or_default();
        let head = memmem::find(part, b"\r\n\r\n").context("a part without an end of its head")?;
        found.push(*blake3::hash(&part[head + 4..]).as_bytes());
        from = at + mark.len();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(meta: u32, tail: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 128];
        bytes.extend_from_slice(b"DICM\x02\0\0\0UL\x04\0");
        bytes.extend_from_slice(&meta.to_le_bytes());
        bytes.extend(vec![7; meta as usize]);
        bytes.extend_from_slice(tail);
        bytes
    }

    #[test]
    fn ok_equal_files_in_any_order_are_equal() -> anyhow::Result<()> {
        let (sent, got) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let mut paths = Vec::new();
        for index in 0..3_u8 {
            paths.push(sent.path().join(index.to_string()));
            fs::write(&paths[usize::from(index)], file(20, &[index; 9]))?;
            fs::write(
                got.path().join((9 - index).to_string()),
                file(20, &[index; 9]),
            )?;
        }
        fs::write(got.path().join("beside.json"), b"{}")?;
        compare(&paths, &Delivered::Files(got.path().into()))?;
        fs::write(got.path().join("9"), file(30, &[0; 9]))?;
        assert!(compare(&paths, &Delivered::Files(got.path().into())).is_err());
        compare(&paths, &Delivered::DataSets(got.path().into()))?;
        fs::write(got.path().join("9"), file(20, &[1; 9]))?;
        let error = compare(&paths, &Delivered::DataSets(got.path().into()))
            .err()
            .map(|e| e.to_string());
        assert_eq!(
            error.as_deref(),
            Some("3 instances sent, 3 found, 3 of them right")
        );
        fs::remove_file(got.path().join("9"))?;
        assert!(compare(&paths, &Delivered::DataSets(got.path().into())).is_err());
        Ok(())
    }

    #[test]
    fn ok_parts_of_a_multipart_body() -> anyhow::Result<()> {
        let body = b"--x\r\nContent-Type: application/dicom\r\n\r\none\r\n--x\r\nA: b\r\n\r\n\r\n--x--\r\n";
        let found = multipart(body)?;
        assert_eq!(
            found,
            [
                *blake3::hash(b"one").as_bytes(),
                *blake3::hash(b"").as_bytes()
            ]
        );
        assert!(multipart(b"no parts").is_err());
        Ok(())
    }

    #[test]
    fn err_a_share_with_a_wrong_byte() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let paths: Vec<PathBuf> = (0..3)
            .map(|index| folder.path().join(index.to_string()))
            .collect();
        for path in &paths {
            fs::write(path, path.as_os_str().as_encoded_bytes())?;
        }
        let shares = Delivered::Shares {
            folder: folder.path().into(),
            count: 2,
        };
        let two = [fs::read(&paths[0])?, fs::read(&paths[2])?].concat();
        fs::write(folder.path().join("share-0"), &two)?;
        fs::write(folder.path().join("share-1"), fs::read(&paths[1])?)?;
        compare(&paths, &shares)?;
        fs::write(folder.path().join("share-0"), &two[1..])?;
        assert!(compare(&paths, &shares).is_err());
        Ok(())
    }
}
