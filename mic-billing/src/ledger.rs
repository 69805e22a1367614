//! From the lines a visit should have to what must be appended to what was posted.
//!
//! Nothing is ever rewritten. A line that changed is reversed by its exact mirror and posted anew;
//! the difference of the two is the correction (T-03, C-09).

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    line::{Line, Unit},
    money::{Fen, MoneyError},
    policy::Party,
};

/// The key of an entry: what it is for, which revision, posting or reversal. It follows from what
/// the entry says, so the same entry made twice has the same key, on any machine.
///
/// ```
/// # let json = r#"{"unit":{"institution":"H44030500001","scope":{"unit":"encounter","encounter":"E1"}},"revision":2,"reversal":true}"#;
/// let id: mic_billing::EntryId = serde_json::from_str(json)?;
/// assert_eq!(id.to_string(), "charge/H44030500001/encounter/E1/2/reversal");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EntryId {
    /// What the entry is for.
    pub unit: Unit,
    /// The how-manieth line of the unit, from one.
    pub revision: u32,
    /// Whether it takes back the line of that revision.
    pub reversal: bool,
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "charge/{}/{}", self.unit, self.revision)?;
        if self.reversal {
            f.write_str("/reversal")
        } else {
            Ok(())
        }
    }
}

/// One side of an entry: above zero is paid by the party, below zero received.
///
/// ```
/// # let json = r#"{"party":"hospital","amount_fen":-500}"#;
/// let posting: mic_billing::Posting = serde_json::from_str(json)?;
/// assert_eq!(posting.amount.get(), -500);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Posting {
    /// Whose.
    pub party: Party,
    /// How much.
    #[serde(rename = "amount_fen")]
    pub amount: Fen,
}

/// One entry of the journal: a line posted or taken back. Its postings add up to zero (I-02).
///
/// It reads back from JSON only if it balances and mirrors its line.
///
/// ```
/// # fn show(entry: &mic_billing::Entry) {
/// println!("{} {}", entry.id(), entry.amount());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawEntry", into = "RawEntry")]
pub struct Entry {
    id: EntryId,
    line: Line,
    amount: Fen,
    postings: Vec<Posting>,
}

impl Entry {
    fn new(revision: u32, reversal: bool, line: Line) -> Result<Self, MoneyError> {
        let signed = |amount: Fen, negative: bool| {
            if negative {
                amount.negate()
            } else {
                Ok(amount)
            }
        };
        let amount = signed(line.amount, reversal)?;
        let mut sides: BTreeMap<Party, Fen> = BTreeMap::new();
        let paid = line.payers.iter().map(|share| (share, reversal));
        let received = line.payees.iter().map(|share| (share, !reversal));
        for (share, negative) in paid.chain(received) {
            let side = sides.entry(share.party).or_default();
            *side = side.plus(signed(share.amount, negative)?)?;
        }
        let postings = sides
            .into_iter()
            .filter(|(_, amount)| !amount.is_zero())
            .map(|(party, amount)| Posting { party, amount })
            .collect();
        Ok(Self {
            id: EntryId {
                unit: line.unit,
                revision,
                reversal,
            },
            line,
            amount,
            postings,
        })
    }

    /// Its key.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        self.id
    }

    /// The entry it takes back, if it takes one back.
    #[must_use]
    pub fn reverses(&self) -> Option<EntryId> {
        self.id.reversal.then_some(EntryId {
            reversal: false,
            ..self.id
        })
    }

    /// The line posted or taken back.
    #[must_use]
    pub const fn line(&self) -> &Line {
        &self.line
    }

    /// The amount: the line's, or its mirror.
    #[must_use]
    pub const fn amount(&self) -> Fen {
        self.amount
    }

    /// The sides, which add up to zero.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

/// The serialised form of an entry.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    id: EntryId,
    #[serde(rename = "amount_fen")]
    amount: Fen,
    postings: Vec<Posting>,
    line: Line,
}

impl From<Entry> for RawEntry {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            amount: entry.amount,
            postings: entry.postings,
            line: entry.line,
        }
    }
}

impl TryFrom<RawEntry> for Entry {
    type Error = LedgerError;

    fn try_from(raw: RawEntry) -> Result<Self, LedgerError> {
        let paid = Fen::sum(raw.line.payers.iter().map(|share| share.amount))?;
        let received = Fen::sum(raw.line.payees.iter().map(|share| share.amount))?;
        if paid != raw.line.amount || received != raw.line.amount {
            return Err(LedgerError::Unbalanced);
        }
        if raw.line.kind != raw.line.why.kind || raw.line.amount != raw.line.why.amount {
            return Err(LedgerError::Altered);
        }
        let entry = Self::new(raw.id.revision, raw.id.reversal, raw.line)?;
        if entry.id != raw.id || entry.amount != raw.amount || entry.postings != raw.postings {
            return Err(LedgerError::Altered);
        }
        Ok(entry)
    }
}

/// A journal that doesn't hold together.
///
/// ```
/// assert_eq!(mic_billing::LedgerError::TwoLive.to_string(), "expected one live line of a unit, found two");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The shares of a line are not its amount.
    #[error("expected the shares of a line to add up to its amount")]
    Unbalanced,
    /// An entry that doesn't follow from its line.
    #[error("expected an entry that follows from its line")]
    Altered,
    /// Two entries with one key that say different things.
    #[error("expected one entry of a key, found two that differ")]
    Conflict,
    /// A reversal of nothing, or of another line than was posted.
    #[error("expected the line that the reversal mirrors")]
    StrayReversal,
    /// Two lines of one unit, neither taken back (I-07).
    #[error("expected one live line of a unit, found two")]
    TwoLive,
    /// Two desired lines for one unit.
    #[error("expected one desired line of a unit, found two")]
    TwoDesired,
    /// More revisions than can be counted.
    #[error("expected fewer revisions of a unit")]
    TooManyRevisions,
    /// An amount doesn't fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// What must be appended so that the posted entries come to the desired lines; nothing if they do
/// already (I-05).
///
/// Give all entries posted for the visits the lines are of, in any order; an entry given twice
/// counts once. A unit that was posted and is no longer desired is taken back.
///
/// ```
/// assert_eq!(mic_billing::delta(&[], &[])?, []);
/// # Ok::<(), mic_billing::LedgerError>(())
/// ```
///
/// # Errors
/// Tells what is wrong with the journal; nothing is guessed.
pub fn delta(desired: &[Line], posted: &[Entry]) -> Result<Vec<Entry>, LedgerError> {
    delta_of(desired, posted)
}

/// The same, of entries wherever they are.
pub(crate) fn delta_of<'a>(
    desired: &[Line],
    posted: impl IntoIterator<Item = &'a Entry>,
) -> Result<Vec<Entry>, LedgerError> {
    let mut wanted: BTreeMap<Unit, &Line> = BTreeMap::new();
    for line in desired {
        if wanted.insert(line.unit, line).is_some() {
            return Err(LedgerError::TwoDesired);
        }
    }
    let slots = slots(posted)?;
    let units: BTreeSet<Unit> = wanted.keys().chain(slots.keys()).copied().collect();
    let mut entries = Vec::new();
    for unit in units {
        let slot = slots.get(&unit).copied().unwrap_or_default();
        let line = wanted.get(&unit).copied();
        if let (Some(live), Some(line)) = (slot.live, line) {
            if live.line.is_same_money(line) {
                continue;
            }
        }
        if let Some(live) = slot.live {
            entries.push(Entry::new(live.id.revision, true, live.line.clone())?);
        }
        if let Some(line) = line {
            let revision = slot
                .revision
                .checked_add(1)
                .ok_or(LedgerError::TooManyRevisions)?;
            entries.push(Entry::new(revision, false, line.clone())?);
        }
    }
    Ok(entries)
}

/// What was posted for one unit.
#[derive(Clone, Copy, Default)]
struct Slot<'a> {
    revision: u32,
    live: Option<&'a Entry>,
}

fn slots<'a>(
    posted: impl IntoIterator<Item = &'a Entry>,
) -> Result<BTreeMap<Unit, Slot<'a>>, LedgerError> {
    let mut by_id: BTreeMap<EntryId, &Entry> = BTreeMap::new();
    for entry in posted {
        match by_id.insert(entry.id, entry) {
            Some(other) if other != entry => return Err(LedgerError::Conflict),
            _ => {}
        }
    }
    let mut slots: BTreeMap<Unit, Slot<'_>> = BTreeMap::new();
    for (id, entry) in &by_id {
        if let Some(original) = entry.reverses() {
            match by_id.get(&original) {
                Some(posting) if posting.line == entry.line => {}
                _ => return Err(LedgerError::StrayReversal),
            }
            continue;
        }
        let slot = slots.entry(id.unit).or_default();
        slot.revision = slot.revision.max(id.revision);
        if !by_id.contains_key(&EntryId {
            reversal: true,
            ..*id
        }) && slot.live.replace(entry).is_some()
        {
            return Err(LedgerError::TwoLive);
        }
    }
    Ok(slots)
}
