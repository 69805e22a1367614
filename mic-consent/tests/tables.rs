//! Tables in a trusted set: asked for, bounded, and without a say in any verdict (CST-29).
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use common::*;
use mic_consent::{limits::TABLE_BYTES_MAX, *};

const OWN: usize = 88_064;
const BASE: usize = 262_144;
/// The same for Ed25519.
const OWN_ED: usize = 112_640;
const BASE_ED: usize = 655_360;

fn record(secret: u8, role: Role) -> KeyRecord {
    let key = Sm2SigningKey::from_secret_bytes(&[secret; 32]).unwrap();
    let owner = IssuerCode::new("CONSENT01").unwrap();
    KeyRecord::new(key.public_key().clone(), owner, role, validity()).unwrap()
}

#[test]
fn ok_grants_pass_and_changed_grants_fail_alike() {
    for &suite in Suite::ALL {
        let keys = keys(suite);
        let (plain, policy) = (keys.ring(), policy());
        let mut prepared = plain.clone();
        assert_eq!(prepared.prepare_role(Role::Grant), 1);
        assert!(prepared.is_prepared(&keys.authority.key_id()));
        assert!(!prepared.is_prepared(&keys.hospital.key_id()));
        let whole = grant(&keys, ct_scope());
        let check = |ring: &KeyRing, bytes: &[u8]| {
            let token = Encoded::from_bytes(bytes)?.untrusted::<Grant>()?;
            token.verify(&Checker::new(ring, &policy)).map(drop)
        };
        assert_eq!(check(&prepared, whole.as_bytes()), Ok(()));
        for at in (0..whole.as_bytes().len()).step_by(3) {
            let mut changed = whole.as_bytes().to_vec();
            changed[at] ^= 1 << (at % 8);
            let denial = check(&prepared, &changed).unwrap_err();
            assert_eq!(check(&plain, &changed), Err(denial));
        }
    }
}

#[test]
fn ok_memory_is_counted_and_given_back() {
    let (first, second) = (record(1, Role::Grant), record(2, Role::Grant));
    let (a, b) = (first.key_id(), second.key_id());
    let mut ring = KeyRing::from_records([first, second]).unwrap();
    assert_eq!(
        (ring.table_bytes(), ring.table_bytes_max()),
        (0, TABLE_BYTES_MAX)
    );
    ring.prepare(&a).unwrap();
    ring.prepare(&a).unwrap();
    assert_eq!(ring.table_bytes(), BASE + OWN);
    assert_eq!(ring.prepare_role(Role::Grant), 2);
    assert_eq!(ring.table_bytes(), BASE + 2 * OWN);
    assert!(ring.forget_table(&b) && !ring.forget_table(&b));
    assert_eq!(ring.table_bytes(), BASE + OWN);
    // What is trusted is the same with and without tables.
    let plain = KeyRing::from_records(ring.iter().cloned()).unwrap();
    assert_eq!(ring, plain);
}

#[test]
fn ok_every_suite_takes_the_bytes_it_says() {
    let owner = IssuerCode::new("CONSENT01").unwrap();
    let mut ring = KeyRing::new();
    let mut expected = 0;
    for &suite in Suite::ALL {
        let (own, base) = match suite {
            Suite::Ed25519 => (OWN_ED, BASE_ED),
            _ => (OWN, BASE),
        };
        for (count, secret) in [[1; 32], [2; 32]].iter().enumerate() {
            let key = public_key(suite, secret);
            let key_id = key.key_id();
            let record = KeyRecord::new(key, owner, Role::Grant, validity()).unwrap();
            ring.insert(record).unwrap();
            ring.prepare(&key_id).unwrap();
            expected += own + if count == 0 { base } else { 0 };
            assert_eq!(ring.table_bytes(), expected, "{suite}");
        }
    }
}

fn public_key(suite: Suite, secret: &[u8; 32]) -> PublicKey {
    match suite {
        Suite::Sm2Sm3 => Sm2SigningKey::from_secret_bytes(secret)
            .unwrap()
            .public_key()
            .clone(),
        Suite::Ed25519 => Ed25519SigningKey::from_secret_bytes(secret)
            .unwrap()
            .public_key()
            .clone(),
        _ => Es256SigningKey::from_secret_bytes(secret)
            .unwrap()
            .public_key()
            .clone(),
    }
}

#[test]
fn err_no_table_beyond_the_bound_and_none_for_a_stranger() {
    let records = [
        record(1, Role::Grant),
        record(2, Role::Grant),
        record(3, Role::Log),
    ];
    let ids: Vec<KeyId> = records.iter().map(KeyRecord::key_id).collect();
    let most = BASE + OWN + 1;
    let mut ring = KeyRing::from_records(records)
        .unwrap()
        .with_table_bytes_max(most);
    assert_eq!(ring.prepare_role(Role::Grant), 1);
    assert_eq!(ring.prepare(&ids[2]), Err(KeyError::TablesFull { most }));
    let stranger = KeyId::from_bytes([7; 8]);
    assert_eq!(
        ring.prepare(&stranger),
        Err(KeyError::NotInSet { key_id: stranger })
    );
    assert_eq!(ring.table_bytes(), BASE + OWN);
    let mut none = ring.clone().with_table_bytes_max(BASE);
    assert!(none.forget_table(&ids[0]) ^ none.forget_table(&ids[1]));
    assert_eq!(none.prepare_role(Role::Grant), 0);
}

// Eighty authorities on both short curves or 64 on any, eight megabytes.
const _: () = assert!(TABLE_BYTES_MAX >= 80 * OWN + 2 * BASE && TABLE_BYTES_MAX <= 8 << 20);
const _: () = assert!(TABLE_BYTES_MAX >= 64 * OWN_ED + BASE_ED + 2 * BASE);

fn adopted(trusted: &mut TrustedKeys, draft: &KeySetDraft, at: i64) -> Live<KeySet> {
    let root = Sm2SigningKey::from_secret_bytes(&[9; 32]).unwrap();
    let policy = policy();
    let set = draft.sign(&root, after(at)).unwrap();
    let checker = Checker::new(trusted.roots(), &policy);
    let set = Encoded::document_from_bytes(set.as_bytes()).unwrap();
    let set = set.untrusted::<KeySet>().unwrap().verify(&checker).unwrap();
    let set = set.live(&checker, after(at)).unwrap();
    trusted.adopt(core::slice::from_ref(&set)).unwrap();
    set
}

#[test]
fn ok_tables_outlast_the_key_set_they_were_made_for() {
    let roots = KeyRing::from_records([record(9, Role::Root)]).unwrap();
    let mut trusted = TrustedKeys::new(roots, 1).unwrap();
    assert_eq!(trusted.prepare_role(Role::Grant), 0);

    let keys = [record(1, Role::Grant), record(2, Role::Status)];
    let keys = KeyRing::from_records(keys).unwrap();
    let first = KeySetDraft::first(realm(), authority_code(), keys);
    let first = adopted(&mut trusted, &first, 0);
    let bytes = |trusted: &TrustedKeys| trusted.keys(after(10)).unwrap().table_bytes();
    assert_eq!(bytes(&trusted), BASE + OWN);
    assert_eq!(trusted.prepare_role(Role::Grant), 1);
    assert_eq!(trusted.prepare_role(Role::Status), 1);
    assert_eq!(bytes(&trusted), BASE + 2 * OWN);

    // One table less is allowed from now on, and the next set has three keys of these roles.
    let mut trusted = trusted.with_table_bytes_max(BASE + 2 * OWN);
    let keys = [(3, Role::Grant), (4, Role::Grant), (5, Role::Status)];
    let keys = keys.map(|(secret, role)| record(secret, role));
    let keys = KeyRing::from_records(keys).unwrap();
    let next = KeySetDraft::after(&first, keys).unwrap();
    adopted(&mut trusted, &next, 5);
    assert_eq!(trusted.version(), Some(2));
    assert_eq!(bytes(&trusted), BASE + 2 * OWN);
}
