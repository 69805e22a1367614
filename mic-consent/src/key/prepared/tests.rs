//! Tables beside the plain path: the same verdict, always (CST-29).

use alloc::{boxed::Box, vec, vec::Vec};

mod ed25519;

use super::*;
use crate::{
    key::{Ed25519SigningKey, Es256SigningKey, KeyError, Sm2SigningKey},
    signer::Signer,
    suite::Suite,
};

/// A fixed stream of numbers (splitmix64).
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes());
        }
        bytes
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

fn signer(suite: Suite, secret: &[u8; 32]) -> (Box<dyn Signer>, PublicKey) {
    match suite {
        Suite::Sm2Sm3 => {
            let key = Sm2SigningKey::from_secret_bytes(secret).unwrap();
            let public = key.public_key().clone();
            (Box::new(key), public)
        }
        Suite::Ed25519 => {
            let key = Ed25519SigningKey::from_secret_bytes(secret).unwrap();
            let public = key.public_key().clone();
            (Box::new(key), public)
        }
        _ => {
            let key = Es256SigningKey::from_secret_bytes(secret).unwrap();
            let public = key.public_key().clone();
            (Box::new(key), public)
        }
    }
}

/// Those of the curves with x below an order; Ed25519 has tests of its own.
const SUITES: [Suite; 2] = [Suite::Sm2Sm3, Suite::Esp256];

#[rustfmt::skip]
fn order(suite: Suite) -> [u8; 32] {
    let text = match suite {
        Suite::Sm2Sm3 => "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123",
        _ => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    };
    hex::decode(text).unwrap().try_into().unwrap()
}

/// `number` and a small one.
fn plus(number: [u8; 32], small: i8) -> [u8; 32] {
    let mut carry = i16::from(small);
    let mut sum = number;
    for byte in sum.iter_mut().rev() {
        let total = i16::from(*byte) + carry;
        *byte = total.rem_euclid(256) as u8;
        carry = total.div_euclid(256);
    }
    sum
}

fn halved(number: [u8; 32]) -> [u8; 32] {
    let mut carry = 0;
    number.map(|byte| {
        let half = byte >> 1 | carry;
        carry = byte << 7;
        half
    })
}

/// Numbers at every edge of the arithmetic: of the range, of the folding, of windows and carries.
fn edges(suite: Suite) -> Vec<[u8; 32]> {
    let (zero, n) = ([0; 32], order(suite));
    let mut edges = vec![
        [0xff; 32],
        [0x80; 32],
        [0x7f; 32],
        [0x20; 32],
        [0x82; 32],
        halved(n),
    ];
    edges.extend([0, 1, 2, 31, 32, 33, 63, 127].map(|small| plus(zero, small)));
    edges.extend([-33, -32, -2, -1, 0, 1].map(|small| plus(n, small)));
    edges.push(plus(halved(n), 1));
    edges.push(plus(halved(n), -1));
    let mut top = zero;
    top[0] = 0x80;
    edges.push(top);
    edges
}

fn joined(r: &[u8; 32], s: &[u8; 32]) -> Signature {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(r);
    bytes[32..].copy_from_slice(s);
    Signature::from_bytes(bytes)
}

#[track_caller]
fn alike(prepared: &PreparedKey, message: &[u8], signature: &Signature) -> bool {
    let plain = prepared.public_key().verify(message, signature);
    assert_eq!(prepared.verify(message, signature), plain);
    plain.is_ok()
}

#[test]
fn ok_thousands_of_signatures_good_and_mutated() {
    for &suite in Suite::ALL {
        let (mut stream, mut bases) = (Stream(1), BaseTables::new());
        let mut counts = [0_usize; 2];
        for _ in 0..8 {
            let mut secret = stream.bytes();
            secret[0] &= 0x7f;
            let (signer, public) = signer(suite, &secret);
            let prepared = PreparedKey::new(public, &mut bases);
            for _ in 0..64 {
                let message = stream.bytes();
                let signature = signer.sign(&message).unwrap();
                assert!(alike(&prepared, &message, &signature));
                counts[1] += 1;
                for _ in 0..3 {
                    let (mut text, mut bytes) = (message, *signature.as_bytes());
                    match stream.below(3) {
                        0 => text[stream.below(32)] ^= 1 << stream.below(8),
                        1 => bytes[stream.below(64)] ^= 1 << stream.below(8),
                        _ => bytes[stream.below(64)] = stream.next() as u8,
                    }
                    let good = alike(&prepared, &text, &Signature::from_bytes(bytes));
                    counts[usize::from(good)] += 1;
                }
            }
        }
        assert!(counts[0] > 1_500 && counts[1] >= 512, "{counts:?}");
    }
}

#[test]
fn ok_edge_numbers_as_r_and_s() {
    for suite in SUITES {
        let mut bases = BaseTables::new();
        let mut secrets = vec![plus([0; 32], 1), plus([0; 32], 2), [0x22; 32]];
        // The mirror image of the base point; SM2 signs with n - 2 at most.
        secrets.push(plus(
            order(suite),
            if suite == Suite::Sm2Sm3 { -2 } else { -1 },
        ));
        for secret in secrets {
            let prepared = PreparedKey::new(signer(suite, &secret).1, &mut bases);
            let edges = edges(suite);
            for r in &edges {
                for s in &edges {
                    alike(&prepared, b"message", &joined(r, s));
                }
            }
        }
    }
}

#[test]
fn err_numbers_out_of_range_whatever_the_message() {
    for suite in SUITES {
        let (signer, public) = signer(suite, &[0x22; 32]);
        let prepared = PreparedKey::new(public, &mut BaseTables::new());
        let signature = *signer.sign(b"message").unwrap().as_bytes();
        let (r, s) = signature.split_at(32);
        let (r, s): ([u8; 32], [u8; 32]) = (r.try_into().unwrap(), s.try_into().unwrap());
        let n = order(suite);
        for (r, s) in [([0; 32], s), (r, [0; 32]), (n, s), (r, n), ([0xff; 32], s)] {
            assert!(!alike(&prepared, b"message", &joined(&r, &s)));
        }
    }
}

/// The parts of one suite that the tests below need; the macro stands for a trait that no other code wants.
macro_rules! against_the_crate {
    ($name:ident, $module:ident, $krate:ident, $curve:ident) => {
        mod $name {
            use $krate::{
                AffinePoint, ProjectivePoint, Scalar,
                elliptic_curve::{
                    ff::PrimeField as _, point::AffineCoordinates as _, sec1::FromSec1Point as _,
                },
            };

            use super::*;

            type Point = $krate::Sec1Point;

            fn scalar(bytes: &[u8; 32]) -> Option<Scalar> {
                Option::from(Scalar::from_repr((*bytes).into()))
            }

            /// sG + tP by the tables and by the crate: the same x, or both at infinity.
            #[track_caller]
            fn sums_alike(base: &$module::Base, p: &ProjectivePoint, s: Scalar, t: Scalar) -> bool {
                let point = p.to_affine();
                let own = $module::Own::new(point.x(), point.y()).unwrap();
                let sum = base
                    .add_multiple(Jacobian::IDENTITY, &Folded::new(s))
                    .and_then(|sum| own.add_multiple(sum, &Folded::new(t)))
                    .unwrap();
                let expected = ProjectivePoint::GENERATOR * s + *p * t;
                let infinite = expected == ProjectivePoint::IDENTITY;
                let x = Scalar::from_repr(expected.to_affine().x());
                // An x at or above the order has its own test.
                let x = Option::<Scalar>::from(x).unwrap();
                assert_eq!(sum.has_x(x), !infinite);
                assert!(!sum.has_x(x + Scalar::ONE));
                infinite
            }

            #[test]
            fn ok_sums_of_edge_multiples() {
                let base = $module::base().unwrap();
                let suite = if stringify!($module) == "gm" {
                    Suite::Sm2Sm3
                } else {
                    Suite::Esp256
                };
                let numbers: Vec<Scalar> = edges(suite).iter().filter_map(scalar).collect();
                assert!(numbers.len() > 16);
                let g = ProjectivePoint::GENERATOR;
                let mut infinite = 0;
                for p in [g, -g, g + g, g * Scalar::from(77_u64)] {
                    for s in numbers.iter().step_by(2) {
                        for t in numbers.iter().step_by(3) {
                            infinite += usize::from(sums_alike(&base, &p, *s, *t));
                        }
                    }
                }
                assert!(
                    infinite > 4,
                    "the sums meet infinity, the same point and its mirror image"
                );
            }

            #[test]
            fn ok_sums_that_are_at_infinity() {
                let base = $module::base().unwrap();
                let mut stream = Stream(3);
                for _ in 0..16 {
                    let mut number = || loop {
                        if let Some(found) = scalar(&stream.bytes()) {
                            break found;
                        }
                    };
                    let (k, t) = (number(), number());
                    assert!(sums_alike(
                        &base,
                        &(ProjectivePoint::GENERATOR * k),
                        -(k * t),
                        t
                    ));
                }
            }

            /// A point whose x is at or above the order, which is about one point in 2^128.
            pub(super) fn point_beyond_the_order(suite: Suite) -> (ProjectivePoint, Scalar) {
                for small in 1..100 {
                    let x = plus(order(suite), small);
                    let mut bytes = [2; 33];
                    bytes[1..].copy_from_slice(&x);
                    let point = Point::from_bytes(bytes).unwrap();
                    let found = Option::<AffinePoint>::from(AffinePoint::from_sec1_point(&point));
                    if let Some(found) = found {
                        return (found.into(), Scalar::from(small as u64));
                    }
                }
                panic!("no point")
            }
        }
    };
}

against_the_crate!(sm2_points, gm, sm2, Sm2);
against_the_crate!(p256_points, es, p256, NistP256);

#[test]
fn ok_sm2_x_at_or_above_the_order() {
    use sm2::dsa::signature::hazmat::PrehashVerifier as _;
    let (point, residue) = sm2_points::point_beyond_the_order(Suite::Sm2Sm3);
    let (s, t) = (sm2::Scalar::from(1234_u64), sm2::Scalar::from(98_765_u64));
    let key = (point - sm2::ProjectivePoint::GENERATOR * s) * t.invert().unwrap();
    let r = t - s;
    let prehash: [u8; 32] = (r - residue).to_bytes().into();
    let signature = joined(&r.to_bytes().into(), &s.to_bytes().into());
    let plain = sm2::dsa::VerifyingKey::from_affine("", key.to_affine()).unwrap();
    let parsed = sm2::dsa::Signature::from_slice(signature.as_bytes()).unwrap();
    assert!(plain.verify_prehash(&prehash, &parsed).is_ok());
    let sec1 = plain.to_sec1_bytes();
    let own = gm::own(sec1[1..].try_into().unwrap()).unwrap();
    let base = gm::base().unwrap();
    assert_eq!(gm::check(&base, &own, &prehash, &signature), Some(true));
    assert_eq!(
        gm::check(&base, &own, &plus(prehash, 1), &signature),
        Some(false)
    );
}

#[test]
fn ok_es256_x_at_or_above_the_order() {
    use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
    let (point, r) = p256_points::point_beyond_the_order(Suite::Esp256);
    let (s, e) = (p256::Scalar::from(1234_u64), p256::Scalar::from(98_765_u64));
    let inverse = s.invert().unwrap();
    let key = (point - p256::ProjectivePoint::GENERATOR * (e * inverse))
        * (r * inverse).invert().unwrap();
    let prehash: [u8; 32] = e.to_bytes().into();
    let signature = joined(&r.to_bytes().into(), &s.to_bytes().into());
    let plain = p256::ecdsa::VerifyingKey::from_affine(key.to_affine()).unwrap();
    let parsed = p256::ecdsa::Signature::from_slice(signature.as_bytes()).unwrap();
    assert!(plain.verify_prehash(&prehash, &parsed).is_ok());
    let sec1 = plain.to_sec1_point(false);
    let own = es::own(sec1.as_bytes()[1..].try_into().unwrap()).unwrap();
    let base = es::base().unwrap();
    assert_eq!(es::check(&base, &own, &prehash, &signature), Some(true));
    assert_eq!(
        es::check(&base, &own, &plus(prehash, 1), &signature),
        Some(false)
    );
}

#[test]
fn ok_the_stated_bytes_are_what_the_tables_take() {
    assert_eq!((gm::Own::BYTES, gm::Base::BYTES), (88_064, 262_144));
    assert_eq!((es::Own::BYTES, es::Base::BYTES), (88_064, 262_144));
    assert_eq!((ed::Own::BYTES, ed::Base::BYTES), (112_640, 655_360));
}
