//! The book as a table of moments: which policy holds from when, and what its lines come to.

use alloc::vec::Vec;

use super::{
    SweepError,
    slot::{Bits, Slot},
};
use crate::{
    book::{Book, ChargePolicy},
    civil::{Moment, first_moment},
    event::Payer,
    line::{Line, LineError, LineKind, Share, Verdict, shares},
    money::Fen,
    policy::{CountingUnit, DateBasis},
};

/// Kind, amount and shares of lines: the few that a book can lead to.
///
/// ```
/// # use mic_billing::*;
/// let book = Book::load([books::national()?, books::shenzhen()?])?;
/// let sweep = Sweep::new(&book, "2026-01-01T00:00:00+08:00".parse()?, Links::default())?;
/// assert!(sweep.terms().iter().any(|terms| terms.amount == Fen::new(-500)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// What the line is.
    pub kind: LineKind,
    /// Its amount.
    pub amount: Fen,
    /// Who pays which part.
    pub payers: Vec<Share>,
    /// Who receives which part.
    pub payees: Vec<Share>,
}

impl Terms {
    fn of(
        charge: &ChargePolicy,
        payer: Payer,
        verdict: Verdict,
    ) -> Result<Option<Self>, LineError> {
        let Some((kind, amount)) = charge.outcome(verdict)? else {
            return Ok(None);
        };
        let payers = shares(amount, &charge.payers(payer))?;
        let payees = charge.payee_shares_of(kind, amount, &payers)?;
        Ok(Some(Self {
            kind,
            amount,
            payers,
            payees,
        }))
    }
}

/// The policies of a book as known at a moment, by the first moment each holds.
#[derive(Debug)]
pub(super) struct Table<'b> {
    rows: Vec<(Moment, Option<Row<'b>>)>,
    terms: Vec<Terms>,
}

/// A policy with a charge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'b> {
    pub(super) charge: &'b ChargePolicy,
    insured: Places,
    self_paid: Places,
}

/// Where the terms of a verdict stand, if it leads to a line.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    served: Option<usize>,
    failed: Option<usize>,
}

impl Row<'_> {
    /// The terms of a unit's line; none where nothing is owed.
    pub(super) fn terms(&self, payer: Payer, bits: Bits) -> Option<usize> {
        let places = match payer {
            Payer::Insured => self.insured,
            Payer::SelfPaid => self.self_paid,
        };
        match self.charge.verdict_of(bits.failed, bits.open, bits.served) {
            Verdict::Served => places.served,
            Verdict::Failed => places.failed,
            Verdict::Open => None,
        }
    }
}

impl<'b> Table<'b> {
    pub(super) fn of(book: &'b Book, known_at: Moment) -> Result<Self, SweepError> {
        let mut table = Self {
            rows: Vec::new(),
            terms: Vec::new(),
        };
        for (day, policy) in book.days(known_at) {
            let row = match policy.charge() {
                Some(charge) => Some(table.row_of(charge)?),
                None => None,
            };
            table.rows.push((first_moment(*day), row));
        }
        Ok(table)
    }

    fn row_of(&mut self, charge: &'b ChargePolicy) -> Result<Row<'b>, SweepError> {
        if charge.unit() == CountingUnit::PersonDay {
            return Err(SweepError::PersonDays);
        }
        let mut places = |payer| -> Result<Places, LineError> {
            Ok(Places {
                served: self.add(Terms::of(charge, payer, Verdict::Served)?),
                failed: self.add(Terms::of(charge, payer, Verdict::Failed)?),
            })
        };
        Ok(Row {
            charge,
            insured: places(Payer::Insured)?,
            self_paid: places(Payer::SelfPaid)?,
        })
    }

    fn add(&mut self, terms: Option<Terms>) -> Option<usize> {
        let terms = terms?;
        Some(match self.terms.iter().position(|held| *held == terms) {
            Some(place) => place,
            None => {
                self.terms.push(terms);
                self.terms.len().saturating_sub(1)
            }
        })
    }

    /// The place of a line of the readable engine, which can only be one of ours.
    pub(super) fn place_of(&mut self, line: &Line) -> usize {
        let terms = Terms {
            kind: line.kind(),
            amount: line.amount(),
            payers: line.payers().to_vec(),
            payees: line.payees().to_vec(),
        };
        self.add(Some(terms)).unwrap_or_default()
    }

    pub(super) fn terms(&self) -> &[Terms] {
        &self.terms
    }

    /// The policy of the visit date of live exams. The outer none: it counts studies, which the
    /// readable engine does; the inner one: no tariff.
    #[expect(
        clippy::option_option,
        reason = "not mine to judge, and nothing to judge by"
    )]
    pub(super) fn row(&self, slots: &[Slot]) -> Option<Option<Row<'b>>> {
        let dated = |basis: DateBasis| {
            let live = slots.iter().filter(|slot| slot.is_live());
            live.filter_map(|slot| slot.dated(basis)).min()
        };
        let first = dated(DateBasis::FeeOccurred).and_then(|at| self.at(at));
        let row = match first {
            Some(row) if row.charge.date_basis != DateBasis::FeeOccurred => {
                dated(row.charge.date_basis).and_then(|at| self.at(at))
            }
            other => other,
        };
        match row {
            Some(row) if row.charge.unit() == CountingUnit::Study => None,
            row => Some(row),
        }
    }

    fn at(&self, moment: Moment) -> Option<Row<'b>> {
        let begun = self.rows.partition_point(|(from, _)| *from <= moment);
        self.rows.get(begun.checked_sub(1)?)?.1
    }
}
