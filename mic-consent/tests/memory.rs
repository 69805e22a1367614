//! Until a signature is good, a token costs the memory of its own bytes and no more; what is malformed costs
//! none. Counted by an allocator.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use allocation_counter::measure;
use common::*;
use mic_consent::*;

/// Refuses every signature, and takes no memory for it.
struct Refuser;

impl RawVerify for Refuser {
    fn verify(&self, _: &PublicKey, _: &[u8], _: &Signature) -> Result<(), BadSignature> {
        Err(BadSignature)
    }
}

/// The grant with its last byte changed: well formed, wrongly signed.
fn forged(keys: &Keys) -> Vec<u8> {
    let mut bytes = grant(keys, ct_scope()).as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    bytes
}

#[test]
fn ok_a_well_formed_token_takes_its_own_bytes_once() {
    let bytes = forged(&keys(Suite::Sm2Sm3));
    let info = measure(|| {
        let token = Encoded::from_bytes(&bytes).unwrap();
        assert_eq!(token.as_bytes().len(), bytes.len());
    });
    assert_eq!(
        (info.count_total, info.bytes_total),
        (1, bytes.len() as u64)
    );

    let text = Encoded::from_bytes(&bytes).unwrap().to_text();
    let info = measure(|| drop(Encoded::from_text(&text).unwrap()));
    assert_eq!(info.count_total, 1);
    assert!(info.bytes_total <= bytes.len() as u64 + 2, "{info:?}");
}

#[test]
fn err_malformed_bytes_take_no_memory_whatever_lengths_they_claim() {
    let bytes = forged(&keys(Suite::Sm2Sm3));
    let mut hostile: Vec<Vec<u8>> = (0..bytes.len()).map(|end| bytes[..end].to_vec()).collect();
    hostile.extend([
        vec![0x81; 2048],
        vec![0xd2; 2048],
        // 18([4 GiB, ...]), 18([2^64 - 1 bytes, ...]), an array and a map of 2^32 - 1.
        vec![0xd2, 0x84, 0x5a, 0xff, 0xff, 0xff, 0xff],
        vec![
            0xd2, 0x84, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        ],
        vec![0xd2, 0x9a, 0xff, 0xff, 0xff, 0xff],
        vec![0xd2, 0xba, 0xff, 0xff, 0xff, 0xff],
        vec![0xd2; 100_000],
    ]);
    for bytes in hostile {
        let info = measure(|| assert!(Encoded::from_bytes(&bytes).is_err()));
        assert_eq!(info.count_total, 0, "{} bytes", bytes.len());
    }
    // Text is turned into bytes before it is looked at: at most two for three characters, and never for a
    // text that is too long or of no known kind.
    for text in ["MICX1:000000", &"M".repeat(3_079)] {
        let info = measure(|| assert!(Encoded::from_text(text).is_err()));
        assert_eq!(info.count_total, 0);
    }
}

#[test]
fn err_a_wrong_signature_takes_no_memory() {
    for &suite in Suite::ALL {
        let keys = keys(suite);
        let (mut ring, policy) = (keys.ring(), policy());
        ring.prepare_role(Role::Grant);
        let checker = Checker::new(&ring, &policy);
        for checker in [checker, checker.with_module(&Refuser)] {
            let token = Encoded::from_bytes(&forged(&keys)).unwrap();
            let mut untrusted = Some(token.untrusted::<Grant>().unwrap());
            let info = measure(|| {
                let denial = untrusted.take().unwrap().verify(&checker).unwrap_err();
                assert_eq!(denial.reason(), Reason::BadSignature);
            });
            assert_eq!(info.count_total, 0, "{suite}");
        }
    }
}
