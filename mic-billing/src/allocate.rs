//! Splitting an amount among parties so that nothing is lost (rule S-06).

use alloc::{collections::BTreeSet, vec::Vec};

use crate::money::{Fen, MoneyError};

/// Splits `amount` in proportion to the weights by the largest remainder.
///
/// The shares add up to the amount, each lies within one fen of its exact part, a weight of zero
/// gets nothing, and a negative amount mirrors the positive one. Equal remainders go to the smaller
/// party first, so the order of the arguments decides nothing; the answer keeps that order (I-13).
///
/// ```
/// use mic_billing::{Fen, allocate};
///
/// let shares = allocate(Fen::new(500), &[("vendor", 1), ("hospital", 1), ("network", 1)])?;
/// assert_eq!(shares, [
///     ("vendor", Fen::new(166)),
///     ("hospital", Fen::new(167)),
///     ("network", Fen::new(167)),
/// ]);
/// # Ok::<(), mic_billing::AllocateError>(())
/// ```
///
/// # Errors
/// [`AllocateError::NoWeight`] if there is nobody to take the amount,
/// [`AllocateError::PartyTwice`] if a party is named twice.
pub fn allocate<P: Ord + Clone>(
    amount: Fen,
    parties: &[(P, u64)],
) -> Result<Vec<(P, Fen)>, AllocateError> {
    let names: BTreeSet<&P> = parties.iter().map(|(party, _)| party).collect();
    if names.len() != parties.len() {
        return Err(AllocateError::PartyTwice);
    }
    let total: u128 = parties.iter().map(|&(_, weight)| u128::from(weight)).sum();
    let magnitude = u128::from(amount.get().unsigned_abs());
    let mut shares = Vec::with_capacity(parties.len());
    let mut given = 0_u128;
    for (place, (party, weight)) in parties.iter().enumerate() {
        // At most 2^63 * (2^64 - 1): no overflow in 128 bits.
        let exact = magnitude
            .checked_mul(u128::from(*weight))
            .ok_or(MoneyError::Overflow)?;
        let whole = exact.checked_div(total).ok_or(AllocateError::NoWeight)?;
        let rest = exact.checked_rem(total).ok_or(AllocateError::NoWeight)?;
        given = given.checked_add(whole).ok_or(MoneyError::Overflow)?;
        shares.push(Share {
            place,
            party,
            whole,
            rest,
        });
    }
    if shares.is_empty() {
        return Err(AllocateError::NoWeight);
    }
    shares.sort_by(|a, b| b.rest.cmp(&a.rest).then_with(|| a.party.cmp(b.party)));
    let mut left = magnitude.saturating_sub(given);
    for share in &mut shares {
        if left == 0 {
            break;
        }
        share.whole = share.whole.saturating_add(1);
        left = left.saturating_sub(1);
    }
    shares.sort_by_key(|share| share.place);
    shares
        .into_iter()
        .map(|share| {
            let fen = i128::try_from(share.whole).map_err(|_| MoneyError::Overflow)?;
            let signed = if amount.get() < 0 {
                fen.checked_neg()
            } else {
                Some(fen)
            };
            let fen = signed
                .and_then(|fen| i64::try_from(fen).ok())
                .ok_or(MoneyError::Overflow)?;
            Ok((share.party.clone(), Fen::new(fen)))
        })
        .collect()
}

/// One party's part while the remainders are dealt out.
struct Share<'a, P> {
    place: usize,
    party: &'a P,
    whole: u128,
    rest: u128,
}

/// A split that can't be made.
///
/// ```
/// use mic_billing::{AllocateError, Fen, allocate};
///
/// assert_eq!(allocate(Fen::new(1), &[("a", 0)]), Err(AllocateError::NoWeight));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AllocateError {
    /// No party, or only weights of zero.
    #[error("expected at least one party with a weight above zero")]
    NoWeight,
    /// A party is named twice.
    #[error("expected each party once, found one twice")]
    PartyTwice,
    /// The arithmetic has no answer.
    #[error(transparent)]
    Money(#[from] MoneyError),
}
