//! The doors for signing and checking: whatever stands behind them, software, a module or a UKey, sees the
//! bytes to be signed and gives back 64 bytes or an error; there is no empty signature (CST-23).

use core::{fmt, future::Future};

use crate::{
    key::{KeyId, PublicKey},
    limits::SIGNATURE_BYTES,
    suite::Suite,
};

/// A signature as it stands in a token: for SM2 and P-256 r then s, 32 bytes each, big endian; for Ed25519 R
/// then S.
///
/// ```
/// use mic_consent::Signature;
/// assert_eq!(Signature::from_bytes([7; 64]).as_bytes().len(), 64);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; SIGNATURE_BYTES]);

impl Signature {
    /// Takes the 64 bytes. A module that gives DER converts first.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; SIGNATURE_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(64 bytes)")
    }
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The signing device cannot be reached.
    #[error("the signing device cannot be reached")]
    Unavailable,
    /// The device refused: locked, no permission, key disabled.
    #[error("the signing device refused to sign")]
    Refused,
    /// The computation failed; for SM2 in software this happens with probability 2^-250.
    #[error("the signature could not be computed")]
    Failed,
}

/// Signs with one key of one suite.
///
/// Implement it for a certified module; the software keys [`Sm2SigningKey`](crate::Sm2SigningKey),
/// [`Ed25519SigningKey`](crate::Ed25519SigningKey) and [`Es256SigningKey`](crate::Es256SigningKey) implement it
/// as well. For a module that is waited for, see [`AsyncSigner`].
///
/// It is given the whole message, never a digest (CST-27): Ed25519 needs it, and a device that hashes itself
/// knows what it signs. A device that wants the digest gets it from [`PublicKey::prehash`].
///
/// ```
/// use mic_consent::{KeyId, SignError, Signature, Signer, Suite};
///
/// struct Module { key: KeyId }
///
/// impl Signer for Module {
///     fn key_id(&self) -> KeyId { self.key }
///     fn suite(&self) -> Suite { Suite::Sm2Sm3 }
///     fn sign(&self, to_be_signed: &[u8]) -> Result<Signature, SignError> {
///         // hand `to_be_signed` to the device, which hashes Z and the message and signs
///         Err(SignError::Unavailable)
///     }
/// }
/// ```
pub trait Signer {
    /// The id of the public key in key records and headers.
    fn key_id(&self) -> KeyId;

    /// The suite of the key.
    fn suite(&self) -> Suite;

    /// Signs the message. For SM2 the signer puts Z before it and hashes with SM3.
    ///
    /// # Errors
    /// The device is away, refuses, or fails.
    fn sign(&self, to_be_signed: &[u8]) -> Result<Signature, SignError>;
}

/// [`Signer`] for a module that is waited for: a cloud HSM, a signing service, a UKey behind a driver. Any
/// runtime will do; nothing here needs one.
///
/// ```
/// use mic_consent::{AsyncSigner, KeyId, SignError, Signature, Suite};
///
/// struct CloudModule { key: KeyId }
///
/// impl AsyncSigner for CloudModule {
///     fn key_id(&self) -> KeyId { self.key }
///     fn suite(&self) -> Suite { Suite::Sm2Sm3 }
///     async fn sign(&self, to_be_signed: &[u8]) -> Result<Signature, SignError> {
///         // send `to_be_signed` and wait for the answer
///         Err(SignError::Unavailable)
///     }
/// }
/// ```
pub trait AsyncSigner {
    /// The id of the public key in key records and headers.
    fn key_id(&self) -> KeyId;

    /// The suite of the key.
    fn suite(&self) -> Suite;

    /// Signs the message, as [`Signer::sign`] does.
    ///
    /// # Errors
    /// The device is away, refuses, or fails. Nothing is issued then.
    fn sign(
        &self,
        to_be_signed: &[u8],
    ) -> impl Future<Output = Result<Signature, SignError>> + Send;
}

/// Checks signatures in place of the built-in software, for deployments that must use a certified module.
///
/// ```
/// use mic_consent::{BadSignature, PublicKey, RawVerify, Signature};
///
/// struct Module;
///
/// impl RawVerify for Module {
///     fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
///         Err(BadSignature) // ask the device
///     }
/// }
/// ```
pub trait RawVerify {
    /// Says whether `signature` over `message` is that of `key`.
    ///
    /// # Errors
    /// It is not, or that cannot be known.
    fn verify(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature>;
}

/// [`RawVerify`] for a module that is waited for.
///
/// ```
/// use mic_consent::{AsyncRawVerify, BadSignature, PublicKey, Signature};
///
/// struct CloudModule;
///
/// impl AsyncRawVerify for CloudModule {
///     async fn verify(
///         &self, key: &PublicKey, message: &[u8], signature: &Signature,
///     ) -> Result<(), BadSignature> {
///         Err(BadSignature) // ask the device
///     }
/// }
/// ```
pub trait AsyncRawVerify {
    /// Says whether `signature` over `message` is that of `key`.
    ///
    /// # Errors
    /// It is not, or that cannot be known.
    fn verify(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> impl Future<Output = Result<(), BadSignature>> + Send;
}

/// The signature is not that of the key over the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a valid signature of this key")]
#[expect(
    clippy::exhaustive_structs,
    reason = "there is nothing more to say about a wrong signature"
)]
pub struct BadSignature;
