//! Threats (spec/threats.md) whose check is lost without any other test noticing.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

extern crate alloc;

use alloc::collections::BTreeMap;
use core::sync::atomic::{AtomicUsize, Ordering};

use ciborium::Value;
use common::{raw, *};
use mic_consent::*;

/// The orders of the groups, big endian.
fn order(suite: Suite) -> [u8; 32] {
    let text = match suite {
        Suite::Sm2Sm3 => "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123",
        Suite::Ed25519 => "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed",
        _ => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    };
    hex::decode(text).unwrap().try_into().unwrap()
}

/// a + b, or a - b; `None` if it is no number of 32 bytes.
fn sum(a: &[u8; 32], b: &[u8; 32], minus: bool) -> Option<[u8; 32]> {
    let mut carry = 0_i16;
    let mut sum = [0; 32];
    for at in (0..32).rev() {
        let other = i16::from(b[at]);
        let total = i16::from(a[at]) + carry + if minus { -other } else { other };
        sum[at] = u8::try_from(total.rem_euclid(256)).unwrap();
        carry = total.div_euclid(256);
    }
    (carry == 0).then_some(sum)
}

/// A number as a signature has it.
fn written(suite: Suite, mut number: [u8; 32]) -> [u8; 32] {
    if suite == Suite::Ed25519 {
        number.reverse();
    }
    number
}

/// The token with another second half of its signature: n - s.
fn with_other_s(token: &Encoded) -> Vec<u8> {
    let (suite, mut bytes) = (token.suite(), token.as_bytes().to_vec());
    let at = bytes.len() - 32;
    let s = written(suite, bytes[at..].try_into().unwrap());
    let other = sum(&order(suite), &s, true).unwrap();
    bytes[at..].copy_from_slice(&written(suite, other));
    bytes
}

/// Threat 5: of the other numbers that mean the same, only n - s under ESP256 is taken (CST-28), with and without
/// tables.
#[test]
fn err_the_other_numbers_of_a_signature() {
    for &suite in Suite::ALL {
        let (keys, policy) = (keys(suite), policy());
        let plain = keys.ring();
        let mut tables = plain.clone();
        assert_eq!(tables.prepare_role(Role::Grant), 1);
        let verdict = |bytes: &[u8]| {
            let check = |ring| {
                let token = Encoded::from_bytes(bytes).unwrap();
                let token = token.untrusted::<Grant>().unwrap();
                let checked = token.verify(&Checker::new(ring, &policy));
                checked.map(drop).map_err(|denial| denial.reason())
            };
            let found = check(&plain);
            assert_eq!(check(&tables), found);
            found
        };
        let token = grant(&keys, ct_scope());
        assert_eq!(verdict(token.as_bytes()), Ok(()));
        let expected = match suite {
            Suite::Esp256 => Ok(()),
            _ => Err(Reason::BadSignature),
        };
        assert_eq!(verdict(&with_other_s(&token)), expected, "{suite}: n - s");

        let (n, whole) = (order(suite), token.as_bytes());
        for half in [whole.len() - 64, whole.len() - 32] {
            let own = written(suite, whole[half..half + 32].try_into().unwrap());
            // What fits 32 bytes of s + n, s + 2n and so on: many for Ed25519, hardly any for the others.
            let more = core::iter::successors(sum(&own, &n, false), |last| sum(last, &n, false));
            for number in more.chain([[0; 32], n, [0xff; 32]]) {
                let mut bytes = whole.to_vec();
                bytes[half..half + 32].copy_from_slice(&written(suite, number));
                assert_eq!(verdict(&bytes), Err(Reason::BadSignature), "{suite}");
            }
        }
    }
}

/// Threat 5: both signatures of ESP256 are one proof, so it is used up by either.
#[test]
fn err_a_proof_again_under_its_other_signature() {
    let (keys, policy) = (keys(Suite::Esp256), policy());
    let ring = keys.ring();
    let checker = Checker::new(&ring, &policy);
    let live = live_grant(&keys, grant(&keys, ct_scope()));
    let proof = ProofDraft::list(&live, index())
        .sign(keys.hospital.as_ref(), ProofId::from_bytes([1; 16]), now())
        .unwrap();
    let other = Encoded::from_bytes(&with_other_s(&proof)).unwrap();
    assert_ne!(proof, other);
    let (place, opening) = (index(), opening());
    let permit = |proof: &Encoded, guard: &mut MemoryGuard| {
        let (presented, wanted) = (Presented::new(proof, &opening), Use::list(&place, PERSON));
        live.permit(&checker, after(1), presented, &wanted, guard)
            .map(drop)
            .map_err(|denial| denial.reason())
    };
    for (first, second) in [(&proof, &other), (&other, &proof)] {
        let mut guard = MemoryGuard::with_capacity(10);
        assert_eq!(permit(first, &mut guard), Ok(()));
        assert_eq!(permit(second, &mut guard), Err(Reason::ProofReplayed));
    }
}

/// A set of keys signed by the one root.
fn key_set(trusted: &TrustedKeys, draft: &KeySetDraft, at: i64) -> Live<KeySet> {
    let root = Ed25519SigningKey::from_secret_bytes(&[9; 32]).unwrap();
    let policy = policy();
    let checker = Checker::new(trusted.roots(), &policy);
    let set = draft.sign(&root, after(at)).unwrap();
    let set = Encoded::document_from_bytes(set.as_bytes()).unwrap();
    let set = set.untrusted::<KeySet>().unwrap().verify(&checker).unwrap();
    set.live(&checker, after(at)).unwrap()
}

fn trusted() -> TrustedKeys {
    let root = Ed25519SigningKey::from_secret_bytes(&[9; 32]).unwrap();
    let root = root.public_key().clone();
    let record = KeyRecord::new(root, authority_code(), Role::Root, validity()).unwrap();
    TrustedKeys::new(KeyRing::from_records([record]).unwrap(), 1).unwrap()
}

/// Threat 17: a clock before the issue of the set or behind its end finds no key, nor is such a set taken.
#[test]
fn err_a_key_set_under_a_clock_that_is_wrong() {
    let mut trusted = trusted();
    let keys = keys(Suite::Ed25519);
    let draft = KeySetDraft::first(realm(), authority_code(), keys.ring());
    let set = key_set(&trusted, &draft, 0);
    trusted.adopt(core::slice::from_ref(&set)).unwrap();
    let skew = i64::from(policy().skew_s());
    let end = (set.claims().expires_at() - now()).num_seconds();
    for (at, found) in [
        (-skew - 1, false),
        (-skew, true),
        (0, true),
        (end + skew - 1, true),
        (end + skew, false),
    ] {
        assert_eq!(trusted.keys(after(at)).is_some(), found, "{at}");
        if !found {
            let policy = policy();
            let checker = Checker::new(trusted.roots(), &policy);
            let again = Encoded::document_from_bytes(set.encoded().as_bytes()).unwrap();
            let again = again.untrusted::<KeySet>().unwrap().verify(&checker);
            let denial = again.unwrap().live(&checker, after(at)).unwrap_err();
            let expected = if at < 0 {
                Reason::IssuedInFuture
            } else {
                Reason::Expired
            };
            assert_eq!(denial.reason(), expected);
        }
    }
    // A next version of an earlier time comes from a clock that went back.
    let next = KeySetDraft::after(&set, keys.ring()).unwrap();
    let earlier = key_set(&trusted, &next, -1);
    let refused = trusted.adopt(core::slice::from_ref(&earlier)).unwrap_err();
    assert_eq!(refused.reason(), Reason::OlderThanSeen);
}

/// Threat 21: the authority changes its key at second 100; one node has the new set, one still the old.
#[test]
fn ok_nodes_that_lag_behind_a_change_of_keys() {
    let old = keys(Suite::Ed25519);
    let fresh = Ed25519SigningKey::from_secret_bytes(&[0x36; 32]).unwrap();
    let record = |key: &PublicKey, role| {
        KeyRecord::new(key.clone(), authority_code(), role, validity()).unwrap()
    };
    let lists = Ed25519SigningKey::from_secret_bytes(&[0x3a; 32]).unwrap();
    let lagging = KeyRing::from_records([
        old.hospital_record(),
        old.authority_record(),
        record(lists.public_key(), Role::Status),
    ])
    .unwrap();
    let retired = KeyState::VerifyOnly { since: after(100) };
    let current = KeyRing::from_records([
        old.hospital_record(),
        old.authority_record().with_state(retired),
        record(fresh.public_key(), Role::Grant),
        record(lists.public_key(), Role::Status),
    ])
    .unwrap();

    let policy = policy();
    let check = |ring: &KeyRing, signer: &dyn Signer, at: i64, index: u32| {
        let asked = grant_draft(&old, ct_scope()).with_status(StatusRef::new(3, index));
        let token = asked
            .sign(signer, GrantId::from_bytes([0x77; 16]), after(at))
            .unwrap();
        let checker = Checker::new(ring, &policy);
        // A list of before the change, with one withdrawn: it goes by the owner, not by the key.
        let list = StatusListDraft::new(realm(), authority_code(), 3, 10).with_withdrawn([7]);
        let list = list.sign(&lists, after(90)).unwrap();
        let list = Encoded::document_from_bytes(list.as_bytes()).unwrap();
        let list = list.untrusted::<StatusList>().unwrap().verify(&checker);
        let mut book = StatusBook::new(&policy);
        book.accept(list.unwrap().live(&checker, after(121)).unwrap())
            .unwrap();
        let token = token.untrusted::<Grant>().unwrap().verify(&checker);
        token
            .and_then(|token| token.live(&checker, after(121), &book.with_keys(ring)))
            .map(drop)
            .map_err(|denial| denial.reason())
    };
    let before = old.authority.as_ref();
    // What was issued before the change passes at both, and ends with its status at both.
    for ring in [&lagging, &current] {
        assert_eq!(check(ring, before, 99, 1), Ok(()));
        assert_eq!(check(ring, before, 99, 7), Err(Reason::Withdrawn));
    }
    // The new key: refused where it is not known yet, never taken for another.
    assert_eq!(check(&lagging, &fresh, 120, 1), Err(Reason::UnknownKey));
    assert_eq!(check(&current, &fresh, 120, 1), Ok(()));
    assert_eq!(check(&current, &fresh, 120, 7), Err(Reason::Withdrawn));
    // The old key from the second of the change on: the lagging node believes it until its set ends.
    assert_eq!(check(&lagging, before, 100, 1), Ok(()));
    assert_eq!(check(&current, before, 100, 1), Err(Reason::KeyRetired));
    let mut trusted = trusted();
    let set = KeySetDraft::first(realm(), authority_code(), lagging);
    let set = key_set(&trusted, &set, 0);
    trusted.adopt(core::slice::from_ref(&set)).unwrap();
    let over = set.claims().expires_at() + chrono::TimeDelta::seconds(policy.skew_s().into());
    assert!(trusted.keys(over).is_none());
}

/// All values of a map that are no maps or lists, by their paths.
fn leaves(value: &Value, path: &str, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Map(entries) => {
            for (key, value) in entries {
                let key = i128::from(key.as_integer().unwrap());
                leaves(value, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                leaves(item, &format!("{path}/{at}"), found);
            }
        }
        other => {
            found.insert(path.to_owned(), other.clone());
        }
    }
}

/// What one hospital gets about the person: the grant, and a proof of opening one exam.
fn consented(suite: Suite, byte: u8) -> [BTreeMap<String, Value>; 2] {
    let keys = keys(suite);
    let (opening, policy) = (Opening::from_bytes([byte; 32]), policy());
    let hospital = InstitutionCode::new(&format!("H1101050000{byte}")).unwrap();
    let secret = [byte; 32];
    let signer: Box<dyn Signer> = match suite {
        Suite::Sm2Sm3 => Box::new(Sm2SigningKey::from_secret_bytes(&secret).unwrap()),
        Suite::Ed25519 => Box::new(Ed25519SigningKey::from_secret_bytes(&secret).unwrap()),
        _ => Box::new(Es256SigningKey::from_secret_bytes(&secret).unwrap()),
    };
    let public = match suite {
        Suite::Sm2Sm3 => Sm2SigningKey::from_secret_bytes(&secret)
            .unwrap()
            .public_key()
            .clone(),
        Suite::Ed25519 => Ed25519SigningKey::from_secret_bytes(&secret)
            .unwrap()
            .public_key()
            .clone(),
        _ => Es256SigningKey::from_secret_bytes(&secret)
            .unwrap()
            .public_key()
            .clone(),
    };
    let mut ring = keys.ring();
    ring.insert(KeyRecord::new(public, hospital.into(), Role::Request, validity()).unwrap())
        .unwrap();
    let checker = Checker::new(&ring, &policy);
    let rights = Rights::LIST | Rights::VIEW;
    let request = RequestDraft::new(realm(), hospital, Purpose::Treatment, rights, Scope::all())
        .sign(signer.as_ref(), RequestNonce::from_bytes([byte; 16]), now())
        .unwrap();
    let request = request.untrusted::<Request>().unwrap().verify(&checker);
    let request = request.unwrap().live(&checker, now()).unwrap();
    let guardian = GuardianCommitment::new(suite, &opening, b"TEST-GUARDIAN-0001").unwrap();
    let boxes = SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER | SeparateConsent::MINOR;
    let grant = GrantDraft::answering(&request)
        .with_issuer(authority_code())
        .with_subject(PERSON, &opening)
        .with_records([RECORD])
        .with_status(StatusRef::new(3, 70_000 + u32::from(byte)))
        .with_notice(notice(suite))
        .with_person_check(PersonCheck::Face)
        .with_band(PatientBand::Under14)
        .with_guardian(Guardian::new(
            Relation::Parent,
            guardian,
            GuardianEvidence::Register,
        ))
        .with_separate_consent(boxes)
        .sign(
            keys.authority.as_ref(),
            GrantId::from_bytes([byte; 16]),
            now(),
        )
        .unwrap();
    let claims = |token: &Encoded| {
        let mut found = BTreeMap::new();
        leaves(&raw::claims_of(token), "", &mut found);
        found
    };
    let of_grant = claims(&grant);
    let live = grant
        .untrusted::<Grant>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    let live = live.live(&checker, now(), &Always(Status::Valid)).unwrap();
    let proof = ProofDraft::open(&live, archive(), RECORD, &opening)
        .unwrap()
        .sign(signer.as_ref(), ProofId::from_bytes([byte; 16]), now())
        .unwrap();
    [of_grant, claims(&proof)]
}

/// Threat 32: two hospitals that lay what they have side by side have nothing in common that is the person's, the
/// guardian's or the exam's.
#[test]
fn ok_two_hospitals_share_only_what_says_nothing_of_the_person() {
    // iss, aud, exp, iat; ver, purpose, rights, kind of scope, notice, list, guardian's relation and evidence,
    // separate, band, check.
    const GRANT: [&str; 15] = [
        "/1",
        "/3",
        "/4",
        "/6",
        "/-65537/1",
        "/-65537/3",
        "/-65537/4",
        "/-65537/5/1",
        "/-65537/6",
        "/-65537/7/0",
        "/-65537/8/1",
        "/-65537/8/3",
        "/-65537/10",
        "/-65537/15",
        "/-65537/16",
    ];
    // aud, exp, iat; ver, node, place, action.
    const PROOF: [&str; 7] = [
        "/3",
        "/4",
        "/6",
        "/-65537/1",
        "/-65537/18",
        "/-65537/19",
        "/-65537/20",
    ];
    for &suite in Suite::ALL {
        let (one, two) = (consented(suite, 1), consented(suite, 2));
        for ((one, two), public) in one.iter().zip(&two).zip([&GRANT[..], &PROOF[..]]) {
            assert!(one.keys().eq(two.keys()));
            let mut alike: Vec<&str> = one
                .iter()
                .filter(|(path, value)| two.get(*path) == Some(value))
                .map(|(path, _)| path.as_str())
                .collect();
            let mut public = public.to_vec();
            alike.sort_unstable();
            public.sort_unstable();
            assert_eq!(alike, public, "{suite}");
        }
    }
}

/// Counts the signatures it is asked about.
struct Counting(AtomicUsize);

impl RawVerify for Counting {
    fn verify(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        self.0.fetch_add(1, Ordering::Relaxed);
        key.verify(message, signature)
    }
}

/// Threat 36: size, form, key, suite, role and owner cost no signature; whatever passes them costs one.
#[test]
fn err_a_flood_costs_one_signature_each_at_most() {
    for &suite in Suite::ALL {
        let (keys, open) = (keys(suite), policy());
        let counting = Counting(AtomicUsize::new(0));
        let cost = |ring: &KeyRing, policy: &Policy, bytes: &[u8]| {
            counting.0.store(0, Ordering::Relaxed);
            let checker = Checker::new(ring, policy).with_module(&counting);
            let checked = Encoded::from_bytes(bytes)
                .and_then(Encoded::untrusted::<Grant>)
                .and_then(|token| token.verify(&checker));
            let reason = checked.err().map(|denial| denial.reason());
            (reason, counting.0.load(Ordering::Relaxed))
        };
        let (ring, token) = (keys.ring(), grant(&keys, ct_scope()));
        let whole = token.as_bytes();
        assert_eq!(cost(&ring, &open, whole), (None, 1));

        let other = match suite {
            Suite::Sm2Sm3 => AcceptedSuites::InternationalOnly,
            _ => AcceptedSuites::GmOnly,
        };
        let narrow = Policy::new(realm(), other);
        let with =
            |record: KeyRecord| KeyRing::from_records([keys.hospital_record(), record]).unwrap();
        let log = KeyRecord::new(
            keys.authority_key.clone(),
            authority_code(),
            Role::Log,
            validity(),
        );
        let mut suspended = keys.ring();
        suspended.suspend(authority_code()).unwrap();
        let stranger = KeyRing::from_records([keys.hospital_record()]).unwrap();
        let revoked = with(keys.authority_record().with_state(KeyState::Revoked));
        for (ring, policy, reason) in [
            (&ring, &narrow, Reason::SuiteNotAccepted),
            (&stranger, &open, Reason::UnknownKey),
            (&with(log.unwrap()), &open, Reason::RoleMissing),
            (&suspended, &open, Reason::OrganisationSuspended),
            (&revoked, &open, Reason::KeyRevoked),
        ] {
            assert_eq!(cost(ring, policy, whole), (Some(reason), 0), "{suite}");
        }

        let (protected, payload, _) = raw::parts(whole);
        let payload_at = whole.len() - 66 - payload.len();
        let signed_at = whole.len() - 64;
        for at in 0..whole.len() {
            assert_eq!(cost(&ring, &open, &whole[..at]).1, 0, "{suite} cut at {at}");
            let mut changed = whole.to_vec();
            changed[at] ^= 1;
            let (reason, asked) = cost(&ring, &open, &changed);
            let is_signed_text = (payload_at..payload_at + payload.len()).contains(&at);
            match is_signed_text || at >= signed_at {
                true => assert_eq!((reason, asked), (Some(Reason::BadSignature), 1)),
                false => assert!(reason.is_some() && asked == 0, "{suite} at {at}"),
            }
        }
        assert!(protected.len() < payload_at);
        let long = vec![0xd2; limits::TOKEN_BYTES_MAX + 1];
        assert_eq!(cost(&ring, &open, &long), (Some(Reason::TokenTooLong), 0));
    }
}
