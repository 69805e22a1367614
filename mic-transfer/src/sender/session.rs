//! Who is let in, and which studies are asked for.

use alloc::collections::{BTreeMap, BTreeSet};

use super::queue::Queue;
use super::state::SourceState;
use super::{Phase, Sender, SenderEvent, SenderOutput, Study};
use crate::Auth;
use crate::error::{Context, ErrorCode, SessionError};
use crate::limits::{HELD_RUNS_MAX, SLOTS_MAX};
use crate::wire::{Frame, NO_SLOT, Report, Request, Session};

impl Sender {
    /// Lets the receiver in.
    pub fn accept_session(&mut self) {
        if self.phase == Phase::Judging {
            self.phase = Phase::Open;
            let held_runs = self.config.held_runs.min(HELD_RUNS_MAX as u32);
            let session = Session::new(Auth::none()).with_held_runs(held_runs);
            self.send(&Frame::Hello(session));
            match self.waiting.take() {
                Some((slot, Some(request))) => self.open_study(slot, request),
                Some((slot, None)) => self.last_slot = Some(slot),
                None => {}
            }
        }
    }

    /// Turns the receiver away, with the application's own reason.
    pub fn refuse_session(&mut self, reason: Option<u16>) {
        if self.phase == Phase::Judging {
            let report = Report {
                reason,
                ..Report::new(ErrorCode::SessionRefused)
            };
            self.send(&Frame::Error {
                slot: NO_SLOT,
                report,
            });
            self.phase = Phase::Closed;
            self.out.push_back(SenderOutput::Close(None));
        }
    }

    pub(super) fn handle_request(
        &mut self,
        slot: u16,
        request: Request,
    ) -> Result<(), SessionError> {
        if self.last_slot.is_some_and(|last| slot <= last) {
            return Err(SessionError::protocol(
                ErrorCode::OutOfOrder,
                Context::Frame("REQUEST"),
            ));
        }
        self.studies
            .retain(|_, study| study.state != SourceState::Ended);
        if self.studies.len() >= SLOTS_MAX {
            return Err(SessionError::protocol(
                ErrorCode::LimitExceeded,
                Context::Frame("REQUEST"),
            ));
        }
        self.open_study(slot, request);
        Ok(())
    }

    pub(super) fn open_study(&mut self, slot: u16, request: Request) {
        self.last_slot = Some(slot);
        let event = SenderEvent::AuthorizeStudy {
            slot,
            study: request.study.clone(),
            auth: request.auth.clone(),
        };
        let study = Study {
            state: SourceState::Judging,
            request,
            signed: None,
            manifest_sent: 0,
            queue: Queue::default(),
            early: 0,
            early_first: 0,
            leaves_sent: BTreeSet::new(),
            held: BTreeMap::new(),
            held_runs: 0,
        };
        self.studies.insert(slot, study);
        self.out.push_back(SenderOutput::Event(event));
    }
}
