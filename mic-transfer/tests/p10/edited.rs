//! Files whose header was edited, as after a merge of patients: their pixels are not sent again (XFR-70).

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, Folder};
use mic_transfer::adapter::tcp::{AllowAll, Pull, serve_connection};
use mic_transfer::p10::{self, Pixels};
use mic_transfer::receiver::ReceiverConfig;
use mic_transfer::sender::{CoderPolicy, SenderConfig};
use mic_transfer::{Auth, Instance, Pieces, Uid};

use super::data::{files, test_data};
use super::made::{Made, item, undefined};

/// The file with another patient's name, of another length; `None` where it has none before its pixels.
fn renamed(bytes: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let header = p10::read_bytes(bytes).ok()?;
    let end = header.pixels()?.range().start as usize;
    let tag = [0x10, 0, 0x10, 0];
    let at = (0..end).find(|at| bytes[*at..].starts_with(&tag))?;
    let explicit = &bytes[at + 4..at + 6] == b"PN";
    // In implicit encoding the length has four bytes.
    let (length, two) = if explicit {
        let length = u16::from_le_bytes([bytes[at + 6], bytes[at + 7]]);
        (usize::from(length), true)
    } else {
        (
            u32::from_le_bytes(*bytes[at + 4..].first_chunk()?) as usize,
            false,
        )
    };
    if length > 64 || at + 8 + length > end {
        return None;
    }
    let mut out = bytes[..at + 4].to_vec();
    if two {
        out.extend(b"PN");
        out.extend((name.len() as u16).to_le_bytes());
    } else {
        out.extend((name.len() as u32).to_le_bytes());
    }
    out.extend(name);
    out.extend(&bytes[at + 8 + length..]);
    let again = p10::read_bytes(&out).ok()?;
    let same = again.sop_instance() == header.sop_instance() && again.pixels().is_some();
    same.then_some(out)
}

/// Writes the edited files of a folder, and the originals of them, beside each other.
fn edit(from: &Path, to: &Path) -> usize {
    let mut edited = 0;
    fs::create_dir_all(to.join("original")).unwrap();
    fs::create_dir_all(to.join("edited")).unwrap();
    for path in files(from) {
        let bytes = fs::read(&path).unwrap();
        let name = [&b"MERGED^PATIENT^"[..], &[b'X'; 11]].concat();
        let Some(other) = renamed(&bytes, &name) else {
            continue;
        };
        edited += 1;
        fs::write(to.join(format!("original/{edited}.dcm")), bytes).unwrap();
        fs::write(to.join(format!("edited/{edited}.dcm")), other).unwrap();
    }
    edited
}

/// What one pull of all studies of a folder came to.
#[derive(Debug, Default)]
struct Pulled {
    instances: u64,
    bytes: u64,
    /// Bytes outside the pieces.
    outside: u64,
    manifests: u64,
    fetched: u64,
    /// Everything that came over the line.
    received: u64,
}

/// Pulls the studies of a folder of files into a store, and compares every file.
fn pull(folder: &Path, store: &DiskStore) -> Pulled {
    let source = FileSource::new();
    let mut pulled = Pulled::default();
    let studies = Folder::read(folder).unwrap().into_studies();
    let uids: Vec<Uid> = studies.keys().cloned().collect();
    let mut expected: Vec<(mic_transfer::Digest, PathBuf)> = Vec::new();
    for study in studies.into_values() {
        let study = study.unsigned().unwrap();
        let manifest = study.signed().manifest();
        pulled.manifests += manifest.encoded().len() as u64;
        for (number, instance) in (0_u32..).zip(manifest.instances()) {
            let pieces = instance.pieces().into_iter().flat_map(Pieces::iter);
            let held: u64 = pieces.map(|(range, _)| range.length()).sum();
            pulled.instances += 1;
            pulled.bytes += instance.length();
            pulled.outside += instance.length() - held;
            let path = study.path(number).unwrap().to_path_buf();
            expected.push((*instance.digest(), path));
        }
        source.insert(study);
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut config = SenderConfig::default();
        config.coding = CoderPolicy::Off;
        serve_connection(stream, &source, &AllowAll, config).unwrap()
    });
    let mut config = ReceiverConfig::default();
    config.early_bytes = 0;
    let mut all = Pull::new(address).config(config);
    for uid in uids {
        all = all.study(uid, Auth::none());
    }
    let report = all.run(store, |_| {}).unwrap();
    assert!(report.is_complete(), "{report:?}");
    let served = server.join().unwrap();
    assert_eq!(served.data, report.fetched());
    pulled.fetched = report.fetched();
    pulled.received = report.received;
    for (digest, path) in expected {
        let bytes = store.read_instance(&digest).unwrap();
        assert!(bytes == fs::read(&path).unwrap(), "{}", path.display());
    }
    pulled
}

/// One order and the other; says what the second pull came to in each.
fn both_orders(folder: &Path) -> [Pulled; 2] {
    [["original", "edited"], ["edited", "original"]].map(|[first, second]| {
        let store = DiskStore::open(folder.join(format!("store-of-{second}"))).unwrap();
        let whole = pull(&folder.join(first), &store);
        assert_eq!(whole.fetched, whole.bytes);
        let again = pull(&folder.join(second), &store);
        assert_eq!(again.fetched, again.outside);
        // Manifests, and for an instance its leaves, the headers of its frames, and a share of the rest.
        let leaves = again.bytes / 8192 + 1;
        let frames = 160 * again.instances + 1000;
        assert!(
            again.received <= again.outside + again.manifests + leaves + frames,
            "{again:?}"
        );
        again
    })
}

#[test]
fn ok_made_files_of_every_kind_come_without_their_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let made = |number: u16| Made {
        rows: 512,
        columns: 512,
        number: Some(i32::from(number)),
        pixels: (0..524_288_u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8 ^ number as u8)
            .collect(),
        ..Made::new("1.2.9", "1.2.9.1", &format!("1.2.9.1.{number}"))
    };
    let source = folder.path().join("source");
    fs::create_dir_all(&source).unwrap();
    for number in 1..4 {
        let name = format!("native-{number}.dcm");
        fs::write(source.join(name), made(number).file()).unwrap();
    }
    let frames = Made {
        rows: 128,
        columns: 64,
        frames: 32,
        ..made(4)
    };
    fs::write(source.join("frames.dcm"), frames.file()).unwrap();
    // Frames of other lengths, each in two fragments, behind an offset table.
    let coded = Made {
        frames: 3,
        ..made(5)
    };
    let (mut table, mut fragments) = (Vec::new(), Vec::new());
    for frame in 0..3_usize {
        table.extend((fragments.len() as u32).to_le_bytes());
        fragments.extend(item(
            &coded.pixels[frame * 90_000..][..60_000 + 2000 * frame],
        ));
        fragments.extend(item(&coded.pixels[..8000]));
    }
    let value = undefined(0x7FE0_0010, "OB", &[item(&table), fragments].concat());
    let data_set = [coded.head(), value].concat();
    let file = coded.file_of("1.2.840.10008.1.2.4.90", &data_set);
    let header = p10::read_bytes(&file).unwrap();
    let Some(Pixels::Encapsulated(found)) = header.pixels() else {
        panic!("{header:?}");
    };
    assert_eq!((found.frames(), found.fragments().len()), (3, 6));
    fs::write(source.join("coded.dcm"), file).unwrap();

    assert_eq!(edit(&source, folder.path()), 5);
    let studies = Folder::read(&folder.path().join("edited")).unwrap();
    let study = studies.into_studies().into_values().next().unwrap();
    let manifest = study.unsigned().unwrap().signed().manifest().clone();
    let mut counts: Vec<u32> = manifest
        .instances()
        .iter()
        .filter_map(Instance::pieces)
        .map(Pieces::count)
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 1, 3, 32]);
    for pulled in both_orders(folder.path()) {
        assert!(pulled.received * 200 < pulled.bytes, "{pulled:?}");
    }
}

#[test]
fn ok_a_study_without_pieces_is_sent_whole() {
    let folder = tempfile::tempdir().unwrap();
    let made = Made {
        rows: 64,
        columns: 64,
        pixels: vec![7; 8192],
        ..Made::new("1.2.9", "1.2.9.1", "1.2.9.1.1")
    };
    fs::write(folder.path().join("a.dcm"), made.file()).unwrap();
    let begin = |uid| mic_transfer::adapter::files::FileStudy::new(uid).without_pieces();
    let read = Folder::read_with(folder.path(), begin).unwrap();
    let study = read.into_studies().into_values().next().unwrap();
    let study = study.unsigned().unwrap();
    let instance = &study.signed().manifest().instances()[0];
    assert!(instance.pixels().is_some() && instance.pieces().is_none());
}

/// Real files: single slices of CT and MR, frames, compressed ones.
#[test]
fn ok_real_files_come_without_their_pixels() {
    let Some(data) = test_data() else { return };
    let mut sums = [(0_u64, 0_u64), (0, 0)];
    for entry in fs::read_dir(&data).unwrap() {
        let from = entry.unwrap().path();
        let folder = tempfile::tempdir().unwrap();
        if !from.is_dir() || edit(&from, folder.path()) == 0 {
            continue;
        }
        for (sum, pulled) in sums.iter_mut().zip(both_orders(folder.path())) {
            eprintln!(
                "{}: {} files, {} bytes, {} came, {:.4} of them",
                from.file_name().unwrap().display(),
                pulled.instances,
                pulled.bytes,
                pulled.received,
                pulled.received as f64 / pulled.bytes as f64
            );
            // A slice of CT is half a megabyte under a few kilobytes of header.
            let is_ct = from
                .file_name()
                .unwrap()
                .as_encoded_bytes()
                .starts_with(b"ge-ct");
            assert!(!is_ct || pulled.received * 50 < pulled.bytes, "{pulled:?}");
            *sum = (sum.0 + pulled.bytes, sum.1 + pulled.received);
        }
    }
    for (bytes, received) in sums {
        eprintln!(
            "{received} of {bytes}: {:.4}",
            received as f64 / bytes as f64
        );
        assert!(bytes > 0);
    }
}
