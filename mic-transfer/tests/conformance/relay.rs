//! A TCP relay that can be cut, and one that lets no more through.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Clone)]
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    live: Arc<Mutex<Vec<TcpStream>>>,
    dead: Arc<AtomicBool>,
}

impl Relay {
    pub(crate) fn to(far: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap(),
            live: Arc::default(),
            dead: Arc::default(),
        };
        let (live, dead) = (Arc::clone(&relay.live), Arc::clone(&relay.dead));
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if dead.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(far) = TcpStream::connect(far) else {
                    continue;
                };
                for stream in [&near, &far] {
                    stream.set_nodelay(true).unwrap();
                    live.lock().unwrap().push(stream.try_clone().unwrap());
                }
                for (from, to) in [
                    (near.try_clone().unwrap(), far.try_clone().unwrap()),
                    (far, near),
                ] {
                    thread::spawn(move || pass(from, to));
                }
            }
        });
        relay
    }

    /// Ends what stands; what comes later is carried.
    pub(crate) fn cut(&self) {
        for stream in self.live.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Ends what stands and lets nobody in any more.
    pub(crate) fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.cut();
        // Wakes the listener, which goes.
        let _ = TcpStream::connect(self.address);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 65_536];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
