//! The small types every other module speaks: identifiers, digests, instants.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// Most characters of a unique identifier (DICOM PS3.5 section 9.1).
pub const UID_CHARS_MAX: usize = 64;

/// A point in time as the caller counts it: the span since an origin of the caller's choice.
///
/// The core never reads a clock. Any clock that does not run backwards serves.
pub type Instant = core::time::Duration;

/// A DICOM unique identifier as it stands in the file, 1 to 64 visible ASCII characters.
///
/// Files break the rule of PS3.5 (digits and dots, no leading zero in a component); the
/// identifier is a label here and never an identity, so such a one is carried unchanged and
/// [`Uid::is_conformant`] tells. Padding is the reader's affair: strip it first.
///
/// ```
/// use mic_transfer::Uid;
/// let uid: Uid = "1.2.840.10008.5.1.4.1.1.2".parse()?;
/// assert!(uid.is_conformant());
/// assert!("1.2 3".parse::<Uid>().is_err());
/// # Ok::<(), mic_transfer::UidError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(Arc<str>);

impl Uid {
    /// Takes the text as it is.
    ///
    /// # Errors
    /// [`UidError`] if it is empty, longer than 64 characters or not visible ASCII.
    pub fn new(text: &str) -> Result<Self, UidError> {
        if text.is_empty() {
            return Err(UidError::Empty);
        }
        if let Some(at) = text.bytes().position(|b| !b.is_ascii_graphic()) {
            return Err(UidError::Character { at });
        }
        if text.len() > UID_CHARS_MAX {
            return Err(UidError::TooLong { found: text.len() });
        }
        Ok(Self(Arc::from(text)))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text keeps the rule of PS3.5 section 9.1.
    #[must_use]
    pub fn is_conformant(&self) -> bool {
        self.0.split('.').all(|part| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_digit())
                && (part == "0" || !part.starts_with('0'))
        })
    }
}

impl FromStr for Uid {
    type Err = UidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uid({})", self.0)
    }
}

/// Why a text is no [`Uid`].
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UidError {
    /// No characters.
    #[error("expected 1 to 64 characters, found none")]
    Empty,
    /// A blank, a control or a non-ASCII character.
    #[error("expected visible ASCII at byte {at}")]
    Character {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// More than 64 characters.
    #[error("expected 1 to 64 characters, found {found}")]
    TooLong {
        /// Characters found.
        found: usize,
    },
}

/// A BLAKE3 value of 32 bytes: of an instance's bytes, of a manifest (the study root), of a receipt.
///
/// Printed and parsed as 64 lower-case hexadecimal digits, as `b3sum` prints it.
///
/// ```
/// use mic_transfer::Digest;
/// let digest = Digest::of(b"hello");
/// assert_eq!(digest.to_string().parse::<Digest>()?, digest);
/// # Ok::<(), mic_transfer::DigestError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The plain BLAKE3 of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Takes the 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 64 {
            return Err(DigestError::Length { found: text.len() });
        }
        let mut bytes = [0_u8; 32];
        for (at, (slot, pair)) in bytes.iter_mut().zip(text.as_bytes().chunks(2)).enumerate() {
            let mut value = 0_u8;
            for (low, digit) in pair.iter().enumerate() {
                let nibble = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return Err(DigestError::Character { at: at * 2 + low }),
                };
                value = (value << 4) | nibble;
            }
            *slot = value;
        }
        Ok(Self(bytes))
    }
}

/// Why a text is no [`Digest`].
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Not 64 bytes.
    #[error("expected 64 hexadecimal digits, found {found} bytes")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// Not a lower-case hexadecimal digit.
    #[error("expected a digit 0-9 or a-f at byte {at}")]
    Character {
        /// Offset of the first wrong byte.
        at: usize,
    },
}

/// What the embedding application decides by: the bytes of a token, opaque to this crate.
///
/// `Debug` shows the length alone.
///
/// ```
/// use mic_transfer::Auth;
/// let auth = Auth::new(b"a token".to_vec())?;
/// assert_eq!(format!("{auth:?}"), "Auth(7 bytes)");
/// # Ok::<(), mic_transfer::AuthError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Auth(Vec<u8>);

impl Auth {
    /// Most bytes: a grant with proof of possession is under 4 KiB, certificates chains fit too.
    pub const BYTES_MAX: usize = 16 * 1024;

    /// Takes the bytes.
    ///
    /// # Errors
    /// [`AuthError`] beyond [`Auth::BYTES_MAX`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, AuthError> {
        if bytes.len() > Self::BYTES_MAX {
            return Err(AuthError { found: bytes.len() });
        }
        Ok(Self(bytes))
    }

    /// No bytes: for peers that decide by the line alone.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth({} bytes)", self.0.len())
    }
}

/// An [`Auth`] of too many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected at most 16384 bytes of authorisation, found {found}")]
#[non_exhaustive]
pub struct AuthError {
    /// Bytes found.
    pub found: usize,
}

/// An SM3 value (GB/T 32905-2016) of an instance's bytes or of a manifest, where national rules ask for
/// one beside BLAKE3. Printed and parsed as 64 lower-case hexadecimal digits.
///
/// The crate carries it always and computes it with the feature `sm3`.
///
/// ```
/// use mic_transfer::Sm3Digest;
/// // The example of GB/T 32905-2016 annex A.1: "abc".
/// let text = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
/// let digest: Sm3Digest = text.parse()?;
/// assert_eq!(digest.to_string(), text);
/// # #[cfg(feature = "sm3")]
/// assert_eq!(Sm3Digest::of(b"abc"), digest);
/// # Ok::<(), mic_transfer::DigestError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sm3Digest([u8; 32]);

impl Sm3Digest {
    /// The SM3 of `bytes`: about a tenth of BLAKE3's rate.
    #[cfg(feature = "sm3")]
    #[cfg_attr(docsrs, doc(cfg(feature = "sm3")))]
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(<sm3::Sm3 as sm3::Digest>::digest(bytes).into())
    }

    /// Takes the 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sm3Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Digest(self.0).fmt(f)
    }
}

impl fmt::Debug for Sm3Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sm3Digest({self})")
    }
}

impl FromStr for Sm3Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Digest>().map(|digest| Self(digest.0))
    }
}
