//! The canonical bytes of a manifest (`spec/transfer.md` section 3).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use nom::bytes::complete::take;
use nom::number::complete::{le_u8, le_u16, le_u32, le_u64};
use nom::{IResult, Parser};

use super::{
    Added, Instance, InstanceError, Manifest, ManifestBuilder, ManifestError, ManifestHead, Pieces,
    PiecesError, PixelRange,
};
use crate::limits::{MANIFEST_BYTES_MAX, PIECES_MAX};
use crate::{Digest, Sm3Digest, Uid, UidError};

/// The first bytes of a manifest: four letters and the version.
pub(super) const MAGIC: &[u8] = b"MICM\x01";
/// The context of the study root (XFR-10): no other BLAKE3 value can be taken for one.
const ROOT_CONTEXT: &str = "mic-transfer 2026-11 study root v1";
const KEY_IMAGE: u8 = 1;
const RANK: u8 = 2;
const PIXELS: u8 = 4;
const SM3: u8 = 8;
const PIECES: u8 = 16;

/// The forms of the places of pieces.
const EVEN: u8 = 0;
const LISTED: u8 = 1;

pub(super) fn root_of(head: &[u8]) -> Digest {
    Digest::from_bytes(blake3::derive_key(ROOT_CONTEXT, head))
}

/// The body: tables of labels, and the instances.
pub(super) fn encode(instances: &[Instance]) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + instances.len() * 112);
    let series = Labels::of(instances.iter().map(Instance::series));
    let classes = Labels::of(instances.iter().map(Instance::sop_class));
    let syntaxes = Labels::of(instances.iter().map(Instance::transfer_syntax));
    for labels in [&series, &classes, &syntaxes] {
        out.extend_from_slice(
            &u16::try_from(labels.list.len())
                .unwrap_or(u16::MAX)
                .to_le_bytes(),
        );
        labels.list.iter().for_each(|uid| put_uid(&mut out, uid));
    }
    for instance in instances {
        for number in [
            series.number(instance.series()),
            classes.number(instance.sop_class()),
            syntaxes.number(instance.transfer_syntax()),
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        let flags = [
            (instance.is_key_image(), KEY_IMAGE),
            (instance.rank().is_some(), RANK),
            (instance.pixels().is_some(), PIXELS),
            (instance.sm3().is_some(), SM3),
            (instance.pieces().is_some(), PIECES),
        ];
        let flags = flags.iter().filter(|(set, _)| *set);
        let flags = flags.fold(0, |flags, (_, flag)| flags | flag);
        out.push(flags);
        put_uid(&mut out, instance.sop_instance());
        out.extend_from_slice(&instance.length().to_le_bytes());
        out.extend_from_slice(instance.digest().as_bytes());
        if let Some(rank) = instance.rank() {
            out.extend_from_slice(&rank.to_le_bytes());
        }
        if let Some(pixels) = instance.pixels() {
            out.extend_from_slice(&pixels.offset().to_le_bytes());
            out.extend_from_slice(&pixels.length().to_le_bytes());
        }
        if let Some(sm3) = instance.sm3() {
            out.extend_from_slice(sm3.as_bytes());
        }
        if let (Some(pieces), Some(pixels)) = (instance.pieces(), instance.pixels()) {
            put_pieces(&mut out, pieces, pixels);
        }
    }
    out
}

/// Count, form and places, then the digests.
fn put_pieces(out: &mut Vec<u8>, pieces: &Pieces, pixels: PixelRange) {
    let mut at = pixels.offset();
    let skip = |to: u64, at: u64| u32::try_from(to.saturating_sub(at)).unwrap_or(u32::MAX);
    out.extend_from_slice(&pieces.count().to_le_bytes());
    if let Some(length) = pieces.even_length() {
        out.push(EVEN);
        out.extend_from_slice(&pieces.offset().saturating_sub(at).to_le_bytes());
        out.extend_from_slice(&length.to_le_bytes());
    } else {
        out.push(LISTED);
        for (range, _) in pieces.iter() {
            out.extend_from_slice(&skip(range.offset(), at).to_le_bytes());
            out.extend_from_slice(&skip(range.end(), range.offset()).to_le_bytes());
            at = range.end();
        }
    }
    for (_, digest) in pieces.iter() {
        out.extend_from_slice(digest.as_bytes());
    }
}

pub(super) fn put_uid(out: &mut Vec<u8>, uid: &Uid) {
    out.push(u8::try_from(uid.as_str().len()).unwrap_or(u8::MAX));
    out.extend_from_slice(uid.as_str().as_bytes());
}

/// Identifiers numbered in order of their first use.
struct Labels<'a> {
    list: Vec<&'a Uid>,
    numbers: BTreeMap<&'a Uid, u16>,
}

impl<'a> Labels<'a> {
    fn of(uids: impl Iterator<Item = &'a Uid>) -> Self {
        let mut labels = Self {
            list: Vec::new(),
            numbers: BTreeMap::new(),
        };
        for uid in uids {
            let next = u16::try_from(labels.list.len()).unwrap_or(u16::MAX);
            labels.numbers.entry(uid).or_insert_with(|| {
                labels.list.push(uid);
                next
            });
        }
        labels
    }

    fn number(&self, uid: &Uid) -> u16 {
        self.numbers.get(uid).copied().unwrap_or(u16::MAX)
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<Manifest, ManifestFault> {
    if bytes.len() > MANIFEST_BYTES_MAX {
        return Err(ManifestFault {
            at: 0,
            kind: ManifestFaultKind::TooLong,
        });
    }
    let mut reader = Reader {
        all: bytes,
        rest: bytes,
    };
    let (head, head_bytes) = ManifestHead::read(bytes)?;
    let body = bytes.get(head_bytes..).unwrap_or(&[]);
    reader.rest = body;
    if body.len() < head.body_bytes() as usize {
        return Err(ManifestFault::new(bytes.len(), ManifestFaultKind::Cut));
    }
    if body.len() > head.body_bytes() as usize {
        let end = head_bytes + head.body_bytes() as usize;
        return Err(ManifestFault::new(end, ManifestFaultKind::Trailing));
    }
    if Digest::of(body) != *head.body() {
        return Err(ManifestFault::new(head_bytes, ManifestFaultKind::Body));
    }
    let study = head.study().clone();
    let tables = [reader.labels()?, reader.labels()?, reader.labels()?];
    let count = head.instances();
    let mut builder = ManifestBuilder::new(study);
    let mut seen = [0_usize; 3];
    for _ in 0..count {
        let at = reader.at();
        let instance = reader.instance(&tables, &mut seen)?;
        match builder.push(instance) {
            Ok(Added::New(_) | Added::Variant { .. }) => {}
            Ok(Added::Duplicate(_)) => {
                return Err(ManifestFault {
                    at,
                    kind: ManifestFaultKind::Duplicate,
                });
            }
            Err(error) => {
                return Err(ManifestFault {
                    at,
                    kind: ManifestFaultKind::Rule(error),
                });
            }
        }
    }
    let at = reader.at();
    if !reader.rest.is_empty() {
        return Err(ManifestFault {
            at,
            kind: ManifestFaultKind::Trailing,
        });
    }
    if seen
        .iter()
        .zip(&tables)
        .any(|(used, table)| *used != table.len())
    {
        return Err(ManifestFault {
            at,
            kind: ManifestFaultKind::UnusedLabel,
        });
    }
    let manifest = builder.build().map_err(|error| ManifestFault {
        at,
        kind: ManifestFaultKind::Rule(error),
    })?;
    // One form for one value: totals and first images follow from the instances.
    if *manifest.head() == head {
        Ok(manifest)
    } else {
        Err(ManifestFault::new(0, ManifestFaultKind::First))
    }
}

/// An identifier as it stands in the bytes.
pub(super) fn uid_of(bytes: &[u8]) -> Result<Uid, ManifestFaultKind> {
    let text = core::str::from_utf8(bytes).map_err(|error| {
        ManifestFaultKind::Uid(UidError::Character {
            at: error.valid_up_to(),
        })
    })?;
    Uid::new(text).map_err(ManifestFaultKind::Uid)
}

struct Reader<'a> {
    all: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    const fn at(&self) -> usize {
        self.all.len() - self.rest.len()
    }

    fn fail<T>(&self, kind: ManifestFaultKind) -> Result<T, ManifestFault> {
        Err(ManifestFault {
            at: self.at(),
            kind,
        })
    }

    fn read<O>(
        &mut self,
        mut grammar: impl Parser<&'a [u8], Output = O, Error = nom::error::Error<&'a [u8]>>,
        kind: ManifestFaultKind,
    ) -> Result<O, ManifestFault> {
        let outcome: IResult<&'a [u8], O> = grammar.parse(self.rest);
        match outcome {
            Ok((rest, value)) => {
                self.rest = rest;
                Ok(value)
            }
            Err(_) => self.fail(kind),
        }
    }

    fn number<O>(
        &mut self,
        grammar: impl Fn(&'a [u8]) -> IResult<&'a [u8], O>,
    ) -> Result<O, ManifestFault> {
        self.read(grammar, ManifestFaultKind::Cut)
    }

    fn uid(&mut self) -> Result<Uid, ManifestFault> {
        let at = self.at();
        let length = self.number(le_u8)?;
        let bytes = self.read(take(length), ManifestFaultKind::Cut)?;
        let fault = |kind| ManifestFault { at, kind };
        uid_of(bytes).map_err(fault)
    }

    fn labels(&mut self) -> Result<Vec<Uid>, ManifestFault> {
        let count = self.number(le_u16)?;
        let mut list = Vec::new();
        let mut known = alloc::collections::BTreeSet::new();
        for _ in 0..count {
            let at = self.at();
            let uid = self.uid()?;
            if !known.insert(uid.clone()) {
                return Err(ManifestFault {
                    at,
                    kind: ManifestFaultKind::RepeatedLabel,
                });
            }
            list.push(uid);
        }
        Ok(list)
    }

    /// A label by its number; numbers rise by one at each first use, so the bytes are unique.
    fn label(&mut self, table: &[Uid], seen: &mut usize) -> Result<Uid, ManifestFault> {
        let at = self.at();
        let number = usize::from(self.number(le_u16)?);
        let fault = ManifestFault {
            at,
            kind: ManifestFaultKind::LabelNumber,
        };
        if number > *seen {
            return Err(fault);
        }
        if number == *seen {
            *seen += 1;
        }
        table.get(number).cloned().ok_or(fault)
    }

    fn instance(
        &mut self,
        [series, classes, syntaxes]: &[Vec<Uid>; 3],
        [series_seen, classes_seen, syntaxes_seen]: &mut [usize; 3],
    ) -> Result<Instance, ManifestFault> {
        let start = self.at();
        let series = self.label(series, series_seen)?;
        let class = self.label(classes, classes_seen)?;
        let syntax = self.label(syntaxes, syntaxes_seen)?;
        let flags_at = self.at();
        let flags = self.number(le_u8)?;
        let pieces_alone = flags & (PIECES | PIXELS) == PIECES;
        if flags & !(KEY_IMAGE | RANK | PIXELS | SM3 | PIECES) != 0 || pieces_alone {
            return Err(ManifestFault {
                at: flags_at,
                kind: ManifestFaultKind::Flags,
            });
        }
        let sop_instance = self.uid()?;
        let length = self.number(le_u64)?;
        let digest = self.read(take(32_usize), ManifestFaultKind::Cut)?;
        let digest = <[u8; 32]>::try_from(digest)
            .map(Digest::from_bytes)
            .map_err(|_| ManifestFault {
                at: start,
                kind: ManifestFaultKind::Cut,
            })?;
        let rule = |error| ManifestFault {
            at: start,
            kind: ManifestFaultKind::Instance(error),
        };
        let mut instance =
            Instance::new(class, sop_instance, series, syntax, length, digest).map_err(rule)?;
        instance = instance.with_key_image(flags & KEY_IMAGE != 0);
        if flags & RANK != 0 {
            instance = instance.with_rank(self.number(le_u32)?);
        }
        if flags & PIXELS != 0 {
            let at = self.at();
            let (offset, length) = (self.number(le_u64)?, self.number(le_u64)?);
            let pixels = PixelRange::new(offset, length).ok_or(ManifestFault {
                at,
                kind: ManifestFaultKind::PixelRange,
            })?;
            instance = instance.with_pixels(pixels).map_err(rule)?;
        }
        if flags & SM3 != 0 {
            let sm3 = self.read(take(32_usize), ManifestFaultKind::Cut)?;
            let sm3 = sm3.try_into().unwrap_or([0; 32]);
            instance = instance.with_sm3(Sm3Digest::from_bytes(sm3));
        }
        if let (true, Some(pixels)) = (flags & PIECES != 0, instance.pixels()) {
            let pieces = self.pieces(pixels)?;
            instance = instance.with_pieces(pieces).map_err(rule)?;
        }
        Ok(instance)
    }

    fn pieces(&mut self, pixels: PixelRange) -> Result<Pieces, ManifestFault> {
        let start = self.at();
        let fault = |error| ManifestFault::new(start, ManifestFaultKind::Pieces(error));
        let count = self.number(le_u32)? as usize;
        if count == 0 || count > PIECES_MAX {
            return Err(fault(PiecesError::Count));
        }
        let form_at = self.at();
        match self.number(le_u8)? {
            EVEN => {
                let (skip, length) = (self.number(le_u64)?, self.number(le_u64)?);
                let offset = pixels.offset().checked_add(skip);
                let first = offset.and_then(|offset| PixelRange::new(offset, length));
                let first = first.ok_or(fault(PiecesError::Order))?;
                Pieces::even(first, self.digests(count)?).map_err(fault)
            }
            LISTED => {
                let mut at = pixels.offset();
                let mut ranges = Vec::new();
                for _ in 0..count {
                    let (skip, length) = (self.number(le_u32)?, self.number(le_u32)?);
                    let offset = at.checked_add(u64::from(skip));
                    let range = offset
                        .and_then(|offset| PixelRange::new(offset, u64::from(length)))
                        .ok_or(fault(PiecesError::Order))?;
                    at = range.end();
                    ranges.push(range);
                }
                let digests = self.digests(count)?;
                let pieces = Pieces::new(ranges.into_iter().zip(digests)).map_err(fault)?;
                // One form for one value.
                if pieces.even_length().is_some() {
                    return Err(ManifestFault::new(form_at, ManifestFaultKind::PieceForm));
                }
                Ok(pieces)
            }
            _ => Err(ManifestFault::new(form_at, ManifestFaultKind::PieceForm)),
        }
    }

    /// What a count claims is not allocated before its bytes are seen.
    fn digests(&mut self, count: usize) -> Result<Vec<Digest>, ManifestFault> {
        let bytes = self.read(take(count.saturating_mul(32)), ManifestFaultKind::Cut)?;
        let digests = bytes.chunks_exact(32);
        let digests = digests.filter_map(|bytes| Some(Digest::from_bytes(bytes.try_into().ok()?)));
        Ok(digests.collect())
    }
}

/// What is wrong with a manifest's bytes, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("manifest: {kind} at byte {at}")]
pub struct ManifestFault {
    at: usize,
    kind: ManifestFaultKind,
}

impl ManifestFault {
    pub(super) const fn new(at: usize, kind: ManifestFaultKind) -> Self {
        Self { at, kind }
    }

    /// Offset of the field at fault.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// What was expected there.
    #[must_use]
    pub const fn kind(&self) -> ManifestFaultKind {
        self.kind
    }
}

/// The ways in which a manifest's bytes are wrong.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFaultKind {
    /// More than [`MANIFEST_BYTES_MAX`].
    #[error("expected at most 33554432 bytes, found more")]
    TooLong,
    /// Not the letters and version of a manifest.
    #[error("expected the letters MICM and version 1, found others")]
    Magic,
    /// The bytes end too early.
    #[error("expected more bytes, found the end")]
    Cut,
    /// The rest does not have the digest that the head names.
    #[error("expected the rest of the head's digest, found another")]
    Body,
    /// Totals or first images that do not follow from the instances, or too many.
    #[error("expected the totals and first images of the instances, found others")]
    First,
    /// A wrong identifier.
    #[error("identifier: {0}")]
    Uid(UidError),
    /// The same label twice in a table.
    #[error("expected each label once, found one again")]
    RepeatedLabel,
    /// A label that no instance uses.
    #[error("expected every label to be used, found one that is not")]
    UnusedLabel,
    /// Not a number of the table, or out of the order of first use.
    #[error("expected label numbers in order of first use, found another")]
    LabelNumber,
    /// No instances, or too many.
    #[error("expected 1 to 131072 instances, found {found}")]
    InstanceCount {
        /// Instances announced.
        found: u32,
    },
    /// A flag without a meaning.
    #[error("expected the flags 1, 2, 4, 8 and, beside 4, 16 only, found others")]
    Flags,
    /// An empty range, or one that passes 2^64.
    #[error("expected a range of pixel data with at least one byte, found another")]
    PixelRange,
    /// Pieces that break a rule of theirs.
    #[error("pieces: {0}")]
    Pieces(PiecesError),
    /// A form of pieces that is unknown, or that is not the one for these.
    #[error("expected the form 0 for pieces that touch and are alike, else 1, found another")]
    PieceForm,
    /// The same bytes twice.
    #[error("expected each instance once, found its digest again")]
    Duplicate,
    /// An instance breaks a rule of its own.
    #[error("instance: {0}")]
    Instance(InstanceError),
    /// The instances break a rule together.
    #[error("{0}")]
    Rule(ManifestError),
    /// Bytes after the last instance.
    #[error("expected the end, found more bytes")]
    Trailing,
}
