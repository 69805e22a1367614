//! Pictures of made and real studies: the counts add up, nothing panics, everything that can be
//! drawn is.
#![expect(
    clippy::unwrap_used,
    clippy::unreachable,
    clippy::std_instead_of_alloc,
    reason = "a test says what it drew"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{env, fs, io};

use mic_platform::dicom::{ReadOptions, read};
use mic_platform::phantom::Phantom;
use mic_platform::picture::{Picture, PictureError, PictureReport, Reason, contact_sheet, preview};
use proptest::prelude::*;

#[track_caller]
fn adds_up(report: &PictureReport) {
    let not_drawn = u64::try_from(report.not_drawn.len()).unwrap();
    assert_eq!(report.frames, report.drawn + not_drawn + report.left_out);
    assert!(report.without_pixels + report.not_read.len() <= report.instances);
}

/// Width, height and RGB bytes of a PNG, by its own decoder.
fn decoded(picture: &Picture) -> (u32, u32, Vec<u8>) {
    let decoder = png::Decoder::new(io::Cursor::new(&picture.png));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.height, pixels)
}

fn slices(count: u16) -> Vec<Vec<u8>> {
    let phantom = Phantom::new(2, count);
    // Out of order: the picture has to sort them.
    (0..count).rev().map(|slice| phantom.slice(slice)).collect()
}

#[test]
fn ok_a_volume_has_three_views_and_a_sheet_of_all_slices() {
    let files = slices(12);
    let read = |n: usize| Ok(files.get(n).unwrap().clone());
    let first = preview(12, &read).unwrap();
    assert_eq!((first.width, first.height), (1552, 520));
    assert_eq!((first.report.drawn, first.report.left_out), (1, 11));
    adds_up(&first.report);
    let (width, height, pixels) = decoded(&first);
    assert_eq!((width, height), (1552, 520));
    let bright = pixels.iter().filter(|value| **value > 200).count();
    assert!(bright * 100 > pixels.len(), "bone is white: {bright}");

    let sheet = contact_sheet(12, &read).unwrap();
    assert_eq!((sheet.report.frames, sheet.report.drawn), (12, 12));
    assert_eq!(sheet.width, 8 * 164 + 4);
    adds_up(&sheet.report);
}

#[test]
fn ok_what_cannot_be_read_is_counted_and_the_rest_drawn() {
    let files = slices(3);
    let read = |n: usize| match n {
        3 => Err(io::Error::from(io::ErrorKind::PermissionDenied)),
        4 => Ok(b"no picture".to_vec()),
        5 => {
            let mut cut = files.first().unwrap().clone();
            cut.truncate(100_000);
            Ok(cut)
        }
        n => Ok(files.get(n).unwrap().clone()),
    };
    let sheet = contact_sheet(6, &read).unwrap();
    adds_up(&sheet.report);
    assert_eq!((sheet.report.drawn, sheet.report.not_read.len()), (3, 2));
    let cut: Vec<_> = sheet
        .report
        .not_drawn
        .iter()
        .map(|one| (one.instance, &one.reason))
        .collect();
    assert_eq!(cut, [(5, &Reason::Cut)]);
}

#[test]
fn err_a_study_without_pixels_has_no_picture() {
    let Err(PictureError::NothingToDraw(report)) = contact_sheet(0, &|_| Ok(Vec::new())) else {
        unreachable!("nothing was drawn")
    };
    assert_eq!(report, PictureReport::default());
    let error = preview(1, &|_| Ok(b"text".to_vec())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "nothing to draw: 0 of 1 instances have no pixels, 1 could not be read, 0 frames could not be drawn"
    );
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Larger studies take minutes without optimisation.
const SLOW_BYTES_MAX: u64 = 200_000;

#[test]
fn ok_eight_encodings_of_one_slice_give_one_picture() {
    let Some(folder) = env::var_os("MIC_TEST_DATA") else {
        eprintln!("MIC_TEST_DATA is not set: made data only");
        return;
    };
    let folder = PathBuf::from(folder).join("ge-ct-hispeed-transcoded");
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "dcm"));
    assert_eq!(paths.len(), 8);
    let pictures = paths
        .iter()
        .map(|path| preview(1, &|_| fs::read(path)).unwrap().png);
    let pictures: Vec<Vec<u8>> = pictures.collect();
    let first = pictures.first().unwrap();
    for (path, picture) in paths.iter().zip(&pictures) {
        assert!(picture == first, "{}", path.display());
    }
}

#[test]
fn ok_every_real_study_has_its_pictures() {
    let Some(folder) = env::var_os("MIC_TEST_DATA") else {
        eprintln!("MIC_TEST_DATA is not set: made data only");
        return;
    };
    let mut paths = Vec::new();
    files(folder.as_ref(), &mut paths);
    paths.sort();
    let mut studies: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in paths {
        if let Ok(facts) = read(&fs::read(&path).unwrap(), &ReadOptions::default()) {
            studies.entry(facts.study_uid).or_default().push(path);
        }
    }
    if cfg!(debug_assertions) {
        eprintln!("without optimisation: only studies below {SLOW_BYTES_MAX} bytes are drawn");
        studies.retain(|_, paths| {
            let sizes = paths.iter().map(|path| fs::metadata(path).unwrap().len());
            sizes.sum::<u64>() < SLOW_BYTES_MAX
        });
    }
    let (mut drawn, mut left_out, mut without) = (0, 0, 0);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for (nth, paths) in studies.values().enumerate() {
        let read = |n: usize| fs::read(paths.get(n).unwrap());
        let is_chosen = !cfg!(debug_assertions) || nth % 10 == 0;
        if is_chosen && let Ok(picture) = preview(paths.len(), &read) {
            adds_up(&picture.report);
        }
        let report = match contact_sheet(paths.len(), &read) {
            Ok(sheet) => {
                assert_eq!(decoded(&sheet).0, sheet.width);
                sheet.report
            }
            Err(PictureError::NothingToDraw(report)) => report,
            Err(other) => unreachable!("{other}"),
        };
        adds_up(&report);
        assert_eq!(report.not_read, []);
        drawn += report.drawn;
        left_out += report.left_out;
        without += report.without_pixels;
        for one in &report.not_drawn {
            *reasons.entry(one.reason.to_string()).or_default() += 1;
        }
    }
    eprintln!(
        "{} studies: {drawn} frames drawn, {left_out} left out, {without} instances without pixels\n{reasons:#?}",
        studies.len()
    );
    assert!(drawn > 50);
}

/// A compressed frame with its bytes changed must not end the program.
static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| Phantom::new(1, 1).slice(0));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn ok_changed_headers_are_drawn_or_reported(
        changes in prop::collection::vec((1200_usize..2200, any::<u8>()), 1..8),
        length in 2000_usize..6000,
    ) {
        let mut file = FILE.clone();
        file.truncate(length);
        for (at, byte) in changes {
            if let Some(place) = file.get_mut(at) {
                *place = byte;
            }
        }
        match contact_sheet(1, &|_| Ok(file.clone())) {
            Ok(sheet) => adds_up(&sheet.report),
            Err(PictureError::NothingToDraw(report)) => adds_up(&report),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
