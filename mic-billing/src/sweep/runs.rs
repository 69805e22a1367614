//! A stream of events cut into visits.

use alloc::vec::Vec;

use crate::{event::Event, state::VISIT_FACTS_MAX};

/// Most events of one run: every fact of the largest visit told twice. What a hostile stream says
/// beyond it doesn't take the memory.
const RUN_EVENTS_MAX: usize = 2 * VISIT_FACTS_MAX;

/// The visits of a stream that is sorted by visit, one in memory at a time.
///
/// It cuts where the visit changes; that the visits ascend is checked by
/// [`Sweep::visit`](crate::Sweep::visit). An error of the stream is given through, and the events
/// before and after it stay in their visits. A visit of more than twice
/// [`VISIT_FACTS_MAX`] events comes in pieces, of which [`Sweep::visit`](crate::Sweep::visit)
/// refuses the second as a visit that comes again.
///
/// ```
/// use core::convert::Infallible;
/// use mic_billing::{Event, Runs};
///
/// let mut runs = Runs::new(core::iter::empty::<Result<Event, Infallible>>());
/// assert_eq!(runs.next_run()?, None);
/// # Ok::<(), Infallible>(())
/// ```
#[derive(Clone, Debug)]
pub struct Runs<I> {
    events: I,
    /// The first event of the visit to come.
    ahead: Option<Event>,
    run: Vec<Event>,
    /// Whether the run was given away and is to be forgotten.
    given: bool,
}

impl<I, E> Runs<I>
where
    I: Iterator<Item = Result<Event, E>>,
{
    /// Cuts a stream.
    pub const fn new(events: I) -> Self {
        Self {
            events,
            ahead: None,
            run: Vec::new(),
            given: false,
        }
    }

    /// All events of the next visit; none at the end of the stream.
    ///
    /// # Errors
    /// What the stream says. The visit it was in goes on with the next call.
    pub fn next_run(&mut self) -> Result<Option<&[Event]>, E> {
        if self.given {
            self.run.clear();
            self.given = false;
        }
        self.run.extend(self.ahead.take());
        for event in self.events.by_ref() {
            let event = event?;
            match self.run.last() {
                Some(last) if !event.is_at_visit_of(last) || self.run.len() >= RUN_EVENTS_MAX => {
                    self.ahead = Some(event);
                    break;
                }
                _ => self.run.push(event),
            }
        }
        self.given = true;
        Ok(Some(self.run.as_slice()).filter(|run| !run.is_empty()))
    }
}
