//! The exchange form of a manifest: serde records with the rules of the builder.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Added, Instance, Manifest, ManifestBuilder, Pieces, PixelRange};
use crate::{Digest, Sm3Digest, Uid};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StudyRecord {
    study: Uid,
    /// Written for readers; checked if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<Digest>,
    instances: Vec<InstanceRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InstanceRecord {
    series: Uid,
    sop_class: Uid,
    sop_instance: Uid,
    transfer_syntax: Uid,
    length: u64,
    blake3: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rank: Option<u32>,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    key_image: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pixels: Option<PixelRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pieces: Vec<PieceRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sm3: Option<Sm3Digest>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PixelRecord {
    offset: u64,
    length: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PieceRecord {
    offset: u64,
    length: u64,
    blake3: Digest,
}

impl PieceRecord {
    fn of(pieces: &Pieces) -> Vec<Self> {
        let records = pieces.iter().map(|(range, digest)| Self {
            offset: range.offset(),
            length: range.length(),
            blake3: *digest,
        });
        records.collect()
    }
}

impl Serialize for Manifest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let instances = self.instances().iter().map(|instance| InstanceRecord {
            series: instance.series().clone(),
            sop_class: instance.sop_class().clone(),
            sop_instance: instance.sop_instance().clone(),
            transfer_syntax: instance.transfer_syntax().clone(),
            length: instance.length(),
            blake3: *instance.digest(),
            rank: instance.rank(),
            key_image: instance.is_key_image(),
            pixels: instance.pixels().map(|range| PixelRecord {
                offset: range.offset(),
                length: range.length(),
            }),
            pieces: instance.pieces().map(PieceRecord::of).unwrap_or_default(),
            sm3: instance.sm3().copied(),
        });
        StudyRecord {
            study: self.study().clone(),
            root: Some(*self.root()),
            instances: instances.collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Manifest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = StudyRecord::deserialize(deserializer)?;
        let mut builder = ManifestBuilder::new(record.study);
        for (at, record) in record.instances.into_iter().enumerate() {
            let fail = |error: &dyn core::fmt::Display| {
                D::Error::custom(alloc::format!("instance {at}: {error}"))
            };
            let mut instance = Instance::new(
                record.sop_class,
                record.sop_instance,
                record.series,
                record.transfer_syntax,
                record.length,
                record.blake3,
            )
            .map_err(|error| fail(&error))?
            .with_key_image(record.key_image);
            if let Some(rank) = record.rank {
                instance = instance.with_rank(rank);
            }
            if let Some(pixels) = record.pixels {
                let range = PixelRange::new(pixels.offset, pixels.length)
                    .ok_or_else(|| fail(&"expected a range of at least one byte"))?;
                instance = instance.with_pixels(range).map_err(|error| fail(&error))?;
            }
            if !record.pieces.is_empty() {
                let pieces = record.pieces.into_iter().map(|piece| {
                    let range = PixelRange::new(piece.offset, piece.length)
                        .ok_or_else(|| fail(&"expected pieces of at least one byte"))?;
                    Ok((range, piece.blake3))
                });
                let pieces = pieces.collect::<Result<Vec<_>, D::Error>>()?;
                let pieces = Pieces::new(pieces).map_err(|error| fail(&error))?;
                instance = instance.with_pieces(pieces).map_err(|error| fail(&error))?;
            }
            if let Some(sm3) = record.sm3 {
                instance = instance.with_sm3(sm3);
            }
            if let Added::Duplicate(first) = builder.push(instance).map_err(|error| fail(&error))? {
                return Err(fail(&alloc::format!(
                    "expected each instance once, found {first} again"
                )));
            }
        }
        let manifest = builder.build().map_err(D::Error::custom)?;
        match record.root {
            Some(root) if root != *manifest.root() => Err(D::Error::custom(
                "expected the root of these instances, found another",
            )),
            _ => Ok(manifest),
        }
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

impl Serialize for Sm3Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

impl<'de> Deserialize<'de> for Sm3Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}
