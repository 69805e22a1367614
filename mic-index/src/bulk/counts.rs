//! How many lines ended how.

/// What the reader counts: lines and those it rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tally {
    pub(super) lines: u64,
    pub(super) rejected: u64,
    pub(super) empty: u64,
}

impl Tally {
    /// Lines read, header and empty lines not counted. A CSV row is one line, however many line
    /// breaks its fields have.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// Lines rejected.
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Lines with nothing on them, which are passed over (`IDX-52`).
    #[must_use]
    pub const fn empty(&self) -> u64 {
        self.empty
    }

    /// The four outcomes, with what the search found among the rows.
    #[must_use]
    pub const fn with(&self, found: Found) -> Counts {
        Counts {
            tally: *self,
            found,
        }
    }
}

/// What the search counts: rows by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Found {
    pub(super) accepted: u64,
    pub(super) duplicates: u64,
    pub(super) differing: u64,
    pub(super) collided: u64,
    pub(super) shared_codes: u64,
}

impl Found {
    /// Codes met for the first time: one row each.
    #[must_use]
    pub const fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Rows whose key an earlier row has.
    #[must_use]
    pub const fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Duplicates whose other fields differ from the first row's; part of
    /// [`duplicates`](Self::duplicates).
    #[must_use]
    pub const fn differing(&self) -> u64 {
        self.differing
    }

    /// First rows of a key whose code an earlier row has with another study.
    #[must_use]
    pub const fn collided(&self) -> u64 {
        self.collided
    }

    /// Codes that stand for more than one study.
    #[must_use]
    pub const fn shared_codes(&self) -> u64 {
        self.shared_codes
    }

    /// Rows in all.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.accepted + self.duplicates + self.collided
    }
}

/// How many lines ended how: four numbers that add up to the lines read (`IDX-50`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Counts {
    tally: Tally,
    found: Found,
}

impl Counts {
    /// Lines read.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.tally.lines
    }

    /// Rows whose code no earlier row has.
    #[must_use]
    pub const fn accepted(&self) -> u64 {
        self.found.accepted
    }

    /// Rows whose key an earlier row has.
    #[must_use]
    pub const fn duplicates(&self) -> u64 {
        self.found.duplicates
    }

    /// Rows whose code, but not key, an earlier row has.
    #[must_use]
    pub const fn collided(&self) -> u64 {
        self.found.collided
    }

    /// Lines that are no row.
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.tally.rejected
    }

    /// What the reader counted.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// What the search counted.
    #[must_use]
    pub const fn found(&self) -> Found {
        self.found
    }

    /// Whether the four outcomes add up to the lines read: true where every row went to the search.
    #[must_use]
    pub const fn adds_up(&self) -> bool {
        self.found.rows() + self.tally.rejected == self.tally.lines
    }
}
