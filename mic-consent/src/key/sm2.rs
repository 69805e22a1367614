//! SM2 with SM3 in software, on the `sm2` crate. Not a certified cryptographic module.

use alloc::boxed::Box;
use core::fmt;

use sm2::dsa::signature::{Signer as _, Verifier as _};

use super::{KeyError, KeyId, PublicKey};
use crate::{
    signer::{BadSignature, SignError, Signature, Signer},
    suite::Suite,
};

/// The distinguishing id of GM/T 0009-2012, used unless a key record says otherwise.
pub const DEFAULT_DISTID: &str = "1234567812345678";

/// Bytes of a distinguishing id: far below the 8,191 its length field could say, more than any practice uses.
const DISTID_BYTES_MAX: usize = 128;

/// The order of the group less one: as a secret it cannot sign, since 1 + d has no inverse.
const ORDER_LESS_ONE: [u8; 32] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x72, 0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x22,
];

#[derive(Clone)]
pub(super) struct Verifying {
    point: [u8; 64],
    // Boxed: with the cached Z it is much larger than the other suites' keys.
    key: Box<sm2::dsa::VerifyingKey>,
}

impl Verifying {
    pub(super) fn new(point: &[u8; 64], distid: &str) -> Result<Self, KeyError> {
        if distid.len() > DISTID_BYTES_MAX {
            return Err(KeyError::DistidTooLong {
                found: distid.len(),
            });
        }
        let mut sec1 = [4; 65];
        for (to, from) in sec1.iter_mut().skip(1).zip(point) {
            *to = *from;
        }
        let key = sm2::dsa::VerifyingKey::from_sec1_bytes(distid, &sec1)
            .map_err(|_| KeyError::NotOnCurve)?;
        Ok(Self {
            point: *point,
            key: Box::new(key),
        })
    }

    pub(super) const fn point(&self) -> &[u8; 64] {
        &self.point
    }

    pub(super) fn distid(&self) -> &str {
        self.key.distid()
    }

    pub(super) fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        // Refuses r or s of zero or beyond the order; the check refuses r + s = 0.
        let signature =
            sm2::dsa::Signature::from_slice(signature.as_bytes()).map_err(|_| BadSignature)?;
        self.key
            .verify(message, &signature)
            .map_err(|_| BadSignature)
    }
}

/// An SM2 signing key in memory, for tests, demonstrations and deployments without a duty to use a certified
/// module. Nonces are deterministic (RFC 6979 with SM3); no randomness is used.
///
/// On drop the secret is overwritten as far as safe code on this dependency can do it.
///
/// ```
/// use mic_consent::{Signer, Sm2SigningKey, Suite};
///
/// let key = Sm2SigningKey::from_secret_bytes(&[7; 32])?; // a test key
/// assert_eq!(key.suite(), Suite::Sm2Sm3);
/// assert_eq!(key.public_key().distid(), Some("1234567812345678"));
/// let signature = key.sign(b"message")?;
/// assert!(key.public_key().verify(b"message", &signature).is_ok());
/// assert!(key.public_key().verify(b"massage", &signature).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Sm2SigningKey {
    key: Box<sm2::dsa::SigningKey>,
    public: PublicKey,
}

impl Sm2SigningKey {
    /// Makes the key from its secret number, 32 bytes big endian, with the default distinguishing id.
    ///
    /// # Errors
    /// The number is not in 1 to n - 2.
    pub fn from_secret_bytes(secret: &[u8; 32]) -> Result<Self, KeyError> {
        Self::with_distid(secret, DEFAULT_DISTID)
    }

    /// The same with another distinguishing id.
    ///
    /// # Errors
    /// The number is not in 1 to n - 2, or the id is longer than 128 bytes.
    pub fn with_distid(secret: &[u8; 32], distid: &str) -> Result<Self, KeyError> {
        if *secret == ORDER_LESS_ONE {
            return Err(KeyError::SecretOutOfRange);
        }
        let key = sm2::dsa::SigningKey::from_slice(distid, secret)
            .map_err(|_| KeyError::SecretOutOfRange)?;
        let sec1 = key.verifying_key().to_sec1_bytes();
        let point = sec1
            .get(1..)
            .and_then(|point| point.try_into().ok())
            .ok_or(KeyError::NotOnCurve)?;
        let public = PublicKey::sm2(point, distid)?;
        Ok(Self {
            key: Box::new(key),
            public,
        })
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }
}

impl Signer for Sm2SigningKey {
    fn key_id(&self) -> KeyId {
        self.public.key_id()
    }

    fn suite(&self) -> Suite {
        Suite::Sm2Sm3
    }

    fn sign(&self, to_be_signed: &[u8]) -> Result<Signature, SignError> {
        let signature = self
            .key
            .try_sign(to_be_signed)
            .map_err(|_| SignError::Failed)?;
        Ok(Signature::from_bytes(signature.to_bytes().into()))
    }
}

impl Drop for Sm2SigningKey {
    fn drop(&mut self) {
        let mut one = [0; 32];
        one[31] = 1;
        if let Ok(blank) = sm2::dsa::SigningKey::from_slice("", &one) {
            *self.key = blank;
            // Keeps the store from being dropped as dead.
            core::hint::black_box(&self.key);
        }
    }
}

impl fmt::Debug for Sm2SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sm2SigningKey")
            .field("key_id", &self.public.key_id())
            .finish_non_exhaustive()
    }
}
