//! What a pass remembers of one visit: places of events, not facts.

use alloc::vec::Vec;

use crate::{
    assess::Standing,
    civil::Moment,
    event::{Event, EventKind, Fact, Modality, Payer},
    key::{ExamLineId, PersonRef},
    policy::DateBasis,
};

/// Exams of one visit that are searched one by one; more go to the readable engine, which sorts.
pub(super) const EXAMS_MAX: usize = 32;

/// The verdict of one or more exams, as far as it matters for a unit (C-02).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits {
    pub(super) failed: bool,
    pub(super) open: bool,
    pub(super) served: bool,
}

impl Bits {
    pub(super) const fn of(standing: Standing) -> Self {
        Self {
            failed: standing.is_failed(),
            open: standing.is_open(),
            served: standing.is_served(),
        }
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self {
            failed: self.failed | other.failed,
            open: self.open | other.open,
            served: self.served | other.served,
        }
    }

    pub(super) const fn is_empty(self) -> bool {
        !(self.failed | self.open | self.served)
    }
}

/// What is known of a visit beside its exams.
#[derive(Debug, Default)]
pub(super) struct Plain {
    person: Option<PersonRef>,
    other_person: bool,
    payer: Option<Payer>,
}

impl Plain {
    /// None, one, or more than one person.
    pub(super) const fn persons(&self) -> u8 {
        match (self.person, self.other_person) {
            (None, _) => 0,
            (Some(_), false) => 1,
            (Some(_), true) => 2,
        }
    }

    pub(super) const fn payer(&self) -> Option<Payer> {
        self.payer
    }

    /// Hears a word; false if it contradicts another one, which takes the times they were known.
    pub(super) fn hear(
        &mut self,
        fact: &Fact,
        at: u32,
        events: &[Event],
        slots: &mut Vec<Slot>,
    ) -> bool {
        match self.person {
            None => self.person = Some(fact.person),
            Some(person) => self.other_person |= person != fact.person,
        }
        let Some(line) = fact.kind.exam_ref() else {
            if let EventKind::Settled { payer } = fact.kind {
                return *self.payer.get_or_insert(payer) == payer;
            }
            return true;
        };
        // Events of one exam mostly follow each other.
        let same = slots.iter().rposition(|slot| slot.line == *line);
        let slot = match same {
            Some(place) => slots.get_mut(place),
            None => {
                slots.push(Slot::new(*line));
                slots.last_mut()
            }
        };
        slot.is_some_and(|slot| slot.hear(fact, at, events))
    }
}

/// What is known of one exam.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    line: ExamLineId,
    ordered: Option<u32>,
    performed: Option<u32>,
    fee: Option<u32>,
    reported: Option<u32>,
    cancelled: Option<Moment>,
    refunded: bool,
    index: Option<Moment>,
    stored: Option<Moment>,
    /// Read from the events by [`Slot::settle`].
    told: Told,
}

/// The words behind the places.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    modality: Option<Modality>,
    performed: Option<Moment>,
    fee: Option<Moment>,
    reported: Option<Moment>,
}

impl Slot {
    fn new(line: ExamLineId) -> Self {
        Self {
            line,
            ordered: None,
            performed: None,
            fee: None,
            reported: None,
            cancelled: None,
            refunded: false,
            index: None,
            stored: None,
            told: Told::default(),
        }
    }

    fn hear(&mut self, fact: &Fact, at: u32, events: &[Event]) -> bool {
        let when = fact.occurred;
        let earliest = |slot: &mut Option<Moment>| {
            *slot = Some(slot.map_or(when, |held| held.min(when)));
            true
        };
        let slot = match fact.kind {
            EventKind::ExamOrdered { .. } => &mut self.ordered,
            EventKind::Performed { .. } => &mut self.performed,
            EventKind::FeeLine { .. } => &mut self.fee,
            EventKind::Reported { .. } => &mut self.reported,
            EventKind::Cancelled { .. } => return earliest(&mut self.cancelled),
            EventKind::PixelsStored { .. } => return earliest(&mut self.stored),
            EventKind::IndexAccepted { .. } => return earliest(&mut self.index),
            EventKind::Refunded { .. } => {
                self.refunded = true;
                return true;
            }
            _ => return true,
        };
        match *slot {
            None => {
                *slot = Some(at);
                true
            }
            // The same word again changes nothing (C-06); another one is weighed by when each was
            // known.
            Some(held) => place(events, held).is_some_and(|event| event.fact() == fact),
        }
    }

    /// Reads the words behind the places.
    pub(super) fn settle(&mut self, events: &[Event]) {
        let read = |at: Option<u32>| at.and_then(|at| place(events, at));
        let when = |at: Option<u32>| read(at).map(Event::occurred);
        let modality = |at: Option<u32>| match read(at).map(Event::kind) {
            Some(
                EventKind::Performed { modality, .. } | EventKind::ExamOrdered { modality, .. },
            ) => Some(*modality),
            _ => None,
        };
        self.told = Told {
            modality: modality(self.performed).or_else(|| modality(self.ordered)),
            performed: when(self.performed),
            fee: when(self.fee),
            reported: when(self.reported),
        };
    }

    pub(super) const fn line(&self) -> ExamLineId {
        self.line
    }

    pub(super) const fn modality(&self) -> Option<Modality> {
        self.told.modality
    }

    pub(super) const fn index(&self) -> Option<Moment> {
        self.index
    }

    pub(super) const fn stored(&self) -> Option<Moment> {
        self.stored
    }

    /// C-08, C-09.
    pub(super) fn is_undone(&self) -> bool {
        let cancelled = self
            .cancelled
            .is_some_and(|at| self.told.performed.is_none_or(|performed| at < performed));
        self.refunded || cancelled
    }

    pub(super) fn is_live(&self) -> bool {
        (self.performed.is_some() || self.fee.is_some()) && !self.is_undone()
    }

    /// The moment the deadline counts from; only asked of live exams, which have one.
    pub(super) fn since(&self) -> Moment {
        let told = self.told;
        told.performed.or(told.fee).unwrap_or(Moment::EARLIEST)
    }

    /// V-06: the wanted date, or else the earliest other one.
    pub(super) fn dated(&self, basis: DateBasis) -> Option<Moment> {
        let told = self.told;
        let wanted = match basis {
            DateBasis::FeeOccurred => told.fee,
            DateBasis::Performed => told.performed,
            DateBasis::Reported => told.reported,
        };
        wanted.or_else(|| {
            [told.fee, told.performed, told.reported]
                .into_iter()
                .flatten()
                .min()
        })
    }
}

fn place(events: &[Event], at: u32) -> Option<&Event> {
    events.get(usize::try_from(at).ok()?)
}
