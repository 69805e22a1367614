//! The clock at each boundary, to the second, with the skew of 60 seconds.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use common::*;
use mic_consent::*;

fn grant_at(token: &Encoded, seconds: i64) -> Result<(), Reason> {
    let keys = keys(Suite::Ed25519);
    let (ring, policy) = (keys.ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let signed = token
        .clone()
        .untrusted::<Grant>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    signed
        .live(&checker, after(seconds), &Always(Status::Valid))
        .map(|_| ())
        .map_err(|denial| denial.reason())
}

#[test]
fn ok_a_grant_lives_from_its_issue_to_its_end_with_the_skew() {
    let token = grant(&keys(Suite::Ed25519), ct_scope());
    for (seconds, expected) in [
        (-61, Err(Reason::IssuedInFuture)),
        (-60, Ok(())),
        (0, Ok(())),
        (7_200, Ok(())),
        (7_259, Ok(())),
        (7_260, Err(Reason::Expired)),
    ] {
        assert_eq!(grant_at(&token, seconds), expected, "{seconds}");
    }
}

#[test]
fn ok_a_later_beginning_counts_to_the_second() {
    let keys = keys(Suite::Ed25519);
    let draft = grant_draft(&keys, ct_scope()).with_valid_from(after(1_000));
    let token = draft
        .sign(keys.authority.as_ref(), GrantId::from_bytes([1; 16]), now())
        .unwrap();
    assert_eq!(grant_at(&token, 939), Err(Reason::NotYetValid));
    assert_eq!(grant_at(&token, 940), Ok(()));
}

#[test]
fn ok_a_request_lives_its_120_seconds() {
    let keys = keys(Suite::Ed25519);
    let (ring, policy) = (keys.ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let at = |seconds| {
        let signed = request(&keys, ct_scope())
            .untrusted::<Request>()
            .unwrap()
            .verify(&checker)
            .unwrap();
        signed
            .live(&checker, after(seconds))
            .map(|_| ())
            .map_err(|denial| denial.reason())
    };
    assert_eq!(at(179), Ok(()));
    assert_eq!(at(180), Err(Reason::Expired));
}

#[test]
fn ok_without_skew_the_end_is_not_included() {
    let keys = keys(Suite::Ed25519);
    let (ring, policy) = (keys.ring(), policy().with_skew_s(0));
    let checker = Checker::new(&ring, &policy);
    let at = |seconds| {
        let signed = grant(&keys, ct_scope())
            .untrusted::<Grant>()
            .unwrap()
            .verify(&checker)
            .unwrap();
        signed
            .live(&checker, after(seconds), &Always(Status::Valid))
            .map(|_| ())
            .map_err(|denial| denial.reason())
    };
    assert_eq!(at(-1), Err(Reason::IssuedInFuture));
    assert_eq!(at(0), Ok(()));
    assert_eq!(at(7_199), Ok(()));
    assert_eq!(at(7_200), Err(Reason::Expired));
}

/// CST-59.
#[test]
fn err_a_life_over_the_policy_and_a_clock_before_1970() {
    let keys = keys(Suite::Ed25519);
    let (ring, policy) = (keys.ring(), policy().with_grant_life_s(7_199));
    let checker = Checker::new(&ring, &policy);
    let signed = || {
        grant(&keys, ct_scope())
            .untrusted::<Grant>()
            .unwrap()
            .verify(&checker)
            .unwrap()
    };
    let live = signed().live(&checker, now(), &Always(Status::Valid));
    assert_eq!(live.unwrap_err().reason(), Reason::LifeOverPolicy);
    let before = chrono::DateTime::from_timestamp(-1, 0).unwrap();
    let live = signed().live(&checker, before, &Always(Status::Valid));
    assert_eq!(live.unwrap_err().reason(), Reason::ClockInvalid);
}

#[test]
fn ok_a_key_may_expire_after_it_issued() {
    let keys = keys(Suite::Ed25519);
    let policy = policy();
    let token = grant(&keys, ct_scope());
    let verify = |validity: KeyValidity, state: KeyState| {
        let record = KeyRecord::new(
            keys.authority_key.clone(),
            authority_code(),
            Role::Grant,
            validity,
        )
        .unwrap();
        let ring = KeyRing::from_records([record.with_state(state)]).unwrap();
        let checker = Checker::new(&ring, &policy);
        token
            .clone()
            .untrusted::<Grant>()
            .unwrap()
            .verify(&checker)
            .map(|_| ())
            .map_err(|denial| denial.reason())
    };
    let from_to = |from, until| KeyValidity::new(after(from), after(until)).unwrap();
    assert_eq!(verify(from_to(-10, 1), KeyState::Active), Ok(()));
    assert_eq!(
        verify(from_to(-10, 0), KeyState::Active),
        Err(Reason::KeyNotValidAtIssue)
    );
    assert_eq!(verify(from_to(0, 1), KeyState::Active), Ok(()));
    assert_eq!(
        verify(from_to(1, 2), KeyState::Active),
        Err(Reason::KeyNotValidAtIssue)
    );
    assert_eq!(
        verify(validity(), KeyState::VerifyOnly { since: after(1) }),
        Ok(())
    );
    assert_eq!(
        verify(validity(), KeyState::VerifyOnly { since: after(0) }),
        Err(Reason::KeyRetired)
    );
    // Compromised later is refused as well: without a receipt nobody knows how old the token is.
    assert_eq!(
        verify(
            validity(),
            KeyState::Compromised {
                since: after(9_999)
            }
        ),
        Err(Reason::KeyCompromised)
    );
}

/// CST-52: a proof lives at most 60 seconds, whoever signed it, and ends after it begins.
#[test]
fn err_a_proof_that_would_live_a_minute_and_a_second() {
    const EXP: i64 = 4;
    let keys = keys(Suite::Ed25519);
    let (ring, policy) = (keys.ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let held = live_grant(&keys, grant(&keys, ct_scope()));
    let proof = ProofDraft::list(&held, index())
        .sign(keys.hospital.as_ref(), ProofId::from_bytes([1; 16]), now())
        .unwrap();
    let claims = raw::claims_of(&proof);
    let verified = |seconds| {
        let end = after(seconds).timestamp().into();
        let claims = raw::with(&claims, &[EXP], Some(end));
        let token = raw::sign("mic-p", &claims, keys.hospital.as_ref());
        Encoded::from_bytes(&token)
            .unwrap()
            .untrusted::<Proof>()
            .unwrap()
            .verify(&checker)
            .map(|_| ())
            .map_err(|denial| denial.reason())
    };
    assert_eq!(verified(1), Ok(()));
    assert_eq!(verified(60), Ok(()));
    assert_eq!(verified(61), Err(Reason::LifeTooLong));
    assert_eq!(verified(0), Err(Reason::TimeOrder));
}

/// CST-36: the whole hash in a proof, its first ten bytes in a scope, by the salt behind the person's.
#[test]
fn ok_a_hidden_record_is_the_hash_of_label_salt_and_key() {
    use sha2::Digest as _;
    let opening = Opening::from_bytes(core::array::from_fn(|at| u8::try_from(at).unwrap()));
    let salt = &opening.to_bytes()[16..];
    let message = [b"mic-consent/1/rec", salt, RECORD].concat();
    for (suite, expected) in [
        (
            Suite::Ed25519,
            <[u8; 32]>::from(sha2::Sha256::digest(&message)),
        ),
        (Suite::Esp256, sha2::Sha256::digest(&message).into()),
        (Suite::Sm2Sm3, sm3::Sm3::digest(&message).into()),
    ] {
        let hidden = HiddenRecord::new(suite, &opening, RECORD).unwrap();
        assert_eq!(hidden.as_bytes(), &expected);
        assert_eq!(hidden.commitment().as_bytes(), &expected[..10]);
    }
}
