//! A stored instance opened for drawing: the whole data set, pixels included, as it lies in memory.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::facts::PixelFacts;
use super::layout::Layout;
use super::read::Reading;
use super::{INFLATED_BYTES_MAX, NotTaken, ReadOptions};

/// The parts of a file, inflated whole.
#[derive(Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) layout: Layout<'a>,
}

/// A colour palette (PS3.3 C.7.9), each colour as 8 bits.
#[derive(Debug)]
pub(crate) struct Palette {
    /// The stored value of the first colour.
    pub(crate) first: i32,
    pub(crate) colours: Vec<[u8; 3]>,
}

impl<'a> Stored<'a> {
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, NotTaken> {
        let layout = Layout::find(bytes, INFLATED_BYTES_MAX)?;
        Ok(Self { layout })
    }

    pub(crate) fn reading(&self, options: &ReadOptions) -> Reading<'_> {
        Reading::new(&self.layout, options)
    }
}

impl Reading<'_> {
    /// The palette of a PALETTE COLOR image; `None` when it has none or it is segmented.
    pub(crate) fn palette(&self, pixels: &PixelFacts) -> Option<Palette> {
        if pixels.photometric.as_deref() != Some("PALETTE COLOR") {
            return None;
        }
        let descriptor = self.words(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR)?;
        let [entries, first, bits] = *descriptor.first_chunk()?;
        // Zero entries are 65536: the number has only 16 bits.
        let entries = match usize::from(entries) {
            0 => 1 << 16,
            entries => entries,
        };
        let first = if pixels.signed {
            i32::from(first.cast_signed())
        } else {
            i32::from(first)
        };
        let [red, green, blue] = [
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        ]
        .map(|tag| self.table(tag, entries, bits));
        let (red, green, blue) = (red?, green?, blue?);
        let colours = red
            .into_iter()
            .zip(green)
            .zip(blue)
            .map(|((red, green), blue)| [red, green, blue])
            .collect();
        Some(Palette { first, colours })
    }

    /// One channel of the palette: a word for each entry, or two entries in each word.
    fn table(&self, tag: Tag, entries: usize, bits: u16) -> Option<Vec<u8>> {
        let words = self.words(tag)?;
        if words.len() >= entries {
            let down = if words.iter().all(|word| *word < 256) {
                0
            } else {
                u32::from(bits.clamp(8, 16)).saturating_sub(8)
            };
            let top = |word: &u16| u8::try_from(word >> down).unwrap_or(u8::MAX);
            return Some(words.iter().take(entries).map(top).collect());
        }
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        (bytes.len() >= entries).then(|| bytes.into_iter().take(entries).collect())
    }

    /// The words of a binary value.
    fn words(&self, tag: Tag) -> Option<Vec<u16>> {
        let read = if self.set.encoding.is_big() {
            u16::from_be_bytes
        } else {
            u16::from_le_bytes
        };
        let pairs = self.set.get(tag)?.value.as_chunks::<2>().0;
        Some(pairs.iter().map(|pair| read(*pair)).collect())
    }
}
