//! Coded chunks over real sockets: on the fly, at rest, and not at all (XFR-80, XFR-86).

#![cfg(feature = "coding")]
#![allow(
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test's ways to fail"
)]

use std::net::TcpListener;
use std::path::Path;

use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, FileStudy, Labels};
use mic_transfer::adapter::rest::AtRest;
use mic_transfer::adapter::tcp::{AllowAll, Pull, PullReport, serve_connection};
use mic_transfer::coding::PixelHint;
use mic_transfer::receiver::ReceiverConfig;
use mic_transfer::sender::{CoderPolicy, SenderConfig};
use mic_transfer::source::Source;
use mic_transfer::wire::Codecs;
use mic_transfer::{Auth, Uid};

fn uid(text: &str) -> Uid {
    Uid::new(text).unwrap()
}

/// Twelve slices of 512 x 512 under noise of three bits.
fn study(folder: &Path) -> FileSource {
    let mut study = FileStudy::new(uid("1.2.3"));
    let mut noise = 7_u32;
    for at in 0..12_u32 {
        let mut file = vec![at as u8; 1000 + at as usize];
        let header = file.len() as u64;
        for place in 0..512 * 512_u32 {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = place % 512 + place / 512 * 2 + (noise >> 24) % 8;
            file.extend_from_slice(&(value as u16).to_le_bytes());
        }
        let path = folder.join(format!("{at}.dcm"));
        std::fs::write(&path, &file).unwrap();
        let (class, syntax) = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1");
        let labels = Labels::new(
            uid(class),
            uid(&format!("1.2.3.{at}")),
            uid("1.2.3.0"),
            uid(syntax),
        );
        let hint = PixelHint::new(header, 524_288, 1024, 2).unwrap();
        study.add(&path, labels.with_hint(hint)).unwrap();
    }
    let source = FileSource::new();
    source.insert(study.unsigned().unwrap());
    source
}

/// Pulls over two connections and compares every byte.
fn pulled(
    folder: &Path,
    source: &(impl Source + Sync),
    policy: CoderPolicy,
    takes: Codecs,
) -> PullReport {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut config = SenderConfig::default();
    config.coding = policy;
    let report = std::thread::scope(|scope| {
        for _ in 0..2 {
            let listener = listener.try_clone().unwrap();
            scope.spawn(move || {
                let (stream, _) = listener.accept().unwrap();
                serve_connection(stream, &source, &AllowAll, config).unwrap()
            });
        }
        let store = DiskStore::open(folder.join("store")).unwrap();
        let mut config = ReceiverConfig::default();
        config.codecs = takes;
        let pull = Pull::new(address).connections(2).config(config);
        let report = pull
            .study(uid("1.2.3"), Auth::none())
            .run(&store, |_| {})
            .unwrap();
        assert!(report.is_complete());
        for (at, instance) in store.complete()[0]
            .signed()
            .manifest()
            .instances()
            .iter()
            .enumerate()
        {
            let file = std::fs::read(folder.join(format!("{at}.dcm"))).unwrap();
            assert!(store.read_instance(instance.digest()).unwrap() == file);
        }
        report
    });
    std::fs::remove_dir_all(folder.join("store")).unwrap();
    report
}

#[test]
fn ok_policies_decide_what_goes_over_the_line_and_not_what_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let source = study(folder.path());
    let bytes = source
        .manifest(&uid("1.2.3"))
        .unwrap()
        .manifest()
        .bytes_total();
    let all = Codecs::built();
    let always = pulled(folder.path(), &source, CoderPolicy::Always, all);
    assert!(always.received * 3 < bytes, "{}", always.received);
    for (policy, takes) in [
        (CoderPolicy::Off, all),
        (CoderPolicy::AtRest, all),
        (CoderPolicy::Always, Codecs::raw()),
    ] {
        let raw = pulled(folder.path(), &source, policy, takes);
        assert!(raw.received >= bytes, "{policy:?}: {}", raw.received);
    }
    // Loopback may be either, once it is known.
    let trial = pulled(folder.path(), &source, CoderPolicy::Trial, all);
    assert!(trial.received < bytes, "{}", trial.received);
    let rest = AtRest::open(&source, folder.path().join("coded")).unwrap();
    let whole = source.manifest(&uid("1.2.3")).unwrap();
    let by_root = rest.manifest_of(whole.manifest().root());
    assert!(by_root.is_some_and(|known| known == whole));
    let kept = rest.keep(&uid("1.2.3")).unwrap().unwrap();
    assert!(kept.coded >= 24 && kept.kept_bytes * 3 < bytes, "{kept:?}");
    let at_rest = pulled(folder.path(), &rest, CoderPolicy::AtRest, all);
    assert!(at_rest.received * 3 < bytes, "{}", at_rest.received);
}
