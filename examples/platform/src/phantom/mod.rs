//! A made head CT: a study to show everything with when there is no real one.
//!
//! Slices of 512×512 signed 16-bit values in Hounsfield units, explicit little endian, of a head
//! put together from ellipsoids ([`anatomy`](self)): scalp, skull, brain, ventricles, eyes,
//! sinuses, a bleeding. Noise as of a scanner lies on it, so that the files compress about as real
//! ones do (plain zstd: between 2 and 3) and no two slices are equal.
//!
//! Everything follows from a seed: the same seed gives the same bytes on every machine, because
//! only integer arithmetic and correctly rounded operations (`+ - * /` and square root) are used.
//! Nothing in it is a person: the patient is called 测试^患者 ("test^patient") and the hospital says
//! of itself that it is made up.
//!
//! ```
//! use mic_platform::phantom::Phantom;
//!
//! let phantom = Phantom::new(1, Phantom::SLICES_DEFAULT);
//! assert_eq!(phantom.slices(), 240);
//! let file = phantom.slice(120);
//! assert_eq!(file, Phantom::new(1, 240).slice(120));
//! assert_ne!(file, phantom.slice(121));
//! assert_eq!(file.get(128..132), Some(&b"DICM"[..]));
//! ```

mod anatomy;
mod file;
mod noise;
mod random;

use random::{SplitMix, uid};

/// Rows and columns of a slice.
pub const SIDE: u16 = 512;
/// Pixels of a slice.
const PIXELS: usize = 512 * 512;
/// The lowest value, that of the padding outside the reconstructed circle.
pub const HU_MIN: i16 = -1024;
/// The highest value of the 12 bits that scanners store.
pub const HU_MAX: i16 = 3071;
/// Rows and columns are this far apart.
pub(crate) const PIXEL_MM: f64 = 230.0 / 512.0;
/// From the lowest slice to the highest.
pub(crate) const EXTENT_MM: f64 = 196.0;

/// A made head CT study of one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phantom {
    seed: u64,
    slices: u16,
}

impl Phantom {
    /// As many slices as a thin head CT has.
    pub const SLICES_DEFAULT: u16 = 240;

    /// The phantom of a seed, cut into so many slices (at least one).
    #[must_use]
    pub fn new(seed: u64, slices: u16) -> Self {
        Self {
            seed,
            slices: slices.max(1),
        }
    }

    /// How many slices there are.
    #[must_use]
    pub fn slices(&self) -> u16 {
        self.slices
    }

    /// StudyInstanceUID; one for each seed and number of slices.
    #[must_use]
    pub fn study_uid(&self) -> String {
        self.uid_of(0)
    }

    /// SeriesInstanceUID.
    #[must_use]
    pub fn series_uid(&self) -> String {
        self.uid_of(1)
    }

    /// SOPInstanceUID of a slice.
    #[must_use]
    pub fn sop_instance_uid(&self, slice: u16) -> String {
        self.uid_of(u64::from(slice).saturating_add(3))
    }

    /// A file name that says nothing: slices are found by their headers.
    ///
    /// ```
    /// # use mic_platform::phantom::Phantom;
    /// assert_eq!(Phantom::new(1, 240).file_name(7), "00000008");
    /// ```
    #[must_use]
    pub fn file_name(&self, slice: u16) -> String {
        format!("{:08}", u32::from(slice).saturating_add(1))
    }

    /// The Hounsfield units of a slice, row by row, all within [`HU_MIN`] and [`HU_MAX`]. Slice 0
    /// is the lowest; those beyond the last repeat the last.
    #[must_use]
    pub fn hounsfield(&self, slice: u16) -> Vec<i16> {
        let slice = slice.min(self.slices.saturating_sub(1));
        let mut values = anatomy::section(self.seed, self.z_mm(slice));
        noise::add(&mut values, &mut self.random(slice));
        values
    }

    /// The DICOM file of a slice. Each call makes it anew, so slices can be streamed and made by
    /// several threads.
    #[must_use]
    pub fn slice(&self, slice: u16) -> Vec<u8> {
        let slice = slice.min(self.slices.saturating_sub(1));
        file::write(self, slice, &self.hounsfield(slice))
    }

    /// Height of a slice above the middle of the head.
    #[expect(clippy::float_arithmetic, reason = "a length in the patient")]
    fn z_mm(&self, slice: u16) -> f64 {
        f64::from(slice) * self.spacing_mm() - EXTENT_MM * 0.51
    }

    #[expect(clippy::float_arithmetic, reason = "a length in the patient")]
    fn spacing_mm(&self) -> f64 {
        EXTENT_MM / f64::from(self.slices)
    }

    fn frame_of_reference_uid(&self) -> String {
        self.uid_of(2)
    }

    fn random(&self, slice: u16) -> SplitMix {
        let mut of_seed = SplitMix::new(self.seed);
        SplitMix::new(of_seed.next() ^ (u64::from(slice) << 32))
    }

    fn uid_of(&self, which: u64) -> String {
        uid(self.seed, (u64::from(self.slices) << 32) | which)
    }
}
