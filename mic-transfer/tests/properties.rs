//! Laws: canonical forms are unique and come back, portions do not matter, replay never panics.

#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use mic_transfer::journal::{self, Record};
use mic_transfer::wire::{Frame, FrameReader, PREFACE, encode};
use mic_transfer::{
    Digest, Instance, Manifest, ManifestBuilder, ManifestError, Pieces, PixelRange, RangeSet, Run,
    SignedManifest, Uid,
};
use proptest::prelude::*;

fn uid(text: &str) -> Uid {
    Uid::new(text).unwrap()
}

fn any_uid() -> impl Strategy<Value = Uid> {
    "[0-9.]{1,64}|[!-~]{1,20}".prop_map(|text| uid(&text))
}

prop_compose! {
    fn any_instance()(
        class in any_uid(), uid in any_uid(), series in any_uid(), syntax in any_uid(),
        length in 1_u64..2_000_000, digest in any::<[u8; 32]>(),
        rank in any::<Option<u32>>(), key in any::<bool>(), pixels in any::<Option<(u64, u64)>>(),
        pieces in proptest::option::of((0_u64..9000, 0_u64..40, any::<bool>(), 1_u8..9)),
    ) -> Instance {
        let digest = Digest::from_bytes(digest);
        let mut instance = Instance::new(class, uid, series, syntax, length, digest).unwrap();
        instance = instance.with_key_image(key);
        if let Some(rank) = rank {
            instance = instance.with_rank(rank);
        }
        let range = pixels
            .and_then(|(at, of)| PixelRange::new(at % length, of % (length - at % length)));
        let Some(range) = range else {
            return instance;
        };
        instance = instance.with_pixels(range).unwrap();
        match pieces.and_then(|shape| some_pieces(range, shape)) {
            Some(pieces) => instance.with_pieces(pieces).unwrap(),
            None => instance,
        }
    }
}

/// Pieces of about `length` bytes, each `gap` behind the one before, alike or not; at most so many.
fn some_pieces(
    pixels: PixelRange,
    (length, gap, alike, most): (u64, u64, bool, u8),
) -> Option<Pieces> {
    let (mut ranges, mut at) = (Vec::new(), pixels.offset() + gap);
    for number in 0..u64::from(most) {
        let length = 4096 + length + if alike { 0 } else { number };
        if at + length > pixels.end() {
            break;
        }
        ranges.push((
            PixelRange::new(at, length).unwrap(),
            Digest::of(&at.to_le_bytes()),
        ));
        at += length + gap;
    }
    Pieces::new(ranges).ok()
}

fn any_manifest() -> impl Strategy<Value = Manifest> {
    (any_uid(), proptest::collection::vec(any_instance(), 1..8)).prop_map(|(study, instances)| {
        let mut builder = ManifestBuilder::new(study);
        for instance in instances {
            builder.push(instance).unwrap();
        }
        builder.build().unwrap()
    })
}

fn frames() -> Vec<Frame> {
    let run = |first, count| Run::new(first, count).unwrap();
    vec![
        Frame::Want {
            slot: 1,
            class: 3,
            runs: vec![run(0, 5), run(9, 1)],
        },
        Frame::Data {
            slot: 1,
            chunk: 4,
            bytes: vec![7; 3000],
        },
        Frame::Held {
            slot: 1,
            instance: 3,
            runs: vec![run(0, 5), run(9, 1)],
        },
        Frame::Rest {
            slot: 1,
            chunk: 5,
            bytes: vec![7; 30],
        },
        Frame::Cancel { slot: 1 },
        Frame::Manifest {
            slot: 2,
            offset: 64,
            bytes: vec![1, 2, 3],
        },
        Frame::Bye,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ok_a_manifest_comes_back_from_its_bytes(manifest in any_manifest()) {
        let again = Manifest::decode(manifest.encoded()).unwrap();
        prop_assert_eq!(again.root(), manifest.root());
        prop_assert_eq!(&again, &manifest);
        // Chunks cover the files, in order and without a gap.
        let mut bytes = 0;
        for chunk in 0..manifest.chunks_total() {
            let place = manifest.place(chunk).unwrap();
            let start = manifest.offset_of(place.instance()).unwrap() + place.offset();
            prop_assert_eq!(start, bytes);
            bytes += u64::from(place.length());
        }
        prop_assert_eq!(bytes, manifest.bytes_total());
        prop_assert!(manifest.place(manifest.chunks_total()).is_none());
    }

    #[test]
    fn ok_a_changed_byte_of_a_manifest_is_refused_or_another_root(
        manifest in any_manifest(), at in any::<prop::sample::Index>(), bit in 0..8_u8,
    ) {
        let mut bytes = manifest.encoded().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(other) = Manifest::decode(&bytes) {
            prop_assert_ne!(other.root(), manifest.root());
            // One form for one value.
            prop_assert_eq!(other.encoded(), &bytes[..]);
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn ok_a_manifest_comes_back_from_json(manifest in any_manifest()) {
        let json = serde_json::to_string(&manifest).unwrap();
        prop_assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
    }

    #[test]
    fn ok_portions_do_not_matter(cuts in proptest::collection::vec(0_usize..3300, 0..12)) {
        let list = frames();
        let mut bytes = PREFACE.to_vec();
        list.iter().for_each(|frame| bytes.extend_from_slice(&encode(frame).to_vec()));
        let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(bytes.len())).collect();
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let (mut reader, mut found, mut from) = (FrameReader::new(), Vec::new(), 0);
        for to in cuts {
            let mut portion = &bytes[from..to];
            while let Some(frame) = reader.next(&mut portion).unwrap() {
                found.push(frame);
            }
            from = to;
        }
        prop_assert_eq!(found, list);
        prop_assert!(reader.is_at_border());
    }

    #[test]
    fn ok_any_bytes_are_frames_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let bytes = [&PREFACE[..], &bytes].concat();
        let (mut reader, mut rest) = (FrameReader::new(), &bytes[..]);
        while let Ok(Some(_)) = reader.next(&mut rest) {}
        let _ = Manifest::decode(&bytes);
    }

    #[test]
    fn ok_a_journal_cut_anywhere_says_what_its_whole_records_say(
        manifest in any_manifest(), cut in any::<prop::sample::Index>(),
    ) {
        let chunks = manifest.chunks_total();
        let mut bytes = journal::encode(0, &Record::Open(SignedManifest::new(manifest, None)));
        let mut ends = vec![(0, 0), (bytes.len(), 0)];
        for chunk in 0..chunks {
            let record = Record::Have(Run::new(chunk, 1).unwrap());
            bytes.extend_from_slice(&journal::encode(1 + chunk, &record));
            ends.push((bytes.len(), u64::from(chunk) + 1));
        }
        let cut = cut.index(bytes.len() + 1);
        let replay = journal::replay(&bytes[..cut]);
        let (end, have) = ends.iter().rfind(|(end, _)| *end <= cut).unwrap();
        prop_assert_eq!(replay.valid_bytes(), *end as u64);
        prop_assert_eq!(replay.unmarked().len(), *have);
        prop_assert_eq!(replay.marked(), &RangeSet::new());
    }
}

/// XFR-14: the last chunk has a number below 2^32.
#[test]
fn err_more_chunks_than_there_are_numbers() {
    let build = |count: u32| {
        let mut builder = ManifestBuilder::new(uid("1.2"));
        for number in 0..count {
            let digest = Digest::of(&number.to_le_bytes());
            let own = uid(&format!("1.2.{number}"));
            let length = mic_transfer::limits::INSTANCE_BYTES_MAX;
            let made = Instance::new(uid("1.3"), own, uid("1.4"), uid("1.5"), length, digest);
            builder.push(made.unwrap()).unwrap();
        }
        builder.build()
    };
    // 65,536 chunks each: one instance less than it takes to need a number more.
    assert_eq!(build(65_535).unwrap().chunks_total(), 65_535 << 16);
    assert_eq!(build(65_536), Err(ManifestError::TooManyChunks));
}
