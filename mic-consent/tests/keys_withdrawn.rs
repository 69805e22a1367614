//! A checked token is only as good as its key is now: keys and policy are looked at again at each step (CST-25,
//! CST-63).
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use common::*;
use mic_consent::*;

/// A change of the trust file or the policy between two steps, and the denial it must bring.
fn changes(keys: &Keys) -> Vec<(KeyRing, Policy, Reason)> {
    let ring = |record| KeyRing::from_records([keys.hospital_record(), record]).unwrap();
    let state = |state| ring(keys.authority_record().with_state(state));
    let record = |owner: IssuerCode, role, validity| {
        ring(KeyRecord::new(keys.authority_key.clone(), owner, role, validity).unwrap())
    };
    let (owner, until) = (authority_code(), validity().until());
    let other_owner = IssuerCode::new("CONSENT02").unwrap();
    let begins_later = KeyValidity::new(after(1), until).unwrap();
    let of_shaanxi = keys
        .authority_record()
        .with_province(Province::new(61).unwrap());
    let narrow = Policy::new(realm(), AcceptedSuites::GmOnly);
    vec![
        (state(KeyState::Suspended), policy(), Reason::KeySuspended),
        (state(KeyState::Revoked), policy(), Reason::KeyRevoked),
        (
            state(KeyState::Compromised { since: after(5) }),
            policy(),
            Reason::KeyCompromised,
        ),
        (
            state(KeyState::VerifyOnly { since: now() }),
            policy(),
            Reason::KeyRetired,
        ),
        (
            KeyRing::from_records([keys.hospital_record()]).unwrap(),
            policy(),
            Reason::UnknownKey,
        ),
        (
            record(owner, Role::Status, validity()),
            policy(),
            Reason::RoleMissing,
        ),
        (
            record(other_owner, Role::Grant, validity()),
            policy(),
            Reason::IssuerNotKeyOwner,
        ),
        (
            record(owner, Role::Grant, begins_later),
            policy(),
            Reason::KeyNotValidAtIssue,
        ),
        (ring(of_shaanxi.unwrap()), policy(), Reason::OutsideProvince),
        (keys.ring(), narrow, Reason::SuiteNotAccepted),
    ]
}

fn permit(keys: &Keys, checker: &Checker<'_>) -> Result<(), Reason> {
    let live = live_grant(keys, grant(keys, ct_scope()));
    let (place, opening) = (index(), opening());
    let proof = ProofDraft::list(&live, place)
        .sign(keys.hospital.as_ref(), ProofId::from_bytes([1; 16]), now())
        .unwrap();
    let (presented, wanted) = (Presented::new(&proof, &opening), Use::list(&place, PERSON));
    let mut guard = MemoryGuard::with_capacity(1);
    live.permit(checker, after(2), presented, &wanted, &mut guard)
        .map(|_| ())
        .map_err(|denial| denial.reason())
}

fn live_again(keys: &Keys, checker: &Checker<'_>) -> Result<(), Reason> {
    live_grant(keys, grant(keys, ct_scope()))
        .into_signed()
        .live(checker, after(2), &Always(Status::Valid))
        .map(|_| ())
        .map_err(|denial| denial.reason())
}

#[test]
fn err_no_permit_once_the_authority_or_the_policy_has_changed() {
    let keys = keys(Suite::Ed25519);
    for (ring, policy, expected) in changes(&keys) {
        assert_eq!(
            permit(&keys, &Checker::new(&ring, &policy)),
            Err(expected),
            "{expected:?}"
        );
    }
}

#[test]
fn err_a_grant_is_not_made_live_again_once_its_key_or_the_policy_has_changed() {
    let keys = keys(Suite::Ed25519);
    for (ring, policy, expected) in changes(&keys) {
        assert_eq!(
            live_again(&keys, &Checker::new(&ring, &policy)),
            Err(expected),
            "{expected:?}"
        );
    }
}

#[test]
fn ok_a_key_that_stopped_signing_later_or_whose_suspension_ended_still_counts() {
    let keys = keys(Suite::Ed25519);
    let policy = policy();
    let retired = keys
        .authority_record()
        .with_state(KeyState::VerifyOnly { since: after(1) });
    let retired = KeyRing::from_records([keys.hospital_record(), retired]).unwrap();
    for ring in [keys.ring(), retired] {
        let checker = Checker::new(&ring, &policy);
        assert_eq!(permit(&keys, &checker), Ok(()));
        assert_eq!(live_again(&keys, &checker), Ok(()));
    }
}

#[test]
fn err_a_request_is_not_made_live_once_its_key_is_revoked() {
    let keys = keys(Suite::Sm2Sm3);
    let policy = policy();
    let ring = keys.ring();
    let signed = request(&keys, ct_scope())
        .untrusted::<Request>()
        .unwrap()
        .verify(&Checker::new(&ring, &policy))
        .unwrap();
    let revoked = keys.hospital_record().with_state(KeyState::Revoked);
    let ring = KeyRing::from_records([revoked]).unwrap();
    let denial = signed
        .live(&Checker::new(&ring, &policy), now())
        .unwrap_err();
    assert_eq!(denial.reason(), Reason::KeyRevoked);
}

#[test]
fn err_the_same_point_under_another_distinguishing_id_is_another_key() {
    // The key id is a hash of the point alone, so both records have the same one.
    let keys = keys(Suite::Sm2Sm3);
    let policy = policy();
    let point: &[u8; 64] = keys.authority_key.as_bytes().try_into().unwrap();
    let renamed = PublicKey::sm2(point, "TEST-AUTHORITY").unwrap();
    assert_eq!(renamed.key_id(), keys.authority_key.key_id());
    let renamed = KeyRecord::new(renamed, authority_code(), Role::Grant, validity()).unwrap();
    let ring = KeyRing::from_records([keys.hospital_record(), renamed]).unwrap();
    let checker = Checker::new(&ring, &policy);
    assert_eq!(permit(&keys, &checker), Err(Reason::UnknownKey));
    assert_eq!(live_again(&keys, &checker), Err(Reason::UnknownKey));
}

/// CST-113: a set counts by the pinned roots, whatever ring it was checked with.
#[test]
fn err_a_set_by_a_root_that_is_pinned_as_revoked() {
    let owner = IssuerCode::new("ROOT00").unwrap();
    let root = Ed25519SigningKey::from_secret_bytes(&[0x71; 32]).unwrap();
    let pinned = |state| {
        let record = KeyRecord::new(root.public_key().clone(), owner, Role::Root, validity());
        KeyRing::from_records([record.unwrap().with_state(state)]).unwrap()
    };
    let (good, policy) = (pinned(KeyState::Active), policy());
    let checker = Checker::new(&good, &policy);
    let live = || {
        let set = KeySetDraft::first(realm(), owner, KeyRing::new());
        let set = set.sign(&root, now()).unwrap();
        let set = Encoded::document_from_bytes(set.as_bytes()).unwrap();
        let signed = set.untrusted::<KeySet>().unwrap().verify(&checker).unwrap();
        signed.live(&checker, now()).unwrap()
    };
    let adopt = |state| TrustedKeys::new(pinned(state), 1).unwrap().adopt(&[live()]);
    assert_eq!(adopt(KeyState::Active), Ok(()));
    let refused = adopt(KeyState::Revoked).unwrap_err();
    assert_eq!(refused.reason(), Reason::TooFewRoots);
}
