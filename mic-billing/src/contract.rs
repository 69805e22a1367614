//! What a region bought (rules B-02, S-03, S-04, T-07): price, term, who gets the surplus, and how
//! the transfer is paid.

use alloc::{collections::BTreeSet, string::String, vec::Vec};

use crate::{
    allocate::{AllocateError, allocate},
    book::ChargePolicy,
    ledger::Entry,
    line::{Line, LineKind, Share, Unit, shares},
    money::{Fen, MoneyError, Ppm, UnitPrice},
    policy::{Party, SurplusTo, TransferBasis, Unearned},
    rounding::Rounding,
};

/// A procurement contract in force, from the facts of a contract layer; its term is the range of
/// the layer's version. When it ends, the tariff of the layers above goes on (T-07).
///
/// ```
/// use mic_billing::{Book, Fen, Layer, SurplusTo, books};
///
/// let contract = Layer::from_toml(r#"
///     format = "mic-billing-book/1"
///     id = "bought"
///     name = "made up"
///     level = "contract"
///     region = "990000"
///     fictional = true
///     [[version]]
///     id = "2026"
///     from = "2026-01-01"
///     to = "2029-01-01"
///     known_from = "2025-12-01T00:00:00+08:00"
///     verified = false
///     vendor = { value = "made-up store", verified = false }
///     contract_price = { value = 3_250_000, verified = false }
///     surplus_to = { value = "hospital", verified = false }
///     transfer_basis = { value = "per_visit", verified = false }
///     payee_shares = { value = { storage_vendor = 800_000, transfer_operator = 200_000 }, verified = false }
/// "#)?;
/// let book = Book::load([books::national()?, books::fictional_separate_item()?, contract])?;
/// let day = chrono::NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
/// let policy = book.policy(day, "2026-07-01T00:00:00+08:00".parse()?);
/// let contract = policy.charge().unwrap().contract.as_ref().unwrap();
/// assert_eq!((contract.per_unit()?, contract.surplus_to), (Fen::new(325), SurplusTo::Hospital));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contract {
    /// Who won, in the words of the book.
    pub vendor: Option<String>,
    /// The price of one unit.
    pub price: UnitPrice,
    /// Who gets what the tariff is above it.
    pub surplus_to: SurplusTo,
    /// How the transfer part is paid.
    pub transfer_basis: TransferBasis,
    /// The vendor's part of the volume, where several won.
    pub volume_share: Option<Ppm>,
    /// What becomes of money for years that another vendor will keep the images.
    pub unearned: Option<Unearned>,
}

impl Contract {
    /// The price of one unit in whole fen, rounded half up (S-08).
    ///
    /// # Errors
    /// None in practice: a book's prices fit.
    pub fn per_unit(&self) -> Result<Fen, MoneyError> {
        self.price.total(1, Rounding::HalfUp)
    }

    /// What the vendor is owed for lines: the price of each counting unit in which something was
    /// served ([`Line::counted`]), each once however many lines it has, rounded once over all of
    /// them. Where the price is embedded the hospital owes it (B-08).
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] if the total doesn't fit.
    pub fn owed<'a>(&self, lines: impl IntoIterator<Item = &'a Line>) -> Result<Owed, MoneyError> {
        let served: BTreeSet<&Unit> = lines.into_iter().flat_map(Line::counted).collect();
        let units = u64::try_from(served.len()).map_err(|_| MoneyError::Overflow)?;
        let amount = self.price.total(units, Rounding::HalfUp)?;
        let count = i64::try_from(units).map_err(|_| MoneyError::Overflow)?;
        let rounding = amount.minus(self.per_unit()?.times(count)?)?;
        Ok(Owed {
            units,
            amount,
            rounding,
        })
    }

    /// How many of a region's served units the volume agreed on comes to, half a unit up; none where
    /// the contract names no volume (T-07). It moves no money: what is owed is for units served, and
    /// beside this number one sees who got less than was agreed.
    ///
    /// ```
    /// # fn show(contract: &mic_billing::Contract, served: u64, of_all: u64) {
    /// if contract.agreed_units(of_all).is_some_and(|agreed| served < agreed) {
    ///     println!("less than the volume agreed on");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn agreed_units(&self, of_all: u64) -> Option<u64> {
        let share = u128::from(self.volume_share?.get());
        let whole = u128::from(Ppm::WHOLE.get());
        let exact = u128::from(of_all).checked_mul(share)?;
        let units = exact.checked_add(whole / 2)?.checked_div(whole)?;
        u64::try_from(units).ok()
    }
}

/// What a vendor is owed.
///
/// ```
/// # fn show(owed: mic_billing::Owed) {
/// println!("{} units, {} yuan", owed.units, owed.amount);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Owed {
    /// Units served.
    pub units: u64,
    /// Their price, rounded once over all of them.
    pub amount: Fen,
    /// How much of that is no line's: lines round each unit's price to a fen, so the last entry of
    /// a settlement is of this amount, from the hospital to the vendor or, below zero, back.
    pub rounding: Fen,
}

/// The use of the lines between regions by one operator or region.
///
/// ```
/// assert_eq!(mic_billing::Usage::new(3, 1_500_000_000).retrievals, 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Studies retrieved.
    pub retrievals: u64,
    /// Bytes moved for them.
    pub bytes: u64,
}

impl Usage {
    /// So many retrievals and bytes.
    #[must_use]
    pub const fn new(retrievals: u64, bytes: u64) -> Self {
        Self { retrievals, bytes }
    }
}

/// What the operators of the transfer received by entries, such as those of one month's statement: a
/// mirror takes back what its line gave, so that the correction of a closed month is in the pool of
/// the month it stands in.
///
/// Where the price is embedded no entry gives them anything; see [`ChargePolicy::owed_parts`].
///
/// ```
/// # use mic_billing::*;
/// assert_eq!(transfer_of(&[])?, Fen::ZERO);
/// # Ok::<(), MoneyError>(())
/// ```
///
/// # Errors
/// [`MoneyError::Overflow`] if the sum doesn't fit.
pub fn transfer_of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Fen, MoneyError> {
    let postings = entries.into_iter().flat_map(Entry::postings);
    // Below zero is received.
    let received = postings.filter(|side| side.party == Party::TransferOperator);
    Fen::sum(received.map(|side| side.amount))?.negate()
}

/// Divides the transfer's pool of a period among those who moved images (S-04), by count or bytes
/// as the contract says. Remainders by S-06.
///
/// ```
/// # use mic_billing::*;
/// let moved = [("north", Usage::new(1, 900)), ("south", Usage::new(2, 100))];
/// let pool = Fen::new(65);
/// let by_count = transfer_pool(pool, TransferBasis::PoolByCount, &moved)?;
/// assert_eq!(by_count, [("north", Fen::new(22)), ("south", Fen::new(43))]);
/// assert!(transfer_pool(pool, TransferBasis::PerVisit, &moved).is_err());
/// # Ok::<(), mic_billing::PoolError>(())
/// ```
///
/// # Errors
/// [`PoolError::PerVisit`] where each visit carries its own share and there is no pool,
/// [`PoolError::Allocate`] if nobody moved anything or someone is named twice.
pub fn transfer_pool<P: Ord + Clone>(
    pool: Fen,
    basis: TransferBasis,
    moved: &[(P, Usage)],
) -> Result<Vec<(P, Fen)>, PoolError> {
    let weight: fn(&Usage) -> u64 = match basis {
        TransferBasis::PerVisit => return Err(PoolError::PerVisit),
        TransferBasis::PoolByCount => |usage| usage.retrievals,
        TransferBasis::PoolByBytes => |usage| usage.bytes,
    };
    let weights: Vec<(P, u64)> = moved
        .iter()
        .map(|(who, usage)| (who.clone(), weight(usage)))
        .collect();
    Ok(allocate(pool, &weights)?)
}

/// A pool that can't be divided.
///
/// ```
/// assert_eq!(mic_billing::PoolError::PerVisit.to_string(), "expected a contract that pools the transfer");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// Each visit carries its own transfer share.
    #[error("expected a contract that pools the transfer")]
    PerVisit,
    /// The amount can't be split.
    #[error(transparent)]
    Allocate(#[from] AllocateError),
}

impl ChargePolicy {
    /// The parts of what is owed under the contract, by the payees' shares (S-02): the vendor's, and
    /// the transfer operators', which is their pool where the price is embedded and no line divides
    /// it. Without shares all of it is the vendor's.
    ///
    /// ```
    /// # use mic_billing::*;
    /// # fn show(charge: &ChargePolicy, owed: &Owed) -> Result<(), AllocateError> {
    /// for share in charge.owed_parts(owed)? {
    ///     println!("{} {}", share.party, share.amount);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None in practice: the shares of a book add up.
    pub fn owed_parts(&self, owed: &Owed) -> Result<Vec<Share>, AllocateError> {
        let vendor = [(Party::StorageVendor, Ppm::WHOLE)];
        let parties = if self.payee_shares.is_empty() {
            &vendor
        } else {
            self.payee_shares.as_slice()
        };
        shares(owed.amount, parties)
    }

    /// What one unit is charged at: the price, or the contract's where its surplus lowers what is
    /// paid (S-03). A deduction is always of the price.
    pub(crate) fn charged(&self) -> Result<Fen, MoneyError> {
        match &self.contract {
            Some(contract) if contract.surplus_to == SurplusTo::Payer => contract.per_unit(),
            _ => Ok(self.price),
        }
    }

    /// B-08, S-02, S-03: the payees' parts of a line. Under a contract the shares divide its
    /// price, and what the charge is above it goes to whom the contract says.
    pub(crate) fn payee_shares_of(
        &self,
        kind: LineKind,
        amount: Fen,
        payers: &[Share],
    ) -> Result<Vec<Share>, AllocateError> {
        let contract = match &self.contract {
            Some(contract) if kind == LineKind::Service => contract,
            _ => return shares(amount, &self.payees(kind)),
        };
        let price = contract.per_unit()?;
        let surplus = amount.minus(price)?;
        let mut parts = shares(price, &self.payees(kind))?;
        // C-12: the fund gets back no more than it paid. Where the payer of the exam is not
        // divided, its part isn't known, and the contract's word stands.
        let paid_by = |party| payers.iter().find(|share| share.party == party);
        let fund = match contract.surplus_to {
            SurplusTo::Fund if paid_by(Party::ExamPayer).is_some() => surplus,
            SurplusTo::Fund => {
                paid_by(Party::Fund).map_or(Fen::ZERO, |share| share.amount.min(surplus))
            }
            SurplusTo::Hospital | SurplusTo::Payer => Fen::ZERO,
        };
        for (party, more) in [(Party::Fund, fund), (Party::Hospital, surplus.minus(fund)?)] {
            if more.is_zero() {
                continue;
            }
            match parts.iter_mut().find(|share| share.party == party) {
                Some(share) => share.amount = share.amount.plus(more)?,
                None => parts.push(Share {
                    party,
                    amount: more,
                }),
            }
        }
        parts.sort_unstable_by_key(|share| share.party);
        Ok(parts)
    }
}
