//! Monthly statements of an institution: drafts that merge in any order, closed ones that never
//! change (rules M-01, M-04, M-05, T-03).

mod text;

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::{self, Write as _};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    key::InstitutionCode,
    ledger::{Entry, EntryId, LedgerError},
    line::LineKind,
    money::{Fen, MoneyError},
    period::Period,
    policy::Party,
    text::TextError,
};

/// The entries of one institution and one month.
///
/// Statements of one month's shards merge: union, in any order, to the same bytes (M-04).
///
/// ```
/// use mic_billing::{InstitutionCode, Statement};
///
/// let mut december = Statement::new(InstitutionCode::new("H44030500001")?, "2025-12".parse()?);
/// let shard = december.clone();
/// december.merge(&shard)?;
/// assert_eq!(december.canonical(), "mic-billing-statement/2\nH44030500001 2025-12\ntotal 0 0\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawStatement", into = "RawStatement")]
pub struct Statement {
    institution: InstitutionCode,
    period: Period,
    entries: BTreeMap<EntryId, Entry>,
}

impl Statement {
    /// A month without entries.
    #[must_use]
    pub const fn new(institution: InstitutionCode, period: Period) -> Self {
        Self {
            institution,
            period,
            entries: BTreeMap::new(),
        }
    }

    /// Whose.
    #[must_use]
    pub const fn institution(&self) -> InstitutionCode {
        self.institution
    }

    /// Which month.
    #[must_use]
    pub const fn period(&self) -> Period {
        self.period
    }

    /// Its entries, by their keys.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The entry of a key.
    #[must_use]
    pub fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// Adds an entry; one that is there already changes nothing.
    ///
    /// # Errors
    /// [`StatementError::OtherInstitution`], or [`StatementError::Conflict`] for another entry of
    /// the same key.
    pub fn add(&mut self, entry: Entry) -> Result<(), StatementError> {
        if entry.id().unit.institution != self.institution {
            return Err(StatementError::OtherInstitution);
        }
        match self.entries.get(&entry.id()) {
            Some(held) if *held != entry => Err(StatementError::Conflict),
            Some(_) => Ok(()),
            None => {
                self.entries.insert(entry.id(), entry);
                Ok(())
            }
        }
    }

    /// Joins the statement of another shard of the same month. On an error nothing is joined.
    ///
    /// # Errors
    /// [`StatementError::OtherInstitution`], [`StatementError::OtherPeriod`], or
    /// [`StatementError::Conflict`] for different entries of one key.
    pub fn merge(&mut self, other: &Self) -> Result<(), StatementError> {
        if other.institution != self.institution {
            return Err(StatementError::OtherInstitution);
        }
        if other.period != self.period {
            return Err(StatementError::OtherPeriod);
        }
        let differs = |(id, entry): (&EntryId, &Entry)| {
            self.entries.get(id).is_some_and(|held| held != entry)
        };
        if other.entries.iter().any(differs) {
            return Err(StatementError::Conflict);
        }
        other
            .entries
            .values()
            .try_for_each(|entry| self.add(entry.clone()))
    }

    /// What the entries come to.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] if a sum doesn't fit.
    pub fn totals(&self) -> Result<Totals, MoneyError> {
        let mut totals = Totals::default();
        for entry in self.entries.values() {
            totals.add(entry)?;
        }
        Ok(totals)
    }

    /// The one text of the statement, of which a seal is made: entries by their keys, each with
    /// its amount, postings, whole line and reasons, lines ended by LF.
    #[must_use]
    pub fn canonical(&self) -> String {
        text::canonical(self)
    }
}

/// The serialised form of a statement.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStatement {
    institution: InstitutionCode,
    period: Period,
    entries: Vec<Entry>,
}

impl From<Statement> for RawStatement {
    fn from(statement: Statement) -> Self {
        Self {
            institution: statement.institution,
            period: statement.period,
            entries: statement.entries.into_values().collect(),
        }
    }
}

impl TryFrom<RawStatement> for Statement {
    type Error = StatementError;

    fn try_from(raw: RawStatement) -> Result<Self, StatementError> {
        let mut statement = Self::new(raw.institution, raw.period);
        raw.entries
            .into_iter()
            .try_for_each(|entry| statement.add(entry))?;
        Ok(statement)
    }
}

/// Sums of a statement. What payers pay is what payees receive is the amount (I-01).
///
/// ```
/// assert_eq!(mic_billing::Totals::default().amount.get(), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// All amounts.
    #[serde(rename = "amount_fen")]
    pub amount: Fen,
    /// Entries that post a line, and their amounts, by kind.
    pub posted: BTreeMap<LineKind, Sum>,
    /// Entries that take a line back, and their amounts, by kind.
    pub taken_back: BTreeMap<LineKind, Sum>,
    /// What each party pays in all.
    pub payers: BTreeMap<Party, Fen>,
    /// What each party receives in all.
    pub payees: BTreeMap<Party, Fen>,
}

/// How many, and how much.
///
/// ```
/// assert_eq!(mic_billing::Sum::default().count, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sum {
    /// Entries.
    pub count: u64,
    /// Their amounts.
    #[serde(rename = "amount_fen")]
    pub amount: Fen,
}

impl Totals {
    fn add(&mut self, entry: &Entry) -> Result<(), MoneyError> {
        let (line, back) = (entry.line(), entry.id().reversal);
        self.amount = self.amount.plus(entry.amount())?;
        let kinds = if back {
            &mut self.taken_back
        } else {
            &mut self.posted
        };
        let sum = kinds.entry(line.kind()).or_default();
        sum.count = sum.count.checked_add(1).ok_or(MoneyError::Overflow)?;
        sum.amount = sum.amount.plus(entry.amount())?;
        for (shares, sides) in [
            (line.payers(), &mut self.payers),
            (line.payees(), &mut self.payees),
        ] {
            for share in shares {
                let part = if back {
                    share.amount.negate()?
                } else {
                    share.amount
                };
                let side = sides.entry(share.party).or_default();
                *side = side.plus(part)?;
            }
        }
        Ok(())
    }
}

/// The hash of a closed statement: 32 bytes of SM3, SHA-256 or BLAKE3, as the caller chose.
/// Written as 64 hexadecimal digits.
///
/// ```
/// use mic_billing::Seal;
///
/// let seal: Seal = "00".repeat(32).parse()?;
/// assert_eq!(seal, Seal::new([0; 32]));
/// # Ok::<(), mic_billing::TextError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seal([u8; 32]);

impl Seal {
    /// A seal of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({self})")
    }
}

impl core::str::FromStr for Seal {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        crate::grammar::hex::<32>(text, "seal", "64 lower-case hexadecimal digits").map(Self)
    }
}

impl Serialize for Seal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Seal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::serial::from_text(deserializer)
    }
}

/// A statement that is closed: sealed, chained to the one before, without a way to change it.
///
/// ```
/// # fn check(closed: &mic_billing::Closed, sm3: impl Fn(&[u8]) -> [u8; 32]) {
/// assert!(closed.is_sealed_by(sm3));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    statement: Statement,
    /// The seal of the month before, if one was closed.
    previous: Option<Seal>,
    seal: Seal,
}

impl Closed {
    pub(crate) fn close(
        statement: Statement,
        previous: Option<Seal>,
        digest: impl FnOnce(&[u8]) -> [u8; 32],
    ) -> Self {
        let seal = Seal(digest(sealed_text(&statement, previous).as_bytes()));
        Self {
            statement,
            previous,
            seal,
        }
    }

    /// What was closed.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The seal of the month before.
    #[must_use]
    pub const fn previous(&self) -> Option<Seal> {
        self.previous
    }

    /// Its seal.
    #[must_use]
    pub const fn seal(&self) -> Seal {
        self.seal
    }

    /// The text that is hashed: the canonical text, and a line with the seal before.
    #[must_use]
    pub fn sealed_text(&self) -> String {
        sealed_text(&self.statement, self.previous)
    }

    /// Whether the seal is the hash of what stands there. A closed statement that was read from a
    /// file is worth nothing before this.
    #[must_use]
    pub fn is_sealed_by(&self, digest: impl FnOnce(&[u8]) -> [u8; 32]) -> bool {
        digest(self.sealed_text().as_bytes()) == self.seal.0
    }
}

fn sealed_text(statement: &Statement, previous: Option<Seal>) -> String {
    let before = previous.map_or_else(|| "-".to_string(), |seal| seal.to_string());
    let mut text = statement.canonical();
    let _ = writeln!(text, "previous {before}");
    text
}

/// A statement or accounts that don't hold together.
///
/// ```
/// assert_eq!(mic_billing::StatementError::Conflict.to_string(), "expected one entry of a key, found two that differ");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// One entry in two months: it would be counted twice.
    #[error("expected an entry in one month, found it in two")]
    TwoMonths,
    /// A mirror in a month before that of the line it takes back.
    #[error("expected a mirror in the month of its line or after it")]
    BeforeOriginal,
    /// An entry, a line or a statement of another institution.
    #[error("expected what is of the statement's institution")]
    OtherInstitution,
    /// A statement of another month.
    #[error("expected a statement of the same month")]
    OtherPeriod,
    /// Two entries with one key that say different things.
    #[error("expected one entry of a key, found two that differ")]
    Conflict,
    /// Closed statements that don't follow one another.
    #[error("expected each closed statement to follow the one before, month and seal")]
    BrokenChain,
    /// The entries don't make a journal.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
