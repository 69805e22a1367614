//! A corpus of hostile forms, made from the accepted vectors of all types by a fixed seed: nothing panics, and whatever is accepted is in
//! the one canonical form, as another library writes it.
//!
//! The checker believes every signature here, so that the claims are reached.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;
#[path = "common/every.rs"]
mod every;

use common::{raw, *};
use every::{Every, verify};
use mic_consent::*;

struct Believer;

impl RawVerify for Believer {
    fn verify(&self, _: &PublicKey, _: &[u8], _: &Signature) -> Result<(), BadSignature> {
        Ok(())
    }
}

/// A fixed stream of numbers (splitmix64).
struct Stream(u64);

impl Stream {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }
}

/// Each head of an item: where it is, how long, major type, argument. Written for this test alone.
fn heads(bytes: &[u8]) -> Vec<(usize, usize, u8, u64)> {
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        let (major, info) = (bytes[at] & 0xe0, bytes[at] & 0x1f);
        let width = match info {
            0..=23 => 0,
            24..=27 => 1 << (info - 24),
            _ => break,
        };
        let argument = match width {
            0 => u64::from(info),
            _ => bytes[at + 1..=at + width]
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        found.push((at, width + 1, major, argument));
        at += width + 1;
        if major == 0x40 || major == 0x60 {
            at += usize::try_from(argument).unwrap();
        }
    }
    found
}

fn head(major: u8, width: usize, argument: u64) -> Vec<u8> {
    match width {
        0 => vec![major | u8::try_from(argument & 0x1f).unwrap()],
        _ => {
            let info = 24 + u8::try_from(width.trailing_zeros()).unwrap();
            [&[major | info], &argument.to_be_bytes()[8 - width..]].concat()
        }
    }
}

/// Every head of the part in every other form, and some that claim too much.
fn other_forms(part: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for (at, length, major, argument) in heads(part) {
        let mut put = |new: &[u8]| {
            forms.push([&part[..at], new, &part[at + length..]].concat());
        };
        for width in [1, 2, 4, 8] {
            put(&head(major, width, argument));
            put(&head(major, width, u64::MAX));
            put(&head(major, width, argument.wrapping_add(1)));
        }
        // Indefinite and reserved forms, another type, a float, null, undefined, a tag before it.
        for info in 28..32 {
            put(&[major | info]);
        }
        for other in (0..8).map(|kind| kind << 5).filter(|kind| *kind != major) {
            put(&head(other, length - 1, argument));
        }
        let same = head(major, length - 1, argument);
        for before in [
            &[0xc1][..],
            &[0xd8, 24],
            &[0xd9, 0xd9, 0xf7],
            &[0xf6],
            &[0x80],
            &[0xa0],
        ] {
            put(&[before, &same].concat());
        }
        for instead in [
            &[0xf6][..],
            &[0xf7],
            &[0xf4],
            &[0xf9, 0x7e, 0x00],
            &[0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
        ] {
            put(instead);
        }
        // The item from here on twice, left out, and an indefinite array or map that ends at the end.
        put(&[&same[..], &part[at + length..]].concat());
        put(&[]);
        forms.push([&part[..at], &[major | 0x1f], &part[at + length..], &[0xff]].concat());
    }
    forms
}

/// One to four random changes.
fn mutated(stream: &mut Stream, bytes: &[u8]) -> Vec<u8> {
    const HEADS: [u8; 16] = [
        0x00, 0x18, 0x19, 0x1b, 0x20, 0x40, 0x58, 0x5f, 0x60, 0x80, 0x9f, 0xa0, 0xbf, 0xd2, 0xf6,
        0xff,
    ];
    let mut bytes = bytes.to_vec();
    for _ in 0..=stream.below(4) {
        let at = stream.below(bytes.len());
        match stream.below(6) {
            0 => bytes[at] ^= 1 << stream.below(8),
            1 => bytes[at] = HEADS[stream.below(16)],
            2 => bytes.insert(at, HEADS[stream.below(16)]),
            3 if bytes.len() > 1 => drop(bytes.remove(at)),
            4 => bytes.truncate(at.max(1)),
            _ => {
                let end = (at + stream.below(12)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = stream.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

struct Judge<'a> {
    checker: Checker<'a>,
    tried: usize,
    accepted: usize,
}

impl Judge<'_> {
    /// No panic; and if it is accepted, it is what `ciborium` writes for what it reads.
    fn judge(&mut self, bytes: &[u8]) {
        self.tried += 1;
        let Ok(token) = Encoded::from_bytes(bytes) else {
            return;
        };
        let text = token.to_text();
        assert_eq!(Encoded::from_text(&text).as_ref(), Ok(&token));
        if verify(bytes, &self.checker).is_err() {
            return;
        }
        self.accepted += 1;
        let (protected, payload, signature) = raw::parts(bytes);
        let again = |part: &[u8]| raw::bytes_of(&raw::value_of(part));
        assert_eq!(again(&protected), protected, "{}", hex::encode(bytes));
        assert_eq!(again(&payload), payload, "{}", hex::encode(bytes));
        assert_eq!(raw::assemble(&protected, &payload, &signature), bytes);
    }
}

fn no_hostile_form_is_accepted_but_as_its_canonical_one(suite: Suite) {
    let every = Every::read();
    let policy = policy();
    let checker = Checker::new(&every.ring, &policy).with_module(&Believer);
    let mut judge = Judge {
        checker,
        tried: 0,
        accepted: 0,
    };
    let mut stream = Stream(suite as u64);
    for one in every.of(suite) {
        let whole = one.token.as_bytes();
        let (protected, payload, signature) = raw::parts(whole);
        let before = judge.accepted;
        judge.judge(whole);
        assert!(judge.accepted > before, "the believer lets {} pass", one.id);
        for form in other_forms(whole) {
            judge.judge(&form);
        }
        for form in other_forms(&protected) {
            judge.judge(&raw::assemble(&form, &payload, &signature));
        }
        for form in other_forms(&payload) {
            judge.judge(&raw::assemble(&protected, &form, &signature));
        }
        for _ in 0..1_000 {
            judge.judge(&mutated(&mut stream, whole));
            let payload = mutated(&mut stream, &payload);
            judge.judge(&raw::assemble(&protected, &payload, &signature));
        }
    }
    let Judge {
        tried, accepted, ..
    } = judge;
    assert!(tried > 90_000, "{suite}: {tried} tried");
    assert!(
        accepted > 300,
        "{suite}: {accepted} accepted, each in canonical form"
    );
}

#[test]
fn err_no_hostile_form_in_sm2() {
    no_hostile_form_is_accepted_but_as_its_canonical_one(Suite::Sm2Sm3);
}

#[test]
fn err_no_hostile_form_in_ed25519() {
    no_hostile_form_is_accepted_but_as_its_canonical_one(Suite::Ed25519);
}

#[test]
fn err_no_hostile_form_in_esp256() {
    no_hostile_form_is_accepted_but_as_its_canonical_one(Suite::Esp256);
}
