//! Which visits are linked with another one (V-07), read before a pass.

use alloc::collections::BTreeSet;

use crate::{
    civil::Moment,
    event::{Event, EventKind},
    key::VisitKey,
};

/// The visits that take part in a link as known at a moment. Links are rare: this is small however
/// large the export.
///
/// ```
/// use mic_billing::{Links, Moment};
///
/// let links = Links::of([], "2026-01-01T00:00:00+08:00".parse::<Moment>()?);
/// assert!(links.is_empty());
/// # Ok::<(), mic_billing::TextError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    visits: BTreeSet<VisitKey>,
}

impl Links {
    /// The linked visits of events in any order.
    #[must_use]
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>, known_at: Moment) -> Self {
        let mut links = Self::default();
        events
            .into_iter()
            .for_each(|event| links.learn(event, known_at));
        links
    }

    /// Takes note of a link; other events and those known later say nothing.
    pub fn learn(&mut self, event: &Event, known_at: Moment) {
        if let EventKind::Linked { to } = event.kind() {
            if event.known() <= known_at {
                let visit = event.visit();
                self.visits.insert(visit);
                self.visits.insert(VisitKey::new(visit.institution, *to));
            }
        }
    }

    /// Whether no visit is linked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.visits.is_empty()
    }

    /// Whether a visit is linked with another one.
    #[must_use]
    pub fn contains(&self, visit: VisitKey) -> bool {
        !self.visits.is_empty() && self.visits.contains(&visit)
    }
}
