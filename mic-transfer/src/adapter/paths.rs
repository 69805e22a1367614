//! What a source has learnt of the paths to its receivers, for all connections (as RFC 9040 has it for TCP).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant as Clock;

use super::serve::Peer;
use crate::Instant;
use crate::sender::{Chooser, SenderConfig};

/// Most receivers of which something is known; the one not heard of for longest is forgotten first.
const PATHS_MAX: usize = 256;

/// How a source serves its connections. Clones share what was learnt of the path to each receiver.
///
/// Make one and clone it for each connection: with [`CoderPolicy::Trial`](crate::sender::CoderPolicy::Trial)
/// the second connection then codes where the first found that it pays. Receivers are told apart by their
/// address, at most 256. A [`SenderConfig`] in its place is good for one connection that learns alone.
#[non_exhaustive]
#[derive(Debug, Clone, Default)]
pub struct ServeConfig {
    /// The timers and limits of each connection.
    pub sender: SenderConfig,
    paths: Arc<Paths>,
}

impl From<SenderConfig> for ServeConfig {
    /// Nothing learnt.
    fn from(sender: SenderConfig) -> Self {
        Self {
            sender,
            paths: Arc::default(),
        }
    }
}

impl ServeConfig {
    /// The path to this peer; one without an address shares nothing.
    pub(super) fn path(&self, peer: &Peer) -> Arc<Path> {
        match peer.address() {
            Some(address) => self.paths.to(address.ip().to_canonical()),
            None => Arc::default(),
        }
    }
}

/// The least lately used first.
#[derive(Default)]
struct Paths(Mutex<Vec<(IpAddr, Arc<Path>)>>);

impl fmt::Debug for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paths").finish_non_exhaustive()
    }
}

impl Paths {
    fn to(&self, address: IpAddr) -> Arc<Path> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = known.iter().position(|(other, _)| *other == address);
        let path = match at {
            Some(at) => known.remove(at).1,
            None => Arc::default(),
        };
        if known.len() >= PATHS_MAX {
            known.remove(0);
        }
        known.push((address, Arc::clone(&path)));
        path
    }
}

/// What all connections to one receiver find out, by one clock.
#[derive(Debug)]
pub(super) struct Path {
    started: Clock,
    chooser: Mutex<Chooser>,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            started: Clock::now(),
            chooser: Mutex::default(),
        }
    }
}

impl Path {
    pub(super) fn now(&self) -> Instant {
        self.started.elapsed()
    }

    pub(super) fn chooser(&self) -> MutexGuard<'_, Chooser> {
        self.chooser.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use core::net::{Ipv4Addr, SocketAddr};

    use super::*;

    fn peer(number: u32, port: u16) -> Peer {
        let address = Ipv4Addr::from_bits(0x0a00_0000 + number);
        Peer::new(Some(SocketAddr::from((address, port))))
    }

    #[test]
    fn ok_connections_of_one_receiver_share_a_path() {
        let config = ServeConfig::default();
        let first = config.path(&peer(1, 1000));
        assert!(Arc::ptr_eq(&first, &config.clone().path(&peer(1, 2000))));
        assert!(!Arc::ptr_eq(&first, &config.path(&peer(2, 1000))));
        assert!(!Arc::ptr_eq(
            &first,
            &ServeConfig::default().path(&peer(1, 1000))
        ));
        let nameless = Peer::default();
        assert!(!Arc::ptr_eq(
            &config.path(&nameless),
            &config.path(&nameless)
        ));
    }

    #[test]
    fn ok_the_least_lately_used_is_forgotten() {
        let config = ServeConfig::default();
        let (first, second) = (config.path(&peer(0, 1)), config.path(&peer(1, 1)));
        for number in 2..PATHS_MAX as u32 {
            config.path(&peer(number, 1));
        }
        assert!(Arc::ptr_eq(&first, &config.path(&peer(0, 1))));
        config.path(&peer(PATHS_MAX as u32, 1));
        assert!(Arc::ptr_eq(&first, &config.path(&peer(0, 1))));
        assert!(!Arc::ptr_eq(&second, &config.path(&peer(1, 1))));
    }
}
