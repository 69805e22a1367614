//! Coded chunks, written here by the letter of the specification, slowly.

use mic_transfer::Digest;
use mic_transfer::coding::{CodingError, Decoder};
use mic_transfer::wire::Codec;
use serde_json::{Value, json};

use crate::shared::{hex, settle, unhex};

/// Name, what it shows, codec, coded bytes, the bytes that they stand for.
type Accepted<'a> = (&'a str, &'a str, Codec, &'a [u8], &'a [u8]);
/// Name, what it shows, codec, length asked for, coded bytes, the fault.
type Wrong<'a> = (&'a str, &'a str, Codec, usize, Vec<u8>, CodingError);

/// The head's fields, free to be wrong.
#[derive(Clone, Copy)]
struct Head {
    flags: u8,
    before: u32,
    bytes: u32,
    row: u32,
}

impl Head {
    fn encode(self) -> Vec<u8> {
        let mut bytes = vec![self.flags];
        for field in [self.before, self.bytes, self.row] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes
    }
}

fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let more = value > 0x7F;
        bytes.push((value & 0x7F) as u8 | if more { 0x80 } else { 0 });
        value >>= 7;
        if !more {
            return bytes;
        }
    }
}

fn stream(bytes: &[u8]) -> Vec<u8> {
    [number(bytes.len() * 2), bytes.to_vec()].concat()
}

fn packed(length: usize, frame: &[u8]) -> Vec<u8> {
    [number(length * 2 + 1), number(frame.len()), frame.to_vec()].concat()
}

/// A frame of zstd without a checksum: one raw block.
fn zstd_raw(bytes: &[u8]) -> Vec<u8> {
    let block = (bytes.len() as u32) << 3 | 1;
    let head = [0x28, 0xB5, 0x2F, 0xFD, 0x20, bytes.len() as u8];
    [&head[..], &block.to_le_bytes()[..3], bytes].concat()
}

/// A frame of zstd that repeats one byte: `blocks` of 128 KiB each, its length not said.
fn zstd_bomb(blocks: u32) -> Vec<u8> {
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38];
    for at in 0..blocks {
        let block = (128 << 10) << 3 | 1 << 1 | u32::from(at + 1 == blocks);
        frame.extend_from_slice(&block.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

fn median(a: i32, b: i32, c: i32) -> i32 {
    let mut three = [a, b, c];
    three.sort_unstable();
    three[1]
}

/// XFR-84 and XFR-85 for one component, samples as signed numbers of 16 bits (or 0 to 255).
fn component(samples: &[i32], row: usize, wide: bool) -> Vec<u8> {
    let wrap = |value: i32| i32::from(value as i16);
    let folded: Vec<u32> = (0..samples.len())
        .map(|at| {
            let left = if at == 0 { 0 } else { samples[at - 1] };
            let guess = match (at >= row, at % row) {
                (false, _) => left,
                (true, 0) => samples[at - row],
                (true, _) => {
                    let (up, corner) = (samples[at - row], samples[at - row - 1]);
                    median(left, up, wrap(left + up - corner))
                }
            };
            let residual = wrap(samples[at] - guess);
            let residual = if wide {
                residual
            } else {
                i32::from(residual as i8)
            };
            (if residual < 0 {
                -2 * residual - 1
            } else {
                2 * residual
            }) as u32
        })
        .collect();
    let mut high = Vec::new();
    let mut low = vec![Vec::new(); 10];
    let mut weights: Vec<u32> = Vec::new();
    let width = (row / 8).max(2);
    for block in folded.chunks(8) {
        let mut block = block.to_vec();
        block.resize(8, 0);
        let before = weights.last().copied().unwrap_or(0);
        let (up, next) = match weights.len().checked_sub(width) {
            Some(at) => (weights[at], weights[at + 1]),
            None => (before, before),
        };
        let around = 2 * up + before + next;
        let class = match around {
            _ if samples.len() < 16_384 => 0,
            0 => 0,
            some => (some.ilog2() as usize).saturating_sub(2).clamp(1, 9),
        };
        low[class].extend(block.iter().map(|value| *value as u8));
        high.extend(block.iter().map(|value| (*value >> 8) as u8));
        let weight = block
            .iter()
            .map(|value| (value & 0xFF) + 256 * (value >> 8).min(15));
        weights.push(weight.sum());
    }
    let mut out = if wide { stream(&high) } else { Vec::new() };
    low.iter().for_each(|low| out.extend(stream(low)));
    out
}

fn decode(codec: Codec, coded: &[u8], length: usize) -> Result<Vec<u8>, CodingError> {
    let mut out = Vec::new();
    Decoder::new()
        .decode(codec, coded, length, &mut out)
        .map(|()| out)
}

fn bytes_of(samples: &[i32]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| (*sample as i16).to_le_bytes())
        .collect()
}

#[test]
fn ok_the_letter_of_the_specification_decodes() {
    // A noisy picture of 150 rows of 130: classes of every kind, a last block that is not full.
    let mut noise = 1_u32;
    let samples: Vec<i32> = (0..150 * 130 + 3)
        .map(|at: i32| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let spread = 1_i32 << (at / 1300).min(14);
            at % 130 * 9 + (noise >> 8) as i32 % spread - 900
        })
        .map(|value| i32::from(value as i16))
        .collect();
    let bytes = bytes_of(&samples);
    let head = Head {
        flags: 1,
        before: 0,
        bytes: bytes.len() as u32,
        row: 130,
    };
    let coded = [head.encode(), stream(&[]), component(&samples, 130, true)].concat();
    assert!(decode(Codec::Samples, &coded, bytes.len()).unwrap() == bytes);
}

#[test]
fn ok_coded_chunks() {
    let picture: Vec<i32> = (0..40)
        .map(|at| 100 + at % 8 * 3 - at / 8 * 7 + at * at % 5)
        .collect();
    let plain = [&b"head"[..], &bytes_of(&picture), b"tail!"].concat();
    let head = Head {
        flags: 1,
        before: 4,
        bytes: 80,
        row: 8,
    };
    let rest = stream(b"headtail!");
    let body = component(&picture, 8, true);
    let good = [head.encode(), rest.clone(), body.clone()].concat();

    let turned: Vec<i32> = picture
        .iter()
        .map(|value| i32::from((value ^ 0x8000) as i16))
        .collect();
    let unsigned = [
        Head { flags: 5, ..head }.encode(),
        rest.clone(),
        component(&turned, 8, true),
    ]
    .concat();
    let big_plain = [
        &b"head"[..],
        &picture
            .iter()
            .flat_map(|sample| (*sample as i16).to_be_bytes())
            .collect::<Vec<u8>>(),
        b"tail!",
    ]
    .concat();
    let big = [
        Head { flags: 3, ..head }.encode(),
        rest.clone(),
        body.clone(),
    ]
    .concat();

    let narrow: Vec<u8> = picture.iter().map(|value| *value as u8).collect();
    let bytes: Vec<i32> = narrow.iter().map(|value| i32::from(*value)).collect();
    let narrow_head = Head {
        flags: 0,
        before: 0,
        bytes: 40,
        row: 8,
    };
    let narrow_coded = [
        narrow_head.encode(),
        stream(&[]),
        component(&bytes, 8, false),
    ]
    .concat();

    // Three components of twelve pixels, red and blue as their distance from green.
    let colours: Vec<[i32; 3]> = (0..12)
        .map(|at| [200 - at, 150 + at * 2, 90 + at])
        .collect();
    let colour_plain: Vec<u8> = colours.iter().flatten().map(|value| *value as u8).collect();
    let planes: Vec<Vec<i32>> = (0..3)
        .map(|plane| {
            let less = |pixel: &[i32; 3]| if plane == 1 { 0 } else { pixel[1] };
            colours
                .iter()
                .map(|pixel| (pixel[plane] - less(pixel)) & 0xFF)
                .collect()
        })
        .collect();
    let colour_head = Head {
        flags: 0x28,
        before: 0,
        bytes: 36,
        row: 4,
    };
    let mut colour_coded = [colour_head.encode(), stream(&[])].concat();
    planes
        .iter()
        .for_each(|plane| colour_coded.extend(component(plane, 4, false)));

    let with_zstd = [
        head.encode(),
        packed(9, &zstd_raw(b"headtail!")),
        body.clone(),
    ]
    .concat();
    let frame = zstd_raw(b"pixels");
    let accepted: Vec<Accepted<'_>> = vec![
        ("zstd", "one raw block", Codec::Zstd, &frame, b"pixels"),
        (
            "samples",
            "five rows of eight, between four bytes and five",
            Codec::Samples,
            &good,
            &plain,
        ),
        (
            "samples-packed",
            "the other bytes in a frame of zstd",
            Codec::Samples,
            &with_zstd,
            &plain,
        ),
        (
            "samples-unsigned",
            "the top bit turned",
            Codec::Samples,
            &unsigned,
            &plain,
        ),
        (
            "samples-big-endian",
            "most significant byte first",
            Codec::Samples,
            &big,
            &big_plain,
        ),
        (
            "samples-narrow",
            "one byte each",
            Codec::Samples,
            &narrow_coded,
            &narrow,
        ),
        (
            "samples-colour",
            "red and blue less green",
            Codec::Samples,
            &colour_coded,
            &colour_plain,
        ),
    ];
    let case = |id: &str, note: &str, codec: Codec, length: usize, input: &[u8], expect: Value| {
        json!({
            "id": id, "note": note, "codec": codec.number(), "length": length,
            "input": hex(input), "expect": expect,
        })
    };
    let mut cases: Vec<Value> = Vec::new();
    for (id, note, codec, coded, plain) in accepted {
        let expect = json!({ "ok": { "chunk": hex(plain) } });
        cases.push(case(id, note, codec, plain.len(), coded, expect));
    }
    let headed = |head: Head| [head.encode(), rest.clone(), body.clone()].concat();
    let whole = plain.len();
    // Another row decodes, to other bytes: the digest tells (XFR-82).
    let other_row = headed(Head { row: 7, ..head });
    let found = decode(Codec::Samples, &other_row, whole).unwrap();
    assert_ne!(found, plain);
    let expect = json!({ "ok": { "chunk": hex(&found) } });
    let note = "a wrong row decodes to wrong bytes, which the digest tells";
    cases.push(case(
        "samples-other-row",
        note,
        Codec::Samples,
        whole,
        &other_row,
        expect,
    ));
    let swapped = [
        head.encode(),
        packed(8, &zstd_raw(b"headtail!")),
        body.clone(),
    ]
    .concat();
    let short_rest = [head.encode(), stream(b"headtail"), body.clone()].concat();
    let bomb = zstd_bomb(1000);
    let inner_bomb = [head.encode(), packed(9, &zstd_bomb(1000)), body.clone()].concat();
    let mut streams = body.clone();
    // The first of the ten streams holds a block less.
    let at = number(80).len() + 40;
    streams.splice(at..at + 41, [number(64), vec![0; 32]].concat());
    let streams = [head.encode(), rest.clone(), streams].concat();
    let wrong: Vec<Wrong<'_>> = vec![
        (
            "zstd-cut",
            "half a frame",
            Codec::Zstd,
            6,
            zstd_raw(b"pixels")[..9].to_vec(),
            CodingError::Stream,
        ),
        (
            "zstd-none",
            "no frame",
            Codec::Zstd,
            6,
            b"pixels".to_vec(),
            CodingError::Stream,
        ),
        (
            "zstd-short",
            "a byte less than the chunk",
            Codec::Zstd,
            7,
            zstd_raw(b"pixels"),
            CodingError::Length {
                expected: 7,
                found: 6,
            },
        ),
        (
            "zstd-long",
            "a byte more than the chunk",
            Codec::Zstd,
            5,
            zstd_raw(b"pixels"),
            CodingError::Stream,
        ),
        (
            "zstd-bomb",
            "125 MiB of zeros in 4 KB",
            Codec::Zstd,
            262_144,
            bomb,
            CodingError::Stream,
        ),
        (
            "samples-empty",
            "nothing",
            Codec::Samples,
            whole,
            vec![],
            CodingError::Cut,
        ),
        (
            "samples-head-cut",
            "twelve bytes of head",
            Codec::Samples,
            whole,
            good[..12].to_vec(),
            CodingError::Cut,
        ),
        (
            "samples-cut",
            "the last byte is missing",
            Codec::Samples,
            whole,
            good[..good.len() - 1].to_vec(),
            CodingError::Cut,
        ),
        (
            "samples-trailing",
            "a byte too many",
            Codec::Samples,
            whole,
            [good.clone(), vec![0]].concat(),
            CodingError::Trailing { found: 1 },
        ),
        (
            "samples-longer-chunk",
            "the other bytes are those of a shorter chunk",
            Codec::Samples,
            whole + 1,
            good.clone(),
            CodingError::Length {
                expected: 10,
                found: 9,
            },
        ),
        (
            "samples-beyond",
            "samples that pass the chunk",
            Codec::Samples,
            80,
            good.clone(),
            CodingError::Header,
        ),
        (
            "samples-none",
            "no samples",
            Codec::Samples,
            whole,
            headed(Head { bytes: 0, ..head }),
            CodingError::Header,
        ),
        (
            "samples-odd",
            "half a sample",
            Codec::Samples,
            whole,
            headed(Head { bytes: 79, ..head }),
            CodingError::Header,
        ),
        (
            "samples-row-0",
            "rows of no pixels",
            Codec::Samples,
            whole,
            headed(Head { row: 0, ..head }),
            CodingError::Header,
        ),
        (
            "samples-flag-6",
            "a flag that is not defined",
            Codec::Samples,
            whole,
            headed(Head {
                flags: 0x41,
                ..head
            }),
            CodingError::Header,
        ),
        (
            "samples-narrow-order",
            "one byte has no order",
            Codec::Samples,
            whole,
            headed(Head { flags: 2, ..head }),
            CodingError::Header,
        ),
        (
            "samples-green-alone",
            "one component has no green",
            Codec::Samples,
            whole,
            headed(Head { flags: 9, ..head }),
            CodingError::Header,
        ),
        (
            "samples-number-long",
            "a number in more bytes than it needs",
            Codec::Samples,
            whole,
            [
                head.encode(),
                vec![0x92, 0x00],
                b"headtail!".to_vec(),
                body.clone(),
            ]
            .concat(),
            CodingError::Header,
        ),
        (
            "samples-rest-short",
            "eight other bytes of nine",
            Codec::Samples,
            whole,
            short_rest,
            CodingError::Length {
                expected: 9,
                found: 8,
            },
        ),
        (
            "samples-frame-longer",
            "a frame that holds more than it says",
            Codec::Samples,
            whole,
            swapped,
            CodingError::Stream,
        ),
        (
            "samples-bomb",
            "a bomb in a stream",
            Codec::Samples,
            whole,
            inner_bomb,
            CodingError::Stream,
        ),
        (
            "samples-streams",
            "a block of residuals is missing",
            Codec::Samples,
            whole,
            streams,
            CodingError::Streams,
        ),
    ];
    for (id, note, codec, length, input, fault) in wrong {
        cases.push(case(
            id,
            note,
            codec,
            length,
            &input,
            json!({ "err": name(fault) }),
        ));
    }
    for case in settle("coding", "coded chunks", cases) {
        let codec = Codec::from_number(case["codec"].as_u64().unwrap() as u8).unwrap();
        let length = case["length"].as_u64().unwrap() as usize;
        let found = match decode(codec, &unhex(&case["input"]), length) {
            Ok(chunk) => {
                assert!(Digest::of(&chunk) == Digest::of(&unhex(&case["expect"]["ok"]["chunk"])));
                json!({ "ok": { "chunk": hex(&chunk) } })
            }
            Err(fault) => json!({ "err": name(fault) }),
        };
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

fn name(fault: CodingError) -> Value {
    match fault {
        CodingError::Cut => json!({ "kind": "cut" }),
        CodingError::Trailing { found } => json!({ "kind": "trailing", "found": found }),
        CodingError::Header => json!({ "kind": "header" }),
        CodingError::Length { expected, found } => {
            json!({ "kind": "length", "expected": expected, "found": found })
        }
        CodingError::Stream => json!({ "kind": "stream" }),
        CodingError::Streams => json!({ "kind": "streams" }),
        other => panic!("{other:?}"),
    }
}
