//! Ed25519 in software, on `ed25519-dalek`, checked strictly.

use core::fmt;

use ed25519_dalek::Signer as _;

use super::{KeyError, KeyId, PublicKey};
use crate::{
    signer::{BadSignature, SignError, Signature, Signer},
    suite::Suite,
};

pub(super) struct Verifying(ed25519_dalek::VerifyingKey);

impl Verifying {
    pub(super) fn new(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key =
            ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotOnCurve)?;
        if key.is_weak() {
            return Err(KeyError::SmallOrder);
        }
        if key.to_edwards().compress().to_bytes() != *bytes {
            return Err(KeyError::NotCanonical);
        }
        Ok(Self(key))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    pub(super) fn point(&self) -> curve25519_dalek::EdwardsPoint {
        self.0.to_edwards()
    }

    pub(super) fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
        // A feature of the crate below, which anybody's crate can turn on, would allow other numbers (CST-28).
        let s = curve25519_dalek::Scalar::from_canonical_bytes(*signature.s_bytes());
        if bool::from(s.is_none()) {
            return Err(BadSignature);
        }
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| BadSignature)
    }
}

/// An Ed25519 signing key in memory; wiped on drop.
///
/// ```
/// use mic_consent::{Ed25519SigningKey, Signer};
///
/// let key = Ed25519SigningKey::from_secret_bytes(&[7; 32])?; // a test key
/// let signature = key.sign(b"message")?;
/// assert!(key.public_key().verify(b"message", &signature).is_ok());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Ed25519SigningKey {
    key: ed25519_dalek::SigningKey,
    public: PublicKey,
}

impl Ed25519SigningKey {
    /// Makes the key from its 32 secret bytes (the seed of RFC 8032).
    ///
    /// # Errors
    /// None in practice: every seed gives a key; the signature is that of the other suites.
    pub fn from_secret_bytes(secret: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ed25519_dalek::SigningKey::from_bytes(secret);
        let public = PublicKey::ed25519(key.verifying_key().as_bytes())?;
        Ok(Self { key, public })
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }
}

impl Signer for Ed25519SigningKey {
    fn key_id(&self) -> KeyId {
        self.public.key_id()
    }

    fn suite(&self) -> Suite {
        Suite::Ed25519
    }

    fn sign(&self, to_be_signed: &[u8]) -> Result<Signature, SignError> {
        let signature = self
            .key
            .try_sign(to_be_signed)
            .map_err(|_| SignError::Failed)?;
        Ok(Signature::from_bytes(signature.to_bytes()))
    }
}

impl fmt::Debug for Ed25519SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519SigningKey")
            .field("key_id", &self.public.key_id())
            .finish_non_exhaustive()
    }
}
