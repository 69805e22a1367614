//! A folder of files as studies: every file has one answer, and they add up.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use mic_transfer::adapter::files::{FileOutcome, FileSource, Folder};
use mic_transfer::p10::NotAnInstance;
use mic_transfer::source::Source;
use mic_transfer::{Manifest, Uid};

use crate::data::{files, test_data};
use crate::made::{CT, EXPLICIT_LE, KEY_OBJECT, Made, element, item, undefined};

fn manifests(folder: Folder) -> BTreeMap<Uid, Manifest> {
    let studies = folder.into_studies().into_iter();
    studies
        .map(|(uid, study)| (uid, study.unsigned().unwrap().signed().manifest().clone()))
        .collect()
}

fn outcome(folder: &Folder, name: &str) -> FileOutcome {
    let found = folder
        .outcomes()
        .iter()
        .find(|(path, _)| path.ends_with(name));
    found.unwrap().1.clone()
}

#[test]
fn ok_each_odd_file_has_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let made = Made::new("1.2.3", "1.2.3.1", "1.2.3.1.1");
    put("a-image", &made.file());
    fs::create_dir(folder.path().join("deeper")).unwrap();
    put("deeper/b-same-bytes", &made.file());
    put("c-bare", &made.data_set());
    put("d-empty", &[]);
    put("e-text", b"minutes of a meeting");
    let mut directory = made.clone();
    directory.class = "1.2.840.10008.1.3.10";
    put(
        "f-directory",
        &directory.file_of(EXPLICIT_LE, &element(0x0004_1130, "CS", b"X")),
    );
    let before_study = made.file().len() - made.data_set().len() + 70;
    put("g-cut-before-study", &made.file()[..before_study]);
    put("h-cut-in-pixels", &made.file()[..made.file().len() - 5]);
    let mut bare = made.clone();
    (bare.pixels, bare.instance) = (Vec::new(), "1.2.3.1.2".into());
    put("i-no-pixels", &bare.file());
    let mut lost = made.clone();
    lost.study = String::new();
    put("j-no-study", &lost.file());

    let read = Folder::read(folder.path()).unwrap();
    assert_eq!(read.outcomes().len(), 10);
    // The three of one identifier: the smallest by transfer syntax and digest is listed first.
    let three =
        ["a-image", "c-bare", "h-cut-in-pixels", "b-same-bytes"].map(|name| outcome(&read, name));
    let count = |wanted: &FileOutcome| three.iter().filter(|found| *found == wanted).count();
    assert_eq!(count(&FileOutcome::Listed), 1);
    assert_eq!(count(&FileOutcome::Variant), 2);
    assert_eq!(count(&FileOutcome::Duplicate), 1);
    let refused = |name| match outcome(&read, name) {
        FileOutcome::NotAnInstance(reason) => reason,
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(refused("d-empty"), NotAnInstance::Empty);
    assert_eq!(refused("e-text"), NotAnInstance::NotDicom);
    assert_eq!(refused("f-directory"), NotAnInstance::Directory);
    assert!(matches!(
        refused("g-cut-before-study"),
        NotAnInstance::Cut { .. }
    ));
    assert!(matches!(refused("j-no-study"), NotAnInstance::Absent(_)));
    assert_eq!(outcome(&read, "i-no-pixels"), FileOutcome::Listed);

    let manifest = manifests(read).remove(&Uid::new("1.2.3").unwrap()).unwrap();
    assert_eq!(manifest.instances().len(), 4);
    let without = manifest
        .instances()
        .iter()
        .filter(|instance| instance.pixels().is_none());
    assert_eq!(without.count(), 1);
}

#[test]
fn ok_names_and_folders_of_files_say_nothing() {
    let slices = |folder: &Path, names: &[&str]| {
        for (at, name) in names.iter().enumerate() {
            let mut made = Made::new("1.2.3", "1.2.3.1", &format!("1.2.3.1.{at}"));
            // The numbers run against the places.
            (made.number, made.slice) = (Some(9 - at as i32), Some(at as i32 * 5));
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, made.file()).unwrap();
        }
        manifests(Folder::read(folder).unwrap())
            .into_values()
            .next()
            .unwrap()
    };
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let one = slices(one.path(), &["1", "2", "3", "4", "5"]);
    let other = slices(other.path(), &["z", "b/y", "a", "c/d/e", "b/0"]);
    assert_eq!(one.root(), other.root());
    let ranks: Vec<_> = one
        .instances()
        .iter()
        .map(mic_transfer::Instance::rank)
        .collect();
    assert_eq!(ranks, [Some(0), Some(1), Some(2), Some(3), Some(4)]);
    assert_eq!(
        one.head().first()[0].instance(),
        2,
        "the middle slice opens the study"
    );
}

#[test]
fn ok_instance_numbers_where_places_repeat_and_key_images_from_key_objects() {
    let folder = tempfile::tempdir().unwrap();
    for at in 0..6 {
        let mut made = Made::new("1.2.3", "1.2.3.1", &format!("1.2.3.1.{at}"));
        (made.number, made.slice) = (Some(6 - at), Some(at % 3));
        fs::write(folder.path().join(at.to_string()), made.file()).unwrap();
    }
    let mut key = Made::new("1.2.3", "1.2.3.2", "1.2.3.2.1");
    (key.class, key.number) = (KEY_OBJECT, None);
    key.pixels.clear();
    let reference = [
        element(0x0008_1150, "UI", CT.as_bytes()),
        element(0x0008_1155, "UI", b"1.2.3.1.4"),
    ];
    let content = item(&undefined(0x0008_1199, "SQ", &item(&reference.concat())));
    let data = [key.head(), undefined(0x0040_A730, "SQ", &content)].concat();
    fs::write(folder.path().join("key"), key.file_of(EXPLICIT_LE, &data)).unwrap();
    let manifest = manifests(Folder::read(folder.path()).unwrap())
        .into_values()
        .next()
        .unwrap();
    let images = &manifest.instances()[..6];
    let names: Vec<&str> = images
        .iter()
        .map(|image| image.sop_instance().as_str())
        .collect();
    assert_eq!(
        names,
        [
            "1.2.3.1.5",
            "1.2.3.1.4",
            "1.2.3.1.3",
            "1.2.3.1.2",
            "1.2.3.1.1",
            "1.2.3.1.0"
        ]
    );
    let keys: Vec<bool> = images
        .iter()
        .map(mic_transfer::Instance::is_key_image)
        .collect();
    assert_eq!(keys, [false, true, false, false, false, false]);
    assert_eq!(manifest.instances()[6].rank(), None);
}

/// The outcomes of the real files, by kind.
fn tally(folder: &Folder) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for (path, outcome) in folder.outcomes() {
        let kind = match outcome {
            FileOutcome::Listed => "listed",
            FileOutcome::Variant => "same identifier, other bytes",
            FileOutcome::Duplicate => "same bytes",
            FileOutcome::NotAnInstance(NotAnInstance::Empty) => "empty",
            FileOutcome::NotAnInstance(NotAnInstance::NotDicom) => "no DICOM",
            FileOutcome::NotAnInstance(NotAnInstance::Directory) => "directory",
            FileOutcome::NotAnInstance(NotAnInstance::Cut { .. }) => "cut before a label",
            FileOutcome::NotAnInstance(NotAnInstance::Absent(_)) => "label absent",
            FileOutcome::NotAnInstance(NotAnInstance::Invalid(_)) => "label invalid",
            other => panic!("{}: {other:?}", path.display()),
        };
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

#[test]
fn ok_every_file_of_the_test_data_has_an_answer_and_they_add_up() {
    let Some(folder) = test_data() else { return };
    let all = files(&folder).len();
    let read = Folder::read(&folder).unwrap();
    assert_eq!(read.outcomes().len(), all);
    let counts = tally(&read);
    let listed = counts["listed"] + counts["same identifier, other bytes"];
    let source = FileSource::new();
    let mut instances = 0;
    for study in read.into_studies().into_values() {
        let ready = study.unsigned().unwrap();
        let manifest = ready.signed().manifest().clone();
        source.insert(ready);
        instances += manifest.instances().len();
        // What the manifest lists can be read and is what it says.
        for (number, instance) in (0..).zip(manifest.instances()) {
            let mut bytes = vec![0; instance.length() as usize];
            source.read(&manifest, number, 0, &mut bytes).unwrap();
            assert_eq!(mic_transfer::Digest::of(&bytes), *instance.digest());
        }
    }
    eprintln!("{all} files: {counts:?}, {} studies", source_len(&folder));
    assert_eq!(instances, listed);
    assert_eq!(counts.values().sum::<usize>(), all);
}

fn source_len(folder: &Path) -> usize {
    Folder::read(folder).unwrap().into_studies().len()
}

#[cfg(feature = "coding")]
#[test]
fn ok_native_pixels_are_a_hint_to_the_coding_of_chunks() {
    use mic_transfer::coding::PixelHint;
    let folder = tempfile::tempdir().unwrap();
    let native = Made::new("1.2.3", "1.2.3.1", "1.2.3.1.1");
    let mut bare = Made::new("1.2.3", "1.2.3.1", "1.2.3.1.2");
    bare.pixels = Vec::new();
    fs::write(folder.path().join("native"), native.file()).unwrap();
    fs::write(folder.path().join("bare"), bare.file()).unwrap();
    let source = FileSource::new();
    for study in Folder::read(folder.path())
        .unwrap()
        .into_studies()
        .into_values()
    {
        source.insert(study.unsigned().unwrap());
    }
    let signed = source.manifest(&Uid::new("1.2.3").unwrap()).unwrap();
    let manifest = signed.manifest();
    let hints: BTreeMap<&str, Option<PixelHint>> = (0..)
        .zip(manifest.instances())
        .map(|(at, listed)| (listed.sop_instance().as_str(), source.hint(manifest, at)))
        .collect();
    let bytes = native.pixels.len() as u64;
    let offset = native.file().len() as u64 - bytes;
    let row = u32::from(native.columns) * u32::from(native.bits / 8);
    let expected = PixelHint::new(offset, bytes, row, (native.bits / 8) as u8).unwrap();
    assert_eq!(hints["1.2.3.1.1"], Some(expected.signed(false)));
    assert_eq!(hints["1.2.3.1.2"], None);
}
