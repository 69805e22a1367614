//! Lossless coding of chunks beside zstd and lz4: made-up slices always, real studies where `MIC_TEST_DATA` is the
//! folder that has them.

use std::path::PathBuf;

use mic_benches::coding::{Pictures, groups, made_ct, real};
use mic_benches::{run, size};

fn main() -> anyhow::Result<()> {
    let made = (0..size(16, 1) as u64).map(made_ct).collect();
    let mut all = vec![Pictures::new("made CT, 12 bits unsigned", made)];
    if let Some(data) = std::env::var_os("MIC_TEST_DATA").map(PathBuf::from) {
        let wide = |bits: u16, samples: u16| bits == 16 && samples == 1;
        for (name, folder) in [
            ("GE CT, 512 x 512", "ge-ct-hispeed"),
            ("GE CT, 3 slices", "ge-ct-lightspeed-3slice"),
            ("GE fMRI, 64 x 64", "ge-mr-fmri"),
            ("MR structural, implicit", "mr-structural-implicit"),
            ("UIH MR", "uih-mr-umr770"),
            ("Siemens MR, 216 x 216", "siemens-mr-skyra"),
        ] {
            all.extend(real(name, &data.join(folder), wide)?);
        }
        let mixed = data.join("pydicom-data");
        all.extend(real("8 bits, grey", &mixed, |bits, samples| {
            bits == 8 && samples == 1
        })?);
        all.extend(real("8 bits, colour", &mixed, |bits, samples| {
            bits == 8 && samples == 3
        })?);
    }
    let mut measured = Vec::new();
    for pictures in &all {
        measured.extend(groups(pictures)?);
    }
    run(measured);
    Ok(())
}
