//! What a store does with what it finds: damaged journals, studies it can't read, removals that were
//! cut short.

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
use mic_transfer::journal;
use mic_transfer::storage::{CrashStyle, MemoryStorage, Storage, StorageErrorKind};
use mic_transfer::store::{PartialStudy, Store};

fn made() -> MadeStudy {
    MadeStudy::new("1.2.3", 11, &[1000, 300_000, 7, 600_000, 270_000])
}

/// A store in which `study` is complete with its receipt.
fn complete(study: &MadeStudy) -> MemoryStorage {
    let mut world = World::new(0, std::slice::from_ref(study), MemoryStorage::new());
    world.connect();
    world.pull_all();
    assert!(world.run());
    world.store.unwrap().into_storage()
}

/// A store in which most of `study` is there and marked.
fn partial(study: &MadeStudy) -> MemoryStorage {
    let mut world = World::new(0, std::slice::from_ref(study), MemoryStorage::new());
    let line = world.connect();
    world.cut_after(line, None, Some(study.bytes() - 1000));
    world.pull_all();
    assert!(!world.run());
    let mut storage = world.store.unwrap().into_storage();
    storage.crash(CrashStyle::Kill);
    storage
}

fn length(storage: &mut MemoryStorage, path: &str) -> u64 {
    let file = storage.open(path, false).unwrap();
    let length = storage.len(file).unwrap();
    storage.close(file);
    length
}

fn done(world: &mut World) -> u64 {
    world
        .store()
        .partial()
        .iter()
        .map(PartialStudy::bytes_done)
        .sum()
}

#[test]
fn err_a_damaged_record_of_a_partial_study_costs_at_most_its_own_chunk() {
    let study = made();
    let path = format!("partial/{}/journal", study.root());
    let storage = partial(&study);
    let mut rewritten = 0;
    let whole = length(&mut storage.clone(), &path);
    let mut sound = World::new(0, std::slice::from_ref(&study), storage.clone());
    let kept_sound = done(&mut sound);
    let opening = journal::encode(0, &journal::Record::Open(study.signed.clone())).len() as u64;
    for at in opening..whole {
        let mut storage = storage.clone();
        storage.flip_bit(&path, at).unwrap();
        let (store, recovery) = Store::open(storage, small_groups()).unwrap();
        assert_eq!((recovery.damaged, recovery.unopened), (0, 0), "{at}");
        rewritten += recovery.journals_rewritten;
        let mut world = World::new(0, std::slice::from_ref(&study), store.into_storage());
        let kept = done(&mut world);
        // A leaf list may be the record that is gone: then the chunks of one instance go with it.
        assert!(kept + 600_000 >= kept_sound, "{at}: {kept} of {kept_sound}");
        world.connect();
        world.pull_all();
        assert!(world.run(), "{at} {:?}", world.errors);
        assert_eq!(world.data_sent, study.bytes() - kept, "{at}");
        world.crash(CrashStyle::Forget);
        assert!(world.is_complete());
    }
    assert!(rewritten > 100, "{rewritten}");
}

/// XFR-55, XFR-57: set aside, not deleted.
#[test]
fn err_a_damaged_opening_of_a_partial_study_is_set_aside_and_not_deleted() {
    let study = made();
    let path = format!("partial/{}/journal", study.root());
    let mut storage = partial(&study);
    storage.flip_bit(&path, 40).unwrap();
    let (store, recovery) = Store::open(storage, small_groups()).unwrap();
    assert_eq!((recovery.damaged, recovery.stubs_removed), (1, 0));
    let mut storage = store.into_storage();
    assert_eq!(storage.list("damaged").unwrap(), [study.root().to_string()]);
    let mut world = World::new(0, std::slice::from_ref(&study), storage);
    world.connect();
    world.pull_all();
    assert!(world.run());
    world.check_visible();
}

#[test]
fn err_a_damaged_record_of_a_complete_study_is_put_right_by_its_bytes() {
    let study = made();
    let path = format!("complete/{}/journal", study.root());
    let storage = complete(&study);
    let whole = length(&mut storage.clone(), &path);
    let opening = journal::encode(0, &journal::Record::Open(study.signed.clone())).len() as u64;
    let (mut rewritten, mut receipts) = (0, 0);
    for at in (opening..whole).step_by(3) {
        let mut storage = storage.clone();
        storage.flip_bit(&path, at).unwrap();
        let (mut store, recovery) = Store::open(storage, small_groups()).unwrap();
        assert_eq!(recovery.damaged, 0, "{at}");
        assert!(
            store.verify(&study.root()).unwrap().wrong.is_empty(),
            "{at}"
        );
        rewritten += recovery.journals_rewritten;
        receipts += u32::from(store.complete()[0].receipt().is_some());
        let mut storage = store.into_storage();
        storage.crash(CrashStyle::Forget);
        let (store, recovery) = Store::open(storage, small_groups()).unwrap();
        assert!(
            recovery.is_clean() && store.complete().len() == 1,
            "{at} {recovery:?}"
        );
    }
    assert!(rewritten > 100 && receipts > 100, "{rewritten} {receipts}");
    // With a wrong byte in the pack as well, nothing says that the study is whole.
    let mut storage = storage;
    storage.flip_bit(&path, opening + 20).unwrap();
    storage
        .flip_bit(&format!("complete/{}/pack", study.root()), 5)
        .unwrap();
    let (store, recovery) = Store::open(storage, small_groups()).unwrap();
    assert!(recovery.damaged == 1 && store.complete().is_empty());
}

/// XFR-63.
#[test]
fn err_one_study_that_cannot_be_read_does_not_close_the_store() {
    let (study, other) = (made(), MadeStudy::new("1.2.4", 5, &[5000, 70]));
    for (storage, home) in [(complete(&study), "complete"), (partial(&study), "partial")] {
        let mut world = World::new(0, std::slice::from_ref(&other), storage);
        world.connect();
        world.pull_all();
        assert!(world.run());
        let mut storage = world.store.take().unwrap().into_storage();
        let folder = format!("{home}/{}", study.root());
        storage.refuse(&folder, StorageErrorKind::Denied);
        let (store, recovery) = Store::open(storage, small_groups()).unwrap();
        assert_eq!(recovery.unopened, 1);
        assert_eq!(store.complete().len(), 1, "the other one");
        let unopened: Vec<_> = store
            .unopened()
            .map(|(root, error)| (*root, error.kind()))
            .collect();
        assert_eq!(unopened, [(study.root(), StorageErrorKind::Denied)]);

        // Pulling it says why it can't be had, and writes over nothing.
        let archive = [study.clone()];
        let mut world = World::new(0, &archive, MemoryStorage::new());
        world.store = Some(store);
        world.connect();
        world.pull_all();
        world.run();
        let error = format!("{:?}", world.errors);
        assert!(error.contains("Denied"), "{error}");
        // When the cause is gone the next pull finds all that was there.
        world.store().storage_mut().allow();
        world.pull_all();
        assert!(world.run(), "{:?}", world.errors);
        assert!(world.is_complete());
        assert!(world.data_sent < 400_000, "{}", world.data_sent);
        world.check_visible();
    }
}

#[test]
fn ok_a_removal_cut_short_leaves_the_study_whole_or_gone() {
    let study = made();
    let root = study.root();
    for base in [complete(&study), partial(&study)] {
        let mut before = open(base.clone());
        let operations = before.storage_mut().operations();
        before.remove(&root).unwrap();
        let most = before.storage_mut().operations() - operations;
        assert!(most > 5);
        let (mut gone, mut kept) = (0, 0);
        for stop in 0..=most {
            for style in [
                CrashStyle::Kill,
                CrashStyle::Forget,
                CrashStyle::Tear(stop + 1),
            ] {
                let mut store = open(base.clone());
                let bytes = store
                    .partial()
                    .iter()
                    .map(PartialStudy::bytes_done)
                    .sum::<u64>();
                store.storage_mut().stop_after(stop);
                let removed = store.remove(&root).is_ok();
                let mut storage = store.into_storage();
                storage.crash(style);
                let (mut store, recovery) = Store::open(storage, small_groups()).unwrap();
                assert_eq!(recovery.damaged, 0, "{stop} {style:?}");
                let here = store.manifest(&root).is_some();
                if here && !store.complete().is_empty() {
                    assert!(
                        store.verify(&root).unwrap().wrong.is_empty(),
                        "{stop} {style:?}"
                    );
                }
                if here && store.complete().is_empty() {
                    assert_eq!(store.partial()[0].bytes_done(), bytes, "{stop} {style:?}");
                }
                assert!(!(removed && here), "{stop} {style:?}: it came back");
                gone += u32::from(!here);
                kept += u32::from(here);
                let mut storage = store.into_storage();
                assert!(
                    storage.list("trash").unwrap().is_empty(),
                    "{stop} {style:?}"
                );
            }
        }
        assert!(gone > 3 && kept > 3, "{gone} {kept}");
    }
}

#[test]
fn err_any_single_failure_of_the_storage_is_said_and_resumed_from() {
    let study = made();
    let most = complete(&study).operations();
    let kinds = [
        StorageErrorKind::Denied,
        StorageErrorKind::Full,
        StorageErrorKind::Failed,
    ];
    let mut said = 0;
    for at in 0..most {
        let kind = kinds[at as usize % 3];
        let mut world = World::new(at, std::slice::from_ref(&study), MemoryStorage::new());
        world.store().storage_mut().fail_once(at, kind);
        world.connect();
        world.pull_all();
        world.run();
        let failed = !world.errors.is_empty();
        said += u32::from(failed);
        if failed {
            let text = format!("{:?}", world.errors);
            assert!(text.contains(&format!("{kind:?}")), "{at}: {text}");
        }
        // A failure that did not come is not to hit the checks.
        world.store().storage_mut().fail_once(u64::MAX, kind);
        world.check_visible();
        let kept = done(&mut world);
        let whole = world.is_complete();
        world.let_lines_fall_silent();
        let sent = world.data_sent;
        world.pull_all();
        assert!(world.run_to_the_end(2), "{at} {:?}", world.errors);
        assert!(world.is_complete(), "{at}");
        let again = world.data_sent - sent;
        assert_eq!(again, if whole { 0 } else { study.bytes() - kept }, "{at}");
        world.crash(CrashStyle::Forget);
        assert!(world.is_complete(), "{at}");
    }
    assert!(said > 30, "{said}");
}
