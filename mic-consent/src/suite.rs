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
}

impl Suite {
    /// The suites of this version.
    pub const ALL: &'static [Self] = &[Self::Sm2Sm3, Self::Ed25519];

    /// The number in the `alg` header of a token.
    #[must_use]
    pub const fn cose_algorithm(self) -> i64 {
        match self {
            Self::Sm2Sm3 => -65537,
            Self::Ed25519 => -19,
        }
    }

    /// The suite with this COSE number. Older, unspecific numbers (-8) are not known here.
    #[must_use]
    pub const fn from_cose_algorithm(number: i64) -> Option<Self> {
        match number {
            -65537 => Some(Self::Sm2Sm3),
            -19 => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// The name in key records: `SM2-SM3` or `Ed25519`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sm2Sm3 => "SM2-SM3",
            Self::Ed25519 => "Ed25519",
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
            Self::Ed25519 => {
                use sha2::Digest as _;
                let mut hasher = sha2::Sha256::new();
                for part in parts {
                    hasher.update(part);
                }
                Some(hasher.finalize().into())
            }
            #[cfg(not(all(feature = "gm", feature = "ed25519")))]
            _ => {
                let _ = parts;
                None
            }
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
