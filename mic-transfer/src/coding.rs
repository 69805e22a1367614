//! Lossless coding of chunks: zstd, and prediction of samples before it.
//!
//! Native pixels of CT and MR are smooth pictures under noise. zstd alone sees bytes and leaves most of
//! that on the table; here each sample is first predicted from its left, upper and upper left neighbour
//! (the median edge detector of JPEG-LS), the residuals are sorted by how noisy their surroundings are,
//! and zstd's entropy coder then finds bytes of one kind together. Every byte of the chunk comes back, also
//! those of the header before the pixels and of whatever follows them.
//!
//! A coded chunk says all that is needed to decode it. A wrong [`PixelHint`] costs size, never a byte.
//!
//! ```
//! use mic_transfer::coding::{Decoder, Encoder, PixelHint};
//! use mic_transfer::wire::{Codec, Codecs};
//!
//! // 64 KiB of a made 16-bit picture of 128 columns, after a header of 300 bytes.
//! let picture = (0..32_768_u32).map(|at| (at % 128 + at / 128) as u16 * 7);
//! let file: Vec<u8> = core::iter::repeat_n(b'h', 300).chain(picture.flat_map(u16::to_le_bytes)).collect();
//! let hint = PixelHint::new(300, 65_536, 256, 2).unwrap();
//!
//! let mut coded = Vec::new();
//! let codec = Encoder::new().encode(&file, 0, Some(&hint), Codecs::built(), &mut coded);
//! assert_eq!(codec, Codec::Samples);
//! assert!(coded.len() < file.len() / 20);
//!
//! let mut back = Vec::new();
//! Decoder::new().decode(codec, &coded, file.len(), &mut back)?;
//! assert_eq!(back, file);
//! # Ok::<(), mic_transfer::coding::CodingError>(())
//! ```

mod classes;
mod decode;
mod encode;
mod estimate;
mod hint;
mod planes;
mod predict;
mod streams;

pub use decode::{CodingError, Decoder};
pub use encode::Encoder;
pub use hint::PixelHint;
