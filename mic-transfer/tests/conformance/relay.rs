//! Relays that stand between the two sides: they can be cut, end for good, or damage a byte.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Damages one byte of what the source says, so many bytes from now.
#[derive(Clone, Default)]
pub(crate) struct Damage(Arc<Mutex<Option<usize>>>);

impl Damage {
    pub(crate) fn after(&self, bytes: usize) {
        *self.0.lock().unwrap() = Some(bytes);
    }

    pub(crate) fn is_done(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }

    fn pass(&self, bytes: &mut [u8]) {
        let mut left = self.0.lock().unwrap();
        *left = left.and_then(|left| match bytes.get_mut(left) {
            Some(byte) => {
                *byte ^= 1;
                None
            }
            None => Some(left - bytes.len()),
        });
    }
}

/// Carries TCP connections.
#[derive(Clone)]
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    /// Where it leads.
    #[cfg(feature = "http")]
    pub(crate) far: SocketAddr,
    pub(crate) damage: Damage,
    live: Arc<Mutex<Vec<TcpStream>>>,
    dead: Arc<AtomicBool>,
}

impl Relay {
    /// Nobody sees it.
    pub(crate) fn to(far: SocketAddr) -> Self {
        Self::behind(far, |_| true)
    }

    /// A forward proxy that is asked for each connection by CONNECT.
    #[cfg(feature = "http")]
    pub(crate) fn proxy_to(far: SocketAddr) -> Self {
        Self::behind(far, move |mut near| {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") {
                if !matches!(near.read(&mut byte), Ok(1)) {
                    return false;
                }
                head.extend(byte);
            }
            let allowed = head.starts_with(format!("CONNECT {far} HTTP/1.1\r\n").as_bytes());
            let answer: &[u8] = if allowed {
                b"HTTP/1.1 200 Connection established\r\n\r\n"
            } else {
                b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
            };
            near.write_all(answer).is_ok() && allowed
        })
    }

    fn behind(far: SocketAddr, greet: impl Fn(&TcpStream) -> bool + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap(),
            #[cfg(feature = "http")]
            far,
            damage: Damage::default(),
            live: Arc::default(),
            dead: Arc::default(),
        };
        let this = relay.clone();
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if this.dead.load(Ordering::Relaxed) {
                    return;
                }
                if !greet(&near) {
                    continue;
                }
                let Ok(far) = TcpStream::connect(far) else {
                    continue;
                };
                for stream in [&near, &far] {
                    stream.set_nodelay(true).unwrap();
                    this.live.lock().unwrap().push(stream.try_clone().unwrap());
                }
                let damage = this.damage.clone();
                let (from, to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
                thread::spawn(move || pass(from, to, |bytes| damage.pass(bytes)));
                thread::spawn(move || pass(near, far, |_| {}));
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

fn pass(mut from: TcpStream, mut to: TcpStream, seen: impl Fn(&mut [u8])) {
    let mut buffer = vec![0; 65_536];
    while let Ok(read) = from.read(&mut buffer) {
        seen(&mut buffer[..read]);
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Carries datagrams to a source that may move.
#[cfg(feature = "quic")]
pub(crate) struct UdpRelay {
    pub(crate) address: SocketAddr,
    pub(crate) damage: Damage,
    far: Arc<Mutex<SocketAddr>>,
}

#[cfg(feature = "quic")]
impl UdpRelay {
    pub(crate) fn to(far: SocketAddr) -> Self {
        use std::collections::BTreeMap;
        use std::net::UdpSocket;
        let near = UdpSocket::bind("127.0.0.1:0").unwrap();
        let relay = Self {
            address: near.local_addr().unwrap(),
            damage: Damage::default(),
            far: Arc::new(Mutex::new(far)),
        };
        let (far, damage) = (Arc::clone(&relay.far), relay.damage.clone());
        thread::spawn(move || {
            let mut ways: BTreeMap<SocketAddr, UdpSocket> = BTreeMap::new();
            let mut buffer = vec![0; 65_536];
            while let Ok((read, from)) = near.recv_from(&mut buffer) {
                let way = ways.entry(from).or_insert_with(|| {
                    let way = UdpSocket::bind("127.0.0.1:0").unwrap();
                    let (back, near) = (way.try_clone().unwrap(), near.try_clone().unwrap());
                    let damage = damage.clone();
                    thread::spawn(move || {
                        let mut buffer = vec![0; 65_536];
                        while let Ok((read, _)) = back.recv_from(&mut buffer) {
                            damage.pass(&mut buffer[..read]);
                            let _ = near.send_to(&buffer[..read], from);
                        }
                    });
                    way
                });
                let to = *far.lock().unwrap();
                let _ = way.send_to(&buffer[..read], to);
            }
        });
        relay
    }

    pub(crate) fn lead_to(&self, far: SocketAddr) {
        *self.far.lock().unwrap() = far;
    }
}
