//! SM3 digests beside BLAKE3, where the source gives them.

#![cfg(feature = "sm3")]
#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test's ways to fail and to speak"
)]

mod common;

use common::{MadeStudy, World};
use mic_transfer::storage::{CrashStyle, MemoryStorage, StorageErrorKind};
use mic_transfer::{ErrorCode, SessionError, Sm3Digest};

/// The study with an SM3 digest of each instance; of the one at `wrong` another one.
fn with_sm3(study: &MadeStudy, wrong: Option<usize>) -> MadeStudy {
    study.map(|at, instance, file| {
        let mut digest = *Sm3Digest::of(file).as_bytes();
        digest[0] ^= u8::from(wrong == Some(at));
        instance.with_sm3(Sm3Digest::from_bytes(digest))
    })
}

#[test]
fn ok_checked_in_any_order_of_chunks_and_said_in_the_receipt() {
    let study = with_sm3(&MadeStudy::new("1.2.3", 5, &[900_000, 40, 700_000]), None);
    for connections in [1, 4] {
        let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
        world.config.rate = 20_000_000;
        (0..connections).for_each(|_| {
            world.connect();
        });
        let slot = world.pull_all()[0];
        for _ in 0..20 {
            world.step();
        }
        let now = world.now;
        world.receiver.click(slot, 2, now);
        assert!(world.run(), "{:?}", world.errors);
        let manifest = study.signed.manifest();
        let expected = Sm3Digest::of(manifest.encoded());
        assert_eq!(world.receipts[0].sm3(), Some(&expected));
    }
}

#[test]
fn ok_checked_too_when_a_kill_came_between() {
    let study = with_sm3(&MadeStudy::new("1.2.3", 5, &[900_000, 40, 700_000]), None);
    for at in (0..study.bytes()).step_by(150_000) {
        let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
        let line = world.connect();
        world.cut_after(line, None, Some(at));
        world.pull_all();
        world.run();
        world.crash(CrashStyle::Kill);
        world.connect();
        world.pull_all();
        assert!(world.run());
        assert!(world.receipts[0].sm3().is_some(), "{at}");
    }
}

#[test]
fn err_a_manifest_that_contradicts_itself_is_the_sources_fault() {
    for wrong in 0..3 {
        let study = with_sm3(
            &MadeStudy::new("1.2.3", 5, &[900_000, 40, 700_000]),
            Some(wrong),
        );
        let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
        world.connect();
        world.pull_all();
        world.run();
        let contradiction = |error: &SessionError| {
            matches!(error, SessionError::Storage(error)
                if error.kind() == StorageErrorKind::Contradiction)
                && error.code() == ErrorCode::WrongManifest
        };
        assert!(world.errors.iter().any(contradiction), "{:?}", world.errors);
        assert!(!world.is_complete() && world.receipts.is_empty());
    }
}

#[test]
fn ok_without_a_digest_for_every_instance_the_receipt_does_not_speak_of_it() {
    let plain = MadeStudy::new("1.2.3", 5, &[900, 40]);
    let mixed = plain.map(|at, instance, file| {
        if at == 0 {
            instance.with_sm3(Sm3Digest::of(file))
        } else {
            instance
        }
    });
    for study in [plain, mixed] {
        let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
        world.connect();
        world.pull_all();
        assert!(world.run());
        assert_eq!(world.receipts[0].sm3(), None);
    }
}
