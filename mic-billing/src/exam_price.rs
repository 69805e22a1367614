//! The price of the exam itself, as far as the radiology price texts set rules for it: positions,
//! caps and film (rules B-09, B-10, B-11). The 5 yuan are no part of this.

use alloc::{sync::Arc, vec::Vec};
use core::num::NonZeroU32;

use crate::{
    book::Grounds,
    event::Modality,
    money::{Fen, MoneyError, Ppm},
    policy::FilmRule,
    rounding::Rounding,
    rule::RuleId,
};

/// What a region's texts say of exam prices. Read from [`Policy::exams`](crate::Policy::exams).
///
/// ```
/// use mic_billing::{Book, Fen, Modality, books};
///
/// let book = Book::load([books::national()?, books::guangdong()?])?;
/// let day = chrono::NaiveDate::from_ymd_opt(2025, 12, 1).unwrap();
/// let policy = book.policy(day, "2026-01-01T00:00:00+08:00".parse()?);
/// let rules = policy.exams().unwrap();
/// // 100 % and twice 50 %; the fourth and fifth position cost nothing more.
/// let five = rules.price(Fen::new(20_000), Modality::Ct, 5.try_into()?)?;
/// assert_eq!((five.amount, five.positions), (Fen::new(40_000), 3));
/// // Plain X-ray is capped at 50 yuan.
/// assert_eq!(rules.price(Fen::new(4_000), Modality::XRay, 3.try_into()?)?.amount, Fen::new(5_000));
/// // An angiography is not: it is no plain radiography.
/// assert_eq!(rules.price(Fen::new(300_000), Modality::Angiography, 1.try_into()?)?.amount, Fen::new(300_000));
/// assert!(rules.price(Fen::new(-1), Modality::Ct, 1.try_into()?).is_err());
/// // Film beside it only where it is needed and agreed to.
/// assert!(rules.film_may_be_charged(true, true) && !rules.film_may_be_charged(true, false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExamRules {
    /// What each further position of one examination costs of the first one's price; none where
    /// the book doesn't say, which is the whole price.
    pub position_share: Option<Ppm>,
    /// How many positions are counted at most.
    pub positions_max: Option<NonZeroU32>,
    /// The most that plain X-ray imaging (X线摄影成像) costs.
    pub xray_cap: Option<Fen>,
    /// Whether film may be charged beside the exam.
    pub film: Option<FilmRule>,
    /// What this stands on.
    pub grounds: Arc<Grounds>,
}

impl ExamRules {
    /// The price of an examination of so many positions of **one** part of the body, from the
    /// price of one position. Positions of another part begin anew at the full price: ask for each
    /// part and add.
    ///
    /// The cap is of plain radiography (X线摄影成像) alone, which is [`Modality::XRay`]; fluoroscopy
    /// and angiography are kinds of their own and are not capped.
    ///
    /// # Errors
    /// [`MoneyError::Negative`] for a price below zero, [`MoneyError::Overflow`] if it doesn't fit.
    pub fn price(
        &self,
        one: Fen,
        modality: Modality,
        positions: NonZeroU32,
    ) -> Result<ExamPrice, MoneyError> {
        if one < Fen::ZERO {
            return Err(MoneyError::Negative);
        }
        let counted = self
            .positions_max
            .map_or(positions, |max| positions.min(max));
        let further = i64::from(counted.get().saturating_sub(1));
        let share = self.position_share.unwrap_or(Ppm::WHOLE);
        // Rounded once, over all further positions.
        let more = one.times(further)?.part(share, Rounding::HalfUp)?;
        let sum = one.plus(more)?;
        let cap = self.xray_cap.filter(|_| modality == Modality::XRay);
        let amount = cap.map_or(sum, |cap| sum.min(cap));
        let mut rules = Vec::new();
        if positions.get() > 1 && (self.position_share.is_some() || counted < positions) {
            rules.push(RuleId::B10);
        }
        if amount < sum {
            rules.push(RuleId::B11);
        }
        Ok(ExamPrice {
            amount,
            positions: counted.get(),
            rules,
        })
    }

    /// Whether film may be charged beside the exam (B-09). Where the book doesn't say, it may not:
    /// nothing that is not listed may be charged.
    #[must_use]
    pub const fn film_may_be_charged(&self, needed: bool, agreed: bool) -> bool {
        match self.film {
            Some(FilmRule::Agreed) => needed && agreed,
            Some(FilmRule::Free) => true,
            Some(FilmRule::Excluded) | None => false,
        }
    }
}

/// The price of an examination.
///
/// ```
/// # fn show(price: &mic_billing::ExamPrice) {
/// println!("{} yuan for {} positions", price.amount, price.positions);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExamPrice {
    /// The price.
    pub amount: Fen,
    /// The positions counted.
    pub positions: u32,
    /// The rules that changed it.
    pub rules: Vec<RuleId>,
}
