//! The cryptographic suites: signature, hash and COSE number always go together (CST-20).

use core::fmt;

#[cfg(feature = "gm")]
use sm3::{Digest as _, Sm3};

/// A signature scheme with its hash. A key belongs to exactly one suite; a token never chooses.
///
/// ```
/// use mic_consent::Suite;
/// assert_eq!(Suite::from_cose_algorithm(-19), Some(Suite::Ed25519));
/// assert_eq!(Suite::from_cose_algorithm(-8), None); // the old, unspecific EdDSA number
/// assert_eq!(Suite::Sm2Sm3.cose_algorithm(), -65537);
/// assert_eq!(Suite::Esp256.cose_algorithm(), -9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// SM2 (GB/T 32918.2) with SM3 (GB/T 32905). COSE number -65537, from the private range: none is
    /// registered.
    Sm2Sm3,
    /// Ed25519 (RFC 8032), checked strictly, with SHA-256 for thumbprints and commitments. COSE number -19
    /// (RFC 9864).
    Ed25519,
    /// ECDSA on P-256 with SHA-256, fully specified (ESP256). COSE number -9 (RFC 9864). What is issued here
    /// has the lower of its two possible s; both are accepted.
    Esp256,
}

impl Suite {
    /// The suites of this version.
    pub const ALL: &'static [Self] = &[Self::Sm2Sm3, Self::Ed25519, Self::Esp256];

    /// The number in the `alg` header of a token.
    #[must_use]
    pub const fn cose_algorithm(self) -> i64 {
        match self {
            Self::Sm2Sm3 => -65537,
            Self::Ed25519 => -19,
            Self::Esp256 => -9,
        }
    }

    /// The suite with this COSE number. Older, unspecific numbers (-8, -7) are not known here: they enter
    /// through [`Encoded::import_with_old_numbers`](crate::Encoded::import_with_old_numbers) alone.
    #[must_use]
    pub const fn from_cose_algorithm(number: i64) -> Option<Self> {
        match number {
            -65537 => Some(Self::Sm2Sm3),
            -19 => Some(Self::Ed25519),
            -9 => Some(Self::Esp256),
            _ => None,
        }
    }

    /// The suite that the older numbers -8 (EdDSA) and -7 (ES256) stand for here. They name no curve, so
    /// this holds for imported tokens alone.
    pub(crate) const fn from_old_number(number: i64) -> Option<Self> {
        match number {
            -8 => Some(Self::Ed25519),
            -7 => Some(Self::Esp256),
            _ => Self::from_cose_algorithm(number),
        }
    }

    /// The name in key records: `SM2-SM3`, `Ed25519` or `ESP256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sm2Sm3 => "SM2-SM3",
            Self::Ed25519 => "Ed25519",
            Self::Esp256 => "ESP256",
        }
    }

    /// The suite with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|suite| suite.name() == name)
    }

    /// The hash of the suite over the parts in a row: SM3 or SHA-256. `None` when the suite is not built in.
    pub(crate) fn hash(self, parts: &[&[u8]]) -> Option<[u8; 32]> {
        match self {
            #[cfg(feature = "gm")]
            Self::Sm2Sm3 => {
                let mut hasher = Sm3::new();
                for part in parts {
                    hasher.update(part);
                }
                Some(hasher.finalize().into())
            }
            #[cfg(feature = "ed25519")]
            Self::Ed25519 => Some(sha256(parts)),
            #[cfg(feature = "es256")]
            Self::Esp256 => Some(sha256(parts)),
            #[cfg(not(all(feature = "gm", feature = "ed25519", feature = "es256")))]
            _ => {
                let _ = parts;
                None
            }
        }
    }
}

#[cfg(any(feature = "ed25519", feature = "es256"))]
fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
