//! Every file of the test data: what `dicom-object` reads is read the same, and every outcome is counted.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use dicom_core::{Tag, VR};
use dicom_object::OpenFileOptions;
use dicom_object::mem::InMemElement;
use mic_transfer::p10::{self, Finding, Header, NotAnInstance, Pixels};

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn test_data() -> Option<PathBuf> {
    let folder = env::var_os("MIC_TEST_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("MIC_TEST_DATA is not set: made data only");
    }
    folder
}

type Object = dicom_object::DefaultDicomObject;

/// Not `element`: its errors carry a backtrace, which takes longer than all the reading.
fn element(object: &Object, group: u16, element: u16) -> Option<&InMemElement> {
    object.element_opt(Tag(group, element)).ok().flatten()
}

/// The bytes as they stand: what an archive wrote as UN is text all the same.
fn text(object: &Object, group: u16, tag: u16) -> Option<String> {
    let bytes = element(object, group, tag)?.to_bytes().ok()?;
    let text = String::from_utf8(bytes.to_vec()).ok()?;
    let text = text.trim_matches([' ', '\0']).to_owned();
    (!text.is_empty()).then_some(text)
}

fn number(object: &Object, group: u16, tag: u16) -> Option<u16> {
    let element = element(object, group, tag)?;
    if element.vr() == VR::UN {
        let bytes = element.to_bytes().ok()?;
        return Some(u16::from_le_bytes(*bytes.first_chunk()?));
    }
    element.to_int().ok()
}

fn compare(header: &Header, object: &Object, bytes: &[u8], path: &Path) {
    let name = path.display();
    let text = |group, element| text(object, group, element);
    let number = |group, element| number(object, group, element);
    assert_eq!(
        Some(header.study().as_str()),
        text(0x20, 0x0D).as_deref(),
        "{name}"
    );
    assert_eq!(
        Some(header.series().as_str()),
        text(0x20, 0x0E).as_deref(),
        "{name}"
    );
    if let Some(instance) = text(8, 0x18) {
        assert_eq!(header.sop_instance().as_str(), instance, "{name}");
    }
    if let Some(class) = text(8, 0x16) {
        assert_eq!(header.sop_class().as_str(), class, "{name}");
    }
    assert_eq!(
        header.transfer_syntax().as_str(),
        object.meta().transfer_syntax().trim_end_matches('\0'),
        "{name}"
    );
    assert_eq!(header.rows(), number(0x28, 0x10), "{name}");
    assert_eq!(header.columns(), number(0x28, 0x11), "{name}");
    assert_eq!(header.samples(), number(0x28, 0x02), "{name}");
    assert_eq!(header.bits_allocated(), number(0x28, 0x100), "{name}");
    assert_eq!(header.bits_stored(), number(0x28, 0x101), "{name}");
    assert_eq!(header.high_bit(), number(0x28, 0x102), "{name}");
    assert_eq!(header.pixel_representation(), number(0x28, 0x103), "{name}");
    assert_eq!(header.planar_configuration(), number(0x28, 0x06), "{name}");
    let frames = text(0x28, 8).and_then(|frames| frames.parse::<u32>().ok());
    assert_eq!(header.frames(), frames, "{name}");
    let instance_number = text(0x20, 0x13).and_then(|number| number.parse::<i64>().ok());
    assert_eq!(header.instance_number(), instance_number, "{name}");
    // Its bytes as well: some archives write decimal strings as UN.
    if let (Some(found), Some(position)) = (header.position_nm(), text(0x20, 0x32)) {
        let position = position.split('\\').map(|part| part.trim().parse::<f64>());
        for (found, expected) in found.iter().zip(position) {
            assert!(
                (*found as f64 / 1e6 - expected.unwrap()).abs() < 2e-6,
                "{name}"
            );
        }
    }
    compare_pixels(header, object, bytes, path);
}

fn compare_pixels(header: &Header, object: &Object, bytes: &[u8], path: &Path) {
    let name = path.display();
    let pixels = [Tag(0x7FE0, 8), Tag(0x7FE0, 9), Tag(0x7FE0, 0x10)]
        .into_iter()
        .find_map(|tag| object.element_opt(tag).ok().flatten());
    let slice = |range: &std::ops::Range<u64>| &bytes[range.start as usize..range.end as usize];
    match (header.pixels(), pixels.map(dicom_core::DataElement::value)) {
        (None, None) => {}
        (None, Some(_)) => assert_eq!(
            header.transfer_syntax().as_str(),
            "1.2.840.10008.1.2.1.99",
            "{name}"
        ),
        (Some(Pixels::Encapsulated(found)), Some(value)) => {
            let expected = value.fragments().unwrap();
            assert_eq!(found.fragments().len(), expected.len(), "{name}");
            for (found, expected) in found.fragments().iter().zip(expected) {
                assert_eq!(slice(found), &expected[..], "{name}");
            }
        }
        (Some(found), Some(value)) => {
            // The toolkit gives words in the machine's order.
            let mut expected = value.to_bytes_of_primitive();
            if header.transfer_syntax().as_str() == "1.2.840.10008.1.2.2" {
                let words = header.bits_allocated() != Some(8);
                if words {
                    expected.chunks_exact_mut(2).for_each(<[u8]>::reverse);
                }
            }
            let found = slice(found.range());
            assert_eq!(found.len(), expected.len(), "{name}");
            if found != expected {
                expected.chunks_exact_mut(2).for_each(<[u8]>::reverse);
                assert!(found == expected, "{name}");
            }
        }
        (Some(_), None) => panic!("{name}: the toolkit has no pixels"),
    }
}

/// Whether a length of the file is wrong, or read in another encoding than it is written in.
fn misleads(finding: &Finding) -> bool {
    matches!(
        finding,
        Finding::Cut(_)
            | Finding::CutHeader(_)
            | Finding::NotAnItem(_)
            | Finding::PassesParent(_)
            | Finding::TransferSyntaxContradicted
            | Finding::TransferSyntaxMissing
    )
}

trait Primitive {
    fn to_bytes_of_primitive(&self) -> Vec<u8>;
}

impl<I, P> Primitive for dicom_core::value::Value<I, P> {
    fn to_bytes_of_primitive(&self) -> Vec<u8> {
        self.primitive().unwrap().to_bytes().to_vec()
    }
}

#[test]
fn ok_every_file_is_read_as_dicom_object_reads_it() {
    let Some(folder) = test_data() else { return };
    let (mut both, mut ours, mut theirs, mut neither) = (0, 0, Vec::new(), 0);
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    let files = files(&folder);
    for path in &files {
        let bytes = fs::read(path).unwrap();
        let read = p10::read(&mut File::open(path).unwrap());
        assert_eq!(read, p10::read_bytes(&bytes), "{}", path.display());
        // The toolkit allocates, and fills, whatever a file claims: a length that is wrong takes gigabytes.
        let sound = match &read {
            Ok(header) => !header.findings().iter().any(misleads),
            Err(reason) => matches!(
                reason,
                NotAnInstance::Absent(_) | NotAnInstance::Invalid(_) | NotAnInstance::Directory
            ),
        };
        let object = sound.then(|| OpenFileOptions::new().open_file(path).ok());
        match (read, object.flatten().ok_or(())) {
            (Ok(header), Ok(object)) => {
                both += 1;
                compare(&header, &object, &bytes, path);
            }
            (Ok(_), Err(_)) => ours += 1,
            (Err(reason), object) => {
                let kind = match reason {
                    NotAnInstance::Cut { missing, .. } => format!("cut before {missing}"),
                    ref reason => reason.to_string(),
                };
                *reasons.entry(kind).or_default() += 1;
                // What the toolkit opens and we don't must lack a label there, too.
                if let Ok(object) = object {
                    let labels = [(0x20, 0x0D), (0x20, 0x0E), (8, 0x18), (8, 0x16)];
                    let lacks = labels.iter().any(|(g, e)| text(&object, *g, *e).is_none());
                    if !lacks {
                        theirs.push((path.clone(), reason));
                    }
                    continue;
                }
                neither += 1;
            }
        }
    }
    eprintln!(
        "{} files: {both} read by both, {ours} by us alone, {neither} by neither; {reasons:#?}",
        files.len()
    );
    assert_eq!(theirs, []);
    assert!(both > 700 && ours > 5, "{both} {ours}");
    let refused: u32 = reasons.values().sum();
    assert_eq!(both + ours + refused, files.len() as u32);
}
