//! Any bytes as proofs about a log: no panic; one form; an inclusion proof that is good for the fixed log is the one
//! that the log itself gives.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mic_consent::{ConsistencyProof, InclusionProof, MerkleLog, Suite};

/// The log of the vectors: "entry 0", "entry 1", ...
static LOG: LazyLock<MerkleLog> = LazyLock::new(|| {
    let mut log = MerkleLog::new(Suite::Ed25519).expect("built in");
    for n in 0..1000 {
        log.append(format!("entry {n}").as_bytes()).expect("room");
    }
    log
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = InclusionProof::from_bytes(bytes) {
        assert_eq!(proof.to_bytes(), bytes);
        if let (true, Ok(root)) = (proof.size() > 0, LOG.root_at(proof.size())) {
            let entry = format!("entry {}", proof.index());
            let good = proof
                .verify(Suite::Ed25519, entry.as_bytes(), &root)
                .is_ok();
            let own = LOG
                .inclusion(proof.index(), proof.size())
                .expect("within the log");
            assert_eq!(good, own == proof);
        }
    }
    if let Ok(proof) = ConsistencyProof::from_bytes(bytes) {
        assert_eq!(proof.to_bytes(), bytes);
        if let (Ok(older), Ok(newer)) = (LOG.root_at(proof.older()), LOG.root_at(proof.newer())) {
            let good = proof.verify(Suite::Ed25519, &older, &newer).is_ok();
            let own = LOG
                .consistency(proof.older(), proof.newer())
                .expect("within the log");
            assert_eq!(good, own == proof);
        }
    }
});
