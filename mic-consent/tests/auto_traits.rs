//! Which public types may cross threads, and which may not be copied.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]

use mic_consent::*;

const fn both<T: Send + Sync + Unpin>() {}
const fn error<T: core::error::Error + Clone + PartialEq + Send + Sync + 'static>() {}

#[test]
fn ok_everything_is_send_and_sync() {
    both::<Encoded>();
    both::<Untrusted<Request>>();
    both::<Untrusted<Grant>>();
    both::<Untrusted<Proof>>();
    both::<Signed<Grant>>();
    both::<Live<Request>>();
    both::<Live<Grant>>();
    both::<Permit<'static>>();
    both::<KeyRing>();
    both::<KeyRecord>();
    both::<PublicKey>();
    both::<Policy>();
    both::<MemoryGuard>();
    both::<Opening>();
    both::<GrantDraft>();
    both::<RequestDraft>();
    both::<ProofDraft<'static>>();
    both::<Sm2SigningKey>();
    both::<Ed25519SigningKey>();
    both::<QrPicture>();
}

#[test]
fn ok_errors_are_errors_that_tests_can_compare() {
    error::<Denial>();
    error::<KeyError>();
    error::<CodeError>();
    error::<ProvinceError>();
    error::<ScopeError>();
    error::<CommitError>();
    error::<IssueError>();
    error::<SignError>();
    error::<BadSignature>();
    error::<QrError>();
}
