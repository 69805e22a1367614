//! Many visits: folding a mixed stream and resolving links (V-07).

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use crate::{
    assess::{Assessment, assess},
    book::Book,
    civil::Moment,
    event::{Event, EventKind},
    key::{InstitutionCode, PersonRef, VisitKey},
    line::{Line, LineError, desired},
    retention::{Retention, RetentionError, retention},
    state::{FoldError, VisitState},
};

/// The states of many visits, from events in any order.
///
/// ```
/// use mic_billing::Visits;
///
/// let visits = Visits::new();
/// assert_eq!(visits.resolved("2026-01-01T00:00:00+08:00".parse()?).len(), 0);
/// # Ok::<(), mic_billing::TextError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visits {
    states: BTreeMap<VisitKey, VisitState>,
}

impl Visits {
    /// No visits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            states: BTreeMap::new(),
        }
    }

    /// Adds what an event tells, to the visit it names.
    ///
    /// # Errors
    /// [`FoldError::TooManyFacts`].
    pub fn fold(&mut self, event: &Event) -> Result<(), FoldError> {
        event.check()?;
        let visit = event.visit();
        self.states
            .entry(visit)
            .or_insert_with(|| VisitState::new(visit))
            .fold(event)
    }

    /// Joins the visits of another shard or source.
    ///
    /// # Errors
    /// [`FoldError::TooManyFacts`]: the visits before the one that doesn't fit are joined, itself
    /// and those after it are not.
    pub fn merge(&mut self, other: &Self) -> Result<(), FoldError> {
        for (visit, state) in &other.states {
            self.states
                .entry(*visit)
                .or_insert_with(|| VisitState::new(*visit))
                .merge(state)?;
        }
        Ok(())
    }

    /// The 人次 as known at a moment: linked encounters merged, one state each. A link to an
    /// encounter nothing else is known of joins nothing yet.
    #[must_use]
    pub fn resolved(&self, known_at: Moment) -> Vec<VisitState> {
        // A visit known only later takes no part yet, or the answer would depend on it (I-15).
        let known = self
            .states
            .iter()
            .filter(|(_, state)| state.known(known_at).next().is_some());
        let mut leader: BTreeMap<VisitKey, VisitKey> = known.map(|(key, _)| (*key, *key)).collect();
        for (key, state) in &self.states {
            for (fact, _) in state.known(known_at) {
                if let EventKind::Linked { to } = fact.kind {
                    unite(&mut leader, *key, VisitKey::new(key.institution, to));
                }
            }
        }
        let mut groups: BTreeMap<VisitKey, VisitState> = BTreeMap::new();
        for (key, state) in &self.states {
            let leader = find(&leader, *key);
            let united = match groups.get_mut(&leader) {
                Some(group) => group.merge(state).is_ok(),
                None => groups.insert(leader, state.clone()).is_none(),
            };
            if !united {
                // Past the bound of one visit: it stays apart, which shows as two visits and loses
                // no fact. The institution is the same by the key.
                groups.insert(*key, state.clone());
            }
        }
        groups.into_values().collect()
    }

    /// What each 人次 comes to, as known at a moment.
    #[must_use]
    pub fn assess(&self, book: &Book, known_at: Moment) -> Vec<Assessment> {
        self.resolved(known_at)
            .iter()
            .map(|state| assess(state, book, known_at))
            .collect()
    }

    /// How long the images of each 人次 must be kept, as known at a moment: one answer for each of
    /// [`resolved`](Self::resolved), in its order, under the key it is charged under.
    ///
    /// The years count from the person's last visit to the institution (K-02), so each visit is
    /// told together with the others there that name the person. One that names a second person
    /// as well counts for both: until that is cleared up, their images there can't be told a day
    /// ([`RetentionError::OtherPerson`]) and are kept.
    ///
    /// ```
    /// # use mic_billing::*;
    /// # fn show(visits: &Visits, book: &Book, now: Moment) {
    /// for (visit, kept) in visits.retention(book, now) {
    ///     match kept {
    ///         Ok(kept) => println!("{visit}: disposable on {}", kept.first_disposable),
    ///         Err(reason) => println!("{visit}: kept, {reason}"),
    ///     }
    /// }
    /// # }
    /// # show(&Visits::new(), &Book::load([books::national().unwrap(), books::shenzhen().unwrap()]).unwrap(), "2026-01-01T00:00:00+08:00".parse().unwrap());
    /// ```
    #[must_use]
    pub fn retention(
        &self,
        book: &Book,
        known_at: Moment,
    ) -> Vec<(VisitKey, Result<Retention, RetentionError>)> {
        let states = self.resolved(known_at);
        let mut of_person: BTreeMap<(InstitutionCode, PersonRef), Vec<&VisitState>> =
            BTreeMap::new();
        for state in &states {
            for person in persons(state, known_at) {
                let whose = (state.institution(), person);
                of_person.entry(whose).or_default().push(state);
            }
        }
        let others = |state: &VisitState| {
            let person = persons(state, known_at).into_iter().next()?;
            of_person.get(&(state.institution(), person))
        };
        states
            .iter()
            .map(|state| {
                let others = others(state).into_iter().flatten().copied();
                let kept = retention(state, others, book, known_at);
                (state.root(known_at), kept)
            })
            .collect()
    }

    /// The lines all visits should have, as known at a moment.
    ///
    /// # Errors
    /// [`LineError::Money`] if an amount doesn't fit.
    pub fn desired(&self, book: &Book, known_at: Moment) -> Result<Vec<Line>, LineError> {
        desired(&self.assess(book, known_at))
    }
}

/// Whom a visit names, as known at a moment; more than one is a contradiction.
fn persons(state: &VisitState, known_at: Moment) -> BTreeSet<PersonRef> {
    state.known(known_at).map(|(fact, _)| fact.person).collect()
}

fn find(leader: &BTreeMap<VisitKey, VisitKey>, key: VisitKey) -> VisitKey {
    let mut at = key;
    while let Some(next) = leader.get(&at).filter(|next| **next != at) {
        at = *next;
    }
    at
}

fn unite(leader: &mut BTreeMap<VisitKey, VisitKey>, a: VisitKey, b: VisitKey) {
    if !leader.contains_key(&b) {
        return;
    }
    let (a, b) = (find(leader, a), find(leader, b));
    // The smaller leads, so that the order of the links doesn't matter.
    leader.insert(a.max(b), a.min(b));
}
