//! The TCP adapter end to end: pulled, repeated, refused, corrupted, cut.

#![cfg(feature = "std")]
#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test's ways to fail and to speak"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, FileStudy, Labels};
use mic_transfer::adapter::tcp::{
    AllowAll, Authorizer, Pull, PullEvent, Refusal, StudyOutcome, serve_connection,
};
use mic_transfer::limits::SLOTS_MAX;
use mic_transfer::receiver::ReceiverConfig;
use mic_transfer::sender::SenderConfig;
use mic_transfer::storage::StorageErrorKind;
use mic_transfer::wire::{Frame, PREFACE, Session, encode};
use mic_transfer::{Auth, ErrorCode, Receipt, SessionError, SignFailed, Signature, Uid};

fn uid(text: &str) -> Uid {
    Uid::new(text).unwrap()
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed * 2 + 1;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(step).collect()
}

/// A source of one study of files of these lengths; the bytes follow from the seed.
fn study(folder: &Path, name: &str, lengths: &[usize]) -> FileSource {
    let source = FileSource::new();
    insert(&source, folder, name, lengths);
    source
}

fn insert(source: &FileSource, folder: &Path, name: &str, lengths: &[usize]) {
    let mut files = FileStudy::new(uid(name));
    for (at, length) in lengths.iter().enumerate() {
        let path = folder.join(format!("{name}-{at}"));
        std::fs::write(&path, noise(at as u64 + 7, *length)).unwrap();
        let labels = Labels::new(
            uid("1.2.840.10008.5.1.4.1.1.2"),
            uid(&format!("{name}.{at}")),
            uid(&format!("{name}.{}", at % 2)),
            uid("1.2.840.10008.1.2.1"),
        );
        files.add(&path, labels.with_rank(at as u32)).unwrap();
    }
    source.insert(files.unsigned().unwrap());
}

/// Serves every connection on a thread of its own until the test ends.
fn serve<A: Authorizer + Clone + Send + 'static>(source: FileSource, authorizer: A) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (source, authorizer) = (source.clone(), authorizer.clone());
            thread::spawn(move || {
                serve_connection(stream, &source, &authorizer, SenderConfig::default()).unwrap()
            });
        }
    });
    address
}

const LENGTHS: [usize; 6] = [100, 262_144, 262_145, 1_000_000, 5, 3_000_000];

#[test]
fn ok_a_study_arrives_byte_for_byte_and_a_second_pull_moves_no_data() {
    let folder = tempfile::tempdir().unwrap();
    let source = study(folder.path(), "1.2.3", &LENGTHS);
    let address = serve(source.clone(), AllowAll);
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let mut instances = 0;
    let report = Pull::new(address)
        .study(uid("1.2.3"), Auth::none())
        .run(&store, |event| {
            instances += u32::from(matches!(event, PullEvent::Instance { .. }));
        })
        .unwrap();
    let total = LENGTHS.iter().sum::<usize>() as u64;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.fetched(), report.held(), instances), (total, 0, 6));
    assert!(report.received > total && report.received < total + 4096);
    let ready = source.get(&uid("1.2.3")).unwrap();
    for (at, instance) in ready.signed().manifest().instances().iter().enumerate() {
        let expected = std::fs::read(ready.path(at as u32).unwrap()).unwrap();
        assert_eq!(store.read_instance(instance.digest()).unwrap(), expected);
    }
    assert_eq!(store.complete().len(), 1);
    assert_eq!(
        store
            .verify(ready.signed().manifest().root())
            .unwrap()
            .right,
        6
    );
    assert!(store.complete()[0].countersignature().is_some());

    // Again, with the store opened anew: the same folder, another process's view.
    drop(store);
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let again = Pull::new(address)
        .study(uid("1.2.3"), Auth::none())
        .run(&store, |_| {})
        .unwrap();
    assert!(again.is_complete());
    assert_eq!((again.fetched(), again.held()), (0, total));
    assert!(again.received < 1024, "{again:?}");
}

#[test]
fn ok_more_studies_than_slots_wait_and_each_has_its_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let source = FileSource::new();
    let names: Vec<String> = (0..SLOTS_MAX + 9).map(|n| format!("1.2.7.{n}")).collect();
    for name in &names {
        insert(&source, folder.path(), name, &[300_000, 20]);
    }
    let address = serve(source, AllowAll);
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let mut pull = Pull::new(address);
    for name in &names {
        pull = pull.study(uid(name), Auth::none());
    }
    let report = pull.run(&store, |_| {}).unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.studies.len(), names.len());
    assert_eq!(store.complete().len(), names.len());
}

#[test]
fn ok_several_connections_share_one_queue() {
    let folder = tempfile::tempdir().unwrap();
    let source = study(folder.path(), "1.2.4", &[3_000_000; 8]);
    let address = serve(source, AllowAll);
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let report = Pull::new(address)
        .connections(4)
        .study(uid("1.2.4"), Auth::none())
        .run(&store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.fetched(), 24_000_000);
}

/// XFR-5.
#[test]
fn ok_a_changed_study_fetches_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let first = serve(study(folder.path(), "1.2.5", &LENGTHS), AllowAll);
    Pull::new(first)
        .study(uid("1.2.5"), Auth::none())
        .run(&store, |_| {})
        .unwrap();
    let more = [&LENGTHS[..], &[7777]].concat();
    let second = serve(study(folder.path(), "1.2.5", &more), AllowAll);
    let report = Pull::new(second)
        .study(uid("1.2.5"), Auth::none())
        .run(&store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.fetched(), 7777);
    assert_eq!(store.complete().len(), 2);
}

#[test]
fn ok_a_pull_is_steered_from_within_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let source = study(folder.path(), "1.2.10", &[1_000_000; 10]);
    let clicked = *source
        .get(&uid("1.2.10"))
        .unwrap()
        .signed()
        .manifest()
        .instances()[9]
        .digest();
    let address = serve(source, AllowAll);
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let pull = Pull::new(address).study(uid("1.2.10"), Auth::none());
    let control = pull.control();
    let mut events = 0;
    let report = pull
        .run(&store, |_| {
            events += 1;
            control.click(clicked);
            if events == 5 {
                control.cancel();
            }
        })
        .unwrap();
    assert!(
        matches!(
            report.studies[0].outcome,
            StudyOutcome::Failed(SessionError::Cancelled)
        ),
        "{report:?}"
    );
    let kept = store.partial()[0].bytes_done();
    assert!(kept > 0);
    let report = Pull::new(address)
        .study(uid("1.2.10"), Auth::none())
        .run(&store, |_| {})
        .unwrap();
    assert_eq!((report.held(), report.fetched()), (kept, 10_000_000 - kept));
}

/// Not a test by itself: the process that [`ok_a_killed_process_resumes`] kills.
#[test]
#[ignore = "run by another test as a process of its own"]
fn child_that_pulls() {
    let (Ok(address), Ok(folder)) = (
        std::env::var("MIC_PULL_FROM"),
        std::env::var("MIC_PULL_INTO"),
    ) else {
        return;
    };
    let store = DiskStore::open(folder).unwrap();
    let pull = Pull::new(address.parse().unwrap()).study(uid("1.2.9"), Auth::none());
    pull.run(&store, |_| {
        thread::sleep(core::time::Duration::from_millis(2));
    })
    .unwrap();
}

#[test]
fn ok_a_killed_process_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let lengths = [4_000_000; 5];
    let address = serve(study(folder.path(), "1.2.9", &lengths), AllowAll);
    let into = folder.path().join("store");
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_pulls", "--ignored"])
        .env("MIC_PULL_FROM", address.to_string())
        .env("MIC_PULL_INTO", &into)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let journal = || {
        let entry = std::fs::read_dir(into.join("partial"))
            .ok()?
            .flatten()
            .next()?;
        std::fs::metadata(entry.path().join("journal"))
            .ok()
            .map(|known| known.len())
    };
    // Some chunks are noted: the manifest takes 500 bytes, a note 21.
    while journal().is_none_or(|length| length < 2500) && child.try_wait().unwrap().is_none() {
        thread::sleep(core::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let store = DiskStore::open(&into).unwrap();
    assert!(store.complete().is_empty(), "killed half-way");
    let kept = store.partial()[0].bytes_done();
    assert!(kept > 0);
    let report = Pull::new(address)
        .study(uid("1.2.9"), Auth::none())
        .run(&store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    let total = lengths.iter().sum::<usize>() as u64;
    assert_eq!((report.held(), report.fetched()), (kept, total - kept));
    assert_eq!(store.verify(store.complete()[0].root()).unwrap().right, 5);
}

#[derive(Clone)]
struct Tokens;

impl Authorizer for Tokens {
    fn session(&self, auth: &[u8]) -> Result<(), Refusal> {
        if auth == b"site" {
            Ok(())
        } else {
            Err(Refusal::because(1))
        }
    }

    fn study(&self, _: &Uid, auth: &[u8]) -> Result<(), Refusal> {
        if auth == b"grant" {
            Ok(())
        } else {
            Err(Refusal::because(77))
        }
    }

    fn receipt(&self, _: &Receipt, signature: Option<&Signature>) -> Option<Signature> {
        signature.cloned()
    }
}

fn outcome(
    address: SocketAddr,
    store: &DiskStore,
    name: &str,
    site: &str,
    grant: &str,
) -> StudyOutcome {
    let auth = |text: &str| Auth::new(text.as_bytes().to_vec()).unwrap();
    let pull = Pull::new(address)
        .auth(auth(site))
        .study(uid(name), auth(grant))
        .sign_with(|message| Ok(Signature::new("test", vec![], message[..8].to_vec()).ok()));
    pull.run(store, |_| {}).unwrap().studies.remove(0).outcome
}

#[test]
fn err_refusals_reach_the_other_side_with_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    let address = serve(study(folder.path(), "1.2.6", &[10]), Tokens);
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let reported = |outcome| match outcome {
        StudyOutcome::Failed(SessionError::Reported { code, reason, .. }) => (code, reason),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        reported(outcome(address, &store, "1.2.6", "site", "other")),
        (ErrorCode::StudyRefused, Some(77))
    );
    assert_eq!(
        reported(outcome(address, &store, "9.9", "site", "grant")),
        (ErrorCode::StudyUnknown, None)
    );
    assert_eq!(
        reported(outcome(address, &store, "1.2.6", "nobody", "grant")),
        (ErrorCode::SessionRefused, Some(1))
    );
    assert!(store.complete().is_empty() && store.partial().is_empty());
    assert!(matches!(
        outcome(address, &store, "1.2.6", "site", "grant"),
        StudyOutcome::Complete(_)
    ));
    let complete = store.complete();
    assert_eq!(
        complete[0].receipt().unwrap().1.as_ref().unwrap().suite(),
        "test"
    );
    assert_eq!(
        complete[0]
            .countersignature()
            .unwrap()
            .as_ref()
            .unwrap()
            .suite(),
        "test"
    );
}

/// A line that flips one bit of what the source sends, at this byte, or cuts there.
fn proxy(to: SocketAddr, at: usize, cut: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = TcpStream::connect(to).unwrap();
            let (mut up_from, mut up_to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut up_from, &mut up_to));
            let (mut from, mut to) = (far, near);
            thread::spawn(move || {
                let (mut seen, mut buffer) = (0, vec![0; 65_536]);
                while let Ok(read) = from.read(&mut buffer) {
                    if read == 0 {
                        break;
                    }
                    let mut end = read;
                    if (seen..seen + read).contains(&at) {
                        buffer[at - seen] ^= 0x10;
                        end = if cut { at - seen } else { read };
                    }
                    if to.write_all(&buffer[..end]).is_err() || end < read {
                        break;
                    }
                    seen += read;
                }
                let _ = to.shutdown(std::net::Shutdown::Both);
                let _ = from.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    address
}

#[test]
fn err_a_corrupting_line_leaves_no_half_written_study_and_a_good_one_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let address = serve(study(folder.path(), "1.2.7", &LENGTHS), AllowAll);
    for (round, at) in [20, 500, 1100, 300_000, 2_000_000, 4_500_000]
        .into_iter()
        .enumerate()
    {
        for cut in [false, true] {
            let store = DiskStore::open(folder.path().join(format!("store{round}{cut}"))).unwrap();
            let bad = proxy(address, at, cut);
            let pull = |to: SocketAddr| {
                let pull = Pull::new(to)
                    .reconnects(0)
                    .study(uid("1.2.7"), Auth::none());
                pull.run(&store, |_| {}).unwrap()
            };
            let report = pull(bad);
            assert!(!report.is_complete(), "{at} {cut}");
            assert!(store.complete().is_empty());
            let kept: u64 = store
                .partial()
                .iter()
                .map(mic_transfer::store::PartialStudy::bytes_done)
                .sum();
            let report = pull(address);
            assert!(report.is_complete(), "{at} {cut} {report:?}");
            assert_eq!(report.held(), kept, "verified chunks are not fetched again");
            assert_eq!(
                report.fetched(),
                LENGTHS.iter().sum::<usize>() as u64 - kept
            );
        }
    }
}

#[test]
fn ok_a_line_that_cuts_is_connected_again_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let address = serve(study(folder.path(), "1.2.8", &LENGTHS), AllowAll);
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let bad = proxy(address, 2_000_000, true);
    let report = Pull::new(bad)
        .reconnects(6)
        .study(uid("1.2.8"), Auth::none())
        .run(&store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert!(report.reconnects >= 1);
}

#[test]
fn err_a_pack_cut_from_outside_is_an_error_and_no_short_instance() {
    let folder = tempfile::tempdir().unwrap();
    let source = study(folder.path(), "1.2.16", &[1000, 2000]);
    let address = serve(source.clone(), AllowAll);
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let pull = Pull::new(address).study(uid("1.2.16"), Auth::none());
    assert!(pull.run(&store, |_| {}).unwrap().is_complete());
    let ready = source.get(&uid("1.2.16")).unwrap();
    let manifest = ready.signed().manifest();
    let pack = folder
        .path()
        .join(format!("store/complete/{}/pack", manifest.root()));
    let file = std::fs::OpenOptions::new().write(true).open(pack).unwrap();
    file.set_len(1500).unwrap();
    let digest = manifest.instances()[1].digest();
    let error = store.read_instance(digest).unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Damaged);
    let read = store
        .open_instance(digest)
        .unwrap()
        .read_to_end(&mut Vec::new());
    assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}

#[test]
fn err_without_a_signature_no_receipt_goes_out_and_the_next_pull_issues_it() {
    let folder = tempfile::tempdir().unwrap();
    let address = serve(study(folder.path(), "1.2.17", &[1000]), AllowAll);
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let pull = || Pull::new(address).study(uid("1.2.17"), Auth::none());
    let report = pull()
        .sign_with(|_| Err(SignFailed))
        .run(&store, |_| {})
        .unwrap();
    let outcome = &report.studies[0].outcome;
    assert!(
        matches!(outcome, StudyOutcome::Unreceipted(SessionError::Sign(_))),
        "{outcome:?}"
    );
    assert!(!report.is_complete());
    assert_eq!(store.complete().len(), 1);
    assert!(store.complete()[0].receipt().is_none());
    let signature = Signature::new("test", vec![1], vec![2]).unwrap();
    let report = pull()
        .sign_with(|_| Ok(Some(signature.clone())))
        .run(&store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.fetched(), 0);
    let complete = store.complete();
    let (_, kept) = complete[0].receipt().unwrap();
    assert_eq!(kept.as_ref(), Some(&signature));
}

#[test]
fn ok_a_cancel_starts_no_study_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let source = FileSource::new();
    let names: Vec<String> = (0..SLOTS_MAX + 9).map(|n| format!("1.2.8.{n}")).collect();
    for name in &names {
        insert(&source, folder.path(), name, &[30]);
    }
    let address = serve(source, AllowAll);
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let mut pull = Pull::new(address);
    for name in &names {
        pull = pull.study(uid(name), Auth::none());
    }
    pull.control().cancel();
    let report = pull.run(&store, |_| {}).unwrap();
    assert_eq!(report.studies.len(), names.len());
    let cancelled = StudyOutcome::Failed(SessionError::Cancelled);
    assert!(report.studies.iter().all(|one| one.outcome == cancelled));
    assert!(store.complete().is_empty() && store.partial().is_empty());
}

/// One line that never falls silent must not keep the timers of another from their turn.
#[test]
fn err_a_silent_line_is_given_up_beside_one_that_never_stops_talking() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let source = thread::spawn(move || {
        let (mut talker, _) = listener.accept().unwrap();
        let (mut silent, _) = listener.accept().unwrap();
        let hello = Frame::Hello(Session::new(Auth::none()));
        talker.write_all(&PREFACE).unwrap();
        talker.write_all(&encode(&hello).to_vec()).unwrap();
        // A frame of a later version, without end.
        let mut chatter = vec![0, 0, 0, 200, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0];
        chatter.extend_from_slice(&crc32c::crc32c(&chatter).to_le_bytes());
        let chatter = chatter.repeat(1000);
        let talking = thread::spawn(move || while talker.write_all(&chatter).is_ok() {});
        silent
            .set_read_timeout(Some(std::time::Duration::from_secs(20)))
            .unwrap();
        let mut heard = Vec::new();
        let ended = silent.read_to_end(&mut heard).is_ok();
        (ended, talking)
    });
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open(folder.path()).unwrap();
    let mut config = ReceiverConfig::default();
    config.greeting_timeout = std::time::Duration::from_millis(300);
    let pull = Pull::new(address)
        .connections(2)
        .reconnects(0)
        .config(config)
        .study(uid("1.2.3"), Auth::none());
    let control = pull.control();
    let watching = thread::spawn(move || {
        let (ended, talking) = source.join().unwrap();
        control.cancel();
        (ended, talking)
    });
    pull.run(&store, |_| {}).unwrap();
    let (ended, talking) = watching.join().unwrap();
    assert!(ended, "the silent line was never given up");
    talking.join().unwrap();
}
