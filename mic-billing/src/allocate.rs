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
    if names_one_twice(parties) {
        return Err(AllocateError::PartyTwice);
    }
    let total: u128 = parties.iter().map(|&(_, weight)| u128::from(weight)).sum();
    let magnitude = amount.get().unsigned_abs();
    let mut shares = Vec::with_capacity(parties.len());
    let mut held = [0; FEW];
    let mut more = Vec::new();
    let rests: &mut [u128] = match held.get_mut(..parties.len()) {
        Some(few) => few,
        None => {
            more.resize(parties.len(), 0);
            &mut more
        }
    };
    let mut given = 0_u64;
    for ((party, weight), rest) in parties.iter().zip(rests.iter_mut()) {
        let whole;
        (whole, *rest) = exact_part(magnitude, *weight, total).ok_or(AllocateError::NoWeight)?;
        given = given.checked_add(whole).ok_or(MoneyError::Overflow)?;
        shares.push((party.clone(), whole));
    }
    if shares.is_empty() {
        return Err(AllocateError::NoWeight);
    }
    // Fewer fen are left than there are parties with a rest.
    let left =
        usize::try_from(magnitude.saturating_sub(given)).map_err(|_| MoneyError::Overflow)?;
    deal(left, rests, &mut shares);
    shares
        .into_iter()
        .map(|(party, whole)| {
            let fen = if amount.get() < 0 {
                0_i64.checked_sub_unsigned(whole)
            } else {
                0_i64.checked_add_unsigned(whole)
            };
            Ok((party, Fen::new(fen.ok_or(MoneyError::Overflow)?)))
        })
        .collect()
}

/// The parties of an ordinary split: for more of them rests are sorted, and so are names to find one
/// named twice.
const FEW: usize = 8;

/// One fen each to the largest rests, equal ones by the names.
fn deal<P: Ord>(left: usize, rests: &mut [u128], shares: &mut [(P, u64)]) {
    if left == 0 {
        return;
    }
    if rests.len() <= FEW {
        for _ in 0..left {
            let both = rests.iter_mut().zip(shares.iter_mut());
            let most = both.max_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.0.cmp(&a.1.0)));
            if let Some((rest, (_, whole))) = most {
                // Who has no rest gets nothing, so this one gets nothing twice.
                *rest = 0;
                *whole = whole.saturating_add(1);
            }
        }
        return;
    }
    let mut order: Vec<_> = rests.iter().zip(shares).collect();
    order.sort_unstable_by(|a, b| b.0.cmp(a.0).then_with(|| a.1.0.cmp(&b.1.0)));
    for (_, (_, whole)) in order.into_iter().take(left) {
        *whole = whole.saturating_add(1);
    }
}

fn names_one_twice<P: Ord>(parties: &[(P, u64)]) -> bool {
    if parties.len() > FEW {
        let names: BTreeSet<&P> = parties.iter().map(|(party, _)| party).collect();
        return names.len() != parties.len();
    }
    let mut rest = parties;
    while let Some(((name, _), after)) = rest.split_first() {
        if after.iter().any(|(other, _)| other == name) {
            return true;
        }
        rest = after;
    }
    false
}

/// A weight's exact part, whole and rest; none if there is no weight at all.
#[inline]
fn exact_part(magnitude: u64, weight: u64, total: u128) -> Option<(u64, u128)> {
    // Nearly always the product fits a word, which is divided several times as fast.
    if let (Some(product), Ok(total)) = (magnitude.checked_mul(weight), u64::try_from(total)) {
        let rest = u128::from(product.checked_rem(total)?);
        return Some((product.checked_div(total)?, rest));
    }
    // At most 2^63 * (2^64 - 1): no overflow in 128 bits.
    let product = u128::from(magnitude).checked_mul(u128::from(weight))?;
    let whole = u64::try_from(product.checked_div(total)?).ok()?;
    Some((whole, product.checked_rem(total)?))
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
