//! The accounts of an institution: months that are closed, months that are open, and corrections
//! that go to the first open one (T-03, M-05).

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{
    key::InstitutionCode,
    ledger::{Entry, EntryId, delta_of},
    line::Line,
    period::Period,
    statement::{Closed, Seal, Statement, StatementError},
};

/// An institution's months. What is closed is never touched again: a late message or a price
/// changed backwards shows as a mirror and a new line in the first open month.
///
/// ```
/// use mic_billing::{Accounts, InstitutionCode};
/// use sha2::{Digest, Sha256};
///
/// let institution = InstitutionCode::new("H44030500001")?;
/// let mut accounts = Accounts::new(institution, "2025-12".parse()?);
/// assert_eq!(accounts.post(&[])?, []);
/// let sha256 = |bytes: &[u8]| Sha256::digest(bytes).into();
/// let seal = accounts.close(sha256);
/// assert_eq!(accounts.closed()[0].seal(), seal);
/// assert!(accounts.closed()[0].is_sealed_by(sha256));
/// assert_eq!(accounts.first_open().to_string(), "2026-01");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    institution: InstitutionCode,
    closed: Vec<Closed>,
    first_open: Period,
    open: BTreeMap<Period, Statement>,
}

impl Accounts {
    /// Accounts that begin with a month.
    #[must_use]
    pub const fn new(institution: InstitutionCode, first: Period) -> Self {
        Self {
            institution,
            closed: Vec::new(),
            first_open: first,
            open: BTreeMap::new(),
        }
    }

    /// Accounts read again: closed months in order, and the entries of open ones.
    ///
    /// # Errors
    /// [`StatementError::BrokenChain`] if a closed month doesn't follow the one before, or its
    /// seal is not the hash of what stands there; [`StatementError::TwoMonths`] if an entry stands
    /// in two of them, as after a crash between writing the closed month and the open ones;
    /// [`StatementError::BeforeOriginal`]; the errors of an entry that doesn't fit.
    pub fn resume(
        institution: InstitutionCode,
        first: Period,
        closed: Vec<Closed>,
        open: Vec<Statement>,
        digest: impl Fn(&[u8]) -> [u8; 32],
    ) -> Result<Self, StatementError> {
        let mut accounts = Self::new(institution, first);
        for month in closed {
            let statement = month.statement();
            if statement.institution() != institution {
                return Err(StatementError::OtherInstitution);
            }
            let follows = statement.period() == accounts.first_open
                && month.previous() == accounts.last_seal()
                && month.is_sealed_by(&digest);
            if !follows {
                return Err(StatementError::BrokenChain);
            }
            accounts.first_open = accounts.first_open.next();
            accounts.closed.push(month);
        }
        for statement in open {
            if statement.institution() != institution {
                return Err(StatementError::OtherInstitution);
            }
            if statement.period() < accounts.first_open {
                return Err(StatementError::OtherPeriod);
            }
            match accounts.open.get_mut(&statement.period()) {
                Some(held) => held.merge(&statement)?,
                None => {
                    accounts.open.insert(statement.period(), statement);
                }
            }
        }
        accounts.each_entry_stands_once()?;
        // The journal must hold together: mirrors of what is there, one live line a unit.
        delta_of(&[], accounts.entries())?;
        Ok(accounts)
    }

    /// Brings the accounts to the lines that the institution should have, all of them: appends the
    /// difference, each entry in the month of its visit date, or the first open one after it. Says
    /// what was appended, and where; again, nothing.
    ///
    /// # Errors
    /// [`StatementError::OtherInstitution`] for a line of another one, [`StatementError::Ledger`]
    /// for two lines of one unit. Then nothing is appended.
    pub fn post(&mut self, desired: &[Line]) -> Result<Vec<Placed>, StatementError> {
        if desired
            .iter()
            .any(|line| line.unit().institution != self.institution)
        {
            return Err(StatementError::OtherInstitution);
        }
        let entries = delta_of(desired, self.entries())?;
        let mut placed = Vec::with_capacity(entries.len());
        for entry in entries {
            let corrects = entry
                .reverses()
                .and_then(|original| Some((original, self.period_of(original)?)));
            let month = Period::of(entry.line().why().visit_date).max(self.first_open);
            let id = entry.id();
            self.open
                .entry(month)
                .or_insert_with(|| Statement::new(self.institution, month))
                .add(entry)?;
            placed.push(Placed {
                id,
                period: month,
                corrects,
            });
        }
        Ok(placed)
    }

    /// Closes the first open month for good. The digest is the caller's: SM3, SHA-256 or another
    /// hash of 32 bytes, the same for all months. Gives the seal.
    pub fn close(&mut self, digest: impl FnOnce(&[u8]) -> [u8; 32]) -> Seal {
        let month = self.first_open;
        let statement = self
            .open
            .remove(&month)
            .unwrap_or_else(|| Statement::new(self.institution, month));
        let closed = Closed::close(statement, self.last_seal(), digest);
        self.first_open = month.next();
        let seal = closed.seal();
        self.closed.push(closed);
        seal
    }

    /// A key in two months would be counted in both, and a mirror before its line would correct
    /// what was not there yet.
    fn each_entry_stands_once(&self) -> Result<(), StatementError> {
        let mut months: BTreeMap<EntryId, Period> = BTreeMap::new();
        for statement in self.statements() {
            for entry in statement.entries() {
                if months.insert(entry.id(), statement.period()).is_some() {
                    return Err(StatementError::TwoMonths);
                }
            }
        }
        for statement in self.statements() {
            for original in statement.entries().filter_map(Entry::reverses) {
                if months
                    .get(&original)
                    .is_some_and(|month| *month > statement.period())
                {
                    return Err(StatementError::BeforeOriginal);
                }
            }
        }
        Ok(())
    }

    fn last_seal(&self) -> Option<Seal> {
        self.closed.last().map(Closed::seal)
    }

    /// Whose.
    #[must_use]
    pub const fn institution(&self) -> InstitutionCode {
        self.institution
    }

    /// The first month that is not closed.
    #[must_use]
    pub const fn first_open(&self) -> Period {
        self.first_open
    }

    /// The closed months, earliest first.
    #[must_use]
    pub fn closed(&self) -> &[Closed] {
        &self.closed
    }

    /// The open months with entries, earliest first.
    pub fn open(&self) -> impl Iterator<Item = &Statement> {
        self.open.values()
    }

    /// All entries, closed and open.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.statements().flat_map(Statement::entries)
    }

    /// The month an entry stands in.
    #[must_use]
    pub fn period_of(&self, id: EntryId) -> Option<Period> {
        self.statements()
            .find(|statement| statement.entry(id).is_some())
            .map(Statement::period)
    }

    fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.closed
            .iter()
            .map(Closed::statement)
            .chain(self.open.values())
    }
}

/// Where an entry was put.
///
/// ```
/// # fn show(placed: &mic_billing::Placed) {
/// if let Some((original, month)) = placed.corrects {
///     println!("{} in {} takes back {original} of {month}", placed.id, placed.period);
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placed {
    /// The entry.
    pub id: EntryId,
    /// Its month.
    pub period: Period,
    /// What it takes back, and the month that stands in, closed or open.
    pub corrects: Option<(EntryId, Period)>,
}
