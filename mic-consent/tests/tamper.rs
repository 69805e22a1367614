//! Nothing that was changed in any bit, cut short or made longer is ever accepted; and no token of one
//! suite, key or type passes for another.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;
#[path = "common/every.rs"]
mod every;

use common::{raw, *};
use every::{Every, taken_as, verify};
use mic_consent::*;

const SUITES: &[Suite] = Suite::ALL;

fn tokens(keys: &Keys) -> Vec<Encoded> {
    let granted = grant(keys, ct_scope());
    let held = live_grant(keys, granted.clone());
    let proof = ProofDraft::open(&held, archive(), RECORD, &opening()).unwrap();
    let proof = proof
        .sign(keys.hospital.as_ref(), ProofId::from_bytes([2; 16]), now())
        .unwrap();
    vec![request(keys, ct_scope()), granted, proof]
}

#[test]
fn err_every_single_bit_flip_is_refused() {
    for &suite in SUITES {
        let keys = keys(suite);
        let (ring, policy) = (keys.ring(), policy());
        let checker = Checker::new(&ring, &policy);
        for token in tokens(&keys) {
            verify(token.as_bytes(), &checker).unwrap();
            let mut changed = token.as_bytes().to_vec();
            for at in 0..changed.len() {
                for bit in 0..8 {
                    changed[at] ^= 1 << bit;
                    assert!(
                        verify(&changed, &checker).is_err(),
                        "{suite} byte {at} bit {bit}"
                    );
                    changed[at] ^= 1 << bit;
                }
            }
        }
    }
}

/// Of every accepted vector. The keys have tables here; the test above goes the plain way.
fn every_bit_flip(suite: Suite) {
    let Every {
        mut ring, tokens, ..
    } = Every::read();
    for token in &tokens {
        ring.prepare(&token.token.key_id()).unwrap();
    }
    let policy = policy();
    let checker = Checker::new(&ring, &policy);
    for one in tokens.iter().filter(|one| one.token.suite() == suite) {
        let mut changed = one.token.as_bytes().to_vec();
        verify(&changed, &checker).unwrap();
        for at in 0..changed.len() {
            for bit in 0..8 {
                changed[at] ^= 1 << bit;
                let refused = verify(&changed, &checker).is_err();
                assert!(refused, "{} byte {at} bit {bit}", one.id);
                changed[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn err_every_bit_flip_of_every_sm2_vector() {
    every_bit_flip(Suite::Sm2Sm3);
}

#[test]
fn err_every_bit_flip_of_every_ed25519_vector() {
    every_bit_flip(Suite::Ed25519);
}

#[test]
fn err_every_bit_flip_of_every_esp256_vector() {
    every_bit_flip(Suite::Esp256);
}

#[test]
fn err_every_prefix_and_every_extension_is_refused() {
    for one in Every::read().tokens {
        let (whole, id) = (one.token.as_bytes(), &one.id);
        for length in 0..whole.len() {
            let denial = Encoded::from_bytes(&whole[..length]).unwrap_err();
            assert_eq!(denial.reason(), Reason::Truncated, "{id} {length}");
        }
        for byte in 0..=255 {
            let longer = [whole, &[byte]].concat();
            let denial = Encoded::from_bytes(&longer).unwrap_err();
            assert_eq!(denial.reason(), Reason::TrailingBytes, "{id}");
        }
    }
}

#[test]
fn err_every_changed_character_of_the_text_is_refused() {
    let keys = keys(Suite::Ed25519);
    let (ring, policy) = (keys.ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let text = grant(&keys, ct_scope()).to_text();
    for at in 0..text.len() {
        for other in *b"0AZ %:" {
            let mut changed = text.clone().into_bytes();
            if changed[at] == other {
                continue;
            }
            changed[at] = other;
            let changed = String::from_utf8(changed).unwrap();
            let result =
                Encoded::from_text(&changed).and_then(|token| verify(token.as_bytes(), &checker));
            assert!(result.is_err(), "character {at}");
        }
    }
}

#[test]
fn err_no_type_is_accepted_as_another() {
    for one in Every::read().tokens {
        for kind in TokenType::ALL {
            let right = one.token.token_type() == *kind;
            assert_eq!(taken_as(&one.token, *kind).is_ok(), right, "{}", one.id);
        }
    }
}

/// Every claim set of every type signed as every type by a key of every role: only the true one passes.
#[test]
fn err_cross_product_of_all_types_and_roles() {
    let every = Every::read();
    let policy = policy();
    let checker = Checker::new(&every.ring, &policy);
    let mut accepted = 0;
    for &suite in SUITES {
        let made = every.one_each(suite);
        for one in &made {
            let (_, payload, _) = raw::parts(one.token.as_bytes());
            for signed_as in TokenType::ALL {
                for by in &made {
                    let signer = every.signers[&by.token.key_id()].as_ref();
                    let header = raw::header(signer, signed_as.name());
                    let token = raw::sign_with(&header, &payload, signed_as.external(), signer);
                    let record = every.ring.get(&signer.key_id()).unwrap();
                    let own = every.ring.get(&one.token.key_id()).unwrap();
                    let right = one.token.token_type() == *signed_as
                        && record.roles().contains(signed_as.role())
                        && record.organisation() == own.organisation();
                    let passed = verify(&token, &checker).is_ok();
                    assert_eq!(passed, right, "{} as {signed_as:?} by {}", one.id, by.id);
                    accepted += usize::from(right);
                }
            }
        }
    }
    assert!(accepted >= SUITES.len() * TokenType::ALL.len());
}

/// Every claim set signed as every type, by every key, named as every key, under every algorithm number: only the true
/// one passes.
#[test]
fn err_cross_product_of_types_keys_and_algorithms() {
    let (sm2, ed25519) = (keys(Suite::Sm2Sm3), keys(Suite::Ed25519));
    let ring = KeyRing::from_records([
        sm2.hospital_record(),
        sm2.authority_record(),
        ed25519.hospital_record(),
        ed25519.authority_record(),
    ])
    .unwrap();
    let policy = policy();
    let checker = Checker::new(&ring, &policy);
    let signers = [
        &sm2.hospital,
        &sm2.authority,
        &ed25519.hospital,
        &ed25519.authority,
    ];
    let payloads: Vec<(TokenType, Vec<u8>)> = Every::read()
        .one_each(Suite::Sm2Sm3)
        .iter()
        .map(|one| (one.token.token_type(), raw::parts(one.token.as_bytes()).1))
        .collect();
    let algorithms = [-65537, -19, -9, -8, -7, -37, -35, 4, 5, 6, 0, 1];
    let mut accepted = 0;
    for (made_as, payload) in &payloads {
        for signed_as in TokenType::ALL {
            for (place, signer) in signers.iter().enumerate() {
                for named in &signers {
                    for algorithm in algorithms {
                        let header = raw::with(
                            &raw::header(named.as_ref(), signed_as.name()),
                            &[1],
                            Some(algorithm.into()),
                        );
                        let token =
                            raw::sign_with(&header, payload, signed_as.external(), signer.as_ref());
                        let role = if place % 2 == 0 {
                            Role::Request
                        } else {
                            Role::Grant
                        };
                        let right = made_as == signed_as
                            && named.key_id() == signer.key_id()
                            && algorithm == signer.suite().cose_algorithm()
                            && made_as.role() == role;
                        assert_eq!(
                            verify(&token, &checker).is_ok(),
                            right,
                            "{made_as:?} as {signed_as:?}"
                        );
                        accepted += usize::from(right);
                    }
                }
            }
        }
    }
    // Three types of a hospital and four of an authority, each by the keys of two suites.
    assert_eq!(accepted, 14);
}

#[test]
fn err_one_suites_distinguishing_id_never_stands_for_another() {
    let secret = [0x22; 32];
    let (default, empty) = (
        Sm2SigningKey::from_secret_bytes(&secret).unwrap(),
        Sm2SigningKey::with_distid(&secret, "").unwrap(),
    );
    let (one, two) = (
        default.sign(b"message").unwrap(),
        empty.sign(b"message").unwrap(),
    );
    assert!(default.public_key().verify(b"message", &one).is_ok());
    assert!(empty.public_key().verify(b"message", &two).is_ok());
    assert!(default.public_key().verify(b"message", &two).is_err());
    assert!(empty.public_key().verify(b"message", &one).is_err());
}

/// The neutral element and its kin as public key, and as R of a signature.
#[test]
fn err_small_order_points_are_refused_as_keys() {
    let small = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        // Not canonical: y = p + 1, y = 2^255 - 1 and so on.
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for text in small {
        let bytes: [u8; 32] = hex::decode(text).unwrap().try_into().unwrap();
        assert!(PublicKey::ed25519(&bytes).is_err(), "{text}");
    }
}

#[test]
fn err_secrets_outside_their_range_are_refused() {
    let order = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
    let order: [u8; 32] = hex::decode(order).unwrap().try_into().unwrap();
    let mut less_one = order;
    less_one[31] -= 1;
    let mut less_two = order;
    less_two[31] -= 2;
    for secret in [[0; 32], order, less_one, [0xff; 32]] {
        assert_eq!(
            Sm2SigningKey::from_secret_bytes(&secret).unwrap_err(),
            KeyError::SecretOutOfRange
        );
    }
    assert!(Sm2SigningKey::from_secret_bytes(&less_two).is_ok());
}
