//! Where two books differ: on visits that are given ([`compare`]), or on visits made for it
//! ([`distinguish`]).

mod says;
mod scenes;
mod search;

pub use self::{
    says::{ContractSays, PriceCase, Says},
    search::{CompareError, Comparison, Witness, distinguish},
};
use crate::{
    assess::assess,
    book::Book,
    civil::Moment,
    line::{Line, LineError, desired},
    state::VisitState,
};

use alloc::vec::Vec;

/// A visit on which two books differ, with the lines of each.
///
/// ```
/// # fn show(found: &mic_billing::Difference) {
/// println!("{} lines here, {} there", found.first.len(), found.second.len());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The visit.
    pub visit: VisitState,
    /// Its lines under the first book.
    pub first: Vec<Line>,
    /// Its lines under the second one.
    pub second: Vec<Line>,
}

/// Searches visits for the first one on which two books move other money: another unit, kind,
/// amount, payer, payee or day. Reasons and documents may differ without counting.
///
/// Give it real visits: it stops at the first that tells the books apart. Each visit is judged
/// alone. To find a difference without visits, person-days over several visits included, ask
/// [`distinguish`].
///
/// ```
/// use mic_billing::{Book, books, compare};
///
/// let shenzhen = Book::load([books::national()?, books::shenzhen()?])?;
/// let found = compare(&shenzhen, &shenzhen, [], "2026-01-01T00:00:00+08:00".parse()?)?;
/// assert_eq!(found, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`LineError`] if an amount doesn't fit.
pub fn compare(
    first: &Book,
    second: &Book,
    visits: impl IntoIterator<Item = VisitState>,
    known_at: Moment,
) -> Result<Option<Difference>, LineError> {
    for visit in visits {
        let [one, two] = [first, second].map(|book| desired(&[assess(&visit, book, known_at)]));
        let (one, two) = (one?, two?);
        let same = one.len() == two.len() && one.iter().zip(&two).all(|(a, b)| a.is_same_money(b));
        if !same {
            return Ok(Some(Difference {
                visit,
                first: one,
                second: two,
            }));
        }
    }
    Ok(None)
}
