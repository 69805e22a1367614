//! Every oddity of the table of `spec/transfer.md` section 3, made on purpose.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use mic_transfer::p10::{self, Finding, Label, NotAnInstance, Pixels};

use crate::made::{CT, EXPLICIT_LE, KEY_OBJECT, Made, element, implicit, item, undefined};

fn made() -> Made {
    Made::new("1.2.3", "1.2.3.1", "1.2.3.1.1")
}

#[test]
fn ok_a_file_that_keeps_every_rule() {
    let file = made().file();
    let header = p10::read_bytes(&file).unwrap();
    assert_eq!(header.findings(), []);
    assert_eq!(header.study().as_str(), "1.2.3");
    assert_eq!(header.series().as_str(), "1.2.3.1");
    assert_eq!(header.sop_instance().as_str(), "1.2.3.1.1");
    assert_eq!(header.sop_class().as_str(), CT);
    assert_eq!(header.transfer_syntax().as_str(), EXPLICIT_LE);
    let layout = header.layout().unwrap();
    let range = layout.range().clone();
    assert_eq!(range.end, file.len() as u64);
    assert_eq!(
        &file[range.start as usize..range.end as usize],
        made().pixels
    );
    assert_eq!(
        (layout.rows(), layout.columns(), layout.frames()),
        (4, 6, 1)
    );
    assert_eq!((layout.bits_allocated(), layout.bits_stored()), (16, 12));
    assert_eq!(
        (header.high_bit(), header.pixel_representation()),
        (Some(11), Some(0))
    );
    assert!(!layout.is_big_endian() && !layout.is_planar());
}

/// XFR-93: the encoding is found.
#[test]
fn ok_without_preamble_or_meta_group() {
    let file = made().file();
    let header = p10::read_bytes(&file[128..]).unwrap();
    assert_eq!(header.findings(), [Finding::PreambleMissing]);
    let header = p10::read_bytes(&file[132..]).unwrap();
    assert_eq!(header.findings(), [Finding::PreambleMissing]);
    let bare = made().data_set();
    let header = p10::read_bytes(&bare).unwrap();
    assert_eq!(
        header.findings(),
        [Finding::PreambleMissing, Finding::MetaGroupMissing]
    );
    assert_eq!(header.transfer_syntax().as_str(), EXPLICIT_LE);
    assert_eq!(header.layout().unwrap().range().end, bare.len() as u64);
}

#[test]
fn err_nothing_to_list() {
    assert_eq!(p10::read_bytes(&[]), Err(NotAnInstance::Empty));
    for bytes in [&b"PNG"[..], &[0; 4096], b"{\"a\": 1}", &[0xFF; 512]] {
        assert_eq!(p10::read_bytes(bytes), Err(NotAnInstance::NotDicom));
    }
    let mut directory = made();
    directory.class = "1.2.840.10008.1.3.10";
    let records = undefined(
        0x0004_1220,
        "SQ",
        &item(&element(0x0004_1430, "CS", b"PATIENT")),
    );
    let file = directory.file_of(EXPLICIT_LE, &records);
    assert_eq!(p10::read_bytes(&file), Err(NotAnInstance::Directory));
    let bare = p10::read_bytes(&records);
    assert_eq!(bare, Err(NotAnInstance::Directory));
}

/// XFR-92.
#[test]
fn err_labels_missing_or_no_identifiers() {
    let whole = made().head();
    let without = |tag: u32| {
        let mut out = Vec::new();
        let (mut rest, group) = (&whole[..], (tag >> 16) as u16);
        while !rest.is_empty() {
            let length = 8 + usize::from(u16::from_le_bytes([rest[6], rest[7]]));
            let (head, tail) = rest.split_at(length);
            let found = (
                u16::from_le_bytes([head[0], head[1]]),
                u16::from_le_bytes([head[2], head[3]]),
            );
            if found != (group, tag as u16) {
                out.extend(head);
            }
            rest = tail;
        }
        out
    };
    for (tag, label) in [
        (0x0020_000D, Label::Study),
        (0x0020_000E, Label::Series),
        (0x0008_0016, Label::Class),
        (0x0008_0018, Label::Instance),
    ] {
        assert_eq!(
            p10::read_bytes(&without(tag)),
            Err(NotAnInstance::Absent(label))
        );
    }
    // Those the meta group repeats are taken from there.
    let file = made().file_of(EXPLICIT_LE, &without(0x0008_0018));
    let header = p10::read_bytes(&file).unwrap();
    assert_eq!(header.findings(), [Finding::InstanceFromMeta]);
    let mut blank = made();
    blank.study = "1.2 3".into();
    assert_eq!(
        p10::read_bytes(&blank.file()),
        Err(NotAnInstance::Invalid(Label::Study))
    );
    blank.study = "1".repeat(65);
    assert_eq!(
        p10::read_bytes(&blank.file()),
        Err(NotAnInstance::Invalid(Label::Study))
    );
    blank.study = String::new();
    assert_eq!(
        p10::read_bytes(&blank.file()),
        Err(NotAnInstance::Absent(Label::Study))
    );
}

#[test]
fn ok_cut_at_every_byte_it_answers_and_never_gives_a_wrong_layout() {
    let file = made().file();
    let whole = p10::read_bytes(&file).unwrap();
    let (mut read, mut cut, mut other) = (0, 0, 0);
    for length in 0..file.len() {
        match p10::read_bytes(&file[..length]) {
            Ok(header) => {
                read += 1;
                assert_eq!(header.study(), whole.study());
                assert!(header.layout().is_none(), "{length}");
                let end = header.pixels().map_or(0, |pixels| pixels.range().end);
                assert!(end <= length as u64);
            }
            Err(NotAnInstance::Cut { at, .. }) => {
                assert!(at <= length as u64);
                cut += 1;
            }
            Err(_) => other += 1,
        }
    }
    assert!(
        read > 100 && cut > 20 && other > 100,
        "{read} {cut} {other}"
    );
    assert_eq!(read + cut + other, file.len());
}

#[test]
fn ok_cut_pixels_are_told() {
    let file = made().file();
    let header = p10::read_bytes(&file[..file.len() - 10]).unwrap();
    let pixels = dicom_core::Tag(0x7FE0, 0x0010);
    assert_eq!(
        header.findings(),
        [
            Finding::Cut(pixels),
            Finding::PixelsShort {
                expected: 48,
                found: 38
            }
        ]
    );
}

/// XFR-94.
#[test]
fn ok_wrong_lengths_are_told() {
    let mut long = made();
    long.pixels.extend([0; 10]);
    let header = p10::read_bytes(&long.file()).unwrap();
    assert_eq!(
        header.findings(),
        [Finding::PixelsLong {
            expected: 48,
            found: 58
        }]
    );
    assert_eq!(
        header
            .layout()
            .unwrap()
            .frame(0)
            .map(|range| range.end - range.start),
        Some(48)
    );
    let mut short = made();
    short.rows = 400;
    let header = p10::read_bytes(&short.file()).unwrap();
    assert_eq!(
        header.findings(),
        [Finding::PixelsShort {
            expected: 4800,
            found: 48
        }]
    );
    assert!(header.layout().is_none() && header.pixels().is_some());
    // A meta group whose length is wrong ends by its group.
    let mut file = made().file();
    file[140] = 0xFF;
    let header = p10::read_bytes(&file).unwrap();
    assert!(matches!(
        header.findings(),
        [Finding::MetaGroupLengthWrong { declared: 0xFF, .. }]
    ));
    assert!(header.layout().is_some());
}

#[test]
fn ok_other_encodings_of_one_instance() {
    let big = |tag: u32, vr: &str, value: &[u8]| {
        let mut out = Vec::new();
        out.extend(((tag >> 16) as u16).to_be_bytes());
        out.extend((tag as u16).to_be_bytes());
        out.extend(vr.as_bytes());
        if vr == "OW" {
            out.extend([0, 0]);
            out.extend((value.len() as u32).to_be_bytes());
        } else {
            out.extend((value.len() as u16).to_be_bytes());
        }
        out.extend(value);
        out
    };
    let parts: Vec<(u32, &str, Vec<u8>)> = vec![
        (0x0008_0016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0".to_vec()),
        (0x0008_0018, "UI", b"1.2.3.1.1\0".to_vec()),
        (0x0020_000D, "UI", b"1.2.3\0".to_vec()),
        (0x0020_000E, "UI", b"1.2.3.1\0".to_vec()),
        (0x0028_0010, "US", vec![0, 4]),
        (0x0028_0011, "US", vec![0, 6]),
        (0x0028_0100, "US", vec![0, 16]),
        (0x0028_0101, "US", vec![0, 16]),
        (0x7FE0_0010, "OW", (0..48).collect()),
    ];
    let data: Vec<u8> = parts
        .iter()
        .flat_map(|(tag, vr, value)| big(*tag, vr, value))
        .collect();
    let header = p10::read_bytes(&made().file_of("1.2.840.10008.1.2.2", &data)).unwrap();
    assert_eq!(header.findings(), []);
    assert!(header.layout().unwrap().is_big_endian());
    let contradicted = p10::read_bytes(&made().file_of(EXPLICIT_LE, &data)).unwrap();
    assert_eq!(
        contradicted.findings(),
        [Finding::TransferSyntaxContradicted]
    );
    assert!(contradicted.layout().unwrap().is_big_endian());

    let little = |value: &[u8]| {
        if value.len() == 2 {
            vec![value[1], value[0]]
        } else {
            value.to_vec()
        }
    };
    let data: Vec<u8> = parts
        .iter()
        .flat_map(|(tag, _, value)| implicit(*tag, &little(value)))
        .collect();
    let header = p10::read_bytes(&made().file_of("1.2.840.10008.1.2", &data)).unwrap();
    assert_eq!(header.findings(), []);
    assert_eq!(header.layout().unwrap().frame_bytes(), Some(48));

    let deflated = {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        io::Write::write_all(&mut encoder, &made().data_set()).unwrap();
        encoder.finish().unwrap()
    };
    let file = made().file_of("1.2.840.10008.1.2.1.99", &deflated);
    let header = p10::read_bytes(&file).unwrap();
    assert_eq!(header.findings(), [Finding::Deflated]);
    assert_eq!((header.rows(), header.pixels()), (Some(4), None));
    // Cut in the stream, the labels that came out are as good as ever, or told missing.
    for length in 350..file.len() {
        match p10::read_bytes(&file[..length]) {
            Ok(header) => assert_eq!(header.series().as_str(), "1.2.3.1"),
            Err(error) => assert!(matches!(error, NotAnInstance::Cut { .. }), "{error}"),
        }
    }
}

#[test]
fn ok_fragments_and_their_frames() {
    let jpeg = "1.2.840.10008.1.2.4.70";
    let mut three = made();
    three.frames = 3;
    let file = |table: &[u8], fragments: &[&[u8]]| {
        let mut content = item(table);
        fragments
            .iter()
            .for_each(|fragment| content.extend(item(fragment)));
        let data = [three.head(), undefined(0x7FE0_0010, "OB", &content)].concat();
        three.file_of(jpeg, &data)
    };
    let frames = |file: &[u8]| {
        let header = p10::read_bytes(file).unwrap();
        let pixels = header.pixels().unwrap().clone();
        assert!(matches!(pixels, Pixels::Encapsulated(_)));
        let bytes = |frame| -> Vec<u8> {
            let pieces = pixels.frame(frame).into_iter();
            pieces
                .flat_map(|piece| file[piece.start as usize..piece.end as usize].to_vec())
                .collect()
        };
        (
            (0..4).map(bytes).collect::<Vec<_>>(),
            header.findings().to_vec(),
        )
    };
    // One fragment a frame, no table.
    let (found, findings) = frames(&file(&[], &[b"aa", b"bbbb", b"cc"]));
    assert_eq!(found, [&b"aa"[..], b"bbbb", b"cc", b""]);
    assert_eq!(findings, []);
    // By the table: the second frame has two fragments.
    let table: Vec<u8> = [0_u32, 10, 32]
        .iter()
        .flat_map(|at| at.to_le_bytes())
        .collect();
    let (found, findings) = frames(&file(&table, &[b"aa", b"bbbb", b"dd", b"cc"]));
    assert_eq!(found, [&b"aa"[..], b"bbbbdd", b"cc", b""]);
    assert_eq!(findings, []);
    // Nothing says which is which.
    let (found, findings) = frames(&file(&[], &[b"aa", b"bbbb", b"dd", b"cc"]));
    assert!(found.iter().all(Vec::is_empty));
    assert_eq!(findings, [Finding::FramesUnknown]);
    // A table that points between fragments is not believed.
    let wrong: Vec<u8> = [0_u32, 9, 32]
        .iter()
        .flat_map(|at| at.to_le_bytes())
        .collect();
    let (_, findings) = frames(&file(&wrong, &[b"aa", b"bbbb", b"dd", b"cc"]));
    assert_eq!(findings, [Finding::FramesUnknown]);
    // No fragments at all.
    let (found, _) = frames(&file(&[], &[]));
    assert!(found.iter().all(Vec::is_empty));
    // Held as native where the transfer syntax says compressed.
    let opaque = three.file_of(jpeg, &three.data_set());
    let header = p10::read_bytes(&opaque).unwrap();
    assert!(matches!(header.pixels(), Some(Pixels::Opaque(_))) && header.layout().is_none());
    assert_eq!(header.findings(), [Finding::PixelsContradicted]);
}

#[test]
fn ok_a_key_object_tells_what_it_points_at() {
    let mut key = made();
    key.class = KEY_OBJECT;
    key.pixels.clear();
    let image = |uid: &str| {
        let reference = [
            element(0x0008_1150, "UI", CT.as_bytes()),
            element(0x0008_1155, "UI", uid.as_bytes()),
        ]
        .concat();
        let content = [
            undefined(0x0008_1199, "SQ", &item(&reference)),
            element(0x0040_A010, "CS", b"CONTAINS"),
        ]
        .concat();
        item(&content)
    };
    let content = [image("1.2.3.1.7"), image("1.2.3.1.9")].concat();
    for sequence in [
        undefined(0x0040_A730, "SQ", &content),
        element(0x0040_A730, "SQ", &content),
    ] {
        let data = [key.head(), sequence].concat();
        let header = p10::read_bytes(&key.file_of(EXPLICIT_LE, &data)).unwrap();
        let found: Vec<&str> = header
            .references()
            .iter()
            .map(mic_transfer::Uid::as_str)
            .collect();
        assert_eq!(found, ["1.2.3.1.7", "1.2.3.1.9"]);
        assert_eq!(header.findings(), []);
    }
    let data = [made().head(), undefined(0x0040_A730, "SQ", &content)].concat();
    let header = p10::read_bytes(&made().file_of(EXPLICIT_LE, &data)).unwrap();
    assert!(
        header.references().is_empty(),
        "only key objects mark images"
    );
}

/// XFR-91: what there is too much of is told, and what was read before it stands.
#[test]
fn ok_more_fragments_references_and_elements_than_are_counted() {
    let found = |file: &[u8]| p10::read_bytes(file).unwrap().findings().to_vec();
    let jpeg = "1.2.840.10008.1.2.4.70";
    let fragments = |count: usize| {
        let content = [item(&[]), item(b"ab").repeat(count)].concat();
        let data = [made().head(), undefined(0x7FE0_0010, "OB", &content)].concat();
        made().file_of(jpeg, &data)
    };
    let told = [Finding::TooManyFragments];
    assert!(!found(&fragments(p10::FRAGMENTS_MAX)).contains(&told[0]));
    let more = found(&fragments(p10::FRAGMENTS_MAX + 1));
    assert!(more.contains(&told[0]), "{more:?}");

    let key = |count: usize| {
        let mut key = made();
        (key.class, key.pixels) = (KEY_OBJECT, Vec::new());
        let references: Vec<u8> = (0..count)
            .flat_map(|at| item(&element(0x0008_1155, "UI", format!("1.2.{at}").as_bytes())))
            .collect();
        let content = item(&undefined(0x0008_1199, "SQ", &references));
        let data = [key.head(), undefined(0x0040_A730, "SQ", &content)].concat();
        p10::read_bytes(&key.file_of(EXPLICIT_LE, &data)).unwrap()
    };
    let most = key(p10::REFERENCES_MAX);
    assert_eq!(
        (most.references().len(), most.findings()),
        (p10::REFERENCES_MAX, &[][..])
    );
    let more = key(p10::REFERENCES_MAX + 1);
    assert_eq!(more.references().len(), p10::REFERENCES_MAX);
    assert_eq!(more.findings(), [Finding::TooManyReferences]);

    // Elements behind the labels, private, empty and all of one number.
    let filler = element(0x0029_1010, "LO", b"").repeat(p10::ELEMENTS_MAX as usize);
    let data = [made().head(), filler].concat();
    let more = found(&made().file_of(EXPLICIT_LE, &data));
    let told = matches!(more[..], [Finding::Disordered(_), Finding::TooMany(_)]);
    assert!(told, "{more:?}");
}

/// XFR-91.
#[test]
fn ok_hostile_nesting_and_counts_end_the_walk() {
    let mut deep = made().head();
    for _ in 0..500 {
        deep.extend([
            0x40, 0, 0x30, 0xA7, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF,
        ]);
        deep.extend([0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]);
    }
    let header = p10::read_bytes(&deep).unwrap();
    assert!(
        header
            .findings()
            .iter()
            .any(|finding| matches!(finding, Finding::TooDeep(_)))
    );
    // An icon inside a sequence is not the image.
    let icon = undefined(
        0x0088_0200,
        "SQ",
        &item(&element(0x7FE0_0010, "OW", &[1, 2])),
    );
    let data = [made().head(), icon].concat();
    let header = p10::read_bytes(&data).unwrap();
    assert_eq!(header.pixels(), None);
}

#[test]
fn ok_slices_lie_along_the_normal() {
    let mut slice = made();
    slice.slice = Some(-12);
    let header = p10::read_bytes(&slice.file()).unwrap();
    assert_eq!(header.position_nm(), Some([0, 0, -12_500_000]));
    assert_eq!(header.slice_nm(), Some(-12_500_000));
    assert_eq!(p10::read_bytes(&made().file()).unwrap().slice_nm(), None);
}

/// A reader that fails at an offset.
struct Failing(Cursor<Vec<u8>>, u64);

impl Read for Failing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0.position() >= self.1 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let most = (self.1 - self.0.position()).min(into.len() as u64) as usize;
        self.0.read(&mut into[..most])
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn err_a_reader_that_fails_is_told_as_such() {
    for at in [0, 100, 140, 300] {
        let mut reader = Failing(Cursor::new(made().file()), at);
        let read = p10::read(&mut reader);
        assert_eq!(
            read,
            Err(NotAnInstance::Io(io::ErrorKind::PermissionDenied)),
            "{at}"
        );
    }
}
