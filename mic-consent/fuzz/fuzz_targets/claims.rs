//! Any bytes as claims, signed properly: no panic, and what is accepted as a request can only be written so.
//! This reaches the claim decoder behind the signature.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_consent::{Checker, Encoded, Request, Signer};
use mic_consent_fuzz::{hospital, policy, ring};

fuzz_target!(|payload: &[u8]| {
    if payload.len() > 1500 {
        return;
    }
    let key = hospital();
    let protected = [
        &[0xa3, 1, 0x32, 4, 0x48],
        &key.key_id().as_bytes()[..],
        b"\x10\x65mic-q",
    ]
    .concat();
    let string = |bytes: &[u8]| match bytes.len() {
        short @ 0..=23 => [&[0x40 | short as u8], bytes].concat(),
        byte @ 24..=255 => [&[0x58, byte as u8], bytes].concat(),
        long => [&[0x59, (long >> 8) as u8, long as u8], bytes].concat(),
    };
    let external = b"mic-consent/1/mic-q";
    let signed = [
        b"\x84\x6aSignature1",
        &string(&protected)[..],
        &string(external),
        &string(payload),
    ]
    .concat();
    let signature = key.sign(&signed).expect("a signature");
    let token = [
        &[0xd2, 0x84],
        &string(&protected)[..],
        &[0xa0],
        &string(payload),
        &string(signature.as_bytes()),
    ]
    .concat();
    let token = Encoded::from_bytes(&token).expect("the outer form is right");
    let (ring, policy) = (ring(), policy());
    if let Ok(signed) = token
        .untrusted::<Request>()
        .expect("a request")
        .verify(&Checker::new(&ring, &policy))
    {
        let claims = signed.claims();
        assert!(claims.issued_at() < claims.expires_at());
        assert!((1..=86_400).contains(&claims.period_s()));
    }
});
