//! The replay guard: bounded, never forgetful before time, kept over a restart, closed when its store fails.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

extern crate alloc;

use alloc::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use mic_consent::*;
use proptest::prelude::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_794_992_800, 0).unwrap() + TimeDelta::seconds(seconds)
}

/// Keeps records, and fails when it is told to.
#[derive(Default)]
struct Disk {
    records: Vec<u8>,
    fails: bool,
}

impl GuardStore for Disk {
    fn append(&mut self, record: &[u8; GUARD_RECORD_BYTES]) -> Result<(), GuardStoreError> {
        if self.fails {
            return Err(GuardStoreError::Unavailable);
        }
        self.records.extend_from_slice(record);
        Ok(())
    }

    fn replace(
        &mut self,
        records: &mut dyn Iterator<Item = [u8; GUARD_RECORD_BYTES]>,
    ) -> Result<(), GuardStoreError> {
        self.records = records.flatten().collect();
        Ok(())
    }
}

fn key(n: u8) -> KeyId {
    KeyId::from_bytes([n; 8])
}

fn proof(n: u8) -> ProofId {
    ProofId::from_bytes([n; 16])
}

fn study(n: u8) -> HiddenRecord {
    HiddenRecord::from_bytes([n; 32])
}

fn reopen(kept: &[u8], seconds: i64) -> Result<KeptGuard<Disk>, GuardStoreError> {
    KeptGuard::open(100, kept, Disk::default(), at(seconds))
}

/// CST-69: what was used before a restart is used after it, whether the end of the file was written or not.
#[test]
fn ok_a_restart_forgets_nothing() {
    let mut guard = reopen(&[], 0).unwrap();
    let grant = GrantId::from_bytes([9; 16]);
    assert_eq!(
        guard.admit_proof(&key(1), &proof(1), at(120), at(0)),
        Admission::Fresh
    );
    assert_eq!(
        guard.admit_study(&key(2), &grant, &study(1), 1, at(7_200), at(0)),
        Admission::Fresh
    );
    assert_eq!(
        guard.admit_study(&key(2), &grant, &study(1), 1, at(7_200), at(0)),
        Admission::Fresh
    );
    let mut kept = guard.into_store().records;
    assert_eq!(kept.len(), 3 * GUARD_RECORD_BYTES); // the clock comes first
    kept.extend_from_slice(&[1; 30]); // torn: never acknowledged
    let mut guard = reopen(&kept, 10).unwrap();
    assert_eq!(
        guard.admit_proof(&key(1), &proof(1), at(120), at(10)),
        Admission::Seen
    );
    assert_eq!(
        guard.admit_proof(&key(2), &proof(1), at(120), at(10)),
        Admission::Fresh
    );
    assert_eq!(
        guard.admit_study(&key(2), &grant, &study(2), 1, at(7_200), at(10)),
        Admission::UsedUp
    );
    assert_eq!(
        guard.admit_study(&key(2), &grant, &study(1), 1, at(7_200), at(10)),
        Admission::Fresh
    );
    // What is over is not taken up again.
    let kept = guard.into_store().records;
    assert_eq!(reopen(&kept, 200).unwrap().len(), 1);
    assert!(reopen(&kept, 8_000).unwrap().is_empty());
}

/// CST-68: closed when the store fails; what was tried counts as used, also once the store is back.
#[test]
fn err_what_could_not_be_kept_is_refused_and_used() {
    let disk = Disk {
        records: Vec::new(),
        fails: true,
    };
    let mut guard = KeptGuard::open(100, &[], disk, at(0)).unwrap();
    assert_eq!(
        guard.admit_proof(&key(1), &proof(1), at(120), at(0)),
        Admission::Full
    );
    assert_eq!(
        guard.admit_proof(&key(1), &proof(1), at(120), at(0)),
        Admission::Seen
    );
}

/// CST-69: a study that could not be kept is refused until it is, and counts once it is.
#[test]
fn err_a_study_that_could_not_be_kept_is_not_opened_at_the_second_try() {
    let grant = GrantId::from_bytes([9; 16]);
    let mut guard = reopen(&[], 0).unwrap();
    guard.store_mut().fails = true;
    for _ in 0..2 {
        let refused = guard.admit_study(&key(2), &grant, &study(1), 1, at(7_200), at(0));
        assert_eq!(refused, Admission::Full);
    }
    assert!(guard.is_empty());
    guard.store_mut().fails = false;
    let admitted = guard.admit_study(&key(2), &grant, &study(1), 1, at(7_200), at(0));
    assert_eq!(admitted, Admission::Fresh);
    let mut guard = reopen(&guard.into_store().records, 10).unwrap();
    let other = guard.admit_study(&key(2), &grant, &study(2), 1, at(7_200), at(10));
    assert_eq!(other, Admission::UsedUp);
}

/// CST-66: after a jump of the clock and back, nothing that was forgotten at the jump is admitted again.
#[test]
fn err_a_clock_that_went_back() {
    let mut guard = MemoryGuard::with_capacity(10);
    let admit = |guard: &mut MemoryGuard, n, now| {
        guard.admit_proof(&key(1), &proof(n), at(now + 120), at(now))
    };
    assert_eq!(admit(&mut guard, 1, 0), Admission::Fresh);
    assert_eq!(admit(&mut guard, 2, 86_400), Admission::Fresh);
    assert_eq!(admit(&mut guard, 1, 0), Admission::ClockBack);
    assert_eq!(admit(&mut guard, 3, 86_400 - 61), Admission::ClockBack);
    assert_eq!(admit(&mut guard, 3, 86_400 - 60), Admission::Fresh);

    // Made durable by no compaction, and by no restart.
    let mut kept = reopen(&[], 0).unwrap();
    assert_eq!(
        kept.admit_proof(&key(1), &proof(1), at(120), at(0)),
        Admission::Fresh
    );
    kept.compact(at(86_400)).unwrap();
    assert_eq!(
        kept.compact(at(0)),
        Err(GuardStoreError::ClockBack { by_s: 86_400 })
    );
    assert_eq!(
        kept.admit_proof(&key(1), &proof(1), at(120), at(0)),
        Admission::ClockBack
    );
    let records = kept.into_store().records;
    let refused = reopen(&records, 0).unwrap_err();
    assert_eq!(refused, GuardStoreError::ClockBack { by_s: 86_400 });
    assert!(reopen(&records, 86_400 - 60).is_ok());
}

#[test]
fn err_a_store_that_is_damaged_or_too_large() {
    let mut guard = reopen(&[], 0).unwrap();
    for n in 0..3 {
        assert_eq!(
            guard.admit_proof(&key(1), &proof(n), at(120), at(0)),
            Admission::Fresh
        );
    }
    let kept = guard.into_store().records;
    for place in 0..kept.len() {
        let mut damaged = kept.clone();
        damaged[place] ^= 4;
        let from = place / GUARD_RECORD_BYTES * GUARD_RECORD_BYTES;
        let refused = reopen(&damaged, 1).unwrap_err();
        assert_eq!(refused, GuardStoreError::Damaged { at: from });
    }
    let refused = KeptGuard::open(2, &kept, Disk::default(), at(1)).unwrap_err();
    assert_eq!(refused, GuardStoreError::TooMany { most: 2 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Against a plain map, with a clock that goes back as well: never admitted twice before its time, at any capacity, and never more than that.
    #[test]
    fn ok_nothing_is_admitted_twice_before_its_time(
        steps in prop::collection::vec((0..6_u8, 0..4_u8, 1..400_i64, -400..400_i64), 1..60),
        capacity in 1..20_usize,
    ) {
        let (mut guard, mut plain, mut now) = (MemoryGuard::with_capacity(capacity), BTreeMap::new(), 0);
        let mut latest = 0;
        for (n, signer, life, pause) in steps {
            now += pause;
            // Remembered for a minute longer than it can be used (CST-66).
            let admission = guard.admit_proof(&key(signer), &proof(n), at(now + life + 60), at(now));
            prop_assert!(admission != Admission::ClockBack || pause < 0 || now < latest);
            latest = latest.max(now);
            let live = plain.get(&(signer, n)).is_some_and(|until| *until > now);
            prop_assert!(!live || matches!(admission, Admission::Seen | Admission::ClockBack));
            if admission == Admission::Fresh {
                plain.insert((signer, n), now + life);
            }
            prop_assert!(guard.len() <= capacity);
        }
    }
}

/// One million live ids take at most 40 MiB, counted by an allocator.
#[test]
fn ok_a_million_live_ids_take_forty_mebibytes() {
    let mut guard = None;
    let used = allocation_counter::measure(|| {
        let mut own = MemoryGuard::with_capacity(1_000_000);
        for n in 0..1_000_000_u64 {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
            // Ten thousand a second for as long as proofs live.
            let now = at(i64::try_from(n / 10_000).unwrap());
            let until = now + TimeDelta::seconds(180);
            let admission = own.admit_proof(&key(1), &ProofId::from_bytes(id), until, now);
            assert_eq!(admission, Admission::Fresh);
        }
        guard = Some(own);
    });
    assert_eq!(guard.map(|guard| guard.len()), Some(1_000_000));
    assert!(used.bytes_current > 16_000_000, "{used:?}");
    assert!(used.bytes_max <= 40 << 20, "{used:?}");
}
