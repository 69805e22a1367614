//! Keys with a table: the same verdict as [`PublicKey::verify`], twice (Ed25519) to eight times as fast.

#[cfg(any(feature = "gm", feature = "ed25519", feature = "es256"))]
use alloc::sync::Arc;
use core::fmt;

#[cfg(any(feature = "gm", feature = "es256"))]
use super::table::{Folded, Jacobian, Table};
use super::{Material, PublicKey};
use crate::signer::{BadSignature, Signature};

/// Bits of a digit in the table of a base point, which all keys share, and in the table of a key.
#[cfg(any(feature = "gm", feature = "es256"))]
const BASE_WIDTH: usize = 8;
#[cfg(any(feature = "gm", feature = "es256"))]
const KEY_WIDTH: usize = 6;

/// The same for Ed25519, and which windows are laid out: all of the base point, every other one of a key, whose
/// table is half as large for six doublings more.
#[cfg(feature = "ed25519")]
const ED_BASE_WIDTH: usize = 8;
#[cfg(feature = "ed25519")]
const ED_BASE_EVERY: usize = 1;
#[cfg(feature = "ed25519")]
const ED_KEY_WIDTH: usize = 6;
#[cfg(feature = "ed25519")]
const ED_KEY_EVERY: usize = 2;

/// The tables of the base points, made when a key of the curve first wants one and shared by all of them.
///
/// ```
/// let bases = mic_consent::BaseTables::new();
/// assert_eq!(bases.bytes(), 0); // 262,144 for SM2, 262,144 for P-256, 655,360 for Ed25519
/// ```
#[derive(Clone)]
pub struct BaseTables {
    bytes: usize,
    #[cfg(feature = "gm")]
    sm2: Option<Arc<gm::Base>>,
    #[cfg(feature = "es256")]
    es256: Option<Arc<es::Base>>,
    #[cfg(feature = "ed25519")]
    ed25519: Option<Arc<ed::Base>>,
}

impl BaseTables {
    /// No tables yet.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "tables are costly and made on purpose"
    )]
    pub const fn new() -> Self {
        Self {
            bytes: 0,
            #[cfg(feature = "gm")]
            sm2: None,
            #[cfg(feature = "es256")]
            es256: None,
            #[cfg(feature = "ed25519")]
            ed25519: None,
        }
    }

    /// Bytes of the tables made so far.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that preparing `key` would add: its own table, and that of its base point if it is the first.
    pub(super) const fn bytes_for(&self, key: &PublicKey) -> usize {
        match &key.material {
            #[cfg(feature = "gm")]
            Material::Sm2(_) if self.sm2.is_some() => gm::Own::BYTES,
            #[cfg(feature = "gm")]
            Material::Sm2(_) => gm::Own::BYTES + gm::Base::BYTES,
            #[cfg(feature = "es256")]
            Material::Es256(_) if self.es256.is_some() => es::Own::BYTES,
            #[cfg(feature = "es256")]
            Material::Es256(_) => es::Own::BYTES + es::Base::BYTES,
            #[cfg(feature = "ed25519")]
            Material::Ed25519(_) if self.ed25519.is_some() => ed::Own::BYTES,
            #[cfg(feature = "ed25519")]
            Material::Ed25519(_) => ed::Own::BYTES + ed::Base::BYTES,
            #[cfg(not(any(feature = "gm", feature = "ed25519", feature = "es256")))]
            Material::None(_) => 0,
        }
    }
}

impl fmt::Debug for BaseTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BaseTables")
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

/// A public key with a table of its multiples. It takes 88,064 bytes (SM2, P-256) or 112,640 (Ed25519) and a
/// millisecond or two to make, once, and checks twice (Ed25519) to eight times as many signatures in a second.
///
/// A [`KeyRing`](super::KeyRing) keeps such keys within a bound on their memory; see
/// [`KeyRing::prepare`](super::KeyRing::prepare).
///
/// ```
/// use mic_consent::{BaseTables, PreparedKey, Signer, Sm2SigningKey};
///
/// let key = Sm2SigningKey::from_secret_bytes(&[7; 32])?; // a test key
/// let prepared = PreparedKey::new(key.public_key().clone(), &mut BaseTables::new());
/// assert_eq!(prepared.table_bytes(), 88_064);
/// let signature = key.sign(b"message")?;
/// assert!(prepared.verify(b"message", &signature).is_ok());
/// assert!(prepared.verify(b"massage", &signature).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PreparedKey {
    key: PublicKey,
    tables: Tables,
}

#[derive(Clone)]
enum Tables {
    None,
    #[cfg(feature = "gm")]
    Sm2(Arc<gm::Base>, Arc<gm::Own>),
    #[cfg(feature = "es256")]
    Es256(Arc<es::Base>, Arc<es::Own>),
    #[cfg(feature = "ed25519")]
    Ed25519(Arc<ed::Base>, Arc<ed::Own>),
}

impl PreparedKey {
    /// Makes the table of `key`, and that of its base point unless `bases` has it.
    #[must_use]
    pub fn new(key: PublicKey, bases: &mut BaseTables) -> Self {
        let tables = Tables::new(&key, bases).unwrap_or(Tables::None);
        Self { key, tables }
    }

    /// The key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Bytes of its own table; none for a suite without tables.
    #[must_use]
    pub const fn table_bytes(&self) -> usize {
        self.tables.bytes()
    }

    /// Checks a signature: the verdict of [`PublicKey::verify`], sooner. Variable time: everything it sees
    /// is public.
    ///
    /// # Errors
    /// It is not the signature of this key over the message.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        match &self.tables {
            Tables::None => self.key.verify(message, signature),
            #[cfg(feature = "gm")]
            Tables::Sm2(base, own) => {
                let prehash = self.key.prehash(message);
                verdict(prehash.and_then(|prehash| gm::check(base, own, &prehash, signature)))
            }
            #[cfg(feature = "es256")]
            Tables::Es256(base, own) => {
                let prehash = self.key.prehash(message);
                verdict(prehash.and_then(|prehash| es::check(base, own, &prehash, signature)))
            }
            #[cfg(feature = "ed25519")]
            Tables::Ed25519(base, own) => {
                let key = self.key.as_bytes();
                verdict(ed::check(base, own, key, message, signature))
            }
        }
    }
}

#[cfg(any(feature = "gm", feature = "ed25519", feature = "es256"))]
fn verdict(good: Option<bool>) -> Result<(), BadSignature> {
    match good {
        Some(true) => Ok(()),
        _ => Err(BadSignature),
    }
}

impl Tables {
    fn new(key: &PublicKey, bases: &mut BaseTables) -> Option<Self> {
        let added = bases.bytes_for(key);
        let tables = match &key.material {
            #[cfg(feature = "gm")]
            Material::Sm2(key) => {
                let own = Arc::new(gm::own(key.point())?);
                Self::Sm2(shared(&mut bases.sm2, gm::base)?, own)
            }
            #[cfg(feature = "es256")]
            Material::Es256(key) => {
                let own = Arc::new(es::own(key.point())?);
                Self::Es256(shared(&mut bases.es256, es::base)?, own)
            }
            #[cfg(feature = "ed25519")]
            Material::Ed25519(key) => {
                let own = Arc::new(ed::own(key.point()));
                Self::Ed25519(shared(&mut bases.ed25519, || Some(ed::base()))?, own)
            }
            #[cfg(not(any(feature = "gm", feature = "ed25519", feature = "es256")))]
            Material::None(_) => Self::None,
        };
        bases.bytes += added - tables.bytes();
        Some(tables)
    }

    /// Bytes of the key's own table.
    const fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            #[cfg(feature = "gm")]
            Self::Sm2(..) => gm::Own::BYTES,
            #[cfg(feature = "es256")]
            Self::Es256(..) => es::Own::BYTES,
            #[cfg(feature = "ed25519")]
            Self::Ed25519(..) => ed::Own::BYTES,
        }
    }
}

#[cfg(any(feature = "gm", feature = "ed25519", feature = "es256"))]
fn shared<T>(place: &mut Option<Arc<T>>, make: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
    if place.is_none() {
        *place = Some(Arc::new(make()?));
    }
    place.clone()
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedKey")
            .field("key", &self.key)
            .field("table_bytes", &self.table_bytes())
            .finish_non_exhaustive()
    }
}

/// SM2: s·G + (r + s)·P has the x that e and r demand (GB/T 32918.2, 7.1).
#[cfg(feature = "gm")]
mod gm {
    use sm2::{
        AffinePoint, FieldBytes, Scalar, Sm2,
        elliptic_curve::{hazmat::FieldArithmetic, ops::Reduce, point::AffineCoordinates as _},
    };

    use super::{BASE_WIDTH, Folded, Jacobian, KEY_WIDTH, Signature, Table};

    type Field = <Sm2 as FieldArithmetic>::FieldElement;
    pub(super) type Base = Table<Field, BASE_WIDTH>;
    pub(super) type Own = Table<Field, KEY_WIDTH>;

    pub(super) fn base() -> Option<Base> {
        let point = AffinePoint::GENERATOR;
        Table::new(point.x(), point.y())
    }

    pub(super) fn own(point: &[u8; 64]) -> Option<Own> {
        let (x, y) = point.split_at(32);
        Table::new(x.try_into().ok()?, y.try_into().ok()?)
    }

    pub(super) fn check(
        base: &Base,
        own: &Own,
        prehash: &[u8; 32],
        signature: &Signature,
    ) -> Option<bool> {
        // Refuses r or s of zero or beyond the order.
        let signature = sm2::dsa::Signature::from_slice(signature.as_bytes()).ok()?;
        let (r, s) = (*signature.r(), *signature.s());
        let t = r + s;
        if bool::from(t.is_zero()) {
            return Some(false);
        }
        let e = Scalar::reduce(&FieldBytes::from(*prehash));
        let sum = base.add_multiple(Jacobian::IDENTITY, &Folded::new(s))?;
        let sum = own.add_multiple(sum, &Folded::new(t))?;
        Some(sum.has_x(r - e))
    }
}

/// ECDSA: (e/s)·G + (r/s)·P has the x that r demands (SEC 1, 4.1.4).
#[cfg(feature = "es256")]
mod es {
    use p256::{
        AffinePoint, FieldBytes, NistP256, Scalar,
        elliptic_curve::{hazmat::FieldArithmetic, ops::Reduce, point::AffineCoordinates as _},
    };

    use super::{BASE_WIDTH, Folded, Jacobian, KEY_WIDTH, Signature, Table};

    type Field = <NistP256 as FieldArithmetic>::FieldElement;
    pub(super) type Base = Table<Field, BASE_WIDTH>;
    pub(super) type Own = Table<Field, KEY_WIDTH>;

    pub(super) fn base() -> Option<Base> {
        let point = AffinePoint::GENERATOR;
        Table::new(point.x(), point.y())
    }

    pub(super) fn own(point: &[u8; 64]) -> Option<Own> {
        let (x, y) = point.split_at(32);
        Table::new(x.try_into().ok()?, y.try_into().ok()?)
    }

    pub(super) fn check(
        base: &Base,
        own: &Own,
        prehash: &[u8; 32],
        signature: &Signature,
    ) -> Option<bool> {
        // Refuses r or s of zero or beyond the order.
        let signature = p256::ecdsa::Signature::from_slice(signature.as_bytes()).ok()?;
        let (r, s) = (*signature.r(), *signature.s());
        let inverse = Option::<Scalar>::from(s.invert_vartime())?;
        let e = Scalar::reduce(&FieldBytes::from(*prehash));
        let sum = base.add_multiple(Jacobian::IDENTITY, &Folded::new(e * inverse))?;
        let sum = own.add_multiple(sum, &Folded::new(r * inverse))?;
        Some(sum.has_x(r))
    }
}

/// Ed25519: S·B - k·A has the encoding R (RFC 8032, 5.1.7, without the cofactor), and is not of small order.
///
/// R is never decoded: what is no point, is not canonical or has a sign that its x cannot have is not the encoding
/// of any sum, and R is of small order when the sum is. A square root is saved.
#[cfg(feature = "ed25519")]
mod ed {
    use curve25519_dalek::{
        constants::ED25519_BASEPOINT_POINT, edwards::EdwardsPoint, scalar::Scalar,
    };
    use sha2::{Digest as _, Sha512};

    use super::{
        super::edwards::Multiples, ED_BASE_EVERY, ED_BASE_WIDTH, ED_KEY_EVERY, ED_KEY_WIDTH,
        Signature,
    };

    pub(super) type Base = Multiples<ED_BASE_WIDTH, ED_BASE_EVERY>;
    pub(super) type Own = Multiples<ED_KEY_WIDTH, ED_KEY_EVERY>;

    pub(super) fn base() -> Base {
        Base::new(ED25519_BASEPOINT_POINT)
    }

    pub(super) fn own(point: EdwardsPoint) -> Own {
        Own::new(point)
    }

    pub(super) fn check(
        base: &Base,
        own: &Own,
        key: &[u8],
        message: &[u8],
        signature: &Signature,
    ) -> Option<bool> {
        let (r, s) = signature.as_bytes().split_at(32);
        // Refuses S at or above the order.
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s.try_into().ok()?))?;
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(key)
            .chain_update(message)
            .finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        let sum = base.times(&s) - own.times(&k);
        Some(sum.compress().as_bytes() == r && !sum.is_small_order())
    }
}

#[cfg(all(test, feature = "gm", feature = "ed25519", feature = "es256"))]
#[expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests of fixed numbers"
)]
mod tests;
