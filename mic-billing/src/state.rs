//! What is known of a visit: a set of facts, each with the moment it became known.
//!
//! The set is a join-semilattice. Folding an event adds its fact, or makes a known one known
//! earlier; merging is union. Both are commutative, associative and idempotent (I-03, I-04), so
//! lost order, doubled messages (C-06) and split shards change nothing.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::{
    civil::Moment,
    event::{CareSetting, Event, EventError, EventKind, Fact},
    key::{EncounterId, InstitutionCode, VisitKey},
};

/// Most facts of one visit. A long stay has some thousands; more is an export gone wrong, and
/// the bound keeps hostile input from taking the memory.
pub const VISIT_FACTS_MAX: usize = 65_536;

/// The state of one visit, or of several linked ones that are one 人次.
///
/// ```
/// # use mic_billing::*;
/// # let event: Event = serde_json::from_str(r#"{"institution":"H44030500001","encounter":"E1",
/// #   "person":"000102030405060708090a0b0c0d0e0f","kind":"discharged",
/// #   "occurred":"2025-12-01T11:00:00+08:00","known":"2025-12-01T11:00:00+08:00","source":"hospital"}"#).unwrap();
/// let mut state = VisitState::new(event.visit());
/// state.fold(&event)?;
/// let once = state.clone();
/// state.fold(&event)?;
/// state.merge(&once)?;
/// assert_eq!(state, once);
/// # Ok::<(), FoldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawState", into = "RawState")]
pub struct VisitState {
    institution: InstitutionCode,
    members: Members,
    /// Each fact once, with the earliest moment it was known. A tree, so that no order of the
    /// events makes folding quadratic.
    facts: BTreeMap<Fact, Moment>,
}

impl VisitState {
    /// A visit nothing is known of.
    #[must_use]
    pub fn new(visit: VisitKey) -> Self {
        Self {
            institution: visit.institution,
            members: Members::one(visit.encounter),
            facts: BTreeMap::new(),
        }
    }

    /// The state of one visit from its events, in any order.
    ///
    /// # Errors
    /// As [`VisitState::fold`]; [`FoldError::Nothing`] if there is no event.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Self, FoldError> {
        let mut events = events.into_iter();
        let first = events.next().ok_or(FoldError::Nothing)?;
        let mut state = Self::new(first.visit());
        state.fold(first)?;
        events.try_for_each(|event| state.fold(event))?;
        Ok(state)
    }

    /// Adds what an event tells.
    ///
    /// # Errors
    /// [`FoldError::OtherInstitution`] or [`FoldError::OtherEncounter`] for another visit's event,
    /// [`FoldError::TooManyFacts`] past [`VISIT_FACTS_MAX`].
    pub fn fold(&mut self, event: &Event) -> Result<(), FoldError> {
        let visit = event.visit();
        if visit.institution != self.institution {
            return Err(FoldError::OtherInstitution);
        }
        if !self.members.contains(visit.encounter) {
            return Err(FoldError::OtherEncounter);
        }
        event.check()?;
        self.learn(event.fact(), event.known())
    }

    /// Joins what is known of two visits of one institution into one 人次 (V-07), or of one visit
    /// from two sources. On an error nothing is joined: half of a visit's facts in another one
    /// would be charged twice.
    ///
    /// # Errors
    /// [`FoldError::OtherInstitution`]: two hospitals are two visits (V-09);
    /// [`FoldError::TooManyFacts`] past [`VISIT_FACTS_MAX`].
    pub fn merge(&mut self, other: &Self) -> Result<(), FoldError> {
        if other.institution != self.institution {
            return Err(FoldError::OtherInstitution);
        }
        // Counted before anything is touched, and only where the sum could pass the bound.
        let room = VISIT_FACTS_MAX.saturating_sub(self.facts.len());
        if other.facts.len() > room
            && other
                .facts
                .iter()
                .filter(|(fact, _)| !self.facts.contains_key(*fact))
                .nth(room)
                .is_some()
        {
            return Err(FoldError::TooManyFacts);
        }
        other
            .members
            .iter()
            .for_each(|encounter| self.members.insert(encounter));
        other
            .facts
            .iter()
            .try_for_each(|(fact, known)| self.learn(fact, *known))
    }

    fn learn(&mut self, fact: &Fact, known: Moment) -> Result<(), FoldError> {
        if let Some(since) = self.facts.get_mut(fact) {
            *since = known.min(*since);
            return Ok(());
        }
        if self.facts.len() >= VISIT_FACTS_MAX {
            return Err(FoldError::TooManyFacts);
        }
        self.facts.insert(fact.clone(), known);
        Ok(())
    }

    /// Where the visit was.
    #[must_use]
    pub const fn institution(&self) -> InstitutionCode {
        self.institution
    }

    /// The encounters that are this one 人次.
    pub fn encounters(&self) -> impl Iterator<Item = EncounterId> {
        self.members.iter()
    }

    /// The events the state holds, each with the earliest moment it was known.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        self.facts
            .iter()
            .map(|(fact, known)| Event::of_fact(fact.clone(), *known))
    }

    /// The key the 人次 is charged under: the stay if one of the encounters is one, else the
    /// smallest of them (V-07).
    #[must_use]
    pub fn root(&self, known_at: Moment) -> VisitKey {
        let is_stay = |fact: &Fact| {
            matches!(
                fact.kind,
                EventKind::Registered {
                    setting: CareSetting::Inpatient
                }
            )
        };
        // Only encounters something is known of: a later one may not choose the key (I-15).
        let known = || self.known(known_at).map(|(fact, _)| fact);
        let stay = known()
            .filter(|fact| is_stay(fact))
            .map(|fact| fact.encounter)
            .min();
        let smallest = known().map(|fact| fact.encounter).min();
        VisitKey::new(
            self.institution,
            stay.or(smallest).unwrap_or(self.members.least),
        )
    }

    /// The facts known at a moment (I-15).
    pub(crate) fn known(&self, at: Moment) -> impl Iterator<Item = (&Fact, Moment)> {
        self.facts
            .iter()
            .map(|(fact, known)| (fact, *known))
            .filter(move |(_, known)| *known <= at)
    }
}

/// The encounters of a 人次: never none, the least apart so that the type says so.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Members {
    least: EncounterId,
    others: BTreeSet<EncounterId>,
}

impl Members {
    const fn one(least: EncounterId) -> Self {
        Self {
            least,
            others: BTreeSet::new(),
        }
    }

    fn insert(&mut self, encounter: EncounterId) {
        match encounter.cmp(&self.least) {
            Ordering::Less => {
                self.others.insert(self.least);
                self.least = encounter;
            }
            Ordering::Equal => {}
            Ordering::Greater => {
                self.others.insert(encounter);
            }
        }
    }

    fn contains(&self, encounter: EncounterId) -> bool {
        self.least == encounter || self.others.contains(&encounter)
    }

    fn iter(&self) -> impl Iterator<Item = EncounterId> {
        core::iter::once(self.least).chain(self.others.iter().copied())
    }
}

/// The serialised form of a state.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawState {
    institution: InstitutionCode,
    encounters: Vec<EncounterId>,
    events: Vec<Event>,
}

impl From<VisitState> for RawState {
    fn from(state: VisitState) -> Self {
        let events = state.events().collect();
        Self {
            institution: state.institution,
            encounters: state.members.iter().collect(),
            events,
        }
    }
}

impl TryFrom<RawState> for VisitState {
    type Error = FoldError;

    fn try_from(raw: RawState) -> Result<Self, FoldError> {
        let mut encounters = raw.encounters.into_iter();
        let mut members = Members::one(encounters.next().ok_or(FoldError::Nothing)?);
        encounters.for_each(|encounter| members.insert(encounter));
        let mut state = Self {
            institution: raw.institution,
            members,
            facts: BTreeMap::new(),
        };
        raw.events.iter().try_for_each(|event| state.fold(event))?;
        Ok(state)
    }
}

/// An event that doesn't belong to a visit.
///
/// ```
/// # use mic_billing::*;
/// assert_eq!(VisitState::of([]).unwrap_err(), FoldError::Nothing);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// No event and no encounter: no visit.
    #[error("expected at least one event of a visit")]
    Nothing,
    /// The event is of another institution.
    #[error("expected an event of the same institution")]
    OtherInstitution,
    /// The event is of an encounter that is not this visit's.
    #[error("expected an event of one of the visit's encounters")]
    OtherEncounter,
    /// The bound of one visit.
    #[error("expected at most {VISIT_FACTS_MAX} facts of one visit")]
    TooManyFacts,
    /// The event can't have happened so.
    #[error(transparent)]
    Event(#[from] EventError),
}
