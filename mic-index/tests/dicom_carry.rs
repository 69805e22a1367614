//! A header carries a code and gives the same code back, through files, too.
#![cfg(all(feature = "dicom", feature = "proptest"))]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::std_instead_of_alloc, reason = "tests have std")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_object::{FileDicomObject, FileMetaTableBuilder, InMemDicomObject};
use mic_index::dicom::{Attribute, CODE_CREATOR, CodeBlock, ExamDraft, FindingKind, NoFreeBlock};
use mic_index::{IndexCode, index_code, strategy};
use proptest::prelude::*;

const EXAMPLE: IndexCode = index_code!(
    "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
);
const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";
const IMPLICIT_LE: &str = "1.2.840.10008.1.2";
const EXPLICIT_BE: &str = "1.2.840.10008.1.2.2";

type Element = DataElement<InMemDicomObject, Vec<u8>>;

fn text(tag: Tag, vr: VR, text: &str) -> Element {
    DataElement::new(tag, vr, PrimitiveValue::from(text))
}

fn study_of(date: &str, time: &str) -> Vec<Element> {
    vec![
        text(Tag(8, 0x16), VR::UI, "1.2.840.10008.5.1.4.1.1.7"),
        text(Tag(8, 0x18), VR::UI, "1.2.826.0.1.3680043.2.1.1"),
        text(Tag(8, 0x20), VR::DA, date),
        text(Tag(8, 0x30), VR::TM, time),
        text(Tag(0x20, 0xd), VR::UI, "1.2.826.0.1.3680043.2.1"),
    ]
}

fn findings(draft: &ExamDraft) -> Vec<(FindingKind, Option<Attribute>)> {
    let of_code = draft
        .findings()
        .iter()
        .filter(|f| f.attribute() == Attribute::IndexCode);
    of_code.map(|f| (f.kind(), f.used())).collect()
}

fn write(elements: &[Element], transfer_syntax: &str) -> Vec<u8> {
    let object = InMemDicomObject::from_element_iter(elements.iter().cloned());
    let meta = FileMetaTableBuilder::new().transfer_syntax(transfer_syntax);
    let mut bytes = Vec::new();
    object
        .with_meta(meta)
        .unwrap()
        .write_all(&mut bytes)
        .unwrap();
    bytes
}

fn read(bytes: &[u8]) -> ExamDraft {
    let object = dicom_object::from_reader(bytes).unwrap();
    ExamDraft::from_elements(object.iter())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// `IDX-70`: whatever is in the way of the block.
    #[test]
    fn what_a_header_carries_comes_back(
        code in strategy::code(),
        taken in prop::collection::btree_set(0x10..=0x20_u16, 0..12),
        strays in prop::collection::btree_set(0x10..=0x20_u16, 0..4),
        earlier in prop::option::of(strategy::code()),
        syntax in prop::sample::select(vec![EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE]),
    ) {
        let mut header = InMemDicomObject::from_element_iter(study_of("20241122", "1430"));
        for block in &taken {
            header.put(text(Tag(9, *block), VR::LO, "ACME"));
            header.put(text(Tag(9, block << 8 | 1), VR::LO, "of somebody else"));
        }
        for block in &strays {
            header.put(text(Tag(9, block << 8 | 1), VR::LO, "without a creator"));
        }
        for code in earlier.into_iter().chain([code]) {
            let block = CodeBlock::of(&header).unwrap();
            prop_assert!(block.stale().is_empty());
            for element in block.elements(code) {
                header.put(element);
            }
        }
        // Nothing of anybody else's is lost, and an earlier code is replaced.
        let others = header.iter().filter(|element| {
            element.header().tag.group() == 9
        });
        prop_assert_eq!(others.count(), 2 + taken.len() * 2 + strays.difference(&taken).count());

        let elements: Vec<Element> = header.into_iter().collect();
        let draft = read(&write(&elements, syntax));
        prop_assert_eq!(draft.carried_code(), Some(code));
        let expected = if code.exam_time() == EXAMPLE.exam_time() {
            vec![]
        } else {
            vec![(FindingKind::CodeOfAnotherTime, Some(Attribute::IndexCode))]
        };
        prop_assert_eq!(findings(&draft), expected);
    }
}

#[test]
fn the_elements_are_ut_and_lo() {
    let block = CodeBlock::of(&study_of("20241122", "1430")).unwrap();
    let [creator, code]: [Element; 2] = block.elements(EXAMPLE);
    assert_eq!((creator.header().tag, creator.vr()), (Tag(9, 0x10), VR::LO));
    assert_eq!((code.header().tag, code.vr()), (Tag(9, 0x1001), VR::UT));
    assert_eq!(creator.to_str().unwrap(), CODE_CREATOR);
    assert_eq!(code.to_str().unwrap(), EXAMPLE.to_string());
}

#[test]
fn every_vector() {
    let root: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/carried-code.json")).unwrap();
    for case in root["cases"].as_array().unwrap() {
        let elements: Vec<Element> = case["input"]
            .as_array()
            .unwrap()
            .iter()
            .map(element)
            .collect();
        let draft = ExamDraft::from_elements(&elements);
        let code = draft.carried_code().map(|code| code.to_string());
        let expect = &case["expect"];
        assert_eq!(serde_json::json!(code), expect["code"], "{}", case["id"]);
        let mut kinds: Vec<&str> = findings(&draft)
            .iter()
            .map(|(kind, _)| kind.name())
            .collect();
        if code.is_some() {
            assert_eq!(
                serde_json::json!(kinds),
                expect["findings"],
                "{}",
                case["id"]
            );
        } else {
            kinds.push("absent");
            assert_eq!(kinds[0], expect["error"], "{}", case["id"]);
        }
    }
}

/// An element of a vector: tag, VR, value.
fn element(of: &serde_json::Value) -> Element {
    let (group, number) = of[0].as_str().unwrap().split_once(',').unwrap();
    let hex = |digits: &str| u16::from_str_radix(digits, 16).unwrap();
    let vr = of[1].as_str().unwrap().parse().unwrap();
    text(Tag(hex(group), hex(number)), vr, of[2].as_str().unwrap())
}

#[test]
fn ok_any_text_vr_and_bytes_are_read() {
    let printed = EXAMPLE.to_string();
    for (vr, value) in [
        (VR::UC, PrimitiveValue::from(printed.as_str())),
        (VR::LT, PrimitiveValue::from(format!("{printed}  "))),
        (
            VR::UN,
            PrimitiveValue::U8(printed.clone().into_bytes().into()),
        ),
        (VR::UT, PrimitiveValue::from(EXAMPLE.compact().as_str())),
    ] {
        let mut header = study_of("20241122", "1430");
        header.push(DataElement::new(Tag(9, 0x4201), vr, value));
        // The creator may come behind the code: elements are taken in any order.
        header.push(text(Tag(9, 0x42), VR::LO, "MIC INDEX CODE "));
        let draft = ExamDraft::from_elements(&header);
        assert_eq!(draft.carried_code(), Some(EXAMPLE), "{vr:?}");
        assert_eq!(findings(&draft), []);
    }
}

#[test]
fn err_what_is_no_code_is_told() {
    let used = None;
    for (value, expected) in [
        ("", vec![(FindingKind::Empty, used)]),
        ("***", vec![(FindingKind::NotCode, used)]),
        ("1000", vec![(FindingKind::NotCode, used)]),
        (
            &EXAMPLE.to_string()[..64],
            vec![(FindingKind::NotCode, used)],
        ),
    ] {
        let mut header = study_of("20241122", "1430");
        header.push(text(Tag(9, 0x10), VR::LO, CODE_CREATOR));
        header.push(text(Tag(9, 0x1001), VR::UT, value));
        let draft = ExamDraft::from_elements(&header);
        assert_eq!(
            (draft.carried_code(), findings(&draft)),
            (None, expected),
            "{value}"
        );
    }
    // Somebody else's element at the same place is nothing of ours.
    let mut header = study_of("20241122", "1430");
    header.push(text(Tag(9, 0x10), VR::LO, "ACME"));
    header.push(text(Tag(9, 0x1001), VR::UT, &EXAMPLE.to_string()));
    let draft = ExamDraft::from_elements(&header);
    assert_eq!((draft.carried_code(), findings(&draft)), (None, vec![]));
}

/// `IDX-72`, and the way out: the second block is named for removal.
#[test]
fn err_two_codes_that_differ_are_none() {
    let other: IndexCode = EXAMPLE.to_string().replace("1430", "1431").parse().unwrap();
    let with_second = |second: IndexCode| {
        let mut header = study_of("20241122", "1430");
        for (block, code) in [(0x10, EXAMPLE), (0x13, second)] {
            header.push(text(Tag(9, block), VR::LO, CODE_CREATOR));
            header.push(text(Tag(9, block << 8 | 1), VR::UT, &code.to_string()));
        }
        header
    };
    let draft = ExamDraft::from_elements(&with_second(EXAMPLE));
    assert_eq!(
        (draft.carried_code(), findings(&draft)),
        (Some(EXAMPLE), vec![])
    );

    let mut header = with_second(other);
    let draft = ExamDraft::from_elements(&header);
    assert_eq!(draft.carried_code(), None);
    assert_eq!(findings(&draft), [(FindingKind::SeveralCodes, None)]);

    let block = CodeBlock::of(&header).unwrap();
    assert_eq!(block.stale(), [Tag(9, 0x13), Tag(9, 0x1301)]);
    header.retain(|element| !block.stale().contains(&element.header().tag));
    assert_eq!(
        ExamDraft::from_elements(&header).carried_code(),
        Some(EXAMPLE)
    );
}

/// `IDX-71`.
#[test]
fn err_no_block_is_free() {
    let header: Vec<Element> = (0x10..=0xff)
        .map(|block| text(Tag(9, block), VR::LO, "ACME"))
        .collect();
    let error: NoFreeBlock = CodeBlock::of(&header).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a free private block in group 0009, found 240 taken"
    );
    assert_eq!(
        CodeBlock::of(&header[..239]).unwrap().creator_tag(),
        Tag(9, 0xff)
    );
}

/// pydicom, which knows nothing of this crate, reads the element by its creator and writes it back.
#[test]
fn pydicom_reads_what_is_written() {
    const READ: &str = r"
import sys, io, pydicom
data = pydicom.dcmread(io.BytesIO(sys.stdin.buffer.read()))
block = data.private_block(0x0009, 'MIC INDEX CODE')
assert block[0x01].VR in ('UT', 'UN'), block[0x01].VR
value = block[0x01].value
value = value.decode() if isinstance(value, bytes) else value
block.add_new(0x01, 'UT', value)
out = io.BytesIO()
data.save_as(out)
sys.stdout.buffer.write(out.getvalue())
";
    let there = Command::new("python3")
        .args(["-c", "import pydicom"])
        .stderr(Stdio::null())
        .status();
    if !there.is_ok_and(|status| status.success()) {
        assert!(
            std::env::var_os("MIC_PEERS").is_none(),
            "MIC_PEERS asks for every peer, and this one is missing"
        );
        println!("python3 with pydicom is not there: it was not asked");
        return;
    }
    for syntax in [EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE] {
        let mut elements = study_of("20241122", "1430");
        elements.push(text(Tag(9, 0x10), VR::LO, "ACME"));
        let block = CodeBlock::of(&elements).unwrap();
        elements.extend(block.elements(EXAMPLE));
        let mut python = Command::new("python3")
            .args(["-c", READ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        python
            .stdin
            .take()
            .unwrap()
            .write_all(&write(&elements, syntax))
            .unwrap();
        let output = python.wait_with_output().unwrap();
        assert!(output.status.success(), "{syntax}");
        assert_eq!(
            read(&output.stdout).carried_code(),
            Some(EXAMPLE),
            "{syntax}"
        );
    }
}

/// Files that say they are DICOM and that dicom-object does not open, at most.
const REFUSED_MAX: usize = 4;

/// Every file below `MIC_TEST_DATA` that can be read is given a code, written, and read again.
#[test]
fn every_real_file_carries_a_code() {
    let Some(root) = std::env::var_os("MIC_TEST_DATA") else {
        println!("MIC_TEST_DATA is not set: no real file was given a code");
        return;
    };
    let (mut carried, mut counts) = (0, BTreeMap::<&str, u32>::new());
    let mut refused = Vec::new();
    for path in files(Path::new(&root)) {
        let Some(mut object) = object_of(&path) else {
            if says_dicom(&path) {
                refused.push(path);
            }
            continue;
        };
        let before = object.iter().count();
        let block = CodeBlock::of(object.iter()).unwrap();
        assert!(block.stale().is_empty());
        for element in block.elements(EXAMPLE) {
            object.put(element);
        }
        let mut bytes = Vec::new();
        if object.write_all(&mut bytes).is_err() {
            // What dicom-object reads and cannot write: odd on its own account.
            *counts.entry("could be read but not written").or_default() += 1;
            continue;
        }
        let Ok(again) = dicom_object::from_reader(&bytes[..]) else {
            *counts
                .entry("could be written but not read again")
                .or_default() += 1;
            continue;
        };
        let draft = ExamDraft::from_elements(again.iter());
        assert_eq!(draft.carried_code(), Some(EXAMPLE), "{}", path.display());
        assert!(again.iter().count() >= before.min(3), "{}", path.display());
        carried += 1;
        for (kind, _) in findings(&draft) {
            *counts.entry(kind.name()).or_default() += 1;
        }
    }
    println!("{carried} files carry a code: {counts:?}");
    println!("{} refused by dicom-object: {refused:#?}", refused.len());
    assert!(refused.len() <= REFUSED_MAX);
    assert!(carried > 0, "no DICOM file below MIC_TEST_DATA");
}

/// Whether a file has the four letters behind the preamble.
fn says_dicom(path: &Path) -> bool {
    let mut start = [0; 132];
    let file = std::fs::File::open(path);
    file.and_then(|mut file| file.read_exact(&mut start))
        .is_ok_and(|()| start.ends_with(b"DICM"))
}

/// The header of a file to its StudyInstanceUID: all that carrying a code reads or writes lies before, and the rest
/// of a large file need not be copied.
fn object_of(path: &Path) -> Option<FileDicomObject<InMemDicomObject>> {
    let options = dicom_object::OpenFileOptions::new().read_until(Tag(0x0020, 0x0010));
    options.open_file(path).ok()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}
