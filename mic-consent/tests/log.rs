//! The access log against a second, naive implementation of RFC 9162; witnesses; receipts in it.
#![cfg(all(feature = "gm", feature = "ed25519"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use common::*;
use mic_consent::*;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// MTH of RFC 9162 section 2.1.1, by its text.
fn naive_root(entries: &[Vec<u8>]) -> [u8; 32] {
    match entries.len() {
        0 => hash(&[]),
        1 => hash(&[&[0], &entries[0]]),
        n => {
            let k = n.next_power_of_two() / 2;
            hash(&[&[1], &naive_root(&entries[..k]), &naive_root(&entries[k..])])
        }
    }
}

fn entries(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|n| n.to_be_bytes().to_vec()).collect()
}

fn log(count: u64) -> MerkleLog {
    let mut log = MerkleLog::new(Suite::Ed25519).unwrap();
    for entry in entries(count) {
        log.append(&entry).unwrap();
    }
    log
}

/// CST-124 to CST-127: every entry of every size to 40, and every pair of sizes.
#[test]
fn ok_roots_and_proofs_of_all_small_logs() {
    const SUITE: Suite = Suite::Ed25519;
    let whole = log(40);
    let all = entries(40);
    for size in 0..=40_u64 {
        let root = whole.root_at(size).unwrap();
        let count = usize::try_from(size).unwrap();
        assert_eq!(*root.as_bytes(), naive_root(&all[..count]), "{size}");
        for index in 0..size {
            let proof = whole.inclusion(index, size).unwrap();
            let entry = &all[usize::try_from(index).unwrap()];
            assert_eq!(
                proof.verify(SUITE, entry, &root),
                Ok(()),
                "{index} of {size}"
            );
            assert_eq!(
                InclusionProof::from_bytes(&proof.to_bytes()),
                Ok(proof.clone())
            );
            for other in (0..40_u64).filter(|other| *other != index) {
                let other = &all[usize::try_from(other).unwrap()];
                assert!(proof.verify(SUITE, other, &root).is_err());
            }
        }
        for older in 0..=size {
            let proof = whole.consistency(older, size).unwrap();
            let old = whole.root_at(older).unwrap();
            assert_eq!(
                proof.verify(SUITE, &old, &root),
                Ok(()),
                "{older} in {size}"
            );
            assert_eq!(
                ConsistencyProof::from_bytes(&proof.to_bytes()),
                Ok(proof.clone())
            );
            if older != size && older != 0 {
                assert!(proof.verify(SUITE, &root, &old).is_err());
                assert!(proof.verify(SUITE, &root, &root).is_err());
            }
        }
    }
    assert!(whole.inclusion(40, 40).is_err() && whole.inclusion(0, 41).is_err());
    assert!(whole.consistency(4, 3).is_err() && whole.root_at(41).is_err());
}

/// Threat 33: an entry removed, changed, added in the middle or put elsewhere leads to another root.
#[test]
fn err_a_log_that_was_rewritten_is_found() {
    let honest = entries(20);
    let old = log(20).root();
    let rewritten = |change: fn(&mut Vec<Vec<u8>>)| {
        let mut entries = honest.clone();
        change(&mut entries);
        let mut log = MerkleLog::new(Suite::Ed25519).unwrap();
        for entry in &entries {
            log.append(entry).unwrap();
        }
        while log.len() < 30 {
            log.append(b"more").unwrap();
        }
        let proof = log.consistency(20, 30).unwrap();
        proof.verify(Suite::Ed25519, &old, &log.root())
    };
    assert_eq!(rewritten(|_| ()), Ok(()));
    for change in [
        (|entries| drop(entries.remove(7))) as fn(&mut Vec<Vec<u8>>),
        |entries| entries[7] = b"changed".to_vec(),
        |entries| entries.insert(7, b"added".to_vec()),
        |entries| entries.swap(7, 8),
        |entries| entries.truncate(19),
    ] {
        assert_eq!(
            rewritten(change).unwrap_err().reason(),
            Reason::LogRewritten
        );
    }
}

#[test]
fn ok_a_proof_in_a_log_of_a_million_has_twenty_hashes() {
    let log = log(1_000_000);
    for index in [0, 1, 499_999, 524_288, 999_999] {
        let proof = log.inclusion(index, 1_000_000).unwrap();
        assert!(proof.hashes() <= 20, "{} hashes", proof.hashes());
        let entry = index.to_be_bytes();
        assert_eq!(proof.verify(Suite::Ed25519, &entry, &log.root()), Ok(()));
        assert!(proof.to_bytes().len() <= 700);
    }
    assert!(log.consistency(777_777, 1_000_000).unwrap().hashes() <= 30);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// No flip of a bit in a proof leaves it good.
    #[test]
    fn ok_a_spoiled_proof_proves_nothing(size in 1_u64..500, at in any::<prop::sample::Index>(), bit in 0..8_u8, place in any::<prop::sample::Index>()) {
        let log = log(size);
        let index = place.index(usize::try_from(size).unwrap()) as u64;
        let mut bytes = log.inclusion(index, size).unwrap().to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(proof) = InclusionProof::from_bytes(&bytes) {
            // Sizes are signed with the root in the head; here the size alone may differ.
            let same_path = proof.index() == index && proof.size() != size;
            prop_assert!(same_path || proof.verify(Suite::Ed25519, &index.to_be_bytes(), &log.root()).is_err());
        }
    }
}

struct Cast {
    ring: KeyRing,
    policy: Policy,
    archive: Ed25519SigningKey,
    insurer: Ed25519SigningKey,
}

impl Cast {
    fn new() -> Self {
        let key = |byte: u8| Ed25519SigningKey::from_secret_bytes(&[byte; 32]).unwrap();
        let (archive, insurer) = (key(0x51), key(0x52));
        let record = |key: &Ed25519SigningKey, owner: &str| {
            let owner = IssuerCode::new(owner).unwrap();
            KeyRecord::new(key.public_key().clone(), owner, Role::Log, validity()).unwrap()
        };
        Self {
            ring: KeyRing::from_records([
                record(&archive, "ARCHIVE61"),
                record(&insurer, "INSURER61"),
            ])
            .unwrap(),
            policy: policy(),
            archive,
            insurer,
        }
    }

    fn live(&self, token: Encoded) -> Live<Checkpoint> {
        let checker = Checker::new(&self.ring, &self.policy);
        let signed = token
            .untrusted::<Checkpoint>()
            .unwrap()
            .verify(&checker)
            .unwrap();
        signed.live(&checker, now()).unwrap()
    }

    fn head(&self, log: &MerkleLog) -> Live<Checkpoint> {
        let owner = *archive().node();
        let draft = CheckpointDraft::head_of(log, owner, realm());
        self.live(draft.sign(&self.archive, owner, now()).unwrap())
    }
}

/// CST-130, CST-131: a witness agrees to growth and to nothing else, and is another organisation.
#[test]
fn err_a_split_view_finds_no_witness() {
    let cast = Cast::new();
    let insurer = IssuerCode::new("INSURER61").unwrap();
    let (small, large) = (log(5), log(9));
    let mut witness = Witness::new();
    let first = cast.head(&small);
    let agreed = witness.agree(&first, None).unwrap();
    let countersigned = cast.live(agreed.sign(&cast.insurer, insurer, now()).unwrap());
    assert_eq!(witnessed(&first, &countersigned), Ok(()));
    assert_eq!(
        witnessed(&first, &first).unwrap_err().reason(),
        Reason::NotWitnessed
    );

    let mut other = MerkleLog::new(Suite::Ed25519).unwrap();
    for _ in 0..9 {
        other.append(b"another history").unwrap();
    }
    let forked = cast.head(&other);
    let reason = |result: Result<CheckpointDraft, Denial>| result.unwrap_err().reason();
    assert_eq!(reason(witness.agree(&forked, None)), Reason::LogRewritten);
    let grew = other.consistency(5, 9).unwrap();
    assert_eq!(
        reason(witness.agree(&forked, Some(&grew))),
        Reason::LogRewritten
    );
    assert_eq!(
        reason(witness.agree(&cast.head(&large), Some(&large.consistency(4, 9).unwrap()))),
        Reason::LogProofShape
    );
    witness
        .agree(&cast.head(&large), Some(&large.consistency(5, 9).unwrap()))
        .unwrap();
    assert_eq!(reason(witness.agree(&first, None)), Reason::OlderThanSeen);
    assert_eq!(
        witnessed(&cast.head(&large), &countersigned)
            .unwrap_err()
            .reason(),
        Reason::NotWitnessed
    );
    assert_eq!(
        reason(witness.agree(&countersigned, None)),
        Reason::OtherLog
    );
    // Kept over a restart.
    let seen = |heads: &[&Live<Checkpoint>]| {
        let mut heads = heads.iter();
        heads.try_fold(Witness::new(), |witness, head| witness.with_seen(head))
    };
    let head = cast.head(&large);
    // The larger one counts, in any order.
    for heads in [[&head, &first], [&first, &head]] {
        let mut again = seen(&heads).unwrap();
        assert_eq!(reason(again.agree(&first, None)), Reason::OlderThanSeen);
    }
    let of = |heads: &[&Live<Checkpoint>]| seen(heads).unwrap_err().reason();
    assert_eq!(of(&[&head, &forked]), Reason::LogRewritten);
    assert_eq!(of(&[&countersigned]), Reason::OtherLog);
}

/// CST-127: 2^40 entries and 40 hashes, and not one more.
#[test]
fn err_a_log_larger_than_any() {
    let proof = |size: u64, hashes: usize| {
        let mut bytes = vec![0x83, 0x1b];
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(&[0, 0x98, u8::try_from(hashes).unwrap()]);
        bytes
            .extend(core::iter::repeat_n([&[0x58, 0x20][..], &[0; 32]].concat(), hashes).flatten());
        bytes
    };
    assert!(InclusionProof::from_bytes(&proof(1 << 40, 40)).is_ok());
    for bytes in [proof((1 << 40) + 1, 40), proof(1 << 40, 41)] {
        let refused = InclusionProof::from_bytes(&bytes).unwrap_err();
        assert_eq!(refused.reason(), Reason::TooMany);
    }
}
