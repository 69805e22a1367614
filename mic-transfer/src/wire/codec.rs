//! The codecs of chunks by number, and sets of them.

use core::fmt;

/// The codec number of a chunk without the pieces that the receiver holds: no [`Codec`], since what it means
/// was said by HELD (XFR-73).
pub(super) const REST: u8 = 3;

/// How the body of a DATA frame is written (`spec/transfer.md` section 13). Digests are over the bytes
/// before coding, so a codec changes nothing that is signed, stored or asked for.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// The chunk as it is.
    Raw,
    /// One frame of zstd (RFC 8878).
    Zstd,
    /// Samples predicted from their neighbours, the residuals in streams of zstd.
    Samples,
}

impl Codec {
    /// Every codec of this version.
    pub const ALL: [Self; 3] = [Self::Raw, Self::Zstd, Self::Samples];

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Raw => 0,
            Self::Zstd => 1,
            Self::Samples => 2,
        }
    }

    /// The codec of a number, where this version knows it.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Raw),
            1 => Some(Self::Zstd),
            2 => Some(Self::Samples),
            _ => None,
        }
    }
}

/// The codecs that a receiver accepts; raw is always among them.
///
/// ```
/// use mic_transfer::wire::{Codec, Codecs};
/// let accepted = Codecs::raw().with(Codec::Zstd);
/// assert!(accepted.has(Codec::Raw) && accepted.has(Codec::Zstd));
/// assert!(!accepted.has(Codec::Samples));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Codecs(u8);

impl Codecs {
    /// Raw alone: what every receiver takes.
    #[must_use]
    pub const fn raw() -> Self {
        Self(0)
    }

    /// What this build can decode: all with the feature `coding`, raw alone without.
    #[must_use]
    pub const fn built() -> Self {
        if cfg!(feature = "coding") {
            Self::raw().with(Codec::Zstd).with(Codec::Samples)
        } else {
            Self::raw()
        }
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, codec: Codec) -> Self {
        match codec {
            Codec::Raw => self,
            other => Self(self.0 | (1 << other.number())),
        }
    }

    /// Whether the codec is among them.
    #[must_use]
    pub const fn has(self, codec: Codec) -> bool {
        match codec {
            Codec::Raw => true,
            other => self.0 & (1 << other.number()) != 0,
        }
    }

    /// Those of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is none but raw.
    #[must_use]
    pub const fn is_raw(self) -> bool {
        self.0 == 0
    }

    /// Those beside raw, rising.
    pub(super) fn coded(self) -> impl Iterator<Item = Codec> {
        Codec::ALL
            .into_iter()
            .filter(move |codec| *codec != Codec::Raw && self.has(*codec))
    }
}

impl fmt::Debug for Codecs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = Codec::ALL.into_iter().filter(|codec| self.has(*codec));
        f.debug_set().entries(all).finish()
    }
}
