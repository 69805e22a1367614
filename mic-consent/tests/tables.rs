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

// Eighty authorities, both curves, eight megabytes.
const _: () = assert!(TABLE_BYTES_MAX >= 80 * OWN + 2 * BASE && TABLE_BYTES_MAX <= 8 << 20);
