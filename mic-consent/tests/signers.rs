//! Modules behind the doors for signing and checking: what fails stops, what is high becomes low (CST-23,
//! CST-27, CST-28).
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use core::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use common::*;
use mic_consent::*;

/// A module somewhere else: its first answer is "not yet".
struct Remote<'a> {
    key: &'a dyn Signer,
    answer: fn(Signature) -> Result<Signature, SignError>,
}

/// Pending once, so that what is awaited is really left and entered again.
#[derive(Default)]
struct Later(bool);

impl Future for Later {
    type Output = ();

    fn poll(mut self: core::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if core::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl AsyncSigner for Remote<'_> {
    fn key_id(&self) -> KeyId {
        self.key.key_id()
    }

    fn suite(&self) -> Suite {
        self.key.suite()
    }

    fn sign(
        &self,
        to_be_signed: &[u8],
    ) -> impl Future<Output = Result<Signature, SignError>> + Send {
        let answer = self.key.sign(to_be_signed).and_then(self.answer);
        async move {
            Later::default().await;
            answer
        }
    }
}

impl Signer for Remote<'_> {
    fn key_id(&self) -> KeyId {
        self.key.key_id()
    }

    fn suite(&self) -> Suite {
        self.key.suite()
    }

    fn sign(&self, to_be_signed: &[u8]) -> Result<Signature, SignError> {
        self.key.sign(to_be_signed).and_then(self.answer)
    }
}

/// The smallest runtime there is.
fn wait<T>(future: impl Future<Output = T>) -> (T, usize) {
    let mut future = pin!(future);
    let mut polls = 0;
    loop {
        polls += 1;
        if let Poll::Ready(value) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return (value, polls);
        }
    }
}

fn remote<'a>(
    key: &'a dyn Signer,
    answer: fn(Signature) -> Result<Signature, SignError>,
) -> Remote<'a> {
    Remote { key, answer }
}

#[test]
fn ok_tokens_of_a_module_that_is_waited_for_are_those_of_software() {
    for &suite in Suite::ALL {
        let keys = keys(suite);
        let hospital = remote(keys.hospital.as_ref(), Ok);
        let authority = remote(keys.authority.as_ref(), Ok);

        let (asked, polls) = wait(request_draft(ct_scope()).sign_async(&hospital, nonce(), now()));
        assert_eq!(asked.unwrap(), request(&keys, ct_scope()));
        assert_eq!(polls, 2);

        let id = GrantId::from_bytes([0x77; 16]);
        let (granted, _) = wait(grant_draft(&keys, ct_scope()).sign_async(&authority, id, now()));
        let granted = granted.unwrap();
        assert_eq!(granted, grant(&keys, ct_scope()));

        let held = live_grant(&keys, granted);
        let (draft, id) = (
            ProofDraft::list(&held, index()),
            ProofId::from_bytes([1; 16]),
        );
        let (proof, _) = wait(draft.sign_async(&hospital, id, now()));
        let plain = draft.sign(keys.hospital.as_ref(), id, now());
        assert_eq!(proof.unwrap(), plain.unwrap());
    }
}

#[test]
fn err_what_the_module_could_not_sign_is_not_issued() {
    let zeros = |_| Ok(Signature::from_bytes([0; 64]));
    for &suite in Suite::ALL {
        let keys = keys(suite);
        for (answer, expected) in [
            (
                (|_| Err(SignError::Refused)) as fn(_) -> _,
                SignError::Refused,
            ),
            (|_| Err(SignError::Unavailable), SignError::Unavailable),
            (zeros, SignError::Failed),
        ] {
            let module = remote(keys.hospital.as_ref(), answer);
            let draft = request_draft(ct_scope());
            let expected = IssueError::Sign(expected);
            assert_eq!(draft.sign(&module, nonce(), now()).unwrap_err(), expected);
            let (asked, _) = wait(draft.sign_async(&module, nonce(), now()));
            assert_eq!(asked.unwrap_err(), expected);
        }
    }
}

/// n - s in place of s.
fn twin(signature: Signature) -> Signature {
    let order = hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let mut bytes = *signature.as_bytes();
    let mut borrow = 0;
    for (byte, n) in bytes[32..].iter_mut().zip(order.unwrap()).rev() {
        let difference = i16::from(n) - i16::from(*byte) - borrow;
        borrow = i16::from(difference < 0);
        *byte = difference.rem_euclid(256).try_into().unwrap();
    }
    Signature::from_bytes(bytes)
}

#[test]
fn ok_the_high_s_of_a_module_is_issued_as_the_low_one() {
    let keys = keys(Suite::Esp256);
    let module = remote(keys.hospital.as_ref(), |signature| Ok(twin(signature)));
    let asked = request_draft(ct_scope()).sign(&module, nonce(), now());
    assert_eq!(asked.unwrap(), request(&keys, ct_scope()));
}

#[test]
fn ok_both_forms_of_an_es256_signature_are_one_grant() {
    let keys = keys(Suite::Esp256);
    let low = grant(&keys, ct_scope());
    let (protected, payload, signature) = raw::parts(low.as_bytes());
    let high = twin(Signature::from_bytes(signature.try_into().unwrap()));
    assert!(high.as_bytes()[32] >= 0x80);
    let high = raw::assemble(&protected, &payload, high.as_bytes());
    assert_ne!(high, low.as_bytes());

    let low = live_grant(&keys, low);
    let high = live_grant(&keys, Encoded::from_bytes(&high).unwrap());
    assert_eq!(low.claims().id(), high.claims().id());
    // A proof made for one form is a proof for the other, and is used up for both.
    let proof = ProofDraft::open(&low, archive(), RECORD, &opening()).unwrap();
    let proof = proof
        .sign(keys.hospital.as_ref(), ProofId::from_bytes([9; 16]), now())
        .unwrap();
    let (ring, policy) = (keys.ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let (place, opening) = (archive(), opening());
    let mut guard = MemoryGuard::with_capacity(8);
    let mut permit = |grant: &Live<Grant>| {
        let wanted = Use::open(&place, PERSON, RECORD, facts());
        let presented = Presented::new(&proof, &opening);
        grant
            .permit(&checker, now(), presented, &wanted, &mut guard)
            .map(drop)
    };
    assert_eq!(permit(&high), Ok(()));
    assert_eq!(permit(&low).unwrap_err().reason(), Reason::ProofReplayed);
}

struct Asks(Result<(), BadSignature>);

impl AsyncRawVerify for Asks {
    fn verify(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> impl Future<Output = Result<(), BadSignature>> + Send {
        let answer = self.0.and_then(|()| key.verify(message, signature));
        async move {
            Later::default().await;
            answer
        }
    }
}

#[test]
fn ok_a_module_that_is_waited_for_checks_in_place_of_software() {
    let keys = keys(Suite::Sm2Sm3);
    let (ring, policy) = (keys.ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let untrusted = || grant(&keys, ct_scope()).untrusted::<Grant>().unwrap();
    let (signed, polls) = wait(untrusted().verify_async(&checker, &Asks(Ok(()))));
    assert_eq!(signed.unwrap().claims().id().as_bytes(), &[0x77; 16]);
    assert_eq!(polls, 2);
    let (refused, _) = wait(untrusted().verify_async(&checker, &Asks(Err(BadSignature))));
    assert_eq!(refused.unwrap_err().reason(), Reason::BadSignature);
}

/// What a device that takes digests is given: its signature over it is one over the message.
#[test]
fn ok_the_prehash_is_what_the_suite_signs() {
    use sm2::dsa::signature::hazmat::PrehashSigner as _;
    let message = b"the bytes of a signing input";

    let key = Sm2SigningKey::with_distid(&[0x22; 32], "ALICE123@YAHOO.COM").unwrap();
    let device = sm2::dsa::SigningKey::from_slice("", &[0x22; 32]).unwrap();
    let prehash = key.public_key().prehash(message).unwrap();
    let signature: sm2::dsa::Signature = device.sign_prehash(&prehash).unwrap();
    let signature = Signature::from_bytes(signature.to_bytes().into());
    key.public_key().verify(message, &signature).unwrap();

    let key = Es256SigningKey::from_secret_bytes(&[0x42; 32]).unwrap();
    let device = p256::ecdsa::SigningKey::from_slice(&[0x42; 32]).unwrap();
    let prehash = key.public_key().prehash(message).unwrap();
    let signature: p256::ecdsa::Signature = device.sign_prehash(&prehash).unwrap();
    let signature = Signature::from_bytes(signature.to_bytes().into());
    key.public_key().verify(message, &signature).unwrap();

    let key = Ed25519SigningKey::from_secret_bytes(&[0x32; 32]).unwrap();
    assert_eq!(key.public_key().prehash(message), None);
}
