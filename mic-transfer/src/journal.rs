//! The receiver's journal: append-only records, each with its CRC-32C (`spec/transfer.md` section 7).
//!
//! Replay takes the longest valid beginning; a torn tail behind it is cut. Where valid records follow
//! an invalid one the journal is damaged, not torn: then nothing it says is believed before it is
//! hashed again.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use nom::Parser;
use nom::bytes::complete::take;
use nom::number::complete::{le_u8, le_u16, le_u32};

use crate::crc::crc32c;
use crate::limits::MANIFEST_BYTES_MAX;
use crate::receipt::Receipt;
use crate::sign::Signature;
use crate::tree::Leaves;
use crate::{Manifest, RangeSet, Run, SignedManifest};

/// Bytes before a record's body: CRC, length, sequence number, kind.
const HEAD_BYTES: usize = 13;
/// The largest body: a manifest with its signature.
const BODY_BYTES_MAX: usize = MANIFEST_BYTES_MAX + 4096;

/// Records that damage may have taken before the next valid one; the sequence number of anything
/// further away is taken for chance.
const SKIPPED_RECORDS_MAX: u32 = 1 << 20;

const OPEN: u8 = 1;
const LEAVES: u8 = 2;
const HAVE: u8 = 3;
const HELD: u8 = 4;
const MARK: u8 = 5;
const COMMIT: u8 = 6;
const RECEIPT: u8 = 7;
const COUNTERSIGN: u8 = 8;
const LOST: u8 = 9;
const SYNCED: u8 = 10;
const FILLED: u8 = 11;

/// What a journal is told.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The study being received; the first record and only there.
    Open(SignedManifest),
    /// The leaves of an instance.
    Leaves(u32, Leaves),
    /// Verified chunks that came over the line were written.
    Have(Run),
    /// Verified chunks that were held elsewhere were copied.
    Held(Run),
    /// A verified chunk was written, partly from the line and partly from pieces of other studies.
    Filled {
        /// Its number in the study.
        chunk: u32,
        /// Bytes of it that were here.
        local: u32,
    },
    /// Chunks noted before were found wrong after a crash: they are not here.
    Lost(Run),
    /// All written before is synced.
    Mark,
    /// All written before the record of this number is synced: what was noted since is not.
    Synced(u32),
    /// The study is complete.
    Commit,
    /// The receipt issued, with its signature.
    Receipt(Receipt, Option<Signature>),
    /// The source's answer to the receipt.
    Countersign(Option<Signature>),
}

/// The bytes of a record.
///
/// ```
/// use mic_transfer::journal::{Record, encode, replay};
/// let bytes = encode(0, &Record::Mark);
/// // A journal opens with the study; anything else is no journal.
/// assert_eq!(replay(&bytes).valid_bytes(), 0);
/// ```
#[must_use]
pub fn encode(sequence: u32, record: &Record) -> Vec<u8> {
    let (kind, body) = match record {
        Record::Open(signed) => {
            let mut body = Vec::with_capacity(signed.manifest().encoded().len() + 256);
            put_signature(&mut body, signed.signature());
            body.extend_from_slice(signed.manifest().encoded());
            (OPEN, body)
        }
        Record::Leaves(instance, leaves) => {
            let mut body = instance.to_le_bytes().to_vec();
            leaves
                .values()
                .iter()
                .for_each(|leaf| body.extend_from_slice(leaf));
            (LEAVES, body)
        }
        Record::Have(run) => (HAVE, run_bytes(*run)),
        Record::Held(run) => (HELD, run_bytes(*run)),
        Record::Filled { chunk, local } => {
            let body = [chunk.to_le_bytes(), local.to_le_bytes()].concat();
            (FILLED, body)
        }
        Record::Lost(run) => (LOST, run_bytes(*run)),
        Record::Mark => (MARK, Vec::new()),
        Record::Synced(before) => (SYNCED, before.to_le_bytes().to_vec()),
        Record::Commit => (COMMIT, Vec::new()),
        Record::Receipt(receipt, signature) => {
            let mut body = Vec::new();
            put_signature(&mut body, signature.as_ref());
            body.extend_from_slice(&receipt.encode());
            (RECEIPT, body)
        }
        Record::Countersign(signature) => {
            let mut body = Vec::new();
            put_signature(&mut body, signature.as_ref());
            (COUNTERSIGN, body)
        }
    };
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    let rest = [&length[..], &sequence.to_le_bytes(), &[kind], &body].concat();
    [&crc32c(&[&rest]).to_le_bytes()[..], &rest].concat()
}

fn run_bytes(run: Run) -> Vec<u8> {
    [run.first().to_le_bytes(), run.count().to_le_bytes()].concat()
}

fn put_signature(out: &mut Vec<u8>, signature: Option<&Signature>) {
    let (suite, key_id, bytes) = match signature {
        Some(signature) => (
            signature.suite().as_bytes(),
            signature.key_id(),
            signature.bytes(),
        ),
        None => (&[][..], &[][..], &[][..]),
    };
    for part in [suite, key_id, bytes] {
        out.extend_from_slice(&u16::try_from(part.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend_from_slice(part);
    }
}

/// What a journal says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    pub(crate) signed: Option<SignedManifest>,
    pub(crate) leaves: BTreeMap<u32, Leaves>,
    /// Verified and synced before a mark.
    pub(crate) marked: RangeSet,
    /// Verified and written after the last mark: to be hashed again before they are believed.
    pub(crate) unmarked: RangeSet,
    /// The same by the number of the record that notes them.
    noted: Vec<(u32, Run)>,
    /// Those of both that were copied from elsewhere.
    pub(crate) held: RangeSet,
    /// Bytes that were here of those that were filled.
    pub(crate) filled: BTreeMap<u32, u32>,
    pub(crate) committed: bool,
    pub(crate) receipt: Option<(Receipt, Option<Signature>)>,
    pub(crate) countersigned: Option<Option<Signature>>,
    pub(crate) valid_bytes: u64,
    pub(crate) next_sequence: u32,
    pub(crate) holes: u32,
}

impl Replay {
    /// Bytes of the valid beginning.
    #[must_use]
    pub const fn valid_bytes(&self) -> u64 {
        self.valid_bytes
    }

    /// The study, if the journal opens with one.
    #[must_use]
    pub const fn signed(&self) -> Option<&SignedManifest> {
        self.signed.as_ref()
    }

    /// Places where invalid bytes are followed by valid records: the file was damaged, not torn
    /// (XFR-57). What was read is then all in [`Replay::unmarked`].
    #[must_use]
    pub const fn holes(&self) -> u32 {
        self.holes
    }

    /// Whether the study is complete.
    #[must_use]
    pub const fn is_committed(&self) -> bool {
        self.committed
    }

    /// Chunks that may be believed at once.
    #[must_use]
    pub const fn marked(&self) -> &RangeSet {
        &self.marked
    }

    /// Chunks to be hashed again.
    #[must_use]
    pub const fn unmarked(&self) -> &RangeSet {
        &self.unmarked
    }

    /// Takes a record in; `None` where it makes no sense there, which ends the valid beginning.
    fn take(&mut self, kind: u8, body: &[u8]) -> Option<()> {
        match (kind, &self.signed) {
            (OPEN, None) => {
                let (rest, signature) = signature(body)?;
                let manifest = Manifest::decode(rest).ok()?;
                self.signed = Some(SignedManifest::new(manifest, signature));
            }
            (LEAVES, Some(signed)) if !self.committed => {
                let (values, number) = le_u32::<_, nom::error::Error<&[u8]>>(body).ok()?;
                let instance = signed.manifest().instances().get(number as usize)?;
                let values = values
                    .chunks(32)
                    .map(TryInto::try_into)
                    .collect::<Result<_, _>>();
                let leaves =
                    Leaves::check(*instance.digest(), instance.length(), values.ok()?).ok()?;
                self.leaves.insert(number, leaves);
            }
            (HAVE | HELD | LOST | FILLED, Some(signed)) if !self.committed => {
                let grammar = (le_u32::<_, nom::error::Error<&[u8]>>, le_u32);
                let (rest, (first, second)) = { grammar }.parse(body).ok()?;
                let count = if kind == FILLED { 1 } else { second };
                let run = Run::new(first, count)?;
                if !rest.is_empty() || run.end() > signed.manifest().chunks_total() {
                    return None;
                }
                if kind == FILLED {
                    let length = signed.manifest().place(first)?.length();
                    if second == 0 || second >= length {
                        return None;
                    }
                }
                self.held.remove(run);
                let filled = self.filled.range(run.first()..run.end());
                let again: Vec<u32> = filled.map(|(chunk, _)| *chunk).collect();
                for chunk in again {
                    self.filled.remove(&chunk);
                }
                if kind == LOST {
                    self.lose(run);
                    return Some(());
                }
                self.unmarked.insert(run);
                self.noted.push((self.next_sequence, run));
                if kind == HELD {
                    self.held.insert(run);
                }
                if kind == FILLED {
                    self.filled.insert(first, second);
                }
            }
            (MARK, Some(_)) if body.is_empty() => {
                let runs: Vec<Run> = self.unmarked.runs().collect();
                runs.into_iter().for_each(|run| self.marked.insert(run));
                self.unmarked = RangeSet::new();
                self.noted = Vec::new();
            }
            (SYNCED, Some(_)) if !self.committed => {
                let before = u32::from_le_bytes(body.try_into().ok()?);
                if before > self.next_sequence {
                    return None;
                }
                let synced = self.noted.partition_point(|(number, _)| *number < before);
                for (_, run) in self.noted.drain(..synced) {
                    self.unmarked.remove(run);
                    self.marked.insert(run);
                }
                // Noted again since, and not synced since.
                let again: Vec<Run> = self.noted.iter().map(|(_, run)| *run).collect();
                for run in again {
                    self.marked.remove(run);
                    self.unmarked.insert(run);
                }
            }
            (COMMIT, Some(signed)) if body.is_empty() => {
                if self.marked.len() != u64::from(signed.manifest().chunks_total()) {
                    return None;
                }
                self.committed = true;
            }
            (RECEIPT, Some(_)) if self.committed => {
                let (rest, signature) = signature(body)?;
                self.receipt = Some((Receipt::decode(rest).ok()?, signature));
            }
            (COUNTERSIGN, Some(_)) if self.receipt.is_some() => {
                let (rest, signature) = signature(body)?;
                if !rest.is_empty() {
                    return None;
                }
                self.countersigned = Some(signature);
            }
            _ => return None,
        }
        Some(())
    }

    /// What was noted before is not here.
    fn lose(&mut self, lost: Run) {
        self.marked.remove(lost);
        self.unmarked.remove(lost);
        let noted = core::mem::take(&mut self.noted);
        for (number, run) in noted {
            let mut left = RangeSet::new();
            left.insert(run);
            left.remove(lost);
            self.noted.extend(left.runs().map(|run| (number, run)));
        }
    }
}

/// Reads a journal as far as it is valid; behind damage, whatever valid records are left (XFR-57).
#[must_use]
pub fn replay(bytes: &[u8]) -> Replay {
    let mut replay = Replay::default();
    let mut rest = bytes;
    while let Some((after, kind, body)) = record(rest, replay.next_sequence) {
        if replay.take(kind, body).is_none() {
            break;
        }
        replay.valid_bytes = bytes.len().saturating_sub(after.len()) as u64;
        replay.next_sequence = replay.next_sequence.saturating_add(1);
        rest = after;
    }
    if replay.signed.is_some() {
        replay.salvage(rest);
    }
    replay
}

impl Replay {
    /// Takes what is valid behind invalid bytes.
    fn salvage(&mut self, mut rest: &[u8]) {
        let mut sequence = self.next_sequence;
        let mut in_hole = true;
        while !rest.is_empty() {
            let found = following(rest, sequence);
            let Some((after, found, kind, body)) = found else {
                in_hole = true;
                rest = rest.get(1..).unwrap_or(&[]);
                continue;
            };
            if in_hole {
                self.holes = self.holes.saturating_add(1);
                in_hole = false;
            }
            self.doubt(kind, body);
            sequence = found.saturating_add(1);
            rest = after;
        }
        if self.holes > 0 {
            // A Lost may be among what is missing: nothing is believed before it is hashed.
            let marked = core::mem::take(&mut self.marked);
            marked.runs().for_each(|run| self.unmarked.insert(run));
            self.noted = Vec::new();
            self.committed = false;
            self.next_sequence = sequence;
        }
    }

    /// Takes a record from behind a hole: only what can be checked by itself, or will be hashed.
    fn doubt(&mut self, kind: u8, body: &[u8]) {
        let Some(root) = self.signed.as_ref().map(|signed| *signed.manifest().root()) else {
            return;
        };
        match kind {
            LEAVES | HAVE | HELD | FILLED => {
                // Chunks noted behind a Commit that was read: the order is lost, the bytes are not.
                let committed = core::mem::take(&mut self.committed);
                let _ = self.take(kind, body);
                self.committed = committed;
            }
            RECEIPT => {
                let read = signature(body)
                    .and_then(|(rest, signed)| Some((Receipt::decode(rest).ok()?, signed)));
                self.receipt = read
                    .filter(|(receipt, _)| *receipt.root() == root)
                    .or(self.receipt.take());
            }
            COUNTERSIGN if self.receipt.is_some() => {
                if let Some(([], signature)) = signature(body) {
                    self.countersigned = Some(signature);
                }
            }
            _ => {}
        }
    }
}

/// A valid record whose number is `least` or as much higher as the bytes before it can hold.
fn following(bytes: &[u8], least: u32) -> Option<(&[u8], u32, u8, &[u8])> {
    let number = bytes.get(8..12)?.try_into().ok()?;
    let number = u32::from_le_bytes(number);
    let kind = *bytes.get(12)?;
    let ahead = number.checked_sub(least)?;
    if ahead > SKIPPED_RECORDS_MAX || !(LEAVES..=FILLED).contains(&kind) {
        return None;
    }
    let (after, kind, body) = record(bytes, number)?;
    Some((after, number, kind, body))
}

fn record(bytes: &[u8], sequence: u32) -> Option<(&[u8], u8, &[u8])> {
    let grammar = (le_u32::<_, nom::error::Error<&[u8]>>, le_u32, le_u32, le_u8);
    let (rest, (crc, length, found, kind)) = { grammar }.parse(bytes).ok()?;
    let length = usize::try_from(length).ok()?;
    if found != sequence || length > BODY_BYTES_MAX {
        return None;
    }
    let (after, body) = take::<_, _, nom::error::Error<&[u8]>>(length)
        .parse(rest)
        .ok()?;
    let checked = bytes.get(4..HEAD_BYTES.checked_add(length)?)?;
    (crc32c(&[checked]) == crc).then_some((after, kind, body))
}

/// The rest and the signature; `None` is a fault.
fn signature(bytes: &[u8]) -> Option<(&[u8], Option<Signature>)> {
    let part = || nom::multi::length_data(le_u16::<&[u8], nom::error::Error<&[u8]>>);
    let (rest, (suite, key_id, value)) = (part(), part(), part()).parse(bytes).ok()?;
    if suite.is_empty() && key_id.is_empty() && value.is_empty() {
        return Some((rest, None));
    }
    let suite = String::from_utf8(suite.to_vec()).ok()?;
    Some((
        rest,
        Some(Signature::new(&suite, key_id.to_vec(), value.to_vec()).ok()?),
    ))
}
