//! The cases. Each stands for itself: its own folder, source and store.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileError, FileSource, FileStudy, Labels};
use mic_transfer::adapter::pull::{Pull, PullEvent, PullReport, StudyOutcome};
use mic_transfer::adapter::serve::{AllowAll, Authorizer, Peer, Refusal};
use mic_transfer::receiver::{Priority, ReceiverConfig};
use mic_transfer::sender::{CoderPolicy, SenderConfig};
use mic_transfer::{Auth, ErrorCode, InstanceError, Receipt, SessionError, Signature, Uid};

use crate::carriers::{Carrier, Door};
use crate::data::{Archive, insert, insert_images, insert_of, instance, noise, uid};

pub(crate) const STUDY: &str = "1.2.3";
const LENGTHS: [usize; 6] = [100, 262_144, 262_145, 1_000_000, 5, 2_000_000];

pub(crate) struct Scene {
    folder: tempfile::TempDir,
    pub(crate) archive: Archive,
    pub(crate) store: DiskStore,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::open(folder.path().join("store")).unwrap();
        let archive = Archive::new(&FileSource::new());
        Self {
            folder,
            archive,
            store,
        }
    }

    pub(crate) fn of(name: &str, lengths: &[usize]) -> Self {
        let scene = Self::new();
        scene.insert(name, 7, lengths);
        scene
    }

    fn insert(&self, name: &str, seed: u64, lengths: &[usize]) {
        insert(&self.archive.files, self.path(), name, seed, lengths);
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Every instance of the study, as its source has it.
    pub(crate) fn check(&self, study: &str) {
        let ready = self.archive.files.get(&uid(study)).unwrap();
        for (at, instance) in ready.signed().manifest().instances().iter().enumerate() {
            let expected = std::fs::read(ready.path(at as u32).unwrap()).unwrap();
            let found = self.store.read_instance(instance.digest()).unwrap();
            assert!(found == expected, "instance {at}");
        }
        let root = *ready.signed().manifest().root();
        let verified = self.store.verify(&root).unwrap();
        assert!(verified.wrong.is_empty());
    }
}

/// A small window, so that much is still to come when something happens.
fn pull(door: &Door) -> Pull<'static> {
    let mut config = ReceiverConfig::default();
    config.window_bytes = 512 * 1024;
    Pull::over(door.dial()).config(config)
}

fn only(report: &PullReport) -> &StudyOutcome {
    &report.studies[0].outcome
}

pub(crate) fn total(lengths: &[usize]) -> u64 {
    lengths.iter().sum::<usize>() as u64
}

pub(crate) fn ok_a_whole_study_arrives_and_a_second_pull_moves_nothing(carrier: Carrier) {
    let scene = Scene::of(STUDY, &LENGTHS);
    let door = carrier.open(&scene.archive, AllowAll);
    let mut instances = 0;
    let report = pull(&door)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |event| {
            instances += u32::from(matches!(event, PullEvent::Instance { .. }));
        })
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.fetched(), instances), (total(&LENGTHS), 6));
    assert_eq!(report.sources.len(), 1);
    assert!(report.sources[0].received >= report.fetched());
    scene.check(STUDY);
    let again = pull(&door)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |_| {})
        .unwrap();
    assert!(again.is_complete(), "{again:?}");
    assert_eq!((again.fetched(), again.held()), (0, total(&LENGTHS)));
}

pub(crate) fn ok_several_connections_share_one_queue(carrier: Carrier) {
    let lengths = [1_500_000; 8];
    let scene = Scene::of(STUDY, &lengths);
    let door = carrier.open(&scene.archive, AllowAll);
    let report = pull(&door)
        .connections(4)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.fetched(), total(&lengths));
    assert_eq!(report.sources[0].connections, 4);
    scene.check(STUDY);
}

pub(crate) fn ok_a_line_that_is_cut_is_made_again(carrier: Carrier) {
    let lengths = [1_000_000; 6];
    let scene = Scene::of(STUDY, &lengths);
    let door = carrier.open(&scene.archive, AllowAll);
    let (mut cut, mut reconnecting) = (false, 0);
    let report = pull(&door)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |event| match event {
            PullEvent::Progress(_, progress) if progress.bytes_done > 2_000_000 && !cut => {
                cut = true;
                door.cut();
            }
            PullEvent::Reconnecting(_) => reconnecting += 1,
            _ => {}
        })
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert!(cut);
    assert!(
        carrier.asks_again() || reconnecting >= 1 && report.reconnects >= 1,
        "{report:?}"
    );
    // Nothing that was verified came twice.
    assert_eq!(report.fetched() + report.held(), total(&lengths));
    scene.check(STUDY);
}

pub(crate) fn ok_a_source_killed_in_the_middle_is_replaced_by_another(carrier: Carrier) {
    let lengths = [1_000_000; 6];
    let scene = Scene::of(STUDY, &lengths);
    let door = carrier.open(&scene.archive, AllowAll);
    let report = pull(&door)
        .reconnects(0)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |event| {
            if let PullEvent::Progress(_, progress) = event {
                if progress.bytes_done > 2_000_000 {
                    door.kill();
                }
            }
        })
        .unwrap();
    assert!(
        matches!(only(&report), StudyOutcome::Failed(_)),
        "{report:?}"
    );
    assert!(scene.store.complete().is_empty());
    let kept = scene.store.partial()[0].bytes_done();
    assert!(kept > 2_000_000 && kept < total(&lengths), "{kept}");
    let other = carrier.open(&scene.archive, AllowAll);
    let report = pull(&other)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.held(), kept);
    assert_eq!(report.fetched(), total(&lengths) - kept);
    scene.check(STUDY);
}

/// The seeds of a case: `MIC_TRANSFER_SEED` alone, to play a failure again, or these.
fn seeds(all: &[u64]) -> Vec<u64> {
    let one = std::env::var("MIC_TRANSFER_SEED").ok();
    one.map_or_else(|| all.to_vec(), |seed| vec![seed.parse().unwrap()])
}

/// A number below `below`.
fn place(seed: u64, below: u64) -> u64 {
    let bytes = noise(seed, 64);
    u64::from_le_bytes(bytes[56..].try_into().unwrap()) % below
}

/// XFR-101, over lines of one kind and of two.
pub(crate) fn ok_a_source_lost_in_the_middle_leaves_the_rest_to_the_other(carrier: Carrier) {
    let lengths = [1_000_000; 6];
    for seed in seeds(&[1, 2, 3]) {
        let at = 100_000 + place(seed, 5_000_000);
        let scene = Scene::of(STUDY, &lengths);
        let other = if seed % 2 == 0 { Carrier::Tcp } else { carrier };
        let lost = carrier.open(&scene.archive, AllowAll);
        let stays = other.open(&scene.archive, AllowAll);
        eprintln!("MIC_TRANSFER_SEED={seed}: one of {carrier:?} lost at {at}, {other:?} stays");
        let mut killed = false;
        let report = pull(&lost)
            .and(stays.dial())
            .connections(2)
            .reconnects(1)
            .study(uid(STUDY), Auth::none())
            .run(&scene.store, |event| match event {
                PullEvent::Progress(_, progress) if progress.bytes_done >= at && !killed => {
                    killed = true;
                    lost.kill();
                }
                _ => {}
            })
            .unwrap();
        assert!(killed && report.is_complete(), "{report:?}");
        // Nothing that was verified came twice, and the other brought what was left.
        assert_eq!(report.fetched() + report.held(), total(&lengths));
        // What two connections had been asked for, and the chunk that told.
        let window = 2 * 512 * 1024 + 2 * 262_144;
        let [first, second] = &report.sources[..] else {
            panic!("{report:?}");
        };
        assert!(
            second.received + at + window >= total(&lengths),
            "{report:?}"
        );
        assert!(first.received + second.received >= total(&lengths));
        scene.check(STUDY);
    }
}

/// XFR-100: a digest, a checksum or the line's own means find it; only its chunks come again.
pub(crate) fn ok_a_byte_damaged_on_the_line_is_asked_for_again(carrier: Carrier) {
    let lengths = [1_000_000; 3];
    for seed in seeds(&[1, 2, 3, 4]) {
        let at = 10_000 + place(seed, 2_900_000);
        eprintln!("MIC_TRANSFER_SEED={seed}: byte {at} of the source is damaged");
        let scene = Scene::of(STUDY, &lengths);
        let door = carrier.open(&scene.archive, AllowAll);
        door.damage().after(at as usize);
        let report = pull(&door)
            .study(uid(STUDY), Auth::none())
            .run(&scene.store, |_| {})
            .unwrap();
        assert!(door.damage().is_done());
        assert!(report.is_complete(), "{report:?}");
        assert_eq!(report.fetched() + report.held(), total(&lengths));
        scene.check(STUDY);
    }
}

/// XFR-101: the first wrong chunk of a source is its last where another stands.
pub(crate) fn err_a_source_that_lies_is_left_for_the_other(carrier: Carrier) {
    let lengths = [1_000_000; 6];
    let scene = Scene::of(STUDY, &lengths);
    let liar = Archive::new(&scene.archive.files);
    liar.lies.store(true, Ordering::Relaxed);
    let lies = carrier.open(&liar, AllowAll);
    let tells = carrier.open(&scene.archive, AllowAll);
    let report = pull(&lies)
        .and(tells.dial())
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.sources[1].error, None, "{report:?}");
    if let Some(error) = &report.sources[0].error {
        assert!(
            matches!(error, SessionError::WrongChunk { instance: 2, .. }),
            "{report:?}"
        );
        assert_eq!(report.sources[0].connections, 1, "{report:?}");
    }
    scene.check(STUDY);
}

pub(crate) fn err_a_wrong_byte_is_never_kept(carrier: Carrier) {
    let lengths = [300_000; 5];
    let scene = Scene::of(STUDY, &lengths);
    scene.archive.lies.store(true, Ordering::Relaxed);
    let door = carrier.open(&scene.archive, AllowAll);
    let report = pull(&door)
        .reconnects(1)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |_| {})
        .unwrap();
    let outcome = only(&report);
    let wrong = SessionError::WrongChunk {
        instance: 2,
        chunk: 1,
    };
    assert_eq!(*outcome, StudyOutcome::Failed(wrong.clone()), "{report:?}");
    assert_eq!(report.sources[0].error, Some(wrong));
    assert!(scene.store.complete().is_empty());
    let damaged = instance(&scene.archive.files, STUDY, 2);
    assert!(scene.store.read_instance(&damaged).is_err());
    // The source is put right: only what was not verified comes.
    scene.archive.lies.store(false, Ordering::Relaxed);
    let report = pull(&door)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.fetched() + report.held(), total(&lengths));
    scene.check(STUDY);
}

/// Lets in who shows the right words, and remembers who was there.
#[derive(Clone, Default)]
pub(crate) struct Tokens {
    peers: Arc<Mutex<Vec<Peer>>>,
}

#[cfg(feature = "tls")]
impl Tokens {
    /// Who asked for a session or a study.
    pub(crate) fn peers(&self) -> Vec<Peer> {
        self.peers.lock().unwrap().clone()
    }
}

impl Authorizer for Tokens {
    fn session(&self, auth: &[u8]) -> Result<(), Refusal> {
        (auth == b"site").then_some(()).ok_or(Refusal::because(1))
    }

    fn study(&self, _: &Uid, auth: &[u8]) -> Result<(), Refusal> {
        (auth == b"grant").then_some(()).ok_or(Refusal::because(77))
    }

    fn session_of(&self, peer: &Peer, auth: &[u8]) -> Result<(), Refusal> {
        self.peers.lock().unwrap().push(peer.clone());
        self.session(auth)
    }

    fn study_of(&self, peer: &Peer, study: &Uid, auth: &[u8]) -> Result<(), Refusal> {
        self.peers.lock().unwrap().push(peer.clone());
        self.study(study, auth)
    }

    fn receipt(&self, receipt: &Receipt, signature: Option<&Signature>) -> Option<Signature> {
        let bytes = signature?.bytes().to_vec();
        assert_eq!(bytes, receipt.digest().as_bytes());
        Signature::new("answer", vec![], bytes).ok()
    }
}

fn auth(text: &str) -> Auth {
    Auth::new(text.as_bytes().to_vec()).unwrap()
}

pub(crate) fn err_refusals_reach_the_receiver_with_their_reason(carrier: Carrier) {
    let scene = Scene::of(STUDY, &[300_000]);
    let door = carrier.open(&scene.archive, Tokens::default());
    let outcome = |name: &str, site: &str, grant: &str| {
        let report = pull(&door)
            .auth(auth(site))
            .study(uid(name), auth(grant))
            .run(&scene.store, |_| {})
            .unwrap();
        match only(&report) {
            StudyOutcome::Failed(SessionError::Reported { code, reason, .. }) => (*code, *reason),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        outcome(STUDY, "site", "another"),
        (ErrorCode::StudyRefused, Some(77))
    );
    assert_eq!(
        outcome("9.9", "site", "grant"),
        (ErrorCode::StudyUnknown, None)
    );
    assert_eq!(
        outcome(STUDY, "nobody", "grant"),
        (ErrorCode::SessionRefused, Some(1))
    );
    assert!(scene.store.complete().is_empty() && scene.store.partial().is_empty());
}

pub(crate) fn ok_the_first_image_comes_first(carrier: Carrier) {
    let scene = Scene::of(STUDY, &[200_000; 9]);
    let first = instance(&scene.archive.files, STUDY, 4);
    let door = carrier.open(&scene.archive, AllowAll);
    let mut order = Vec::new();
    let mut pull = pull(&door).study(uid(STUDY), Auth::none());
    pull = pull.verify_first_with(|_| Ok(()));
    let report = pull
        .run(&scene.store, |event| match event {
            PullEvent::First { digest, bytes, .. } => {
                assert!(mic_transfer::Digest::of(bytes) == digest);
                order.push(("first", digest));
            }
            PullEvent::Planned(..) => order.push(("planned", first)),
            PullEvent::Instance { digest, .. } => order.push(("instance", digest)),
            _ => {}
        })
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    // Shown from memory before the manifest is judged; the first one of the store as well.
    assert_eq!(order[..2], [("first", first), ("planned", first)]);
    assert_eq!(order[2], ("instance", first));
}

pub(crate) fn ok_a_click_goes_before_the_rest(carrier: Carrier) {
    let lengths = [1_000_000; 24];
    let scene = Scene::of(STUDY, &lengths);
    // In the middle of what no rule prefers.
    let clicked = instance(&scene.archive.files, STUDY, 23);
    let door = carrier.open(&scene.archive, AllowAll);
    let pull = pull(&door).study(uid(STUDY), Auth::none());
    let control = pull.control();
    let mut order = Vec::new();
    let report = pull
        .run(&scene.store, |event| match event {
            PullEvent::Planned(..) => control.click(clicked),
            PullEvent::Instance { digest, .. } => order.push(digest),
            _ => {}
        })
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    let place = order.iter().position(|digest| *digest == clicked).unwrap();
    // A line of HTTP makes a connection for it, while an exchange of four images goes on beside.
    assert!(place <= 8, "the click came as number {place}");
}

pub(crate) fn ok_what_was_cancelled_is_resumed(carrier: Carrier) {
    let lengths = [1_000_000; 8];
    let scene = Scene::of(STUDY, &lengths);
    let door = carrier.open(&scene.archive, AllowAll);
    let cancelled = pull(&door).study(uid(STUDY), Auth::none());
    let control = cancelled.control();
    let report = cancelled
        .run(&scene.store, |event| {
            if let PullEvent::Progress(_, progress) = event {
                if progress.bytes_done > 2_000_000 {
                    control.cancel();
                }
            }
        })
        .unwrap();
    let expected = StudyOutcome::Failed(SessionError::Cancelled);
    assert_eq!(*only(&report), expected, "{report:?}");
    let kept = scene.store.partial()[0].bytes_done();
    assert!(kept > 2_000_000 && kept < total(&lengths), "{kept}");
    let report = pull(&door)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(
        (report.held(), report.fetched()),
        (kept, total(&lengths) - kept)
    );
    scene.check(STUDY);
}

pub(crate) fn ok_a_pause_stops_and_a_resume_goes_on(carrier: Carrier) {
    let lengths = [1_000_000; 8];
    let scene = Scene::of(STUDY, &lengths);
    let door = carrier.open(&scene.archive, AllowAll);
    let paused = pull(&door).study(uid(STUDY), Auth::none());
    let control = paused.control();
    let (seen, mut waker) = (Arc::new(Mutex::new((0, 0))), None);
    let report = paused
        .run(&scene.store, |event| {
            let PullEvent::Progress(_, progress) = event else {
                return;
            };
            seen.lock().unwrap().0 = progress.bytes_done;
            if progress.bytes_done > 1_000_000 && waker.is_none() {
                control.pause(None);
                let (control, seen) = (control.clone(), Arc::clone(&seen));
                waker = Some(thread::spawn(move || {
                    // What was asked for still comes; then nothing does.
                    let mut last = 0;
                    loop {
                        thread::sleep(Duration::from_millis(400));
                        let now = seen.lock().unwrap().0;
                        if now == last {
                            break;
                        }
                        last = now;
                    }
                    seen.lock().unwrap().1 = last;
                    control.resume(None);
                }));
            }
        })
        .unwrap();
    waker.unwrap().join().unwrap();
    assert!(report.is_complete(), "{report:?}");
    let rested_at = seen.lock().unwrap().1;
    let most = 1_000_000 + 2 * 512 * 1024 + 4 * 262_144;
    assert!(rested_at < most, "{rested_at} bytes came during the pause");
    scene.check(STUDY);
}

/// XFR-80: shorter on the line, the same in the store; without the feature raw.
pub(crate) fn ok_coded_chunks_are_carried(carrier: Carrier) {
    let lengths = [900_000; 4];
    let scene = Scene::new();
    let coins = |seed, length| noise(seed, length).iter().map(|byte| byte & 1).collect();
    let files = &scene.archive.files;
    insert_of(files, scene.path(), STUDY, 3, &lengths, coins);
    let mut config = SenderConfig::default();
    config.coding = CoderPolicy::Always;
    let door = carrier.open_with(&scene.archive, AllowAll, config);
    let report = pull(&door)
        .connections(2)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.fetched(), total(&lengths));
    let is_shorter = report.received < total(&lengths) / 4;
    assert_eq!(is_shorter, cfg!(feature = "coding"), "{report:?}");
    scene.check(STUDY);
}

pub(crate) fn ok_many_small_instances_arrive(carrier: Carrier) {
    let lengths: Vec<usize> = (0..1500).map(|at| 600 + at % 900).collect();
    let scene = Scene::of(STUDY, &lengths);
    let door = carrier.open(&scene.archive, AllowAll);
    let mut instances = 0;
    let report = pull(&door)
        .connections(2)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |event| {
            instances += u32::from(matches!(event, PullEvent::Instance { .. }));
        })
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.fetched(), instances), (total(&lengths), 1500));
    scene.check(STUDY);
}

pub(crate) fn ok_an_empty_file_is_refused_and_one_byte_is_carried(carrier: Carrier) {
    let scene = Scene::new();
    let empty = scene.path().join("empty");
    std::fs::write(&empty, b"").unwrap();
    let labels = || Labels::new(uid("1.1"), uid("1.2"), uid("1.3"), uid("1.4"));
    let mut study = FileStudy::new(uid(STUDY));
    let refused = study.add(&empty, labels()).unwrap_err();
    assert_eq!(refused, FileError::Instance(InstanceError::Empty));
    let one = scene.path().join("one");
    std::fs::write(&one, b"\0").unwrap();
    study.add(&one, labels()).unwrap();
    scene.archive.files.insert(study.unsigned().unwrap());
    let door = carrier.open(&scene.archive, AllowAll);
    let report = pull(&door)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.fetched(), 1);
    scene.check(STUDY);
}

pub(crate) fn ok_two_studies_share_a_line(carrier: Carrier) {
    let scene = Scene::of("1.2.4", &[700_000; 4]);
    scene.insert("1.2.5", 900, &[700_000; 4]);
    let door = carrier.open(&scene.archive, AllowAll);
    let mut order: Vec<Uid> = Vec::new();
    let report = pull(&door)
        .study(uid("1.2.4"), Auth::none())
        .study(uid("1.2.5"), Auth::none())
        .run(&scene.store, |event| {
            if let PullEvent::Instance { study, .. } = event {
                order.push(study.clone());
            }
        })
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.fetched(), 5_600_000);
    // In turn: neither waits for the other's end.
    let half: std::collections::BTreeSet<&Uid> = order[..6].iter().collect();
    assert_eq!(half.len(), 2, "{order:?}");
    scene.check("1.2.4");
    scene.check("1.2.5");
}

pub(crate) fn ok_held_instances_are_not_sent(carrier: Carrier) {
    let scene = Scene::of("1.2.6", &LENGTHS);
    // The same six files and one more, in another study.
    scene.insert("1.2.7", 7, &[&LENGTHS[..], &[400_000]].concat());
    let door = carrier.open(&scene.archive, AllowAll);
    let both = ["1.2.6", "1.2.7"].map(|name| {
        let report = pull(&door)
            .study(uid(name), Auth::none())
            .run(&scene.store, |_| {})
            .unwrap();
        assert!(report.is_complete(), "{report:?}");
        scene.check(name);
        report.fetched()
    });
    assert_eq!(both, [total(&LENGTHS), 400_000]);
}

pub(crate) fn ok_held_pixels_are_not_sent(carrier: Carrier) {
    let scene = Scene::new();
    let files = &scene.archive.files;
    for (name, header) in [("1.2.6", 700), ("1.2.7", 1234)] {
        insert_images(
            files,
            scene.path(),
            name,
            header,
            &[200_000, 3_000_000, 300_000],
        );
    }
    let door = carrier.open(&scene.archive, AllowAll);
    let both = ["1.2.6", "1.2.7"].map(|name| {
        let report = pull(&door)
            .connections(2)
            // Nothing comes unasked.
            .study_with(uid(name), Auth::none(), Priority::Prior)
            .run(&scene.store, |_| {})
            .unwrap();
        assert!(report.is_complete(), "{report:?}");
        scene.check(name);
        report
    });
    let second = both[1].fetched() + both[1].held();
    assert_eq!(second, 3_500_000 + 3 * 1234);
    if carrier.asks_again() {
        // Exchanges do not say what is held (XFR-116).
        assert_eq!(both[1].held(), 0);
    } else {
        assert_eq!(both[1].fetched(), 3 * 1234);
        let came: u64 = both[1].sources.iter().map(|source| source.received).sum();
        assert!(came < 3 * 1234 + 4000, "{came}");
    }
}

pub(crate) fn ok_the_receipt_is_countersigned(carrier: Carrier) {
    let scene = Scene::of(STUDY, &[1000, 300_000]);
    let door = carrier.open(&scene.archive, Tokens::default());
    let report = pull(&door)
        .auth(auth("site"))
        .study(uid(STUDY), auth("grant"))
        .sign_with(|message| {
            // The message ends with the receipt; its digest is what both sides sign here.
            let receipt = message.split_at(message.len() - receipt_bytes(message)).1;
            let digest = mic_transfer::Digest::of(receipt);
            Ok(Signature::new("test", vec![1], digest.as_bytes().to_vec()).ok())
        })
        .run(&scene.store, |_| {})
        .unwrap();
    assert!(
        matches!(only(&report), StudyOutcome::Complete(_)),
        "{report:?}"
    );
    let complete = scene.store.complete();
    let answer = complete[0].countersignature().unwrap().as_ref().unwrap();
    assert_eq!(answer.suite(), "answer");
}

/// All but the label and its zero byte.
fn receipt_bytes(message: &[u8]) -> usize {
    let label = message.iter().position(|byte| *byte == 0).unwrap();
    message.len() - label - 1
}

pub(crate) fn ok_the_peer_is_told_to_the_authorizer(carrier: Carrier) {
    let scene = Scene::of(STUDY, &[1000]);
    let tokens = Tokens::default();
    let door = carrier.open(&scene.archive, tokens.clone());
    let report = pull(&door)
        .auth(auth("site"))
        .study(uid(STUDY), auth("grant"))
        .run(&scene.store, |_| {})
        .unwrap();
    assert!(report.is_complete(), "{report:?}");
    let peers = tokens.peers.lock().unwrap();
    assert!(!peers.is_empty());
    for peer in peers.iter() {
        assert!(peer.address().unwrap().ip().is_loopback());
        assert_eq!(peer.certificate().is_some(), carrier.has_certificates());
        #[cfg(feature = "tls")]
        if let Some(certificate) = peer.certificate() {
            let pin = mic_transfer::adapter::tls::KeyPin::of_certificate(certificate).unwrap();
            assert_eq!(pin, crate::site::site().receiver_pin());
        }
        assert!(!format!("{peer:?}").contains("hospital"));
    }
}

/// Kept for the cases' own sanity: two seeds give two files.
#[test]
fn ok_noise_differs() {
    assert_ne!(noise(1, 64), noise(2, 64));
}
