//! One pass over events sorted by visit: the money of [`desired`] without its reasons, for whole
//! provinces.
//!
//! What is plain, which is nearly all, is judged on a few words per exam, with no set of facts, no
//! allocation and no search in the book. What is not (words that contradict, linked visits, units
//! of studies) goes to the readable engine. Both give the same lines; `tests/sweep.rs` holds them
//! together, and any line can be had with its reasons through [`explain`].

mod links;
mod runs;
mod slot;
mod terms;

use alloc::vec::Vec;

pub use self::{links::Links, runs::Runs, terms::Terms};
use self::{
    slot::{Bits, EXAMS_MAX, Plain, Slot},
    terms::Table,
};
use crate::{
    assess::{Reason, assess},
    book::Book,
    civil::Moment,
    event::{Event, EventKind, Modality, Payer},
    key::{ExamKey, ExamLineId, VisitKey},
    line::{Line, LineError, Scope, Unit, desired},
    policy::CountingUnit,
    state::{FoldError, VISIT_FACTS_MAX, VisitState},
    visits::Visits,
};

/// A pass over visits in ascending order of their key, each with all its events.
///
/// Charges are keyed by the linked root visit, so links are read first ([`Links`]): visits that
/// take part in one are set aside and judged together by [`Sweep::linked`]. Units over several
/// visits (person-days) can't be told visit by visit; [`Sweep::new`] refuses a book that has them.
///
/// ```
/// use mic_billing::{Book, Event, Links, Moment, Sweep, books};
///
/// let event: Event = serde_json::from_str(r#"{
///     "institution": "H44030500001", "encounter": "E1", "source": "hospital",
///     "person": "000102030405060708090a0b0c0d0e0f",
///     "kind": "performed", "exam": "F2", "modality": "xray",
///     "occurred": "2025-12-01T09:40:00+08:00", "known": "2025-12-01T09:40:00+08:00" }"#)?;
/// let book = Book::load([books::national()?, books::shenzhen()?])?;
/// let now: Moment = "2025-12-10T00:00:00+08:00".parse()?;
///
/// let mut sweep = Sweep::new(&book, now, Links::of([&event], now))?;
/// let judged = sweep.visit(&[event.clone()])?;
/// let line = judged.lines().next().unwrap();
/// assert_eq!((line.unit.to_string().as_str(), line.terms.amount.get()), ("H44030500001/exam/E1/F2", -500));
/// // A visit that comes again is an error, never a second charge.
/// assert!(sweep.visit(&[event]).is_err());
/// assert_eq!(sweep.linked()?, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Sweep<'b> {
    book: &'b Book,
    known_at: Moment,
    table: Table<'b>,
    links: Links,
    aside: Visits,
    last: Option<VisitKey>,
    slots: Vec<Slot>,
    found: Vec<Found>,
    careful: u64,
}

impl<'b> Sweep<'b> {
    /// A pass by a book, from what was known at a moment.
    ///
    /// # Errors
    /// [`SweepError::PersonDays`] if the book counts person-days, [`SweepError::Line`] if a price
    /// can't be split.
    pub fn new(book: &'b Book, known_at: Moment, links: Links) -> Result<Self, SweepError> {
        Ok(Self {
            book,
            known_at,
            table: Table::of(book, known_at)?,
            links,
            aside: Visits::new(),
            last: None,
            slots: Vec::new(),
            found: Vec::new(),
            careful: 0,
        })
    }

    /// Judges the next visit from all its events, in any order among themselves.
    ///
    /// # Errors
    /// [`SweepError::Unsorted`] if the visit is not after the one before (I-20),
    /// [`SweepError::UnknownLink`] for a link that was not read first, [`SweepError::Fold`] for
    /// events of several visits or too many.
    pub fn visit(&mut self, events: &[Event]) -> Result<Judged<'_>, SweepError> {
        let first = events.first().ok_or(FoldError::Nothing)?;
        let visit = first.visit();
        if self.last.is_some_and(|last| last >= visit) {
            return Err(SweepError::Unsorted);
        }
        self.found.clear();
        let reason = if self.links.contains(visit) {
            self.set_aside(events, visit)?;
            None
        } else {
            Some(match self.plain(events, first)? {
                Some(reason) => reason,
                None => self.careful(events, visit)?,
            })
        };
        self.last = Some(visit);
        Ok(Judged {
            visit,
            reason,
            found: &self.found,
            terms: self.table.terms(),
        })
    }

    /// The lines of the visits set aside because they are linked, each 人次 once, with reasons.
    ///
    /// # Errors
    /// [`LineError`] if an amount doesn't fit.
    pub fn linked(&self) -> Result<Vec<Line>, LineError> {
        self.aside.desired(self.book, self.known_at)
    }

    /// How many visits went to the readable engine, linked ones not counted.
    #[must_use]
    pub const fn careful_visits(&self) -> u64 {
        self.careful
    }

    /// What lines can come to under this book; [`Judged::terms`] gives places here.
    #[must_use]
    pub fn terms(&self) -> &[Terms] {
        self.table.terms()
    }

    fn set_aside(&mut self, events: &[Event], visit: VisitKey) -> Result<(), SweepError> {
        // Whole or not at all: what is aside is charged later.
        let mut one = Visits::new();
        for event in events {
            if event.visit() != visit {
                return Err(FoldError::OtherEncounter.into());
            }
            one.fold(event)?;
        }
        Ok(self.aside.merge(&one)?)
    }

    /// The readable engine's answer for one visit.
    fn careful(&mut self, events: &[Event], visit: VisitKey) -> Result<Reason, SweepError> {
        self.careful = self.careful.saturating_add(1);
        let assessment = assess(&VisitState::of(events)?, self.book, self.known_at);
        for line in desired(core::slice::from_ref(&assessment))? {
            let place = Place::of(&line, visit);
            let terms = self.table.place_of(&line);
            self.found.push(Found { place, terms });
        }
        Ok(assessment.reason())
    }

    /// The quick answer; none where the visit is not plain.
    fn plain(&mut self, events: &[Event], first: &Event) -> Result<Option<Reason>, SweepError> {
        if events.len() > VISIT_FACTS_MAX {
            return Ok(None);
        }
        let mut plain = Plain::default();
        self.slots.clear();
        for (at, event) in (0_u32..).zip(events) {
            let fact = event.fact();
            if !event.is_at_visit_of(first) {
                return Err(if fact.institution == first.visit().institution {
                    FoldError::OtherEncounter.into()
                } else {
                    FoldError::OtherInstitution.into()
                });
            }
            event.check().map_err(FoldError::from)?;
            if event.known() > self.known_at {
                continue;
            }
            if let EventKind::Linked { .. } = fact.kind {
                return Err(SweepError::UnknownLink);
            }
            if !plain.hear(fact, at, events, &mut self.slots) || self.slots.len() > EXAMS_MAX {
                return self.finish_keys(events, first).map(|()| None);
            }
        }
        Ok(self.judge(&plain, events))
    }

    /// Looks at what the quick look left unread, so that the answer doesn't depend on the order.
    fn finish_keys(&self, events: &[Event], first: &Event) -> Result<(), SweepError> {
        let stray = events.iter().find(|event| !event.is_at_visit_of(first));
        if let Some(stray) = stray {
            return Err(if stray.visit().institution == first.visit().institution {
                FoldError::OtherEncounter.into()
            } else {
                FoldError::OtherInstitution.into()
            });
        }
        events
            .iter()
            .try_for_each(Event::check)
            .map_err(FoldError::from)?;
        let linked = |event: &Event| {
            matches!(event.kind(), EventKind::Linked { .. }) && event.known() <= self.known_at
        };
        if events.iter().any(linked) {
            return Err(SweepError::UnknownLink);
        }
        Ok(())
    }

    /// Steps 1 to 9 of the decision order on the words heard.
    fn judge(&mut self, plain: &Plain, events: &[Event]) -> Option<Reason> {
        let known = match plain.persons() {
            0 => return Some(Reason::NothingKnown),
            1 => self.known_at,
            _ => return Some(Reason::IdentityConflict),
        };
        let (mut live, mut undone) = (false, false);
        for slot in &mut self.slots {
            slot.settle(events);
            live |= slot.is_live();
            undone |= slot.is_undone();
        }
        if !live {
            return Some(if undone {
                Reason::AllUndone
            } else {
                Reason::NotPerformed
            });
        }
        let row = self.table.row(&self.slots)?;
        let Some(row) = row else {
            return Some(Reason::NoTariff);
        };
        let payer = plain.payer().unwrap_or(Payer::Insured);
        let mut judged = false;
        let mut whole = Bits::default();
        let mut kinds = [Bits::default(); Modality::COUNT_AND_NONE];
        let unit = row.charge.unit();
        for slot in self.slots.iter().filter(|slot| slot.is_live()) {
            let standing = row.charge.judge(
                slot.modality(),
                slot.since(),
                slot.index(),
                slot.stored(),
                known,
            );
            let bits = Bits::of(standing);
            if bits.is_empty() {
                continue;
            }
            judged = true;
            match unit {
                CountingUnit::Exam => {
                    if let Some(terms) = row.terms(payer, bits) {
                        let place = Place::Exam(slot.line());
                        self.found.push(Found { place, terms });
                    }
                }
                CountingUnit::Modality => {
                    let kind = kinds.get_mut(Modality::place(slot.modality()))?;
                    *kind = kind.with(bits);
                }
                _ => whole = whole.with(bits),
            }
        }
        if !judged {
            return Some(Reason::NotCovered);
        }
        match unit {
            CountingUnit::Exam => {
                // The readable engine's order: by exam line.
                if self.found.len() > 1 {
                    self.found.sort_unstable_by_key(|found| found.place);
                }
            }
            CountingUnit::Modality => {
                for (modality, bits) in Modality::none_and_all().zip(kinds) {
                    if bits.is_empty() {
                        continue;
                    }
                    if let Some(terms) = row.terms(payer, bits) {
                        let place = Place::Modality(modality);
                        self.found.push(Found { place, terms });
                    }
                }
            }
            _ => {
                if let Some(terms) = row.terms(payer, whole) {
                    let place = Place::Encounter;
                    self.found.push(Found { place, terms });
                }
            }
        }
        Some(Reason::Assessed)
    }
}

/// The lines of a sorted visit with their reasons: what the readable engine says.
///
/// ```
/// # use mic_billing::*;
/// # let book = Book::load([books::national().unwrap(), books::shenzhen().unwrap()]).unwrap();
/// # let now: Moment = "2025-12-10T00:00:00+08:00".parse().unwrap();
/// assert!(explain(&[], &book, now).is_err());
/// ```
///
/// # Errors
/// [`SweepError::Fold`] for no events, events of several visits or too many.
pub fn explain(events: &[Event], book: &Book, known_at: Moment) -> Result<Vec<Line>, SweepError> {
    let state = VisitState::of(events)?;
    Ok(desired(&[assess(&state, book, known_at)])?)
}

/// What a pass says of one visit.
///
/// ```
/// # use mic_billing::*;
/// # fn show(judged: &Judged<'_>) {
/// for line in judged.lines() {
///     println!("{} {} {}", line.unit, line.terms.kind.name(), line.terms.amount);
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Judged<'s> {
    visit: VisitKey,
    reason: Option<Reason>,
    found: &'s [Found],
    terms: &'s [Terms],
}

impl<'s> Judged<'s> {
    /// The visit.
    #[must_use]
    pub const fn visit(&self) -> VisitKey {
        self.visit
    }

    /// How far it came in the decision order; none if it is linked and was set aside.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Its lines, sorted by unit.
    pub fn lines(&self) -> impl Iterator<Item = SweptLine<'s>> + use<'s> {
        let (visit, all) = (self.visit, self.terms);
        self.found.iter().filter_map(move |found| {
            let terms = all.get(found.terms)?;
            let unit = found.place.unit(visit);
            Some(SweptLine { unit, terms })
        })
    }

    /// The places of its lines' terms in [`Sweep::terms`], for counting without looking at them.
    pub fn terms(&self) -> impl Iterator<Item = usize> + use<'s> {
        self.found.iter().map(|found| found.terms)
    }
}

/// A line without its reasons.
///
/// ```
/// # fn show(line: &mic_billing::SweptLine<'_>) {
/// println!("{}: {}", line.unit, line.terms.amount);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SweptLine<'s> {
    /// What it is for.
    pub unit: Unit,
    /// Kind, amount and shares.
    pub terms: &'s Terms,
}

/// A line as short as can be.
#[derive(Clone, Copy, Debug)]
struct Found {
    place: Place,
    terms: usize,
}

/// The unit of a line within its visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Encounter,
    Exam(ExamLineId),
    Modality(Option<Modality>),
    /// Counted by study, which only the readable engine does.
    Other(Scope),
}

impl Place {
    fn of(line: &Line, visit: VisitKey) -> Self {
        match line.unit().scope {
            Scope::Encounter { .. } => Self::Encounter,
            Scope::Exam { exam } if exam.encounter == visit.encounter => Self::Exam(exam.line),
            Scope::Modality { modality, .. } => Self::Modality(modality),
            other => Self::Other(other),
        }
    }

    const fn unit(self, visit: VisitKey) -> Unit {
        let encounter = visit.encounter;
        let scope = match self {
            Self::Encounter => Scope::Encounter { encounter },
            Self::Exam(line) => Scope::Exam {
                exam: ExamKey::new(encounter, line),
            },
            Self::Modality(modality) => Scope::Modality {
                encounter,
                modality,
            },
            Self::Other(scope) => scope,
        };
        Unit {
            institution: visit.institution,
            scope,
        }
    }
}

/// A pass that can't go on.
///
/// ```
/// assert_eq!(mic_billing::SweepError::Unsorted.to_string(),
///     "expected visits in ascending order of institution and encounter, each once");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// A visit before the last one, or the last one again (I-20).
    #[error("expected visits in ascending order of institution and encounter, each once")]
    Unsorted,
    /// A visit has a link that was not among the links given.
    #[error("expected the links of all visits before the first visit")]
    UnknownLink,
    /// The book counts person-days, which span visits.
    #[error("expected a book that counts within one visit, found person-days")]
    PersonDays,
    /// The events are not those of one visit.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// A line can't be made.
    #[error(transparent)]
    Line(#[from] LineError),
}
