//! Pixels that complete studies here hold, by the digests of their pieces (XFR-74, XFR-75).
//!
//! What is found is read and hashed when a study is opened, and read again when a chunk is filled: another
//! study may be damaged or removed at any time between, and then its piece is simply not held.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::entry::Entry;
use super::{Store, damaged, one};
use crate::journal::Record;
use crate::limits::{CHUNK_BYTES, KNOWN_PIECES_MAX, RUNS_MAX};
use crate::storage::{FileId, Storage, StorageError};
use crate::{ChunkPlace, Digest, Instant, Manifest, PixelRange, RangeSet, Run};

/// Places that are tried for one piece: copies of one pixel value are few, and damaged ones fewer.
const PLACES_MAX: usize = 4;
/// Places looked at whose digests begin alike: a manifest can say of its pieces what it likes.
const SAME_PREFIX_MAX: usize = 64;

/// The first bytes of a piece's digest, the study's number, instance, piece.
type Place = (u64, u32, u32, u32);

/// Which complete study has which piece.
#[derive(Debug, Default)]
pub(super) struct PieceIndex {
    places: BTreeSet<Place>,
    /// By number, in the order in which they came: the oldest goes first.
    studies: BTreeMap<u32, Manifest>,
    numbers: BTreeMap<Digest, u32>,
    next: u32,
}

impl PieceIndex {
    /// A study is complete. The oldest ones are forgotten where there are too many pieces.
    pub(super) fn add(&mut self, manifest: &Manifest) {
        self.add_within(manifest, KNOWN_PIECES_MAX);
    }

    fn add_within(&mut self, manifest: &Manifest, most: usize) {
        let number = self.next;
        let places: Vec<Place> = places_of(number, manifest).collect();
        if places.is_empty() || self.numbers.contains_key(manifest.root()) {
            return;
        }
        self.next = number.saturating_add(1);
        while self.places.len().saturating_add(places.len()) > most {
            let Some((number, oldest)) = self.studies.pop_first() else {
                return;
            };
            self.numbers.remove(oldest.root());
            self.drop_places(number, &oldest);
        }
        self.places.extend(places);
        self.numbers.insert(*manifest.root(), number);
        self.studies.insert(number, manifest.clone());
    }

    /// A study is gone.
    pub(super) fn remove(&mut self, root: &Digest) {
        let Some(number) = self.numbers.remove(root) else {
            return;
        };
        if let Some(manifest) = self.studies.remove(&number) {
            self.drop_places(number, &manifest);
        }
    }

    fn drop_places(&mut self, number: u32, manifest: &Manifest) {
        for place in places_of(number, manifest) {
            self.places.remove(&place);
        }
    }

    /// Studies with this piece and where in their packs it lies, the latest first.
    fn find(&self, digest: &Digest, length: u64) -> impl Iterator<Item = (Digest, u64)> + '_ {
        let (digest, prefix) = (*digest, prefix_of(digest));
        let places = self
            .places
            .range((prefix, 0, 0, 0)..=(prefix, u32::MAX, u32::MAX, u32::MAX));
        places
            .rev()
            .take(SAME_PREFIX_MAX)
            .filter_map(move |(_, study, instance, piece)| {
                let manifest = self.studies.get(study)?;
                let pieces = manifest.instances().get(*instance as usize)?.pieces()?;
                let range = pieces.range(*piece)?;
                if pieces.digest(*piece) != Some(&digest) || range.length() != length {
                    return None;
                }
                let start = manifest.offset_of(*instance)?;
                Some((*manifest.root(), start.checked_add(range.offset())?))
            })
    }
}

fn places_of(number: u32, manifest: &Manifest) -> impl Iterator<Item = Place> + '_ {
    let instances = (0_u32..).zip(manifest.instances());
    let pieces = instances.filter_map(|(instance, listed)| Some((instance, listed.pieces()?)));
    pieces.flat_map(move |(instance, pieces)| {
        let numbered = (0_u32..).zip(pieces.iter());
        numbered.map(move |(piece, (_, digest))| (prefix_of(digest), number, instance, piece))
    })
}

fn prefix_of(digest: &Digest) -> u64 {
    let first = digest.as_bytes().first_chunk::<8>();
    first.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// A piece of an instance that is being received, as another study's pack holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Local {
    piece: u32,
    root: Digest,
    /// Bytes of the pack before it.
    offset: u64,
}

/// The runs of piece numbers.
pub(super) fn runs(locals: &[Local]) -> Vec<Run> {
    let mut set = RangeSet::new();
    let numbers = locals.iter().filter_map(|local| Run::new(local.piece, 1));
    numbers.for_each(|run| set.insert(run));
    set.runs().collect()
}

/// The pack read last: pieces of one instance mostly come from one study.
type Open = Option<(Digest, FileId)>;

/// What is known while pieces are looked for.
#[derive(Default)]
struct Search {
    open: Open,
    /// Where each piece was found to be right, or that it was nowhere: a manifest that names one piece over and
    /// over makes it read once, so that the work is bounded by what is here.
    checked: BTreeMap<(Digest, u64), Option<(Digest, u64)>>,
}

impl<S: Storage> Store<S> {
    /// Finds what other studies hold of the pixels that this one lacks, hashing it.
    pub(super) fn find_pieces(&mut self, root: &Digest) -> Result<(), StorageError> {
        let manifest = self.entry(root)?.signed.manifest().clone();
        let mut search = Search::default();
        let mut found = BTreeMap::new();
        for number in (0_u32..).take(manifest.instances().len()) {
            let locals = self.pieces_of(root, &manifest, number, &mut search)?;
            if !locals.is_empty() {
                found.insert(number, locals);
            }
        }
        self.open_pack(None, &mut search.open);
        self.entry_mut(root)?.locals = found;
        Ok(())
    }

    fn pieces_of(
        &mut self,
        root: &Digest,
        manifest: &Manifest,
        number: u32,
        search: &mut Search,
    ) -> Result<Vec<Local>, StorageError> {
        let listed = manifest.instances().get(number as usize);
        let pieces = listed.and_then(|listed| listed.pieces());
        let (Some(pieces), Some(chunks)) = (pieces, manifest.chunks_of(number)) else {
            return Ok(Vec::new());
        };
        let entry = self.entry(root)?;
        let lacks = |range: PixelRange| {
            let chunk = |byte: u64| u32::try_from(byte / CHUNK_BYTES as u64).unwrap_or(u32::MAX);
            let first = chunk(range.offset());
            let count = chunk(range.end() - 1)
                .saturating_sub(first)
                .saturating_add(1);
            let touched = Run::new(chunks.first().saturating_add(first), count);
            touched.is_some_and(|run| !entry.has_all(run))
        };
        let wanted = (0_u32..).zip(pieces.iter());
        let wanted: Vec<(u32, (PixelRange, &Digest))> =
            wanted.filter(|(_, (range, _))| lacks(*range)).collect();
        let mut locals: Vec<Local> = Vec::new();
        let mut count = 0_usize;
        for (piece, (range, digest)) in wanted {
            let Some((root, offset)) = self.place_of(digest, range.length(), search) else {
                continue;
            };
            let follows = locals.last().is_some_and(|last| last.piece + 1 == piece);
            count += usize::from(!follows);
            if count > RUNS_MAX {
                // One HELD says no more.
                break;
            }
            locals.push(Local {
                piece,
                root,
                offset,
            });
        }
        Ok(locals)
    }

    /// The study and the place in its pack where a piece is, if its bytes are right.
    fn place_of(
        &mut self,
        digest: &Digest,
        length: u64,
        search: &mut Search,
    ) -> Option<(Digest, u64)> {
        if let Some(known) = search.checked.get(&(*digest, length)) {
            return *known;
        }
        let places = self.index.find(digest, length);
        let places: Vec<(Digest, u64)> = places.take(PLACES_MAX).collect();
        let right = places
            .into_iter()
            .find(|(study, at)| self.is_piece(study, *at, length, digest, &mut search.open));
        search.checked.insert((*digest, length), right);
        right
    }

    /// Whether these bytes of a study's pack are the piece.
    fn is_piece(
        &mut self,
        study: &Digest,
        offset: u64,
        length: u64,
        digest: &Digest,
        open: &mut Open,
    ) -> bool {
        let Some(pack) = self.open_pack(Some(study), open) else {
            return false;
        };
        let portion = usize::try_from(length).unwrap_or(CHUNK_BYTES);
        let mut buffer = vec![0; portion.min(CHUNK_BYTES)];
        let mut hasher = blake3::Hasher::new();
        let mut done = 0_u64;
        while done < length {
            let take = usize::try_from(length - done).unwrap_or(usize::MAX);
            let Some(bytes) = buffer.get_mut(..take.min(CHUNK_BYTES)) else {
                return false;
            };
            let read = self
                .storage
                .read_at(pack, offset.saturating_add(done), bytes);
            if read.is_err() {
                return false;
            }
            hasher.update(bytes);
            done = done.saturating_add(bytes.len() as u64);
        }
        hasher.finalize().as_bytes() == digest.as_bytes()
    }

    /// The pack of a listed study, the last one closed if it is another; `None` closes it.
    fn open_pack(&mut self, study: Option<&Digest>, open: &mut Open) -> Option<FileId> {
        if let Some((known, pack)) = *open {
            if Some(&known) == study {
                return Some(pack);
            }
            self.storage.close(pack);
            *open = None;
        }
        let study = study?;
        let entry = self.entries.get(study).filter(|entry| entry.is_listed())?;
        let path = format!("{}/pack", entry.folder());
        let pack = self.storage.open(&path, false).ok()?;
        *open = Some((*study, pack));
        Some(pack)
    }

    /// Makes a chunk of what came and of held pieces, and keeps it if it fits its leaf: the bytes of it that
    /// were here. Else its instance is filled from pieces no more.
    pub(super) fn fill(
        &mut self,
        root: &Digest,
        chunk: u32,
        rest: &[u8],
        now: Instant,
    ) -> Result<Option<u32>, StorageError> {
        let manifest = self.entry(root)?.signed.manifest().clone();
        let place = manifest.place(chunk).ok_or_else(damaged)?;
        let bytes = self.filled(root, &manifest, place, rest);
        let Some(bytes) = bytes.filter(|bytes| fits(self.entries.get(root), place, bytes)) else {
            self.entry_mut(root)?.locals.remove(&place.instance());
            return Ok(None);
        };
        let came = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        let local = place.length().saturating_sub(came);
        let run = one(chunk)?;
        self.write_chunk(root, chunk, &bytes, now)?;
        if came == 0 {
            self.note(root, &Record::Held(run))?;
            self.entry_mut(root)?.held.insert(run);
        } else {
            self.note(root, &Record::Filled { chunk, local })?;
            self.entry_mut(root)?.filled.insert(chunk, local);
        }
        self.keep(root, run)?;
        self.check_chunk(root, chunk, &bytes)?;
        self.group(root, now)?;
        Ok(Some(local))
    }

    /// The bytes of a chunk; `None` where a piece can't be read, or what came is not what lies outside.
    fn filled(
        &mut self,
        root: &Digest,
        manifest: &Manifest,
        place: ChunkPlace,
        mut rest: &[u8],
    ) -> Option<Vec<u8>> {
        let pieces = manifest
            .instances()
            .get(place.instance() as usize)?
            .pieces()?;
        let locals = self.entries.get(root)?.locals.get(&place.instance())?;
        let within = place.bytes();
        let touched: Vec<(PixelRange, Local)> = pieces
            .touching(&within)
            .filter_map(|(piece, range)| {
                let at = locals.binary_search_by_key(&piece, |local| local.piece);
                Some((range, *locals.get(at.ok()?)?))
            })
            .collect();
        let mut bytes = Vec::with_capacity(place.length() as usize);
        let mut open = None;
        let mut at = within.start;
        for (range, local) in touched {
            let begin = range.offset().max(at);
            let end = range.end().min(within.end);
            take(&mut rest, begin - at, &mut bytes)?;
            let filled = bytes.len();
            let length = usize::try_from(end.checked_sub(begin)?).ok()?;
            bytes.resize(filled.checked_add(length)?, 0);
            let pack = self.open_pack(Some(&local.root), &mut open);
            let from = local.offset.saturating_add(begin - range.offset());
            let read = pack.and_then(|pack| {
                let into = bytes.get_mut(filled..)?;
                self.storage.read_at(pack, from, into).ok()
            });
            if read.is_none() {
                self.open_pack(None, &mut open);
                return None;
            }
            at = end;
        }
        self.open_pack(None, &mut open);
        take(&mut rest, within.end.checked_sub(at)?, &mut bytes)?;
        rest.is_empty().then_some(bytes)
    }
}

/// Moves the next bytes over.
fn take(rest: &mut &[u8], length: u64, into: &mut Vec<u8>) -> Option<()> {
    let (now, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    into.extend_from_slice(now);
    *rest = after;
    Some(())
}

/// Whether these are the bytes of the chunk (XFR-13).
fn fits(entry: Option<&Entry>, place: ChunkPlace, bytes: &[u8]) -> bool {
    let Some(entry) = entry else {
        return false;
    };
    let instances = entry.signed.manifest().instances();
    let Some(instance) = instances.get(place.instance() as usize) else {
        return false;
    };
    if instance.chunks() == 1 {
        return Digest::of(bytes) == *instance.digest();
    }
    let leaves = entry.leaves.get(&place.instance());
    leaves.is_some_and(|leaves| leaves.verifies(place.index(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Instance, ManifestBuilder, PieceHasher, Uid};

    fn study(name: &str, pixels: &[u8]) -> Manifest {
        let uid = |text: &str| Uid::new(text).unwrap();
        let file = [name.as_bytes(), pixels].concat();
        let range = PixelRange::new(name.len() as u64, pixels.len() as u64).unwrap();
        let mut hasher = PieceHasher::new(range, &[]);
        hasher.update(&file);
        let (length, digest) = (file.len() as u64, Digest::of(&file));
        let instance = Instance::new(uid("1"), uid("2"), uid("3"), uid("4"), length, digest);
        let instance = instance.unwrap().with_pixels(range).unwrap();
        let mut builder = ManifestBuilder::new(uid(name));
        let instance = instance.with_pieces(hasher.finish().unwrap()).unwrap();
        builder.push(instance).unwrap();
        builder.build().unwrap()
    }

    /// A study that says of its pieces that they are as many digests as it has, all of one beginning.
    fn liar(count: u32) -> Manifest {
        let uid = |text: &str| Uid::new(text).unwrap();
        let pieces = (0..count).map(|at| {
            let mut digest = [7; 32];
            digest[20..24].copy_from_slice(&at.to_le_bytes());
            let range = PixelRange::new(u64::from(at) * 5000, 5000).unwrap();
            (range, Digest::from_bytes(digest))
        });
        let pieces = crate::Pieces::new(pieces).unwrap();
        let length = u64::from(count) * 5000;
        let own = Digest::of(&count.to_le_bytes());
        let instance = Instance::new(uid("1"), uid("2"), uid("3"), uid("4"), length, own).unwrap();
        let pixels = PixelRange::new(0, length).unwrap();
        let instance = instance.with_pixels(pixels).unwrap();
        let mut builder = ManifestBuilder::new(uid("1.9"));
        builder.push(instance.with_pieces(pieces).unwrap()).unwrap();
        builder.build().unwrap()
    }

    /// XFR-7: work does not grow with what manifests claim of their pieces.
    #[test]
    fn ok_digests_that_begin_alike_are_looked_at_a_few_times_only() {
        let first = Digest::from_bytes({
            let mut digest = [7; 32];
            digest[20..24].fill(0);
            digest
        });
        for (count, is_found) in [
            (SAME_PREFIX_MAX as u32, true),
            (1 + SAME_PREFIX_MAX as u32, false),
        ] {
            let mut index = PieceIndex::default();
            index.add(&liar(count));
            assert_eq!(
                index.find(&first, 5000).next().is_some(),
                is_found,
                "{count}"
            );
        }
    }

    #[test]
    fn ok_the_latest_study_is_found_first_and_the_oldest_goes_first() {
        let pixels = [9; 5000];
        let digest = Digest::of(&pixels);
        let studies = ["1.1", "1.2.2", "1.2.3.3"].map(|name| study(name, &pixels));
        let mut index = PieceIndex::default();
        for manifest in studies.iter().chain(&studies) {
            index.add_within(manifest, 3);
        }
        let roots =
            |index: &PieceIndex| -> Vec<(Digest, u64)> { index.find(&digest, 5000).collect() };
        let expected = [&studies[2], &studies[1], &studies[0]]
            .map(|known| (*known.root(), known.study().as_str().len() as u64));
        assert_eq!(roots(&index), expected);
        assert_eq!(index.find(&digest, 4999).count(), 0);
        index.add_within(&study("1.3", &[8; 5000]), 3);
        assert_eq!(roots(&index), expected[..2]);
        index.remove(studies[1].root());
        index.remove(studies[0].root());
        assert_eq!(roots(&index), expected[..1]);
        assert_eq!((index.places.len(), index.studies.len()), (2, 2));
    }
}
