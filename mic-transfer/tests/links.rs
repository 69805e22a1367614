//! Connections that outlive studies: numbers of their own, long silences, studies forgotten.

#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test's ways to fail and to speak"
)]

mod common;

use core::time::Duration;

use common::{MadeStudy, World, frames_of, uid};
use mic_transfer::receiver::{
    Priority, Receiver, ReceiverConfig, ReceiverEvent, ReceiverOutput, StudyState,
};
use mic_transfer::sender::{Sender, SenderConfig, SenderEvent, SenderOutput};
use mic_transfer::storage::MemoryStorage;
use mic_transfer::wire::{Frame, Offer, PREFACE, Request, Session, encode};
use mic_transfer::{Auth, ErrorCode};

/// Everything the receiver sends, by connection.
#[derive(Default)]
struct Sent {
    bytes: [Vec<u8>; 2],
}

impl Sent {
    fn drain(&mut self, receiver: &mut Receiver) {
        loop {
            match receiver.poll_output() {
                ReceiverOutput::Send(id, packet) => {
                    self.bytes[id as usize].extend_from_slice(&packet.to_vec());
                }
                ReceiverOutput::Event(ReceiverEvent::Offered { slot, .. }) => receiver.accept(slot),
                ReceiverOutput::Wait(_) => return,
                _ => {}
            }
        }
    }

    fn requests(&self, id: usize) -> Vec<(u16, String)> {
        let frames = frames_of(&self.bytes[id]).into_iter();
        let request = |frame| match frame {
            Frame::Request { slot, request } => Some((slot, request.study.to_string())),
            _ => None,
        };
        frames.filter_map(request).collect()
    }
}

fn hello(slots: u16) -> Vec<u8> {
    let mut session = Session::new(Auth::none());
    session.slots = slots;
    [&PREFACE[..], &encode(&Frame::Hello(session)).to_vec()].concat()
}

#[test]
fn ok_slots_rise_on_each_connection_whatever_order_studies_come_in() {
    let studies: Vec<MadeStudy> = (0..3)
        .map(|at| MadeStudy::new(&format!("1.2.{at}"), at, &[40]))
        .collect();
    let now = Duration::ZERO;
    let mut receiver = Receiver::new(ReceiverConfig::default());
    for (id, slots) in [(0, 1), (1, 64)] {
        receiver.connect(id, Auth::none(), now);
        receiver.handle_bytes(id, &hello(slots), now);
    }
    for study in &studies {
        receiver.pull(
            study.uid().clone(),
            Auth::none(),
            Priority::Waiting,
            None,
            now,
        );
    }
    // The first connection allows one study and brings its manifest: the second one is asked for it
    // after two later studies.
    let manifest = studies[0].signed.manifest();
    let offer = Offer::new(*manifest.root(), manifest.encoded().len() as u32, None);
    let bytes = manifest.encoded().to_vec();
    for frame in [
        Frame::Offer { slot: 0, offer },
        Frame::Manifest {
            slot: 0,
            offset: 0,
            bytes,
        },
    ] {
        receiver.handle_bytes(0, &encode(&frame).to_vec(), now);
    }
    let mut sent = Sent::default();
    sent.drain(&mut receiver);
    let named = |list: &[(u16, &str)]| -> Vec<(u16, String)> {
        list.iter()
            .map(|(slot, name)| (*slot, (*name).to_string()))
            .collect()
    };
    assert_eq!(sent.requests(0), named(&[(0, "1.2.0")]));
    assert_eq!(
        sent.requests(1),
        named(&[(0, "1.2.1"), (1, "1.2.2"), (2, "1.2.0")])
    );
}

#[test]
fn ok_a_standing_connection_carries_studies_after_hours_of_silence() {
    let studies: Vec<MadeStudy> = (0..4)
        .map(|at| MadeStudy::new(&format!("1.2.{at}"), at, &[40, 300_000]))
        .collect();
    let mut world = World::new(0, &studies[..1], MemoryStorage::new());
    world.sender_config.idle_timeout = Duration::from_secs(100_000);
    world.connect();
    for study in &studies {
        world.archive = [(study.uid().clone(), study.clone().into())].into();
        let slots = world.pull_all();
        assert!(world.run(), "{:?}", world.errors);
        assert!(world.is_complete());
        // Its number may name another study now.
        assert!(world.receiver.forget(slots[0]));
        assert!(world.receiver.state(slots[0]).is_none());
        world.now += Duration::from_secs(7200);
    }
    assert_eq!(world.receiver.connections(), 1);
    assert!(world.errors.is_empty(), "{:?}", world.errors);
}

#[test]
fn ok_a_receiver_outlives_its_numbers_and_those_of_a_connection() {
    let now = Duration::ZERO;
    let mut receiver = Receiver::new(ReceiverConfig::default());
    receiver.connect(0, Auth::none(), now);
    receiver.handle_bytes(0, &hello(64), now);
    let mut sent = Sent::default();
    let mut closed = false;
    for at in 0..66_000_u32 {
        let slot = receiver.pull(uid("1.2"), Auth::none(), Priority::Preload, None, now);
        receiver.cancel(slot.unwrap());
        closed |= receiver.connections() == 0;
        // Numbers of a connection are not used twice: one that has none left is closed properly.
        assert_eq!(closed, at >= 65_535, "{at}");
        assert!(receiver.forget(slot.unwrap()));
        sent.drain(&mut receiver);
    }
    assert_eq!(frames_of(&sent.bytes[0]).last(), Some(&Frame::Bye));
}

/// What a source does with frames that come before its session is decided, and once it is.
fn undecided(frames: &[Frame], accepts: bool) -> (Vec<&'static str>, Option<ErrorCode>) {
    let now = Duration::ZERO;
    let mut sender = Sender::new(SenderConfig::default(), now);
    let (mut said, mut code) = (Vec::new(), None);
    let mut drain = |sender: &mut Sender| {
        loop {
            match sender.poll_output() {
                SenderOutput::Wait(_) => break,
                SenderOutput::Event(SenderEvent::AuthorizeSession { .. }) => said.push("session"),
                SenderOutput::Event(SenderEvent::AuthorizeStudy { .. }) => said.push("study"),
                SenderOutput::Close(error) => {
                    code = error.map(|error| error.code());
                    said.push("close");
                }
                _ => {}
            }
        }
    };
    sender.handle_bytes(&hello(64), now);
    for frame in frames {
        sender.handle_bytes(&encode(frame).to_vec(), now);
    }
    drain(&mut sender);
    if accepts {
        sender.accept_session();
    } else {
        sender.refuse_session(None);
    }
    drain(&mut sender);
    (said, code)
}

/// XFR-24: nobody is asked about a study before the session is decided, nor after it was refused.
#[test]
fn ok_a_request_behind_the_greeting_waits_for_the_session() {
    let request = |slot| Frame::Request {
        slot,
        request: Request::new(uid("1.2"), Auth::none()),
    };
    let said = |frames: &[Frame], accepts| undecided(frames, accepts).0;
    assert_eq!(said(&[request(0)], true), ["session", "study"]);
    assert_eq!(said(&[request(0)], false), ["session", "close"]);
    let cancel = Frame::Cancel { slot: 0 };
    assert_eq!(said(&[request(0), cancel.clone()], true), ["session"]);
    // A number is not used twice, taken back or not.
    let again = undecided(&[request(0), cancel.clone(), request(0)], true);
    assert_eq!(
        again,
        (vec!["session", "close"], Some(ErrorCode::OutOfOrder))
    );
    for wrong in [[request(0), request(1)], [cancel, request(0)]] {
        let (said, code) = undecided(&wrong, true);
        assert_eq!(
            (said.last(), code),
            (Some(&"close"), Some(ErrorCode::OutOfOrder))
        );
    }
}

/// A connection that is not let in holds a study up for two seconds, where another one could bring it.
#[test]
fn ok_a_study_does_not_wait_for_a_connection_that_is_not_let_in() {
    let mut receiver = Receiver::new(ReceiverConfig::default());
    let start = Duration::from_secs(1);
    let mut sent = Sent::default();
    receiver.connect(0, Auth::none(), start);
    receiver.pull(uid("1.2"), Auth::none(), Priority::Waiting, None, start);
    receiver.connect(1, Auth::none(), start);
    receiver.handle_bytes(1, &hello(64), start);
    sent.drain(&mut receiver);
    assert_eq!((sent.requests(0).len(), sent.requests(1).len()), (1, 0));
    let ReceiverOutput::Wait(Some(deadline)) = receiver.poll_output() else {
        panic!("the first connection is not timed")
    };
    assert_eq!(deadline, start + Duration::from_secs(2));
    receiver.handle_time(deadline);
    sent.drain(&mut receiver);
    assert_eq!(sent.requests(1).len(), 1);
}

/// XFR-24: what is taken back before the source has answered is said to it, and nothing else is asked before.
#[test]
fn ok_a_study_cancelled_while_greeting_is_taken_back_and_the_next_one_waits() {
    let mut receiver = Receiver::new(ReceiverConfig::default());
    let now = Duration::ZERO;
    let mut sent = Sent::default();
    receiver.connect(0, Auth::none(), now);
    let pull = |receiver: &mut Receiver, name: &str| {
        let slot = receiver.pull(uid(name), Auth::none(), Priority::Waiting, None, now);
        slot.unwrap()
    };
    let first = pull(&mut receiver, "1.2");
    receiver.cancel(first);
    pull(&mut receiver, "1.3");
    sent.drain(&mut receiver);
    let names = |sent: &Sent| -> Vec<&'static str> {
        let frames = frames_of(&sent.bytes[0]);
        frames.iter().map(Frame::name).collect()
    };
    assert_eq!(names(&sent), ["HELLO", "REQUEST", "CANCEL"]);
    receiver.handle_bytes(0, &hello(64), now);
    sent.drain(&mut receiver);
    assert_eq!(names(&sent), ["HELLO", "REQUEST", "CANCEL", "REQUEST"]);
    assert_eq!(sent.requests(0)[1], (1, "1.3".to_owned()));
}

/// Connections that wait for a slow decision are not given up because another one is in, where no study waits for them.
#[test]
fn ok_connections_of_a_slow_source_are_kept_when_one_is_let_in() {
    let study = MadeStudy::new("1.2", 3, &[40]);
    let known = Some(study.signed.clone());
    let mut receiver = Receiver::new(ReceiverConfig::default());
    let start = Duration::from_secs(1);
    let mut sent = Sent::default();
    receiver.pull(uid("1.2"), Auth::none(), Priority::Waiting, known, start);
    receiver.connect(0, Auth::none(), start);
    receiver.connect(1, Auth::none(), start);
    sent.drain(&mut receiver);
    assert_eq!((sent.requests(0).len(), sent.requests(1).len()), (1, 1));
    let later = start + Duration::from_secs(5);
    receiver.handle_bytes(0, &hello(64), later);
    receiver.handle_time(later);
    sent.drain(&mut receiver);
    assert_eq!(receiver.connections(), 2);
    // One that held a study up is given two seconds from when another one is in.
    receiver.pull(uid("1.3"), Auth::none(), Priority::Waiting, None, later);
    receiver.handle_time(later + Duration::from_secs(4));
    sent.drain(&mut receiver);
    assert_eq!(receiver.connections(), 2);
}

/// XFR-33: a source that was asked while the study became whole keeps nothing of it.
#[test]
fn ok_an_offer_of_what_is_whole_already_is_answered_by_cancel() {
    let study = MadeStudy::new("1.2", 3, &[40, 90]);
    let mut recorded = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
    recorded.connect();
    recorded.pull_all();
    assert!(recorded.run());
    let now = Duration::ZERO;
    let mut config = ReceiverConfig::default();
    config.early_bytes = 0;
    let mut receiver = Receiver::new(config);
    let mut store = common::open(MemoryStorage::new());
    let mut sent = Sent::default();
    let mut drain = |receiver: &mut Receiver| {
        loop {
            match receiver.poll_output() {
                ReceiverOutput::Wait(_) => break,
                ReceiverOutput::Send(id, packet) => {
                    sent.bytes[id as usize].extend_from_slice(&packet.to_vec());
                }
                ReceiverOutput::Store(operation) => {
                    receiver.handle_storage(store.execute(operation, now), now);
                }
                ReceiverOutput::Event(ReceiverEvent::Offered { slot, .. }) => receiver.accept(slot),
                ReceiverOutput::Event(ReceiverEvent::Durable { slot, .. }) => {
                    let issued: Result<(), ()> =
                        receiver.issue_receipt(slot, common::receipt_time(), None, |_| Ok(None));
                    issued.unwrap();
                }
                _ => {}
            }
        }
        frames_of(&sent.bytes[1]).last().map_or("", Frame::name)
    };
    receiver.connect(0, Auth::none(), now);
    receiver.connect(1, Auth::none(), now);
    receiver.pull(uid("1.2"), Auth::none(), Priority::Waiting, None, now);
    receiver.handle_bytes(1, &hello(64), now);
    drain(&mut receiver);
    receiver.handle_bytes(0, &PREFACE, now);
    for frame in frames_of(&recorded.record_down) {
        receiver.handle_bytes(0, &encode(&frame).to_vec(), now);
        drain(&mut receiver);
    }
    assert_eq!(receiver.state(0), Some(StudyState::Receipted));
    assert_eq!(drain(&mut receiver), "REQUEST");
    let offer = Offer::new(study.root(), 0, None);
    let late = encode(&Frame::Offer { slot: 0, offer }).to_vec();
    receiver.handle_bytes(1, &late, now);
    assert_eq!(drain(&mut receiver), "CANCEL");
}
