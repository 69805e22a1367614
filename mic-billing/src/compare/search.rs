//! Finding a visit on which two books differ, without being given one.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    string::String,
    sync::Arc,
    vec::Vec,
};
use core::num::NonZeroU32;

use chrono::NaiveDate;

use super::{
    says::{ContractSays, PriceCase, Says},
    scenes::{self, Scene, Stage},
};
use crate::{
    book::{Book, ChargePolicy, Grounds, Policy},
    civil::{Moment, first_moment},
    event::{Event, Modality},
    exam_price::ExamRules,
    line::{Line, LineError},
    money::{Fen, MoneyError},
    period::Period,
    policy::Party,
    retention::retention,
    state::FoldError,
    text::TextError,
    visits::Visits,
};

/// Days after the last boundary of either book until which proofs are waited for: more than the
/// longest grace and the longest late cure together.
const WAIT_DAYS: u32 = 3 * 366;
/// Most made visits judged in one search: books of thousands of versions end with an error, not
/// never.
const SCENES_MAX: u32 = 2_000_000;

/// What a search says of two books.
///
/// ```
/// # fn show(found: &mic_billing::Comparison) {
/// if let mic_billing::Comparison::Differ(witness) = found {
///     println!("{} events tell them apart", witness.events.len());
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Comparison {
    /// Every day that can be judged at any moment of knowledge has the same policy in both: no
    /// visit tells them apart. Documents and notes may differ.
    Same,
    /// Facts differ, and no made visit told the books apart: a share that rounds away, say.
    Untold {
        /// The facts with two values.
        facts: Vec<String>,
    },
    /// A visit that they judge differently.
    Differ(Box<Witness>),
}

/// Made visits on which two books differ, and what each says of them.
///
/// ```
/// # fn show(witness: &mic_billing::Witness) {
/// println!("{}\n{}", witness.first.explain(mic_billing::Lang::En), witness.second.explain(mic_billing::Lang::En));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Witness {
    /// The events, all of one made person at one made institution; none for the price of an exam.
    pub events: Vec<Event>,
    /// The day of the policies that differ.
    pub day: NaiveDate,
    /// The moment of knowledge.
    pub known_at: Moment,
    /// What the first book says.
    pub first: Says,
    /// What the second book says.
    pub second: Says,
}

/// A search that can't go on.
///
/// ```
/// assert_eq!(mic_billing::CompareError::TooManyVisits.to_string(), "expected books that 2000000 made visits tell apart or exhaust");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The bound of one search.
    #[error("expected books that {SCENES_MAX} made visits tell apart or exhaust")]
    TooManyVisits,
    /// An amount doesn't fit.
    #[error(transparent)]
    Line(#[from] LineError),
    /// An amount doesn't fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A made event was refused.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// A made identifier was refused.
    #[error(transparent)]
    Text(#[from] TextError),
}

/// Looks for visits on which two books come to other money, another retention, another exam price
/// or other terms of a contract, and makes the visits itself: about the days on which a version of
/// either begins, as known in each stretch of knowledge, with exams of each kind that one of them
/// covers, one exam and two, insured and self-paying, with proofs at each deadline and the second
/// after it, over the end of a month, and with two visits of one person.
///
/// The earliest stretch of knowledge and day that differ are taken, and there the fewest events;
/// a difference of money goes before one of units or months alone.
///
/// ```
/// use mic_billing::{Book, Comparison, Lang, books, distinguish};
///
/// let shenzhen = Book::load([books::national()?, books::shenzhen()?])?;
/// let guangdong = Book::load([books::national()?, books::guangdong()?])?;
/// assert_eq!(distinguish(&shenzhen, &shenzhen)?, Comparison::Same);
/// let Comparison::Differ(witness) = distinguish(&shenzhen, &guangdong)? else { panic!() };
/// assert_ne!(witness.first, witness.second);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CompareError::TooManyVisits`] past the bound of made visits; the others if an amount doesn't
/// fit.
pub fn distinguish(first: &Book, second: &Book) -> Result<Comparison, CompareError> {
    let mut search = Search {
        first,
        second,
        left: SCENES_MAX,
        facts: BTreeSet::new(),
    };
    for stage in search.stages() {
        if let Some(witness) = search.at(&stage)? {
            return Ok(Comparison::Differ(Box::new(witness)));
        }
    }
    Ok(if search.facts.is_empty() {
        Comparison::Same
    } else {
        Comparison::Untold {
            facts: search.facts.into_iter().collect(),
        }
    })
}

struct Search<'b> {
    first: &'b Book,
    second: &'b Book,
    left: u32,
    facts: BTreeSet<String>,
}

impl Search<'_> {
    /// Each stretch of knowledge with each day from which another policy may hold.
    fn stages(&self) -> Vec<Stage> {
        let books = [self.first, self.second];
        let moments: BTreeSet<Moment> = books.iter().flat_map(|book| book.moments()).collect();
        let mut days: BTreeSet<NaiveDate> =
            books.iter().flat_map(|book| book.boundaries()).collect();
        let before = days.first().copied().and_then(scenes::day_before);
        days.extend(before);
        let last = moments
            .last()
            .copied()
            .max(days.last().copied().map(first_moment));
        let Some(end) = last.map(|last| last.plus_days(WAIT_DAYS)) else {
            return Vec::new();
        };
        let ends = moments
            .iter()
            .skip(1)
            .map(|next| next.plus_seconds(-1))
            .chain([end]);
        let mut stages = Vec::new();
        for (from, until) in moments.iter().copied().zip(ends) {
            let reached = days.iter().copied().filter(|day| *day <= until.date());
            stages.extend(reached.map(|day| Stage { day, from, until }));
        }
        stages
    }

    fn at(&mut self, stage: &Stage) -> Result<Option<Witness>, CompareError> {
        let (first, second) = (self.first, self.second);
        let policies = [first, second].map(|book| &**book.policy(stage.day, stage.until));
        if without_grounds(policies[0]) == without_grounds(policies[1]) {
            return Ok(None);
        }
        self.note_facts(policies);
        if let Some(found) = self.charged(stage, policies)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.kept(stage, policies)? {
            return Ok(Some(found));
        }
        priced(stage, policies)
    }

    /// The names of facts with two values.
    fn note_facts(&mut self, policies: [&Policy; 2]) {
        let values = policies.map(|policy| {
            let grounds = [
                policy.charge().map(|part| &part.grounds),
                policy.retention().map(|part| &part.grounds),
                policy.exams().map(|part| &part.grounds),
            ];
            let citations = grounds
                .into_iter()
                .flatten()
                .flat_map(|grounds| &grounds.citations);
            citations
                .map(|citation| (citation.fact.clone(), citation.value.clone()))
                .collect::<BTreeSet<_>>()
        });
        let [one, two] = &values;
        self.facts
            .extend(one.symmetric_difference(two).map(|(fact, _)| fact.clone()));
    }

    fn charged(
        &mut self,
        stage: &Stage,
        policies: [&Policy; 2],
    ) -> Result<Option<Witness>, CompareError> {
        let charges = policies.map(|policy| policy.charge().map(charge_without_grounds));
        if charges[0] == charges[1] {
            return Ok(None);
        }
        let both: Vec<&ChargePolicy> = charges.iter().flatten().collect();
        let mut units_alone = None;
        let mut contract = None;
        for scene in scenes::charged(stage, &both)? {
            let sides = self.lines(&scene)?;
            let [one, two] = &sides;
            if money(one)? != money(two)? {
                return Ok(Some(witness(stage, &scene, sides.map(Says::Lines))));
            }
            if contract.is_none() {
                let says = [&charges[0], &charges[1]].into_iter().zip(&sides);
                let says: Result<Vec<_>, _> = says
                    .map(|(charge, lines)| ContractSays::of(charge.as_ref(), lines))
                    .collect();
                if let [one, two] = &*says? {
                    if one != two {
                        contract = Some((scene.clone(), [one.clone(), two.clone()]));
                    }
                }
            }
            let same =
                one.len() == two.len() && one.iter().zip(two).all(|(a, b)| a.is_same_money(b));
            if !same && units_alone.is_none() {
                units_alone = Some(witness(stage, &scene, sides.map(Says::Lines)));
            }
        }
        let of_contract =
            contract.map(|(scene, says)| witness(stage, &scene, says.map(Says::Contract)));
        Ok(units_alone.or(of_contract))
    }

    fn kept(
        &mut self,
        stage: &Stage,
        policies: [&Policy; 2],
    ) -> Result<Option<Witness>, CompareError> {
        let years = policies.map(|policy| {
            policy
                .retention()
                .map(|kept| (kept.outpatient_years, kept.inpatient_years))
        });
        if years[0] == years[1] {
            return Ok(None);
        }
        for scene in scenes::kept(stage)? {
            self.count()?;
            let Some(state) = fold(&scene.events)?
                .resolved(scene.known_at)
                .into_iter()
                .next()
            else {
                continue;
            };
            let [one, two] =
                [self.first, self.second].map(|book| retention(&state, [], book, scene.known_at));
            let days =
                [&one, &two].map(|kept| kept.as_ref().ok().map(|kept| kept.first_disposable));
            if days[0] != days[1] {
                return Ok(Some(witness(
                    stage,
                    &scene,
                    [one, two].map(|kept| Says::Kept(Box::new(kept))),
                )));
            }
        }
        Ok(None)
    }

    fn lines(&mut self, scene: &Scene) -> Result<[Vec<Line>; 2], CompareError> {
        self.count()?;
        let visits = fold(&scene.events)?;
        Ok([
            visits.desired(self.first, scene.known_at)?,
            visits.desired(self.second, scene.known_at)?,
        ])
    }

    fn count(&mut self) -> Result<(), CompareError> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or(CompareError::TooManyVisits)?;
        Ok(())
    }
}

fn fold(events: &[Event]) -> Result<Visits, FoldError> {
    let mut visits = Visits::new();
    events.iter().try_for_each(|event| visits.fold(event))?;
    Ok(visits)
}

fn witness(stage: &Stage, scene: &Scene, says: [Says; 2]) -> Witness {
    let [first, second] = says;
    Witness {
        events: scene.events.clone(),
        day: stage.day,
        known_at: scene.known_at,
        first,
        second,
    }
}

/// What each party pays and receives, month by month.
fn money(lines: &[Line]) -> Result<BTreeMap<(Period, bool, Party), Fen>, MoneyError> {
    let mut sums: BTreeMap<(Period, bool, Party), Fen> = BTreeMap::new();
    for line in lines {
        let month = Period::of(line.why.visit_date);
        for (pays, shares) in [(true, &line.payers), (false, &line.payees)] {
            for share in shares {
                let sum = sums.entry((month, pays, share.party)).or_default();
                *sum = sum.plus(share.amount)?;
            }
        }
    }
    sums.retain(|_, sum| !sum.is_zero());
    Ok(sums)
}

fn charge_without_grounds(charge: &ChargePolicy) -> ChargePolicy {
    ChargePolicy {
        grounds: Arc::<Grounds>::default(),
        ..charge.clone()
    }
}

type Facts = (Option<ChargePolicy>, Option<(u32, u32)>, Option<ExamRules>);

fn without_grounds(policy: &Policy) -> Facts {
    let years = policy
        .retention()
        .map(|kept| (kept.outpatient_years, kept.inpatient_years));
    let exams = policy.exams().map(|rules| ExamRules {
        grounds: Arc::<Grounds>::default(),
        ..rules.clone()
    });
    (policy.charge().map(charge_without_grounds), years, exams)
}

/// The price of an exam, and film beside it: no visit is needed.
fn priced(stage: &Stage, policies: [&Policy; 2]) -> Result<Option<Witness>, CompareError> {
    let rules = policies.map(|policy| policy.exams().cloned().unwrap_or_default());
    let nothing = Scene {
        events: Vec::new(),
        known_at: stage.until,
    };
    for needed in [false, true] {
        for agreed in [false, true] {
            let [one, two] = rules
                .each_ref()
                .map(|rules| rules.film_may_be_charged(needed, agreed));
            if one != two {
                let says = [one, two].map(|allowed| Says::Film {
                    needed,
                    agreed,
                    allowed,
                });
                return Ok(Some(witness(stage, &nothing, says)));
            }
        }
    }
    let caps = rules.iter().filter_map(|rules| rules.xray_cap);
    let ones = caps
        .flat_map(|cap| [cap.get(), cap.get().saturating_add(1)])
        .chain([1_000, 100_000_000]);
    let mut ones: Vec<i64> = ones.collect();
    ones.sort_unstable();
    let maxima = rules.iter().filter_map(|rules| rules.positions_max);
    let counts = maxima
        .flat_map(|max| [Some(max), max.checked_add(1)])
        .flatten()
        .chain([NonZeroU32::MIN, NonZeroU32::MIN.saturating_add(1)]);
    let counts: BTreeSet<NonZeroU32> = counts.collect();
    for one in ones {
        for modality in [Modality::Ct, Modality::XRay] {
            for positions in &counts {
                let case = PriceCase {
                    one: Fen::new(one),
                    modality,
                    positions: *positions,
                };
                let [a, b] =
                    [&rules[0], &rules[1]].map(|rules| rules.price(case.one, modality, *positions));
                let (a, b) = (a?, b?);
                if a.amount != b.amount {
                    let says = [a, b].map(|price| Says::Price {
                        case,
                        amount: price.amount,
                    });
                    return Ok(Some(witness(stage, &nothing, says)));
                }
            }
        }
    }
    Ok(None)
}
