//! ECDSA on P-256 with SHA-256 in software, on the `p256` crate.

use core::fmt;

use p256::ecdsa::signature::{Signer as _, Verifier as _};

use super::{KeyError, KeyId, PublicKey};
use crate::{
    signer::{BadSignature, SignError, Signature, Signer},
    suite::Suite,
};

pub(super) struct Verifying {
    point: [u8; 64],
    key: p256::ecdsa::VerifyingKey,
}

impl Verifying {
    pub(super) fn new(point: &[u8; 64]) -> Result<Self, KeyError> {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&super::sec1(point))
            .map_err(|_| KeyError::NotOnCurve)?;
        Ok(Self { point: *point, key })
    }

    pub(super) const fn point(&self) -> &[u8; 64] {
        &self.point
    }

    /// Takes s and n - s alike (CST-28): modules and other libraries give either.
    pub(super) fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        // Refuses r or s of zero or beyond the order.
        let signature =
            p256::ecdsa::Signature::from_slice(signature.as_bytes()).map_err(|_| BadSignature)?;
        self.key
            .verify(message, &signature)
            .map_err(|_| BadSignature)
    }
}

/// The same signature with the lower of its two possible s (CST-28). What is no signature stays as it is.
pub(crate) fn with_low_s(signature: Signature) -> Signature {
    match p256::ecdsa::Signature::from_slice(signature.as_bytes()) {
        Ok(parsed) => Signature::from_bytes(parsed.normalize_s().to_bytes().into()),
        Err(_) => signature,
    }
}

/// A P-256 signing key in memory; wiped on drop. Nonces are deterministic (RFC 6979), s is the lower one.
///
/// ```
/// use mic_consent::{Es256SigningKey, Signer, Suite};
///
/// let key = Es256SigningKey::from_secret_bytes(&[7; 32])?; // a test key
/// assert_eq!(key.suite(), Suite::Esp256);
/// let signature = key.sign(b"message")?;
/// assert!(key.public_key().verify(b"message", &signature).is_ok());
/// assert!(key.public_key().verify(b"massage", &signature).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Es256SigningKey {
    key: p256::ecdsa::SigningKey,
    public: PublicKey,
}

impl Es256SigningKey {
    /// Makes the key from its secret number, 32 bytes big endian.
    ///
    /// # Errors
    /// The number is not in 1 to n - 1.
    pub fn from_secret_bytes(secret: &[u8; 32]) -> Result<Self, KeyError> {
        let key =
            p256::ecdsa::SigningKey::from_slice(secret).map_err(|_| KeyError::SecretOutOfRange)?;
        let sec1 = key.verifying_key().to_sec1_point(false);
        let point = sec1
            .as_bytes()
            .get(1..)
            .and_then(|point| point.try_into().ok())
            .ok_or(KeyError::NotOnCurve)?;
        let public = PublicKey::es256(point)?;
        Ok(Self { key, public })
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }
}

impl Signer for Es256SigningKey {
    fn key_id(&self) -> KeyId {
        self.public.key_id()
    }

    fn suite(&self) -> Suite {
        Suite::Esp256
    }

    fn sign(&self, to_be_signed: &[u8]) -> Result<Signature, SignError> {
        let signature: p256::ecdsa::Signature = self
            .key
            .try_sign(to_be_signed)
            .map_err(|_| SignError::Failed)?;
        Ok(Signature::from_bytes(
            signature.normalize_s().to_bytes().into(),
        ))
    }
}

impl fmt::Debug for Es256SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Es256SigningKey")
            .field("key_id", &self.public.key_id())
            .finish_non_exhaustive()
    }
}
