//! Describes a study of two instances, proves its chunks one by one, and refuses a spoilt one.

use std::error::Error;

use mic_transfer::limits::CHUNK_BYTES;
use mic_transfer::tree::TreeBuilder;
use mic_transfer::{Digest, Instance, Manifest, ManifestBuilder, Uid};

const CT_IMAGE_STORAGE: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

fn main() -> Result<(), Box<dyn Error>> {
    let files = [vec![7_u8; 3 * CHUNK_BYTES + 1], vec![9_u8; 1_000]];
    let mut study = ManifestBuilder::new(Uid::new("1.2.3")?);
    for (place, file) in files.iter().enumerate() {
        study.push(Instance::new(
            Uid::new(CT_IMAGE_STORAGE)?,
            Uid::new(&format!("1.2.3.4.{place}"))?,
            Uid::new("1.2.3.4")?,
            Uid::new(EXPLICIT_LITTLE_ENDIAN)?,
            file.len() as u64,
            Digest::of(file),
        )?)?;
    }
    let manifest = study.build()?;
    println!(
        "{} instances, {} bytes in {} chunks",
        manifest.instances().len(),
        manifest.bytes_total(),
        manifest.chunks_total()
    );
    assert_eq!(
        Manifest::decode(manifest.encoded())?.root(),
        manifest.root()
    );

    let mut tree = TreeBuilder::new();
    tree.update(&files[0]);
    let (digest, leaves) = tree.finish();
    assert_eq!(digest, Digest::of(&files[0]));
    assert!(
        (0_u32..)
            .zip(files[0].chunks(CHUNK_BYTES))
            .all(|(at, chunk)| leaves.verifies(at, chunk))
    );
    assert!(!leaves.verifies(0, &files[1]));

    let mut spoilt = manifest.encoded().to_vec();
    spoilt.pop();
    let fault = Manifest::decode(&spoilt)
        .err()
        .ok_or("a cut manifest was taken")?;
    println!("refused: {fault}");
    Ok(())
}
