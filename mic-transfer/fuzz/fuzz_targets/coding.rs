//! Any bytes come back under any hint; any coded bytes are refused or decode within the bound.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_transfer::coding::{Decoder, Encoder, PixelHint};
use mic_transfer::limits::CHUNK_BYTES;
use mic_transfer::wire::{Codec, Codecs};

fuzz_target!(|input: &[u8]| {
    let Some(([mode, a, b, c, d, e], rest)) = input.split_first_chunk::<6>() else {
        return;
    };
    let mut decoder = Decoder::new();
    let mut back = Vec::new();
    // Coded bytes of anyone, of a chunk of any length.
    let length = usize::from(*a) << 10 | usize::from(*b) << 2 | usize::from(*c & 3);
    for codec in Codec::ALL {
        if decoder.decode(codec, rest, length, &mut back).is_ok() {
            assert_eq!(back.len(), length);
        }
        assert!(back.capacity() <= 2 * CHUNK_BYTES);
    }
    // The bytes as a chunk, repeated so that they are worth coding and fill more than one block of everything.
    let chunk = rest.repeat(1 + usize::from(*e) * 16);
    let chunk = chunk.get(..CHUNK_BYTES).unwrap_or(&chunk);
    let width = 1 + (mode & 1);
    let components = 1 + (mode >> 1 & 3);
    let row = u32::from(width) * u32::from(components) * (1 + u32::from(*b));
    let hint = PixelHint::new(u64::from(*c), 1 + u64::from(*d) * 1024, row, width)
        .and_then(|hint| hint.interleaved(components))
        .map(|hint| hint.big_endian(mode & 8 != 0).signed(mode & 16 != 0));
    let mut coded = Vec::new();
    let codec = Encoder::new().encode(
        chunk,
        u64::from(*a),
        hint.as_ref(),
        Codecs::built(),
        &mut coded,
    );
    if codec == Codec::Raw {
        assert!(coded.is_empty());
        return;
    }
    assert!(coded.len() < chunk.len());
    decoder
        .decode(codec, &coded, chunk.len(), &mut back)
        .expect("it was just coded");
    assert!(back == chunk, "a byte has changed");
    // One byte changed, and one lost.
    let at = usize::from(*d) * coded.len() / 256;
    if let Some(byte) = coded.get_mut(at) {
        *byte ^= 1 << (mode >> 5);
    }
    if decoder
        .decode(codec, &coded, chunk.len(), &mut back)
        .is_ok()
    {
        assert_eq!(back.len(), chunk.len());
    }
    coded.pop();
    let _ = decoder.decode(codec, &coded, chunk.len(), &mut back);
    assert!(back.capacity() <= 2 * CHUNK_BYTES);
});
