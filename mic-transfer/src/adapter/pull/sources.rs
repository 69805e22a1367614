//! The sources of a pull: how many connections each has, which are being made, and when to try again.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use std::io;
use std::sync::mpsc::Sender;
use std::thread;

use super::control::Message;
use super::report::SourceReport;
use crate::adapter::line::Dial;
use crate::error::{ErrorCode, Fault, SessionError};

/// The wait before the first new connection after a loss; doubled for each further one.
const RECONNECT_DELAY: Duration = Duration::from_millis(100);
/// The longest wait before a source is dialled again.
const DIAL_DELAY_MAX: Duration = Duration::from_secs(60);

/// A source that is nearer than this gets one connection: it fills the line, for the least work of both sides.
const NEAR: Duration = Duration::from_millis(5);
/// One that is nearer than this gets four, any other eight: together they come through slow start sooner, and what one
/// loses does not slow the others down.
const REGIONAL: Duration = Duration::from_millis(20);

/// Connections to a source for which none are named, by the round trip of the first.
fn connections_for(round_trip: Option<Duration>) -> u32 {
    match round_trip {
        None => 1,
        Some(near) if near < NEAR => 1,
        Some(regional) if regional < REGIONAL => 4,
        Some(_) => 8,
    }
}

/// All of them, by number.
pub(super) struct Sources {
    list: Vec<Source>,
    /// How often each may be dialled again; `None` is without end.
    reconnects: Option<u32>,
    channel: Sender<Message>,
}

struct Source {
    dial: Arc<dyn Dial>,
    name: String,
    /// Connections that it is to have: one until its distance is known, where no number is named.
    wanted: u32,
    is_wanted_named: bool,
    /// Connections that stand, and those being made.
    live: u32,
    dialling: u32,
    made: u32,
    redials: u32,
    /// Since a source last let this side in.
    failures: u32,
    not_before: Duration,
    given_up: bool,
    received: u64,
    error: Option<SessionError>,
    refused: Option<io::Error>,
}

impl Sources {
    pub(super) fn new(
        dials: Vec<Arc<dyn Dial>>,
        wanted: Option<u32>,
        reconnects: Option<u32>,
        channel: &Sender<Message>,
    ) -> Self {
        let list = dials.into_iter().map(|dial| Source {
            name: dial.name(),
            dial,
            wanted: wanted.unwrap_or(1),
            is_wanted_named: wanted.is_some(),
            live: 0,
            dialling: 0,
            made: 0,
            redials: 0,
            failures: 0,
            not_before: Duration::ZERO,
            given_up: false,
            received: 0,
            error: None,
            refused: None,
        });
        Self {
            list: list.collect(),
            reconnects,
            channel: channel.clone(),
        }
    }

    /// Dials what is lacking and due, each on a thread of its own so that the others go on.
    pub(super) fn dial_due(&mut self, now: Duration) {
        for number in 0..self.list.len() {
            self.dial_one(number, now);
        }
    }

    fn dial_one(&mut self, number: usize, now: Duration) {
        let reconnects = self.reconnects;
        let Some(source) = self.list.get_mut(number) else {
            return;
        };
        while source.lacks() && source.not_before <= now {
            // The first connections are no new ones.
            let again = source.failures > 0 || source.made >= source.wanted;
            if again {
                if source.is_spent(reconnects) {
                    source.given_up = true;
                    return;
                }
                source.redials = source.redials.saturating_add(1);
            }
            let (dial, channel) = (Arc::clone(&source.dial), self.channel.clone());
            let dialling = thread::Builder::new()
                .name(String::from("mic-transfer-dial"))
                .spawn(move || channel.send(Message::Dialled(number, dial.dial())));
            match dialling {
                Ok(_) => source.dialling = source.dialling.saturating_add(1),
                Err(error) => source.failed(error, now),
            }
            if again {
                // One at a time, as long as it is not known to answer.
                return;
            }
        }
    }

    /// When to dial next, if a connection is lacking and none of its source's is being made.
    pub(super) fn due(&self) -> Option<Duration> {
        let lacking = self.list.iter().filter(|source| source.lacks());
        lacking.map(|source| source.not_before).min()
    }

    /// Whether no connection stands, is being made or will be.
    pub(super) fn are_gone(&self) -> bool {
        self.list
            .iter()
            .all(|source| source.live == 0 && source.dialling == 0 && source.given_up)
    }

    /// Whether no connection was ever made.
    pub(super) fn never_answered(&self) -> Option<&io::Error> {
        let silent = |source: &Source| source.made == 0 && source.dialling == 0;
        let mut refused = self
            .list
            .iter()
            .filter_map(|source| source.refused.as_ref());
        refused.next_back().filter(|_| self.list.iter().all(silent))
    }

    pub(super) fn made(&mut self, number: usize, round_trip: Option<Duration>) {
        if let Some(source) = self.list.get_mut(number) {
            if source.made == 0 && !source.is_wanted_named {
                source.wanted = connections_for(round_trip);
            }
            source.dialling = source.dialling.saturating_sub(1);
            source.live = source.live.saturating_add(1);
            source.made = source.made.saturating_add(1);
        }
    }

    /// A connection was not made.
    pub(super) fn failed(&mut self, number: usize, error: io::Error, now: Duration) {
        if let Some(source) = self.list.get_mut(number) {
            source.dialling = source.dialling.saturating_sub(1);
            source.failed(error, now);
        }
    }

    /// A source has let this side in.
    pub(super) fn welcomed(&mut self, number: usize) {
        if let Some(source) = self.list.get_mut(number) {
            source.failures = 0;
        }
    }

    pub(super) fn heard(&mut self, number: usize, bytes: usize) {
        if let Some(source) = self.list.get_mut(number) {
            source.received = source.received.saturating_add(bytes as u64);
        }
    }

    /// A connection has ended; says whether it will be made again.
    pub(super) fn lost(
        &mut self,
        number: usize,
        error: Option<SessionError>,
        now: Duration,
    ) -> bool {
        let others = self
            .list
            .iter()
            .enumerate()
            .any(|(at, source)| at != number && source.live > 0);
        let Some(source) = self.list.get_mut(number) else {
            return false;
        };
        source.live = source.live.saturating_sub(1);
        let refused = error
            .as_ref()
            .is_some_and(|error| error.code() == ErrorCode::SessionRefused);
        // What does not fit its digest may have been damaged on the line: with nobody else to ask, the
        // source gets another chance.
        let wrong = error
            .as_ref()
            .is_some_and(|error| error.code().fault() == Some(Fault::Addressee));
        source.error = error.or(source.error.take());
        source.retry_later(now);
        let spent = source.is_spent(self.reconnects);
        // A standing group bears refusals: the other side may change its mind.
        source.given_up |= spent || (wrong && others) || (refused && self.reconnects.is_some());
        !source.given_up
    }

    pub(super) fn name(&self, number: usize) -> &str {
        self.list
            .get(number)
            .map_or("", |source| source.name.as_str())
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.list.iter().map(|source| source.name.clone()).collect()
    }

    pub(super) fn last_error(&self) -> Option<SessionError> {
        let mut errors = self.list.iter().filter_map(|source| source.error.clone());
        errors.next_back()
    }

    pub(super) fn redials(&self) -> u32 {
        self.list.iter().map(|source| source.redials).sum()
    }

    pub(super) fn reports(&self) -> Vec<SourceReport> {
        let report = |source: &Source| SourceReport {
            name: source.name.clone(),
            connections: source.made,
            received: source.received,
            error: source.error.clone(),
        };
        self.list.iter().map(report).collect()
    }
}

impl Source {
    fn lacks(&self) -> bool {
        let again = self.failures > 0 && self.dialling > 0;
        !self.given_up && !again && self.live.saturating_add(self.dialling) < self.wanted
    }

    fn failed(&mut self, error: io::Error, now: Duration) {
        self.refused = Some(error);
        self.retry_later(now);
    }

    /// Whether it has had its new connections: as many as allowed for each of those that it is to have, or so many in
    /// a row without being let in.
    fn is_spent(&self, reconnects: Option<u32>) -> bool {
        reconnects.is_some_and(|most| {
            self.failures > most || self.redials >= most.saturating_mul(self.wanted)
        })
    }

    /// What ends several connections at once is one loss.
    fn retry_later(&mut self, now: Duration) {
        if self.failures > 0 && self.not_before > now {
            return;
        }
        let wait = RECONNECT_DELAY.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.saturating_add(wait.min(DIAL_DELAY_MAX));
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::string::String;
    use core::time::Duration;
    use std::io;
    use std::sync::mpsc::{Receiver, channel};

    use super::{Message, RECONNECT_DELAY, Sources};
    use crate::adapter::line::{Connection, Dial, Inward, Outward};
    use alloc::sync::Arc;

    /// A source so far away, if it is known.
    #[derive(Clone, Copy)]
    struct Far(Option<u64>);

    impl Dial for Far {
        fn dial(&self) -> io::Result<Box<dyn Connection>> {
            Ok(Box::new(*self))
        }

        fn name(&self) -> String {
            String::new()
        }
    }

    impl Connection for Far {
        fn start(self: Box<Self>, _: Inward) -> io::Result<Box<dyn Outward>> {
            Err(io::ErrorKind::NotConnected.into())
        }

        fn round_trip(&self) -> Option<Duration> {
            self.0.map(Duration::from_micros)
        }
    }

    /// Connections that each source has when none is lacking.
    fn made(far: &[Option<u64>], wanted: Option<u32>) -> alloc::vec::Vec<u32> {
        let (sender, inbox) = channel();
        let dials = far.iter().map(|far| Arc::new(Far(*far)) as Arc<dyn Dial>);
        let mut sources = Sources::new(dials.collect(), wanted, Some(0), &sender);
        let dialling = |sources: &Sources| sources.list.iter().any(|source| source.dialling > 0);
        loop {
            sources.dial_due(Duration::ZERO);
            if !dialling(&sources) {
                break;
            }
            if let Message::Dialled(number, made) = inbox.recv().unwrap() {
                sources.made(number, made.unwrap().round_trip());
            }
        }
        sources.list.iter().map(|source| source.live).collect()
    }

    #[test]
    fn ok_the_first_connection_tells_how_many_there_are_to_be() {
        let far = [
            None,
            Some(0),
            Some(4_999),
            Some(5_000),
            Some(19_999),
            Some(20_000),
            Some(300_000),
        ];
        assert_eq!(made(&far, None), [1, 1, 1, 4, 4, 8, 8]);
        assert_eq!(made(&far, Some(3)), [3; 7]);
    }

    /// Dials what is due at `now`, and makes or refuses it; how many connections were tried.
    fn dial(sources: &mut Sources, inbox: &Receiver<Message>, now: Duration, works: bool) -> u32 {
        let mut tried = 0;
        loop {
            sources.dial_due(now);
            if sources.list[0].dialling == 0 {
                return tried;
            }
            if let Message::Dialled(number, made) = inbox.recv().unwrap() {
                tried += 1;
                if works {
                    sources.made(number, made.unwrap().round_trip());
                    sources.welcomed(number);
                } else {
                    sources.failed(number, io::ErrorKind::ConnectionRefused.into(), now);
                }
            }
        }
    }

    #[test]
    fn ok_a_break_of_all_connections_is_one_loss() {
        let (sender, inbox) = channel();
        let dials = alloc::vec![Arc::new(Far(Some(30_000))) as Arc<dyn Dial>];
        let mut sources = Sources::new(dials, None, Some(3), &sender);
        let mut now = Duration::ZERO;
        assert_eq!(dial(&mut sources, &inbox, now, false), 1);
        now += RECONNECT_DELAY;
        assert_eq!(dial(&mut sources, &inbox, now, true), 8);
        for left in (0..2).rev() {
            assert!((0..8).all(|_| sources.lost(0, None, now)), "{left}");
            assert_eq!(sources.due(), Some(now + RECONNECT_DELAY));
            assert_eq!(dial(&mut sources, &inbox, now, true), 0, "too early");
            now += RECONNECT_DELAY;
            assert_eq!(dial(&mut sources, &inbox, now, true), 8, "{left}");
        }
    }

    #[test]
    fn err_a_source_that_never_answers_is_given_up_after_so_many_tries() {
        for wanted in [1, 8] {
            let (sender, inbox) = channel();
            let dials = alloc::vec![Arc::new(Far(None)) as Arc<dyn Dial>];
            let mut sources = Sources::new(dials, Some(wanted), Some(3), &sender);
            let mut tried = 0;
            for seconds in 0..10 {
                let now = Duration::from_secs(seconds * 10);
                tried += dial(&mut sources, &inbox, now, false);
            }
            assert_eq!((tried, sources.redials()), (wanted + 3, 3));
            assert!(sources.are_gone());
        }
    }
}
