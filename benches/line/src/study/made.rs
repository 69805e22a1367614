//! Made studies. Nobody is in them.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Image;
use super::dicom::{NUMBER, PIXELS, SERIES, STUDY, Tag, Writer};
use crate::line::Random;

/// A made study.
#[derive(Debug)]
pub(super) struct Made {
    modality: &'static str,
    class: &'static str,
    seed: u64,
    series: &'static [u32],
    image: Image,
}

pub(super) const CT: Made = Made {
    modality: "CT",
    class: "1.2.840.10008.5.1.4.1.1.2",
    seed: 11,
    series: &[500, 200, 100],
    image: Image {
        side: 512,
        noise: 6.0,
    },
};

pub(super) const MR: Made = Made {
    modality: "MR",
    class: "1.2.840.10008.5.1.4.1.1.4",
    seed: 12,
    series: &[400; 6],
    image: Image {
        side: 256,
        noise: 6.0,
    },
};

/// Writes the files of a study; `edit` changes the header of each, not the pixels.
pub(super) fn write(study: &Made, edit: &str, folder: &Path) -> anyhow::Result<()> {
    let slices: Vec<(u32, u32, u32)> = (1..)
        .zip(study.series)
        .flat_map(|(series, count)| (1..=*count).map(move |number| (series, number, *count)))
        .collect();
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let work = || -> anyhow::Result<()> {
            while let Some(slice) = slices.get(next.fetch_add(1, Ordering::Relaxed)) {
                let index = slices.iter().position(|one| one == slice).unwrap_or(0);
                write_one(study, edit, *slice, &folder.join(format!("{index:05}.dcm")))?;
            }
            Ok(())
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|one| one.join().map_err(|_| anyhow::anyhow!("a worker failed"))?)
    })
}

fn write_one(study: &Made, edit: &str, slice: (u32, u32, u32), path: &Path) -> anyhow::Result<()> {
    let (series, number, count) = slice;
    let uid = format!(
        "2.25.{}{}",
        7_000_000_000 + study.seed,
        if edit.is_empty() { "" } else { ".2" }
    );
    let instance = format!("{uid}.{series}.{number}");
    let mut noise = Random::new(study.seed << 40 | u64::from(series) << 32 | u64::from(number));
    let depth = number as f32 / count as f32;
    let pixels = study
        .image
        .slice(study.seed + u64::from(series), depth, &mut noise);
    let side = study.image.side;
    let mut file = Writer::new(study.class, &instance);
    file.text(Tag(8, 0x05), b"CS", "ISO_IR 192");
    file.text(Tag(8, 0x16), b"UI", study.class);
    file.text(Tag(8, 0x18), b"UI", &instance);
    file.text(Tag(8, 0x20), b"DA", "20260101");
    file.text(Tag(8, 0x30), b"TM", "120000");
    file.text(Tag(8, 0x50), b"SH", &format!("MADE{}", study.seed));
    file.text(Tag(8, 0x60), b"CS", study.modality);
    file.text(Tag(8, 0x70), b"LO", "MADE UP");
    file.text(Tag(8, 0x90), b"PN", "");
    file.text(Tag(0x10, 0x10), b"PN", &format!("Made^Up{edit}"));
    file.text(Tag(0x10, 0x20), b"LO", &format!("MADE{}{edit}", study.seed));
    file.text(Tag(0x10, 0x30), b"DA", "");
    file.text(Tag(0x10, 0x40), b"CS", "O");
    file.text(STUDY, b"UI", &uid);
    file.text(SERIES, b"UI", &format!("{uid}.{series}"));
    file.text(Tag(0x20, 0x10), b"SH", "1");
    file.text(Tag(0x20, 0x11), b"IS", &series.to_string());
    file.text(NUMBER, b"IS", &number.to_string());
    file.text(
        Tag(0x20, 0x32),
        b"DS",
        &format!("-250\\-250\\{}", f64::from(number) * 0.625),
    );
    file.text(Tag(0x20, 0x37), b"DS", "1\\0\\0\\0\\1\\0");
    file.number(Tag(0x28, 0x02), 1);
    file.text(Tag(0x28, 0x04), b"CS", "MONOCHROME2");
    file.number(Tag(0x28, 0x10), side);
    file.number(Tag(0x28, 0x11), side);
    file.text(Tag(0x28, 0x30), b"DS", "0.977\\0.977");
    file.number(Tag(0x28, 0x100), 16);
    file.number(Tag(0x28, 0x101), 12);
    file.number(Tag(0x28, 0x102), 11);
    file.number(Tag(0x28, 0x103), 0);
    file.text(Tag(0x28, 0x1052), b"DS", "-1024");
    file.text(Tag(0x28, 0x1053), b"DS", "1");
    file.long(PIXELS, b"OW", &pixels);
    fs::write(path, file.finish())?;
    Ok(())
}
