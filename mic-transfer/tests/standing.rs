//! A standing group of connections: studies asked for at any time, a source that goes and comes back.

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

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, FileStudy, Labels};
use mic_transfer::adapter::tcp::{AllowAll, Pull, PullEvent, ServeConfig, serve_connection};
use mic_transfer::receiver::Priority;
use mic_transfer::{Auth, Uid};

fn uid(text: &str) -> Uid {
    Uid::new(text).unwrap()
}

#[test]
fn ok_a_group_stands_is_dialled_again_and_forgets_what_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let source = FileSource::new();
    for name in ["1.2.1", "1.2.2", "1.2.3"] {
        let path = folder.path().join(name);
        std::fs::write(&path, name.repeat(100_000)).unwrap();
        let mut study = FileStudy::new(uid(name));
        let own = uid(&format!("{name}.1"));
        let labels = Labels::new(uid("1.3"), own, uid("1.4"), uid("1.5"));
        study.add(&path, labels).unwrap();
        source.insert(study.unsigned().unwrap());
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let lines: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let accepted = Arc::clone(&lines);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            accepted.lock().unwrap().push(stream.try_clone().unwrap());
            let source = source.clone();
            thread::spawn(move || {
                let _ = serve_connection(stream, &source, &AllowAll, ServeConfig::default());
            });
        }
    });
    let group = Pull::new(address).connections(3);
    let control = group.control();
    let (told, hear) = mpsc::channel();
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let steering = thread::spawn(move || {
        let wait =
            |hear: &mpsc::Receiver<String>| hear.recv_timeout(Duration::from_secs(20)).unwrap();
        let full = |count: usize| {
            let until = Instant::now() + Duration::from_secs(20);
            while lines.lock().unwrap().len() < count {
                assert!(Instant::now() < until, "it is not dialled");
                thread::sleep(Duration::from_millis(5));
            }
        };
        control.pull(uid("1.2.1"), Auth::none(), Priority::Waiting);
        assert_eq!(wait(&hear), "1.2.1");
        full(3);
        // All lines go; the next study is asked for while there is none.
        for line in lines.lock().unwrap().drain(..) {
            let _ = line.shutdown(Shutdown::Both);
        }
        control.pull(uid("1.2.2"), Auth::none(), Priority::Prior);
        assert_eq!(wait(&hear), "1.2.2");
        full(3);
        control.pull(uid("1.2.3"), Auth::none(), Priority::Preload);
        assert_eq!(wait(&hear), "1.2.3");
        control.close();
    });
    group.stand(&store, |event| {
        if let PullEvent::Complete(study, _) = event {
            told.send(study.to_string()).unwrap();
        }
    });
    steering.join().unwrap();
    assert_eq!(store.complete().len(), 3);
}
