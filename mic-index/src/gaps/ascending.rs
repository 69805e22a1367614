//! A stream that has to ascend, one entry ahead.

/// Entries of an ascending stream, repetitions counted and left out.
pub(super) struct Ascending<I: Iterator> {
    entries: I,
    ahead: Option<I::Item>,
    /// Entries taken from the stream.
    taken: u64,
    repeated: u64,
}

/// The entry at this place, from zero, is less than the one before.
pub(super) struct Descends {
    pub(super) at: u64,
}

impl<I: Iterator<Item: Ord + Copy>> Ascending<I> {
    /// With the first entry ahead.
    pub(super) fn new(mut entries: I) -> Self {
        let ahead = entries.next();
        Self {
            entries,
            taken: u64::from(ahead.is_some()),
            ahead,
            repeated: 0,
        }
    }

    /// The next entry, without taking it.
    pub(super) fn peek(&self) -> Option<I::Item> {
        self.ahead
    }

    pub(super) const fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Takes the entry ahead and all that repeat it.
    pub(super) fn advance(&mut self) -> Result<(), Descends> {
        let Some(before) = self.ahead.take() else {
            return Ok(());
        };
        for entry in self.entries.by_ref() {
            self.taken += 1;
            if entry > before {
                self.ahead = Some(entry);
                break;
            }
            if entry < before {
                return Err(Descends { at: self.taken - 1 });
            }
            self.repeated += 1;
        }
        Ok(())
    }
}
