//! What headers say of samples goes from a folder of files to the coder of chunks.

use std::fs;
use std::path::Path;

use mic_transfer::adapter::files::{FileSource, Folder};
use mic_transfer::coding::{Decoder, Encoder, PixelHint};
use mic_transfer::limits::CHUNK_BYTES;
use mic_transfer::p10::{self, Pixels};
use mic_transfer::source::Source;
use mic_transfer::wire::{Codec, Codecs};

use super::data::{files, test_data};
use super::made::Made;

/// Bytes of a file's chunks in coded form; each comes back.
fn coded(file: &[u8], hint: Option<&PixelHint>) -> usize {
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
    let (mut out, mut back, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (at, chunk) in file.chunks(CHUNK_BYTES).enumerate() {
        let offset = (at * CHUNK_BYTES) as u64;
        let codec = encoder.encode(chunk, offset, hint, Codecs::built(), &mut out);
        if codec == Codec::Raw {
            bytes += chunk.len();
            continue;
        }
        bytes += out.len();
        decoder.decode(codec, &out, chunk.len(), &mut back).unwrap();
        assert!(back == chunk);
    }
    bytes
}

/// Each instance of a folder with the hint that its source gives.
fn hinted(folder: &Path) -> Vec<(Vec<u8>, Option<PixelHint>)> {
    let source = FileSource::new();
    let mut list = Vec::new();
    for study in Folder::read(folder).unwrap().into_studies().into_values() {
        let study = study.unsigned().unwrap();
        let manifest = study.signed().manifest().clone();
        source.insert(study);
        let ready = source.get(manifest.study()).unwrap();
        for number in 0..manifest.instances().len() as u32 {
            let bytes = fs::read(ready.path(number).unwrap()).unwrap();
            list.push((bytes, source.hint(&manifest, number)));
        }
    }
    list
}

#[test]
fn ok_a_made_header_is_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let made = Made::new("1.2.9", "1.2.9.1", "1.2.9.1.1");
    fs::write(folder.path().join("a.dcm"), made.file()).unwrap();
    let (bytes, hint) = hinted(folder.path()).pop().unwrap();
    let header = p10::read_bytes(&bytes).unwrap();
    let start = header.pixels().unwrap().range().start;
    let expected = PixelHint::new(start, 48, 12, 2).unwrap().signed(false);
    assert_eq!(hint, Some(expected));
}

#[test]
fn ok_real_native_files_are_coded_better_with_what_their_headers_say() {
    let Some(data) = test_data() else { return };
    let (mut with, mut without, mut count) = (0, 0, 0);
    for (bytes, hint) in hinted(&data) {
        let header = p10::read_bytes(&bytes).unwrap();
        let plain = matches!(header.pixels(), Some(Pixels::Native { layout: Some(layout), .. })
            if matches!(layout.bits_allocated(), 8 | 16));
        assert_eq!(hint.is_some(), plain);
        if plain {
            count += 1;
            with += coded(&bytes, hint.as_ref());
            without += coded(&bytes, None);
        }
    }
    eprintln!("{count} files: {with} bytes with hints, {without} without");
    assert!(with * 100 < without * 85 && count > 100);
    assert!(files(&data).len() > count);
}
