//! The signature slot: filled and checked by the caller, whose keys this crate never sees.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A signature with the label of its suite and the identifier of its key.
///
/// ```
/// use mic_transfer::Signature;
/// let signature = Signature::new("ed25519", b"key 1".to_vec(), vec![0; 64])?;
/// assert_eq!(signature.suite(), "ed25519");
/// assert!(Signature::new("", vec![], vec![]).is_err());
/// # Ok::<(), mic_transfer::SignatureError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    suite: String,
    key_id: Vec<u8>,
    bytes: Vec<u8>,
}

impl Signature {
    /// Most characters of a suite's label.
    pub const SUITE_CHARS_MAX: usize = 32;
    /// Most bytes of a key identifier.
    pub const KEY_ID_BYTES_MAX: usize = 64;
    /// Most bytes of a signature: the national and the usual suites need under 128.
    pub const BYTES_MAX: usize = 1024;

    /// Takes the three parts.
    ///
    /// # Errors
    /// [`SignatureError`] for an empty part (there is no empty signature), one beyond its limit,
    /// or a label that is not visible ASCII.
    pub fn new(suite: &str, key_id: Vec<u8>, bytes: Vec<u8>) -> Result<Self, SignatureError> {
        if suite.is_empty()
            || suite.len() > Self::SUITE_CHARS_MAX
            || !suite.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(SignatureError::Suite);
        }
        if key_id.len() > Self::KEY_ID_BYTES_MAX {
            return Err(SignatureError::KeyId {
                found: key_id.len(),
            });
        }
        if bytes.is_empty() || bytes.len() > Self::BYTES_MAX {
            return Err(SignatureError::Bytes { found: bytes.len() });
        }
        Ok(Self {
            suite: String::from(suite),
            key_id,
            bytes,
        })
    }

    /// The label of the suite, in the words of the embedding application.
    #[must_use]
    pub fn suite(&self) -> &str {
        &self.suite
    }

    /// The identifier of the key.
    #[must_use]
    pub fn key_id(&self) -> &[u8] {
        &self.key_id
    }

    /// The signature itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}, {} bytes)", self.suite, self.bytes.len())
    }
}

/// Which part of a [`Signature`] breaks its limit.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The label.
    #[error("expected a suite label of 1 to 32 visible ASCII characters")]
    Suite,
    /// The key identifier.
    #[error("expected a key identifier of at most 64 bytes, found {found}")]
    KeyId {
        /// Bytes found.
        found: usize,
    },
    /// The signature.
    #[error("expected a signature of 1 to 1024 bytes, found {found}")]
    Bytes {
        /// Bytes found.
        found: usize,
    },
}

/// Signs a message; a hardware module may stand behind it.
///
/// Closures of the same shape are signers.
pub trait Signer {
    /// The signature over `message`, which is already domain-separated.
    ///
    /// # Errors
    /// [`SignFailed`] stops what asked for it: nothing goes out unsigned by accident.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignFailed>;
}

impl<F: Fn(&[u8]) -> Result<Signature, SignFailed>> Signer for F {
    fn sign(&self, message: &[u8]) -> Result<Signature, SignFailed> {
        self(message)
    }
}

/// The signer gave no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signer gave no signature")]
#[expect(
    clippy::exhaustive_structs,
    reason = "a unit error: the signer's own log says why"
)]
pub struct SignFailed;
