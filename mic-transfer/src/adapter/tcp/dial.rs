//! Making connections, and making them again.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::net::TcpStream;

use super::prepare;

/// The longest that a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The wait before the first new connection after a loss; doubled for each further one.
pub(super) const RECONNECT_DELAY: Duration = Duration::from_millis(100);

/// The longest wait of a standing group before it dials again.
const DIAL_DELAY_MAX: Duration = Duration::from_secs(60);

pub(super) fn dial(address: SocketAddr) -> Result<TcpStream, io::ErrorKind> {
    TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)
        .and_then(|stream| prepare(&stream).map(|()| stream))
        .map_err(|error| error.kind())
}

/// When a standing group dials: at once, then after waits that double.
#[derive(Debug, Default)]
pub(super) struct Dial {
    under_way: bool,
    failures: u32,
    not_before: Duration,
}

impl Dial {
    /// When to dial, if a connection is lacking and none is being made.
    pub(super) fn due(&self, short: bool) -> Option<Duration> {
        (short && !self.under_way).then_some(self.not_before)
    }

    pub(super) fn start(&mut self, now: Duration) -> bool {
        let due = self.due(true).is_some_and(|at| at <= now);
        self.under_way |= due;
        due
    }

    pub(super) fn made(&mut self) {
        self.under_way = false;
    }

    /// A source has let this side in.
    pub(super) const fn welcomed(&mut self) {
        self.failures = 0;
    }

    /// It was not made.
    pub(super) fn failed(&mut self, now: Duration) {
        self.under_way = false;
        self.lost(now);
    }

    /// It was refused or lost.
    pub(super) fn lost(&mut self, now: Duration) {
        let wait = RECONNECT_DELAY.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.saturating_add(wait.min(DIAL_DELAY_MAX));
    }
}
