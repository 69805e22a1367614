//! A token as it travels: bytes or text, with its outer form checked and nothing believed (steps 1 to 4).

use alloc::{string::String, vec::Vec};
use core::fmt;

use nom::{IResult, Parser as _, bytes::complete::take, combinator::map_opt};

use crate::{
    base45,
    cose::{self, Input, Layout, ShortInput},
    denial::{Denial, Reason},
    key::KeyId,
    limits::{KEY_SET_BYTES_MAX, PREFIX_CHARS, TEXT_CHARS_MAX, TOKEN_BYTES_MAX},
    suite::Suite,
    token::{TokenKind, TokenType, Untrusted},
};

/// The largest of all documents.
const DOCUMENT_BYTES_MAX: usize = KEY_SET_BYTES_MAX;

/// A token in its one canonical outer form. That says nothing about who made it.
///
/// ```
/// use mic_consent::{Encoded, Reason};
///
/// assert_eq!(Encoded::from_text("MICX1:00").unwrap_err().reason(), Reason::UnknownPrefix);
/// assert_eq!(Encoded::from_bytes(&[0xd2, 0x84]).unwrap_err().reason(), Reason::Truncated);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Encoded {
    bytes: Vec<u8>,
    layout: Layout,
}

impl Encoded {
    /// Reads the text form, as a QR reader gives it: prefix and base45, in capital letters, no blanks around.
    ///
    /// # Errors
    /// Steps 1 to 4: too long, unknown prefix, not base45, not one canonical COSE_Sign1, or a prefix of
    /// another type than the header.
    pub fn from_text(text: &str) -> Result<Self, Denial> {
        if text.len() > TEXT_CHARS_MAX {
            return Err(Reason::TextTooLong.into());
        }
        let Ok((body, announced)) = prefix(text) else {
            return Err(Denial::at_offset(Reason::UnknownPrefix, 0));
        };
        let bytes = base45::decode(body)
            .map_err(|(reason, at)| Denial::at_offset(reason, at + PREFIX_CHARS))?;
        let encoded = Self::from_vec(bytes)?;
        if encoded.token_type() != announced {
            return Err(Reason::PrefixMismatch.into());
        }
        Ok(encoded)
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// Steps 1, 3 and 4: too long, or not one canonical COSE_Sign1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Denial> {
        if bytes.len() > TOKEN_BYTES_MAX {
            return Err(Reason::TokenTooLong.into());
        }
        let layout = cose::parse(bytes, TOKEN_BYTES_MAX)?;
        Ok(Self {
            bytes: bytes.to_vec(),
            layout,
        })
    }

    /// Reads the bytes of a token from a library that still writes the older algorithm numbers: -8 (EdDSA),
    /// taken as Ed25519, and -7 (ES256), taken as ESP256. Everything else is as strict as ever, and the key
    /// record still decides on the algorithm. No other door knows these numbers (CST-20), so what came in here
    /// does not pass [`from_bytes`](Self::from_bytes) at the next node.
    ///
    /// ```
    /// use mic_consent::Encoded;
    /// assert!(Encoded::import_with_old_numbers(b"no token").is_err());
    /// ```
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes).
    pub fn import_with_old_numbers(bytes: &[u8]) -> Result<Self, Denial> {
        if bytes.len() > TOKEN_BYTES_MAX {
            return Err(Reason::TokenTooLong.into());
        }
        let layout = cose::parse_with(bytes, TOKEN_BYTES_MAX, Suite::from_old_number)?;
        Ok(Self {
            bytes: bytes.to_vec(),
            layout,
        })
    }

    /// Reads the bytes of a document of the platform: a status list or a key set, which are larger than a
    /// token may be. Nothing else is read.
    ///
    /// # Errors
    /// Steps 1, 3 and 4: longer than such a document may be, not one canonical COSE_Sign1, or of another
    /// type.
    ///
    /// ```
    /// use mic_consent::{Encoded, Reason};
    /// assert_eq!(Encoded::document_from_bytes(&[0xd2]).unwrap_err().reason(), Reason::Truncated);
    /// ```
    pub fn document_from_bytes(bytes: &[u8]) -> Result<Self, Denial> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(Reason::TokenTooLong.into());
        }
        // Read before it is copied.
        let layout = cose::parse(bytes, DOCUMENT_BYTES_MAX)?;
        let kind = layout.header.token_type;
        if !kind.is_document() {
            return Err(Reason::OtherType.into());
        }
        if bytes.len() > kind.bytes_max() {
            return Err(Reason::TokenTooLong.into());
        }
        Ok(Self {
            bytes: bytes.to_vec(),
            layout,
        })
    }

    /// Takes what was just signed.
    pub(crate) fn from_signed(kind: TokenType, bytes: Vec<u8>) -> Result<Self, Denial> {
        if bytes.len() > kind.bytes_max() {
            return Err(Reason::TokenTooLong.into());
        }
        let layout = cose::parse(&bytes, kind.bytes_max())?;
        Ok(Self { bytes, layout })
    }

    pub(crate) fn from_vec(bytes: Vec<u8>) -> Result<Self, Denial> {
        if bytes.len() > TOKEN_BYTES_MAX {
            return Err(Reason::TokenTooLong.into());
        }
        let layout = cose::parse(&bytes, TOKEN_BYTES_MAX)?;
        Ok(Self { bytes, layout })
    }

    /// The text form: only characters of the alphanumeric mode of QR codes.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(PREFIX_CHARS + self.bytes.len().div_ceil(2) * 3);
        text.push_str(self.token_type().prefix());
        base45::encode_into(&mut text, &self.bytes);
        text
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The type that the header states, not yet believed.
    #[must_use]
    pub const fn token_type(&self) -> TokenType {
        self.layout.header.token_type
    }

    /// The key that the header names, not yet believed.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.layout.header.key_id
    }

    /// The suite that the header states, not yet believed.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.layout.header.suite
    }

    /// Takes it as a token of type `T`.
    ///
    /// # Errors
    /// Step 4: the header states another type.
    pub fn untrusted<T: TokenKind>(self) -> Result<Untrusted<T>, Denial> {
        if self.token_type() == T::TYPE {
            Ok(Untrusted::new(self))
        } else {
            Err(Reason::OtherType.into())
        }
    }

    pub(crate) fn payload(&self) -> &[u8] {
        cose::slice(&self.bytes, &self.layout.payload)
    }

    pub(crate) fn payload_offset(&self) -> usize {
        self.layout.payload.start
    }

    pub(crate) fn signature(&self) -> &[u8] {
        cose::slice(&self.bytes, &self.layout.signature)
    }

    /// Whether [`ShortInput`] has room for what is signed.
    pub(crate) fn is_short(&self) -> bool {
        let (protected, payload) = (&self.layout.protected, &self.layout.payload);
        ShortInput::holds(self.token_type(), protected.len(), payload.len())
    }

    pub(crate) fn signing_input<const N: usize>(&self, input: &mut Input<N>) -> Result<(), Reason> {
        let protected = cose::slice(&self.bytes, &self.layout.protected);
        input.fill(self.token_type(), protected, self.payload())
    }
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded")
            .field("type", &self.token_type().name())
            .field("key_id", &self.key_id())
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// The prefix of a text form (spec/qr.abnf).
fn prefix(text: &str) -> IResult<&str, TokenType> {
    map_opt(take(PREFIX_CHARS), TokenType::from_prefix).parse(text)
}
