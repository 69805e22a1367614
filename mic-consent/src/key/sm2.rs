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

pub(super) struct Verifying {
    point: [u8; 64],
    /// SM3 over the distinguishing id, the curve and the point (GB/T 32918.2, 5.5).
    z: [u8; 32],
    key: sm2::dsa::VerifyingKey,
}

/// a, b and the base point of the curve, as Z wants them (GB/T 32918.5).
#[rustfmt::skip]
const CURVE: [[u8; 32]; 4] = [
    [
        0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc,
    ],
    [
        0x28, 0xe9, 0xfa, 0x9e, 0x9d, 0x9f, 0x5e, 0x34, 0x4d, 0x5a, 0x9e, 0x4b, 0xcf, 0x65, 0x09, 0xa7,
        0xf3, 0x97, 0x89, 0xf5, 0x15, 0xab, 0x8f, 0x92, 0xdd, 0xbc, 0xbd, 0x41, 0x4d, 0x94, 0x0e, 0x93,
    ],
    [
        0x32, 0xc4, 0xae, 0x2c, 0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04, 0x46, 0x6a, 0x39, 0xc9, 0x94,
        0x8f, 0xe3, 0x0b, 0xbf, 0xf2, 0x66, 0x0b, 0xe1, 0x71, 0x5a, 0x45, 0x89, 0x33, 0x4c, 0x74, 0xc7,
    ],
    [
        0xbc, 0x37, 0x36, 0xa2, 0xf4, 0xf6, 0x77, 0x9c, 0x59, 0xbd, 0xce, 0xe3, 0x6b, 0x69, 0x21, 0x53,
        0xd0, 0xa9, 0x87, 0x7c, 0xc6, 0x2a, 0x47, 0x40, 0x02, 0xdf, 0x32, 0xe5, 0x21, 0x39, 0xf0, 0xa0,
    ],
];

impl Verifying {
    pub(super) fn new(point: &[u8; 64], distid: &str) -> Result<Self, KeyError> {
        if distid.len() > DISTID_BYTES_MAX {
            return Err(KeyError::DistidTooLong {
                found: distid.len(),
            });
        }
        let key = sm2::dsa::VerifyingKey::from_sec1_bytes(distid, &super::sec1(point))
            .map_err(|_| KeyError::NotOnCurve)?;
        Ok(Self {
            point: *point,
            z: z(point, distid),
            key,
        })
    }

    pub(super) fn prehash(&self, message: &[u8]) -> [u8; 32] {
        sm3(&[&self.z, message])
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

fn z(point: &[u8; 64], distid: &str) -> [u8; 32] {
    // At most 128 bytes, so 1,024 bits.
    let bits = u16::try_from(distid.len() * 8).unwrap_or(u16::MAX);
    let [a, b, x, y] = &CURVE;
    sm3(&[&bits.to_be_bytes(), distid.as_bytes(), a, b, x, y, point])
}

fn sm3(parts: &[&[u8]]) -> [u8; 32] {
    use sm3::Digest as _;
    let mut hasher = sm3::Sm3::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
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
