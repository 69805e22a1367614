//! Keys: ids, public keys, records, the trusted set, and software signing keys.

#[cfg(any(feature = "gm", feature = "ed25519", feature = "es256"))]
mod digits;
mod prepared;
mod record;
mod ring;
mod set;
#[cfg(any(feature = "gm", feature = "es256"))]
mod table;
mod trust;
mod wire;

#[cfg(feature = "ed25519")]
mod ed25519;
#[cfg(feature = "ed25519")]
mod edwards;
#[cfg(feature = "es256")]
mod es256;
#[cfg(feature = "serde")]
mod exchange;
#[cfg(feature = "gm")]
mod sm2;

use alloc::string::String;
#[cfg(any(feature = "gm", feature = "ed25519", feature = "es256"))]
use alloc::sync::Arc;
#[cfg(any(feature = "gm", feature = "es256"))]
use alloc::vec::Vec;
use core::fmt;

#[cfg(feature = "ed25519")]
pub use self::ed25519::Ed25519SigningKey;
#[cfg(feature = "es256")]
pub use self::es256::Es256SigningKey;
#[cfg(feature = "es256")]
pub(crate) use self::es256::with_low_s;
#[cfg(feature = "gm")]
pub use self::sm2::{DEFAULT_DISTID, Sm2SigningKey};
pub use self::{
    prepared::{BaseTables, PreparedKey},
    record::{KeyError, KeyRecord, KeyState, KeyValidity, Role, Roles},
    ring::KeyRing,
    set::{KeySet, KeySetClaims, KeySetDraft},
    trust::{KeySetMark, TrustedKeys},
};

use crate::{
    cbor::write::MapWriter,
    hex,
    signer::{BadSignature, Signature},
    suite::Suite,
};

/// The id of a key (kid): the first 8 bytes of its COSE key thumbprint (RFC 9679) in the hash of its suite
/// (CST-21). It finds a record, it proves nothing.
///
/// ```
/// use mic_consent::KeyId;
/// assert_eq!(KeyId::from_bytes([0xab; 8]).to_string(), "abababababababab");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// Takes the 8 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The 8 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(f, &self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A public key of one suite, checked when it is made: an SM2 or P-256 point lies on the curve, an Ed25519
/// point is canonical and not of small order (CST-22).
///
/// ```
/// use mic_consent::{Ed25519SigningKey, PublicKey};
///
/// let key = Ed25519SigningKey::from_secret_bytes(&[1; 32])?; // a test key
/// let public = PublicKey::ed25519(key.public_key().as_bytes().try_into()?)?;
/// assert_eq!(public.key_id(), key.public_key().key_id());
/// // The neutral element would accept a signature over anything.
/// let mut neutral = [0; 32];
/// neutral[0] = 1;
/// assert!(PublicKey::ed25519(&neutral).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PublicKey {
    key_id: KeyId,
    material: Material,
}

/// The parsed key, ready to verify, beside the bytes it came from. Shared: each token keeps its key.
#[derive(Clone)]
enum Material {
    #[cfg(feature = "gm")]
    Sm2(Arc<sm2::Verifying>),
    #[cfg(feature = "ed25519")]
    Ed25519(Arc<ed25519::Verifying>),
    #[cfg(feature = "es256")]
    Es256(Arc<es256::Verifying>),
    /// Keeps the type inhabited in a build without suites; never made.
    #[cfg(not(any(feature = "gm", feature = "ed25519", feature = "es256")))]
    #[expect(dead_code, reason = "without suites there are no keys")]
    None(Suite),
}

impl PublicKey {
    /// An SM2 key: x and y of its point, 32 bytes each, big endian, and the distinguishing id with which
    /// its owner signs. Nobody can see from a signature which id was used, so it belongs to the key.
    ///
    /// # Errors
    /// The point is not on the curve, or the id is longer than 128 bytes.
    #[cfg(feature = "gm")]
    pub fn sm2(point: &[u8; 64], distid: &str) -> Result<Self, KeyError> {
        Self::from_material(Material::Sm2(Arc::new(sm2::Verifying::new(point, distid)?)))
    }

    /// An Ed25519 key.
    ///
    /// # Errors
    /// The bytes are no point, not its canonical form, or of small order.
    #[cfg(feature = "ed25519")]
    pub fn ed25519(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        Self::from_material(Material::Ed25519(Arc::new(ed25519::Verifying::new(bytes)?)))
    }

    /// A P-256 key: x and y of its point, 32 bytes each, big endian.
    ///
    /// # Errors
    /// The point is not on the curve.
    #[cfg(feature = "es256")]
    pub fn es256(point: &[u8; 64]) -> Result<Self, KeyError> {
        Self::from_material(Material::Es256(Arc::new(es256::Verifying::new(point)?)))
    }

    /// The key of a suite by its name, as key records carry it.
    pub(crate) fn from_parts(
        suite: Suite,
        bytes: &[u8],
        distid: Option<&str>,
    ) -> Result<Self, KeyError> {
        match (suite, distid) {
            #[cfg(feature = "gm")]
            (Suite::Sm2Sm3, distid) => {
                let point = bytes.try_into().map_err(|_| KeyError::Length {
                    expected: 64,
                    found: bytes.len(),
                })?;
                Self::sm2(point, distid.unwrap_or(DEFAULT_DISTID))
            }
            #[cfg(feature = "ed25519")]
            (Suite::Ed25519, None) => {
                let bytes = bytes.try_into().map_err(|_| KeyError::Length {
                    expected: 32,
                    found: bytes.len(),
                })?;
                Self::ed25519(bytes)
            }
            #[cfg(feature = "es256")]
            (Suite::Esp256, None) => {
                let point = bytes.try_into().map_err(|_| KeyError::Length {
                    expected: 64,
                    found: bytes.len(),
                })?;
                Self::es256(point)
            }
            #[cfg(feature = "ed25519")]
            (Suite::Ed25519, Some(_)) => Err(KeyError::DistidNotOfSuite),
            #[cfg(feature = "es256")]
            (Suite::Esp256, Some(_)) => Err(KeyError::DistidNotOfSuite),
            #[cfg(not(all(feature = "gm", feature = "ed25519", feature = "es256")))]
            _ => {
                let _ = bytes;
                Err(KeyError::SuiteNotBuilt { suite })
            }
        }
    }

    #[cfg(any(feature = "gm", feature = "ed25519", feature = "es256"))]
    fn from_material(material: Material) -> Result<Self, KeyError> {
        let mut key = Self {
            key_id: KeyId([0; 8]),
            material,
        };
        let thumbprint = key.thumbprint()?;
        for (to, from) in key.key_id.0.iter_mut().zip(thumbprint) {
            *to = from;
        }
        Ok(key)
    }

    /// The id of the key.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The suite of the key.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        match &self.material {
            #[cfg(feature = "gm")]
            Material::Sm2(_) => Suite::Sm2Sm3,
            #[cfg(feature = "ed25519")]
            Material::Ed25519(_) => Suite::Ed25519,
            #[cfg(feature = "es256")]
            Material::Es256(_) => Suite::Esp256,
            #[cfg(not(any(feature = "gm", feature = "ed25519", feature = "es256")))]
            Material::None(suite) => *suite,
        }
    }

    /// The bytes: x and y of an SM2 or P-256 point (64), or an Ed25519 key (32).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.material {
            #[cfg(feature = "gm")]
            Material::Sm2(key) => key.point(),
            #[cfg(feature = "ed25519")]
            Material::Ed25519(key) => key.bytes(),
            #[cfg(feature = "es256")]
            Material::Es256(key) => key.point(),
            #[cfg(not(any(feature = "gm", feature = "ed25519", feature = "es256")))]
            Material::None(_) => &[],
        }
    }

    /// The distinguishing id of an SM2 key.
    #[must_use]
    pub fn distid(&self) -> Option<&str> {
        match &self.material {
            #[cfg(feature = "gm")]
            Material::Sm2(key) => Some(key.distid()),
            #[cfg(feature = "ed25519")]
            Material::Ed25519(_) => None,
            #[cfg(feature = "es256")]
            Material::Es256(_) => None,
            #[cfg(not(any(feature = "gm", feature = "ed25519", feature = "es256")))]
            Material::None(_) => None,
        }
    }

    /// The COSE key thumbprint: the suite's hash over the required parameters in deterministic CBOR.
    ///
    /// # Errors
    /// The suite is not built in.
    pub fn thumbprint(&self) -> Result<[u8; 32], KeyError> {
        let parameters = match &self.material {
            #[cfg(feature = "gm")]
            Material::Sm2(key) => {
                ec2(-65537, key.point()) // crv SM2, private use
            }
            #[cfg(feature = "es256")]
            Material::Es256(key) => ec2(1, key.point()), // crv P-256
            #[cfg(feature = "ed25519")]
            Material::Ed25519(key) => {
                let mut map = MapWriter::new();
                map.key(1).int(1); // kty OKP
                map.key(-1).int(6); // crv Ed25519
                map.key(-2).bytes(key.bytes());
                map.finish()
            }
            #[cfg(not(any(feature = "gm", feature = "ed25519", feature = "es256")))]
            Material::None(_) => MapWriter::new().finish(),
        };
        let suite = self.suite();
        suite
            .hash(&[&parameters])
            .ok_or(KeyError::SuiteNotBuilt { suite })
    }

    /// The 32 bytes that the arithmetic of the suite signs for this message, for modules that take a digest:
    /// SM3(Z ‖ message) for SM2, with Z over the distinguishing id and this key; SHA-256(message) for P-256.
    /// `None` for Ed25519, which needs the whole message (CST-27).
    ///
    /// ```
    /// use mic_consent::Es256SigningKey;
    /// let key = Es256SigningKey::from_secret_bytes(&[7; 32])?; // a test key
    /// assert!(key.public_key().prehash(b"message").is_some());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn prehash(&self, message: &[u8]) -> Option<[u8; 32]> {
        match &self.material {
            #[cfg(feature = "gm")]
            Material::Sm2(key) => Some(key.prehash(message)),
            #[cfg(feature = "es256")]
            Material::Es256(_) => Suite::Esp256.hash(&[message]),
            #[cfg(feature = "ed25519")]
            Material::Ed25519(_) => {
                let _ = message;
                None
            }
            #[cfg(not(any(feature = "gm", feature = "ed25519", feature = "es256")))]
            Material::None(_) => {
                let _ = message;
                None
            }
        }
    }

    /// Checks a signature with the built-in software. Variable time: everything it sees is public.
    ///
    /// # Errors
    /// It is not the signature of this key over the message.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        match &self.material {
            #[cfg(feature = "gm")]
            Material::Sm2(key) => key.verify(message, signature),
            #[cfg(feature = "ed25519")]
            Material::Ed25519(key) => key.verify(message, signature),
            #[cfg(feature = "es256")]
            Material::Es256(key) => key.verify(message, signature),
            #[cfg(not(any(feature = "gm", feature = "ed25519", feature = "es256")))]
            Material::None(_) => {
                let _ = (message, signature);
                Err(BadSignature)
            }
        }
    }
}

/// The required parameters of a key on a curve with two coordinates (RFC 9679).
#[cfg(any(feature = "gm", feature = "es256"))]
fn ec2(curve: i64, point: &[u8; 64]) -> Vec<u8> {
    let (x, y) = point.split_at(32);
    let mut map = MapWriter::new();
    map.key(1).int(2); // kty EC2
    map.key(-1).int(curve);
    map.key(-2).bytes(x);
    map.key(-3).bytes(y);
    map.finish()
}

/// SEC 1 uncompressed form.
#[cfg(any(feature = "gm", feature = "es256"))]
fn sec1(point: &[u8; 64]) -> [u8; 65] {
    let mut sec1 = [4; 65];
    for (to, from) in sec1.iter_mut().skip(1).zip(point) {
        *to = *from;
    }
    sec1
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        // A token shares the key it was checked with, so most often there is nothing to compare.
        core::ptr::eq(self.as_bytes(), other.as_bytes())
            || self.suite() == other.suite()
                && self.as_bytes() == other.as_bytes()
                && self.distid() == other.distid()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let distid: Option<String> = self.distid().map(Into::into);
        f.debug_struct("PublicKey")
            .field("key_id", &self.key_id)
            .field("suite", &self.suite())
            .field("distid", &distid)
            .finish_non_exhaustive()
    }
}
