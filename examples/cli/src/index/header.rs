//! The header of a DICOM file, read without its pixels.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use mic_platform::dicom::{self, Header, HeaderFinding, NotTaken, ReadOptions};

/// Bytes read first. Most headers are a few KiB; those with a vendor's private groups some hundred.
const FIRST_BYTES: u64 = 128 * 1024;

/// Bytes read at most. No header is so long before its pixels in the groups a record takes from.
const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// How much more is read when it was too little.
const GROWTH: u64 = 8;

/// The last group a record takes from: that of the procedure that was ordered. Elements ascend by group (PS3.5 7.1),
/// so that long private groups and the content of reports behind it need not be read.
const LAST_GROUP: u16 = 0x0032;

/// Reads as much of `file` as its header needs, up to [`BYTES_MAX`].
pub(super) fn read(file: &Path) -> Result<Header, String> {
    let mut file = File::open(file).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let mut limit = FIRST_BYTES;
    loop {
        let more = limit.saturating_sub(bytes.len() as u64);
        (&mut file)
            .take(more)
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        let read = dicom::read_header(&bytes, &ReadOptions::default());
        let whole = (bytes.len() as u64) < limit;
        if whole || limit >= BYTES_MAX || is_settled(&read) {
            return read.map_err(|reason| reason.to_string());
        }
        limit = limit.saturating_mul(GROWTH).min(BYTES_MAX);
    }
}

/// Whether more bytes could not change what a record takes from the header.
fn is_settled(read: &Result<Header, NotTaken>) -> bool {
    match read {
        Ok(header) => {
            let facts = &header.facts;
            facts.pixels.as_ref().is_some_and(|pixels| pixels.present)
                || facts.findings.iter().all(|finding| match finding {
                    HeaderFinding::Cut { tag, .. } => {
                        tag.is_some_and(|tag| tag.group() > LAST_GROUP)
                    }
                    HeaderFinding::DeflateFault { .. } => false,
                    _ => true,
                })
        }
        Err(NotTaken::Cut { .. } | NotTaken::Unreadable { .. } | NotTaken::UidAbsent(_)) => false,
        Err(_) => true,
    }
}
