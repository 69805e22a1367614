//! Kills between any two storage operations, with a disk that keeps, forgets or tears what was not
//! synced; cuts at every byte of a small session; a disk that fills up.

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

use common::{MadeStudy, World, open, small_groups};
use mic_transfer::SessionError;
use mic_transfer::receiver::ReceiverEvent;
use mic_transfer::storage::{CrashStyle, MemoryStorage, Storage, StorageErrorKind};
use mic_transfer::store::{Action, Outcome, Store, StoreOp};

fn made() -> MadeStudy {
    MadeStudy::new("1.2.3", 11, &[1000, 300_000, 7, 270_000])
}

/// XFR-3, XFR-4: a receipt that reached the source is of a study that outlives any crash, and what is kept is not sent again.
#[test]
fn ok_killed_at_every_storage_operation_it_resumes_and_ends_right() {
    let study = made();
    let mut whole = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
    whole.connect();
    whole.pull_all();
    assert!(whole.run());
    let operations = whole.store.unwrap().into_storage().operations();
    assert!(operations > 30);
    for stop in 0..operations {
        for style in [
            CrashStyle::Kill,
            CrashStyle::Forget,
            CrashStyle::Tear(stop + 1),
        ] {
            let mut world = World::new(stop, std::slice::from_ref(&study), MemoryStorage::new());
            world.store().storage_mut().stop_after(stop);
            world.connect();
            world.pull_all();
            world.run();
            let verified = world
                .store()
                .partial()
                .first()
                .map_or(0, mic_transfer::store::PartialStudy::bytes_done);
            let success_was_said = !world.receipts.is_empty();
            world.crash(style);
            assert!(!success_was_said || world.is_complete(), "{stop} {style:?}");
            let kept = world
                .store()
                .partial()
                .first()
                .map_or(0, mic_transfer::store::PartialStudy::bytes_done);
            if style == CrashStyle::Kill {
                // A chunk whose note failed is not kept; whatever was noted is.
                assert!(
                    kept >= verified || world.is_complete(),
                    "{stop}: {kept} of {verified}"
                );
            }
            let complete = world.is_complete();
            let before = world.data_sent;
            world.connect();
            world.pull_all();
            assert!(world.run(), "{stop} {style:?} {:?}", world.errors);
            assert!(world.is_complete());
            let again = world.data_sent - before;
            assert_eq!(
                again,
                if complete { 0 } else { study.bytes() - kept },
                "{stop} {style:?}"
            );
            world.check_visible();
        }
    }
}

#[test]
fn ok_killed_while_recovering_it_recovers_the_next_time() {
    let study = made();
    for stop in (0..90).step_by(3) {
        let mut world = World::new(stop, std::slice::from_ref(&study), MemoryStorage::new());
        world.store().storage_mut().stop_after(stop);
        world.connect();
        world.pull_all();
        world.run();
        let mut storage = world.store.take().unwrap().into_storage();
        storage.crash(CrashStyle::Tear(stop + 5));
        for again in 0..12 {
            let mut copy = storage.clone();
            copy.stop_after(again);
            if Store::open(copy.clone(), small_groups()).is_err() {
                // What the failed opening did is not known to this copy; try with another crash.
                copy.crash(CrashStyle::Tear(again + 9));
            }
        }
        world.store = Some(open(storage));
        world.check_visible();
    }
}

#[test]
fn ok_cut_at_every_byte_of_either_direction_it_resumes() {
    let study = MadeStudy::new("1.2", 3, &[40, 90, 1]);
    let mut whole = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
    whole.connect();
    whole.pull_all();
    assert!(whole.run());
    let (up, down) = (whole.carried_up, whole.carried_down);
    assert!(down > 300 && up > 200);
    let limits = (0..=down)
        .map(|at| (None, Some(at)))
        .chain((0..=up).map(|at| (Some(at), None)));
    for (up, down) in limits {
        let mut world = World::new(1, std::slice::from_ref(&study), MemoryStorage::new());
        world.config.portion = 37;
        let line = world.connect();
        world.cut_after(line, up, down);
        world.pull_all();
        world.run();
        let kept: u64 = world
            .store()
            .partial()
            .iter()
            .map(mic_transfer::store::PartialStudy::bytes_done)
            .sum();
        let complete = world.is_complete();
        let sent = world.data_sent;
        world.connect();
        world.run();
        assert!(world.is_complete(), "{up:?} {down:?} {:?}", world.errors);
        let again = world.data_sent - sent;
        assert_eq!(
            again,
            if complete { 0 } else { study.bytes() - kept },
            "{up:?} {down:?}"
        );
        world.check_visible();
    }
}

#[test]
fn err_a_full_disk_is_said_and_resumed_from() {
    let study = made();
    let mut world = World::new(1, std::slice::from_ref(&study), MemoryStorage::new());
    world.store().storage_mut().set_capacity(400_000);
    world.connect();
    world.pull_all();
    world.run();
    let full = |error: &SessionError| match error {
        SessionError::Storage(error) => error.kind() == StorageErrorKind::Full,
        _ => false,
    };
    assert!(world.errors.iter().any(full), "{:?}", world.errors);
    assert!(!world.is_complete());
    let kept = world.store().partial()[0].bytes_done();
    assert!(kept > 0);
    world.store().storage_mut().set_capacity(u64::MAX);
    let sent = world.data_sent;
    world.pull_all();
    assert!(world.run());
    assert!(world.is_complete());
    assert_eq!(world.data_sent - sent, study.bytes() - kept);
}

#[test]
fn err_damage_from_outside_is_found_and_not_spread() {
    let study = made();
    let mut world = World::new(1, std::slice::from_ref(&study), MemoryStorage::new());
    world.connect();
    world.pull_all();
    assert!(world.run());
    let root = study.root();
    world
        .store()
        .storage_mut()
        .flip_bit(&format!("complete/{root}/pack"), 500)
        .unwrap();
    assert_eq!(world.store().verify(&root).unwrap().wrong, [0]);
    // Another study with the same instance does not take the damaged copy: it is fetched.
    let mut other = MadeStudy::new("1.2.4", 11, &[1000, 300_000]);
    other.files.truncate(2);
    let bytes = other.bytes();
    world.archive.clear();
    world.archive.insert(other.uid().clone(), other.into());
    let sent = world.data_sent;
    world.pull_all();
    assert!(world.run(), "{:?}", world.errors);
    assert_eq!(
        world.data_sent - sent,
        1000,
        "of {bytes}: the other instance was copied here"
    );
    // What is read by digest is the good copy now, and the damaged study can be removed and pulled.
    let file = world.archive.values().next().unwrap().files[0].clone();
    let mut bytes = vec![0; 1000];
    world
        .store()
        .read_instance(&mic_transfer::Digest::of(&file), 0, &mut bytes)
        .unwrap();
    assert!(bytes == file);
    world.store().remove(&root).unwrap();
    world.check_visible();
}

fn act(store: &mut Store<MemoryStorage>, study: &MadeStudy, action: Action) -> Outcome {
    let now = core::time::Duration::ZERO;
    let operation = StoreOp::new(0, study.root(), action);
    store.execute(operation, now).outcome.unwrap()
}

fn chunk(study: &MadeStudy, chunk: u32) -> Action {
    let bytes = study.files[0].chunks(262_144).nth(chunk as usize).unwrap();
    let bytes = bytes.to_vec();
    Action::Write { chunk, bytes }
}

#[test]
fn err_a_damaged_copy_leaves_the_verified_chunks_alone() {
    let begun = MadeStudy::new("1.2.3", 11, &[300_000]);
    let other = MadeStudy::new("1.2.4", 11, &[300_000]);
    let mut store = open(MemoryStorage::new());
    act(&mut store, &begun, Action::Open(begun.signed.clone()));
    act(&mut store, &begun, chunk(&begun, 0));
    act(&mut store, &begun, Action::Release);
    act(&mut store, &other, Action::Open(other.signed.clone()));
    act(&mut store, &other, chunk(&other, 0));
    act(&mut store, &other, chunk(&other, 1));
    act(&mut store, &other, Action::Commit);
    let pack = format!("complete/{}/pack", other.root());
    store.storage_mut().flip_bit(&pack, 10).unwrap();

    let opened = act(&mut store, &begun, Action::Open(begun.signed.clone()));
    let Outcome::Opened { have, .. } = opened else {
        panic!("{opened:?}")
    };
    assert!(have.contains(0) && !have.contains(1));
    act(&mut store, &begun, chunk(&begun, 1));
    act(&mut store, &begun, Action::Commit);
    let verified = store.verify(&begun.root()).unwrap();
    assert_eq!((verified.right, verified.wrong), (1, Vec::new()));
}

/// XFR-34, XFR-35: no receipt, and a study that stays complete.
#[test]
fn err_a_receipt_that_cannot_be_kept_ends_the_pull_and_the_next_one_issues_it() {
    let study = made();
    let mut whole = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
    let before = whole.store().storage_mut().operations();
    whole.connect();
    whole.pull_all();
    assert!(whole.run());
    let operations = whole.store.unwrap().into_storage().operations() - before;
    // The last six are those of receipt and answer: each opens, writes and syncs the journal.
    for stop in operations - 6..operations - 3 {
        let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
        world.store().storage_mut().stop_after(stop);
        world.connect();
        world.pull_all();
        assert!(world.run(), "{stop}: the study never ends");
        let unreceipted = |event: &ReceiverEvent| {
            matches!(
                event,
                ReceiverEvent::Unreceipted {
                    error: SessionError::Storage(_),
                    ..
                }
            )
        };
        assert!(world.events.iter().any(unreceipted), "{stop}");
        assert!(world.receipts.is_empty());
        world.crash(CrashStyle::Forget);
        assert!(world.is_complete(), "durable is durable");
        assert!(world.store().complete()[0].receipt().is_none());
        world.connect();
        world.pull_all();
        assert!(world.run());
        assert_eq!(world.receipts.len(), 1);
        assert!(world.store().complete()[0].receipt().is_some());
    }
}

fn complete(study: &MadeStudy) -> Store<MemoryStorage> {
    let mut store = open(MemoryStorage::new());
    act(&mut store, study, Action::Open(study.signed.clone()));
    act(&mut store, study, chunk(study, 0));
    act(&mut store, study, chunk(study, 1));
    act(&mut store, study, Action::Commit);
    store
}

/// XFR-55.
#[test]
fn err_a_damaged_journal_or_pack_is_set_aside_and_the_study_pulled_again() {
    let study = MadeStudy::new("1.2.3", 11, &[300_000]);
    let root = study.root();
    for name in ["journal", "pack"] {
        let mut storage = complete(&study).into_storage();
        if name == "journal" {
            storage
                .flip_bit(&format!("complete/{root}/journal"), 20)
                .unwrap();
        } else {
            let file = storage.open(&format!("complete/{root}/pack"), false);
            storage.set_len(file.unwrap(), 299_999).unwrap();
        }
        let (mut store, recovery) = Store::open(storage, small_groups()).unwrap();
        assert_eq!(recovery.damaged, 1, "{name}");
        assert!(store.complete().is_empty());
        act(&mut store, &study, Action::Open(study.signed.clone()));
        act(&mut store, &study, chunk(&study, 0));
        act(&mut store, &study, chunk(&study, 1));
        act(&mut store, &study, Action::Commit);
        let mut storage = store.into_storage();
        assert_eq!(storage.list("damaged").unwrap(), [root.to_string()]);
        let (mut store, recovery) = Store::open(storage, small_groups()).unwrap();
        assert!(recovery.is_clean(), "{recovery:?}");
        assert!(store.verify(&root).unwrap().wrong.is_empty());
    }
}

#[test]
fn ok_a_commit_finished_after_a_kill_outlives_a_power_cut() {
    let study = MadeStudy::new("1.2.3", 11, &[300_000]);
    let whole = complete(&study).into_storage().operations();
    let mut finished = 0;
    for stop in 0..whole {
        let mut store = open(MemoryStorage::new());
        store.storage_mut().stop_after(stop);
        let now = core::time::Duration::ZERO;
        for action in [
            Action::Open(study.signed.clone()),
            chunk(&study, 0),
            chunk(&study, 1),
            Action::Commit,
        ] {
            let _ = store.execute(StoreOp::new(0, study.root(), action), now);
        }
        let mut storage = store.into_storage();
        storage.crash(CrashStyle::Kill);
        let (store, recovery) = Store::open(storage, small_groups()).unwrap();
        if store.complete().is_empty() {
            continue;
        }
        finished += recovery.commits_finished;
        let mut storage = store.into_storage();
        storage.crash(CrashStyle::Forget);
        let mut store = open(storage);
        assert_eq!(store.complete().len(), 1, "{stop}: complete is durable");
        assert!(store.verify(&study.root()).unwrap().wrong.is_empty());
    }
    assert!(finished > 0);
}

#[test]
fn err_a_failed_sync_is_not_forgiven() {
    let study = MadeStudy::new("1.2.3", 11, &[300_000]);
    let mut store = open(MemoryStorage::new());
    act(&mut store, &study, Action::Open(study.signed.clone()));
    act(&mut store, &study, chunk(&study, 0));
    act(&mut store, &study, chunk(&study, 1));
    store.storage_mut().fail_next_sync();
    let now = core::time::Duration::ZERO;
    let commit = StoreOp::new(0, study.root(), Action::Commit);
    assert!(store.execute(commit, now).outcome.is_err());
    let digest = *study.signed.manifest().instances()[0].digest();
    assert!(store.locate(&digest).is_none(), "its bytes may be gone");
    let opened = act(&mut store, &study, Action::Open(study.signed.clone()));
    let Outcome::Opened { have, .. } = opened else {
        panic!("{opened:?}")
    };
    assert!(have.is_empty(), "{have:?}");
    act(&mut store, &study, chunk(&study, 0));
    act(&mut store, &study, chunk(&study, 1));
    act(&mut store, &study, Action::Commit);
    let mut storage = store.into_storage();
    storage.crash(CrashStyle::Forget);
    let mut store = open(storage);
    assert_eq!(store.verify(&study.root()).unwrap().right, 1);
}
