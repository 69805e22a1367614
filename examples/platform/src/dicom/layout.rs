//! Where the parts of a file are: preamble, file meta group, data set, and how the data set is
//! written. Files that keep the rules of PS3.10 are the easy case; the rest is sniffed.

use std::borrow::Cow;
use std::io::Read;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};

use super::element::{Encoding, head};
use super::finding::HeaderFinding;
use super::walk::DataSet;
use super::{INFLATED_BYTES_MAX, NotTaken};

/// The preamble before the letters `DICM` (PS3.10 7.1).
const PREAMBLE_BYTES: usize = 128;
/// The letters themselves.
const MAGIC: &[u8] = b"DICM";
/// Elements tried when it is asked whether bytes are a data set at all.
const SNIFFED_ELEMENTS: usize = 3;

/// A file taken apart.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    /// The file meta group; empty when there is none.
    pub(crate) meta: DataSet<'a>,
    /// The transfer syntax of the meta group, or the one sniffed.
    pub(crate) transfer_syntax: String,
    /// The data set, inflated when it was deflated.
    pub(crate) data: Cow<'a, [u8]>,
    /// Where the data set begins in the file; `None` when it was deflated.
    pub(crate) data_at: Option<usize>,
    pub(crate) encoding: Encoding,
    pub(crate) findings: Vec<HeaderFinding>,
}

impl<'a> Layout<'a> {
    /// Takes the file apart; inflates at most `inflated_max` bytes.
    pub(crate) fn find(bytes: &'a [u8], inflated_max: u64) -> Result<Self, NotTaken> {
        let mut findings = Vec::new();
        let meta_at = meta_begin(bytes, &mut findings)?;
        let (meta, data_at) = meta_group(bytes, meta_at, &mut findings);
        let declared = meta
            .get(tags::TRANSFER_SYNTAX_UID)
            .map(|element| uid_text(element.value))
            .filter(|uid| !uid.is_empty());
        let rest = bytes.get(data_at..).unwrap_or_default();
        if declared.as_deref().is_some_and(is_deflated) {
            return Ok(Self::inflate(
                meta,
                declared.unwrap_or_default(),
                rest,
                findings,
                inflated_max,
            ));
        }
        let sniffed = sniff(rest);
        let assumed = declared.as_deref().map(encoding_of);
        let encoding = match (assumed, sniffed) {
            (Some(assumed), Some(sniffed)) if assumed != sniffed => {
                findings.push(HeaderFinding::TransferSyntaxContradicted);
                sniffed
            }
            (Some(assumed), _) => assumed,
            (None, Some(sniffed)) => {
                if !meta.elements.is_empty() {
                    findings.push(HeaderFinding::TransferSyntaxMissing);
                }
                sniffed
            }
            // The default of the standard, where there is a meta group that should have said.
            (None, None) if !meta.elements.is_empty() => {
                findings.push(HeaderFinding::TransferSyntaxMissing);
                Encoding::IMPLICIT_LE
            }
            (None, None) => return Err(NotTaken::NotDicom),
        };
        Ok(Self {
            meta,
            transfer_syntax: declared.unwrap_or_else(|| plain_syntax(encoding).to_owned()),
            data: Cow::Borrowed(rest),
            data_at: Some(data_at),
            encoding,
            findings,
        })
    }

    fn inflate(
        meta: DataSet<'a>,
        transfer_syntax: String,
        rest: &'a [u8],
        mut findings: Vec<HeaderFinding>,
        inflated_max: u64,
    ) -> Self {
        let mut data = Vec::new();
        let limit = inflated_max.min(INFLATED_BYTES_MAX);
        let read = flate2::read::DeflateDecoder::new(rest)
            .take(limit)
            .read_to_end(&mut data);
        // What came out before the fault is kept; the walk says where it ends.
        if read.is_err() {
            findings.push(HeaderFinding::DeflateFault {
                inflated: data.len(),
            });
        } else if u64::try_from(data.len()) == Ok(limit) {
            findings.push(HeaderFinding::InflatedInPart { bytes: limit });
        }
        Self {
            meta,
            transfer_syntax,
            data: Cow::Owned(data),
            data_at: None,
            encoding: Encoding::EXPLICIT_LE,
            findings,
        }
    }
}

/// Where the meta group (or, without one, the data set) begins.
fn meta_begin(bytes: &[u8], findings: &mut Vec<HeaderFinding>) -> Result<usize, NotTaken> {
    if bytes.is_empty() {
        return Err(NotTaken::Empty);
    }
    let after_preamble = PREAMBLE_BYTES.saturating_add(MAGIC.len());
    if bytes.get(PREAMBLE_BYTES..after_preamble) == Some(MAGIC) {
        return Ok(after_preamble);
    }
    findings.push(HeaderFinding::PreambleMissing);
    if bytes.starts_with(MAGIC) {
        return Ok(MAGIC.len());
    }
    Ok(0)
}

/// Walks the elements of group 0002, which end by their group and not by the length they claim.
fn meta_group<'a>(
    bytes: &'a [u8],
    meta_at: usize,
    findings: &mut Vec<HeaderFinding>,
) -> (DataSet<'a>, usize) {
    let input = bytes.get(meta_at..).unwrap_or_default();
    // Always explicit little endian by the standard; a few writers use implicit here too.
    let encoding = match sniff_meta(input) {
        Some(encoding) => encoding,
        None => {
            findings.push(HeaderFinding::MetaGroupMissing);
            let (none, _) = DataSet::walk_while(&[], Encoding::EXPLICIT_LE, 0, |_| false);
            return (none, meta_at);
        }
    };
    let (meta, end) = DataSet::walk_while(input, encoding, 0, |tag| tag.group() == 0x0002);
    let group_length = meta
        .get(tags::FILE_META_INFORMATION_GROUP_LENGTH)
        .and_then(|element| {
            let value: [u8; 4] = element.value.try_into().ok()?;
            let after = element.value_at.checked_add(4)?;
            Some((u32::from_le_bytes(value), after))
        });
    if let Some((declared, after)) = group_length {
        let found = end.saturating_sub(after);
        if usize::try_from(declared) != Ok(found) {
            findings.push(HeaderFinding::MetaGroupLengthWrong { declared, found });
        }
    }
    (meta, meta_at.saturating_add(end))
}

fn sniff_meta(input: &[u8]) -> Option<Encoding> {
    if input.get(..2) != Some(&[0x02, 0x00]) {
        return None;
    }
    let letters = input.get(4..6)?;
    let explicit = VR::from_binary([*letters.first()?, *letters.get(1)?]).is_some();
    Some(if explicit {
        Encoding::EXPLICIT_LE
    } else {
        Encoding::IMPLICIT_LE
    })
}

/// Which encoding reads the first elements without contradiction.
fn sniff(input: &[u8]) -> Option<Encoding> {
    [
        Encoding::EXPLICIT_LE,
        Encoding::IMPLICIT_LE,
        Encoding::EXPLICIT_BE,
    ]
    .into_iter()
    .find(|encoding| is_plausible(input, *encoding))
}

/// Whether the first elements have growing tags of low groups and lengths that fit.
fn is_plausible(input: &[u8], encoding: Encoding) -> bool {
    let mut rest = input;
    let mut last = Tag(0, 0);
    for nth in 0..SNIFFED_ELEMENTS {
        let Ok((after, found)) = head(rest, encoding) else {
            return nth > 0 && rest.is_empty();
        };
        // The first group of every composite object is 0008; directories begin with 0004.
        let first_is_right = nth > 0 || (0x0004..=0x0010).contains(&found.tag.group());
        if found.bad_vr || found.tag <= last || !first_is_right {
            return false;
        }
        let Some(length) = found.length else {
            return true;
        };
        let next = usize::try_from(length)
            .ok()
            .and_then(|length| after.get(length..));
        match next {
            Some(next) => rest = next,
            // The file is cut inside a value: one whole element before it must do.
            None => return nth > 0,
        }
        last = found.tag;
    }
    true
}

/// The encoding a transfer syntax declares (PS3.5 annex A): all but two are explicit little endian.
fn encoding_of(transfer_syntax: &str) -> Encoding {
    match transfer_syntax {
        uids::IMPLICIT_VR_LITTLE_ENDIAN => Encoding::IMPLICIT_LE,
        EXPLICIT_BIG_ENDIAN => Encoding::EXPLICIT_BE,
        _ => Encoding::EXPLICIT_LE,
    }
}

/// Explicit VR big endian, retired in 2016 and still in archives.
const EXPLICIT_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

fn plain_syntax(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::IMPLICIT_LE => uids::IMPLICIT_VR_LITTLE_ENDIAN,
        Encoding::EXPLICIT_BE => EXPLICIT_BIG_ENDIAN,
        _ => uids::EXPLICIT_VR_LITTLE_ENDIAN,
    }
}

/// Whether the whole data set is deflated (not the pixels alone).
fn is_deflated(transfer_syntax: &str) -> bool {
    matches!(
        transfer_syntax,
        uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
            | uids::JPIP_REFERENCED_DEFLATE
            | "1.2.840.10008.1.2.4.205"
    )
}

/// The text of a UI value: padding removed, anything that is no ASCII replaced.
pub(crate) fn uid_text(value: &[u8]) -> String {
    let end = value
        .iter()
        .rposition(|byte| !matches!(byte, 0 | b' '))
        .map_or(0, |last| last.saturating_add(1));
    let text = value.get(..end).unwrap_or_default();
    String::from_utf8_lossy(text).trim().to_owned()
}
