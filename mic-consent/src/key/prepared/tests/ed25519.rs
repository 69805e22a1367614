//! Ed25519 with and without its tables: strict, without the cofactor, and alike in every case that implementations
//! are known to judge differently ("Taming the many EdDSAs", Chalkias, Garillot and Nikolaenko, 2020, section 5).

use curve25519_dalek::{
    constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION},
    edwards::{CompressedEdwardsY, EdwardsPoint},
    scalar::Scalar,
    traits::IsIdentity as _,
};
use sha2::{Digest as _, Sha512};

use super::*;

/// l, the order of the base point, least significant byte first.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A key whose secret number is known, with a part of small order.
struct Mixed {
    secret: Scalar,
    prepared: PreparedKey,
}

impl Mixed {
    fn new(number: u64, small: EdwardsPoint, bases: &mut BaseTables) -> Self {
        let secret = Scalar::from(number);
        let bytes = (B * secret + small).compress().to_bytes();
        let key = PublicKey::ed25519(&bytes).unwrap();
        let prepared = PreparedKey::new(key, bases);
        Self { secret, prepared }
    }

    /// R as it stands and S = r + k·a.
    fn signed(&self, r: Scalar, encoded: &[u8; 32], message: &[u8]) -> Signature {
        let k = challenge(encoded, &self.prepared, message);
        joined(encoded, (r + k * self.secret).as_bytes())
    }

    /// Whether both accept, and asserts that they agree.
    #[track_caller]
    fn accepts(&self, message: &[u8], signature: &Signature) -> bool {
        alike(&self.prepared, message, signature)
    }
}

fn challenge(r: &[u8; 32], key: &PreparedKey, message: &[u8]) -> Scalar {
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(key.public_key().as_bytes())
        .chain_update(message)
        .finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

/// `number` · l + `bytes`, if it is below 2^256.
fn plus_order(bytes: &[u8; 32], number: u32) -> Option<[u8; 32]> {
    let mut carry = 0_u32;
    let mut sum = *bytes;
    for (to, of) in sum.iter_mut().zip(ORDER) {
        let total = u32::from(*to) + number * u32::from(of) + carry;
        *to = total as u8;
        carry = total >> 8;
    }
    (carry == 0).then_some(sum)
}

/// Numbers at every edge of digits, windows and carries.
fn edges() -> Vec<Scalar> {
    let mut edges = vec![Scalar::ZERO, -Scalar::ONE, -Scalar::from(2_u64)];
    let mut power = Scalar::ONE;
    for _ in 0..253 {
        edges.extend([power - Scalar::ONE, power, power + Scalar::ONE, -power]);
        power += power;
    }
    for byte in [0x11, 0x20, 0x7f, 0x80, 0x82, 0xaa, 0xff] {
        edges.push(Scalar::from_bytes_mod_order([byte; 32]));
    }
    edges
}

#[test]
fn ok_multiples_are_those_of_the_crate() {
    let edges = edges();
    let points = [B, B + EIGHT_TORSION[1], EIGHT_TORSION[1], EIGHT_TORSION[4]];
    for point in points {
        let (base, own) = (ed::Base::new(point), ed::own(point));
        for number in &edges {
            let expected = point * number;
            assert_eq!(base.times(number), expected, "{number:?}");
            assert_eq!(own.times(number), expected, "{number:?}");
        }
    }
}

/// Cases 3 to 5: A and R have parts of small order. Only without the cofactor does it matter which.
#[test]
fn ok_points_of_mixed_order() {
    let (mut bases, mut counts) = (BaseTables::new(), [0_usize; 2]);
    for small in EIGHT_TORSION {
        let key = Mixed::new(77, small, &mut bases);
        for part in EIGHT_TORSION {
            for message in 0..16_u8 {
                let r = Scalar::from(1_000_u64 + u64::from(message));
                let point = B * r + part;
                let encoded = point.compress().to_bytes();
                let k = challenge(&encoded, &key.prepared, &[message]);
                let signature = key.signed(r, &encoded, &[message]);
                // S·B - k·A is r·B less k times the key's small part.
                let expected = (part + small * k).is_identity();
                assert_eq!(key.accepts(&[message], &signature), expected);
                counts[usize::from(expected)] += 1;
            }
        }
    }
    assert!(counts[0] > 500 && counts[1] > 100, "{counts:?}");
}

/// Case 2, and R neutral: the equation holds, R is of small order.
#[test]
fn err_r_of_small_order_though_the_equation_holds() {
    let (mut bases, mut held) = (BaseTables::new(), 0);
    for small in EIGHT_TORSION {
        let key = Mixed::new(78, small, &mut bases);
        for part in EIGHT_TORSION {
            for message in 0..16_u8 {
                let encoded = part.compress().to_bytes();
                let k = challenge(&encoded, &key.prepared, &[message]);
                held += usize::from((part + small * k).is_identity());
                let signature = key.signed(Scalar::ZERO, &encoded, &[message]);
                assert!(!key.accepts(&[message], &signature));
            }
        }
    }
    assert!(held > 100, "{held}");
}

/// Cases 8 and 9, and their like: y at or above p, or a sign that x = 0 does not have.
#[test]
fn err_r_that_is_not_canonical() {
    let key = Mixed::new(79, EIGHT_TORSION[0], &mut BaseTables::new());
    let mut points = 0;
    for low in 0xed..=0xff_u8 {
        for sign in [0x7f, 0xff] {
            let mut encoded = [0xff; 32];
            (encoded[0], encoded[31]) = (low, sign);
            points += usize::from(CompressedEdwardsY(encoded).decompress().is_some());
            let signature = key.signed(Scalar::ZERO, &encoded, b"message");
            assert!(!key.accepts(b"message", &signature));
        }
    }
    assert!(points > 4, "{points}");
    // The neutral element and the point of order 2, with x written as minus zero.
    for low in [1, 0xec] {
        let mut encoded = if low == 1 { [0; 32] } else { [0xff; 32] };
        encoded[0] = low;
        encoded[31] |= 0x80;
        let signature = key.signed(Scalar::ZERO, &encoded, b"message");
        assert!(!key.accepts(b"message", &signature));
    }
}

/// Cases 6 and 7: S is the right number, written as another one.
#[test]
fn err_s_at_or_above_the_order() {
    let (signer, public) = signer(Suite::Ed25519, &[7; 32]);
    let prepared = PreparedKey::new(public, &mut BaseTables::new());
    let signature = signer.sign(b"message").unwrap();
    let (r, s) = signature.as_bytes().split_at(32);
    let (r, s): ([u8; 32], [u8; 32]) = (r.try_into().unwrap(), s.try_into().unwrap());
    assert!(alike(&prepared, b"message", &joined(&r, &s)));
    let mut tried = 0;
    for number in 1..16 {
        let Some(s) = plus_order(&s, number) else {
            continue;
        };
        assert!(!alike(&prepared, b"message", &joined(&r, &s)));
        tried += 1;
    }
    assert!(tried >= 14, "{tried}");
    for bit in 253..256 {
        let mut s = s;
        s[bit / 8] |= 1 << (bit % 8);
        assert!(!alike(&prepared, b"message", &joined(&r, &s)));
    }
    assert!(!alike(&prepared, b"message", &joined(&r, &ORDER)));
}

/// S cannot be chosen under a key that is loaded, since k depends on R. Under the neutral element, which is never
/// loaded, it can: then R = S·B.
#[test]
fn ok_s_at_the_edges_of_its_range() {
    let (base, neutral) = (ed::base(), ed::own(EIGHT_TORSION[0]));
    let key = EIGHT_TORSION[0].compress().to_bytes();
    for s in [Scalar::ONE, Scalar::from(2_u64), -Scalar::ONE] {
        let r = (B * s).compress().to_bytes();
        let check = |s: &[u8; 32]| ed::check(&base, &neutral, &key, b"message", &joined(&r, s));
        assert_eq!(check(s.as_bytes()), Some(true));
        assert_eq!(check((s + Scalar::ONE).as_bytes()), Some(false));
        assert_eq!(check(&plus_order(s.as_bytes(), 1).unwrap()), None);
    }
}

/// Cases 0, 1, 10 and 11: such a key would accept what nobody signed, so it is never loaded.
#[test]
fn err_keys_of_small_order_or_not_canonical() {
    for point in EIGHT_TORSION {
        let bytes = point.compress().to_bytes();
        assert_eq!(PublicKey::ed25519(&bytes), Err(KeyError::SmallOrder));
    }
    let mut found = [0; 3];
    for low in 0xed..=0xff_u8 {
        for sign in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, sign);
            match PublicKey::ed25519(&bytes) {
                Err(KeyError::NotOnCurve) => found[0] += 1,
                Err(KeyError::SmallOrder) => found[1] += 1,
                Err(KeyError::NotCanonical) => found[2] += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(found.iter().all(|count| *count > 0), "{found:?}");
}
