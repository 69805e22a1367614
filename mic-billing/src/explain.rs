//! Why a line is what it is: for programs as fields, for people as a sentence in Chinese or
//! English.
//!
//! An [`Explanation`] alone, with the book it names, recomputes the amount (I-19).

use alloc::{
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::fmt::Write;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    assess::{ExamAssessment, Standing},
    book::{Book, Citation, Grounds},
    civil::Moment,
    event::Payer,
    line::{Line, LineKind},
    money::{Fen, MoneyError, with_unit},
    policy::{ChargeModel, Trigger},
    rule::RuleId,
};

/// The language of an explanation.
///
/// ```
/// assert_ne!(mic_billing::Lang::Zh, mic_billing::Lang::En);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// The reasons of one line.
///
/// ```
/// # fn check(line: &mic_billing::Line, book: &mic_billing::Book) {
/// assert_eq!(line.why().recompute(book), Ok(line.amount()));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Explanation {
    /// What the price is in law.
    pub model: ChargeModel,
    /// What the line is.
    pub kind: LineKind,
    /// The price of one unit.
    #[serde(rename = "price_fen")]
    pub price: Fen,
    /// The amount of the line.
    #[serde(rename = "amount_fen")]
    pub amount: Fen,
    /// The day whose policy holds (valid time).
    #[serde(with = "crate::serial::date")]
    pub visit_date: NaiveDate,
    /// The moment of knowledge (known time).
    pub known_at: Moment,
    /// What proves the service.
    pub trigger: Trigger,
    /// Who paid the bill.
    pub payer: Payer,
    /// The rules, in the order of the decision.
    pub rules: Vec<RuleId>,
    /// The exams of the unit with the times they were judged by.
    pub exams: Vec<ExamAssessment>,
    /// The versions in force and the documents behind the facts.
    #[serde(with = "crate::serial::shared")]
    pub grounds: Arc<Grounds>,
}

/// An explanation that doesn't hold under a book.
///
/// ```
/// use mic_billing::RecomputeError;
///
/// assert_eq!(RecomputeError::OtherVersions.to_string(),
///     "expected the policy versions the explanation names");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecomputeError {
    /// The book has no charge on the visit date, as known then.
    #[error("expected a policy of the visit date in the book")]
    NoPolicy,
    /// The book's policy of that day is another one.
    #[error("expected the policy versions the explanation names")]
    OtherVersions,
    /// An exam's times lead to another standing than the explanation says.
    #[error("expected the standing of exam {at} to follow from its times")]
    OtherStanding {
        /// Its place among the exams.
        at: usize,
    },
    /// The exams lead to no line at all.
    #[error("expected the exams to lead to a line")]
    NoLine,
    /// An amount doesn't fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Explanation {
    /// Judges the exams again by the book and gives the amount that follows.
    ///
    /// # Errors
    /// Tells which part of the explanation doesn't hold under this book.
    pub fn recompute(&self, book: &Book) -> Result<Fen, RecomputeError> {
        let policy = book.policy(self.visit_date, self.known_at);
        let charge = policy.charge().ok_or(RecomputeError::NoPolicy)?;
        if charge.grounds.versions != self.grounds.versions {
            return Err(RecomputeError::OtherVersions);
        }
        for (at, exam) in self.exams.iter().enumerate() {
            let since = exam.since.ok_or(RecomputeError::OtherStanding { at })?;
            let standing =
                charge.judge(exam.modality, since, exam.index, exam.stored, self.known_at);
            if standing != exam.standing {
                return Err(RecomputeError::OtherStanding { at });
            }
        }
        let outcome = charge.outcome(charge.verdict(&self.exams))?;
        outcome
            .map(|(_, amount)| amount)
            .ok_or(RecomputeError::NoLine)
    }

    /// Facts the line rests on that no document states.
    pub fn assumptions(&self) -> impl Iterator<Item = &Citation> {
        self.grounds
            .citations
            .iter()
            .filter(|citation| !citation.verified)
    }

    fn cited(&self, fact: &str) -> Option<&Citation> {
        self.grounds
            .citations
            .iter()
            .find(|citation| citation.fact == fact)
    }
}

impl Line {
    /// The line in words: amount, exams, rules, documents, versions, both times, arithmetic,
    /// and what is assumed.
    #[must_use]
    pub fn explain(&self, lang: Lang) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = match lang {
            Lang::Zh => self.write_zh(&mut text),
            Lang::En => self.write_en(&mut text),
        };
        text
    }

    fn write_zh(&self, out: &mut String) -> core::fmt::Result {
        let why = &self.why;
        match self.kind {
            LineKind::Included => {
                write!(out, "不减收(0.00 元):影像云服务已内含于检查价格并已提供。")?
            }
            LineKind::Deduction => {
                write!(out, "减收 {}:未按要求提供影像云服务。", yuan_zh(why.price))?
            }
            LineKind::Service => write!(
                out,
                "收取 {}:影像云服务({})。",
                yuan_zh(self.amount),
                why.model.word(Lang::Zh)
            )?,
        }
        for exam in &why.exams {
            write!(out, "检查 {}", exam.exam)?;
            if let Some(modality) = exam.modality {
                write!(out, "({})", modality.word(Lang::Zh))?;
            }
            if let Some(since) = exam.since {
                write!(out, "于 {since} 发生,")?;
            }
            let proof = why.trigger.word(Lang::Zh);
            match exam.standing {
                Standing::Provided { at, deadline } => {
                    write!(out, "“{proof}”于 {at} 达成,期限 {deadline},按期。")?
                }
                Standing::Cured { at, deadline } => write!(
                    out,
                    "“{proof}”于 {at} 达成,晚于期限 {deadline},在补救期内。"
                )?,
                Standing::Late { at, deadline } => {
                    write!(out, "“{proof}”于 {at} 才达成,晚于期限 {deadline}。")?
                }
                Standing::Missing { deadline } => {
                    write!(out, "期限 {deadline} 已过,“{proof}”仍未达成。")?
                }
                Standing::Pending { deadline } => write!(out, "期限 {deadline} 未到。")?,
                other => write!(out, "状态 {}。", other.code())?,
            }
        }
        write!(
            out,
            "规则 {}。",
            joined(why.rules.iter().map(ToString::to_string), "、")
        )?;
        write!(out, "依据 ")?;
        for (at, fact) in ["charge_model", "price"]
            .into_iter()
            .filter_map(|fact| why.cited(fact))
            .enumerate()
        {
            write!(
                out,
                "{}{}",
                if at > 0 { ";" } else { "" },
                source(fact, Lang::Zh)
            )?;
        }
        let versions = joined(why.grounds.versions.iter().map(ToString::to_string), "、");
        write!(
            out,
            "。政策版本 {versions}(就诊日 {} 有效,{} 时已知)。",
            why.visit_date, why.known_at
        )?;
        write!(
            out,
            "计算 {} × {} 元 = {} 元。",
            self.factor(),
            why.price,
            self.amount
        )?;
        write!(
            out,
            "付:{};收:{}。",
            parties(&self.payers, Lang::Zh),
            parties(&self.payees, Lang::Zh)
        )?;
        let assumed = joined(
            why.assumptions().map(|citation| citation.fact.clone()),
            "、",
        );
        if !assumed.is_empty() {
            write!(out, "未经文件证实的设定:{assumed}。")?;
        }
        Ok(())
    }

    fn write_en(&self, out: &mut String) -> core::fmt::Result {
        let why = &self.why;
        match self.kind {
            LineKind::Included => write!(
                out,
                "Nothing deducted (0.00 yuan): the cloud service is inside the exam price and was provided. "
            )?,
            LineKind::Deduction => write!(
                out,
                "Deducted {}: the cloud service was not provided as required. ",
                with_unit(why.price, "yuan")
            )?,
            LineKind::Service => write!(
                out,
                "Charged {}: cloud service ({}). ",
                with_unit(self.amount, "yuan"),
                why.model.word(Lang::En)
            )?,
        }
        for exam in &why.exams {
            write!(out, "Exam {}", exam.exam)?;
            if let Some(modality) = exam.modality {
                write!(out, " ({})", modality.word(Lang::En))?;
            }
            if let Some(since) = exam.since {
                write!(out, " at {since}")?;
            }
            let proof = why.trigger.word(Lang::En);
            match exam.standing {
                Standing::Provided { at, deadline } => {
                    write!(out, ": {proof} at {at}, by the deadline {deadline}. ")?
                }
                Standing::Cured { at, deadline } => write!(
                    out,
                    ": {proof} at {at}, after the deadline {deadline}, within the late cure. "
                )?,
                Standing::Late { at, deadline } => write!(
                    out,
                    ": {proof} only at {at}, after the deadline {deadline}. "
                )?,
                Standing::Missing { deadline } => write!(
                    out,
                    ": the deadline {deadline} is over without \"{proof}\". "
                )?,
                Standing::Pending { deadline } => {
                    write!(out, ": the deadline {deadline} is not over. ")?
                }
                other => write!(out, ": {}. ", other.code())?,
            }
        }
        write!(
            out,
            "Rules {}. ",
            joined(why.rules.iter().map(ToString::to_string), ", ")
        )?;
        write!(out, "By ")?;
        for (at, fact) in ["charge_model", "price"]
            .into_iter()
            .filter_map(|fact| why.cited(fact))
            .enumerate()
        {
            write!(
                out,
                "{}{}",
                if at > 0 { "; " } else { "" },
                source(fact, Lang::En)
            )?;
        }
        let versions = joined(why.grounds.versions.iter().map(ToString::to_string), ", ");
        write!(
            out,
            ". Policy {versions} (valid on the visit date {}, known at {}). ",
            why.visit_date, why.known_at
        )?;
        write!(
            out,
            "{} x {} = {} yuan. ",
            self.factor(),
            why.price,
            self.amount
        )?;
        write!(
            out,
            "Paid by {}; received by {}.",
            parties(&self.payers, Lang::En),
            parties(&self.payees, Lang::En)
        )?;
        let assumed = joined(
            why.assumptions().map(|citation| citation.fact.clone()),
            ", ",
        );
        if !assumed.is_empty() {
            write!(out, " Assumed without a document: {assumed}.")?;
        }
        Ok(())
    }

    const fn factor(&self) -> i8 {
        match self.kind {
            LineKind::Included => 0,
            LineKind::Deduction => -1,
            LineKind::Service => 1,
        }
    }
}

fn yuan_zh(amount: Fen) -> String {
    with_unit(amount, "元")
}

/// A fact's document, clause and mark.
fn source(fact: &Citation, lang: Lang) -> String {
    let (none, yes, no) = match lang {
        Lang::Zh => ("无文件", "已核实", "未核实"),
        Lang::En => ("no document", "verified", "not verified"),
    };
    let mark = if fact.verified { yes } else { no };
    let document = fact.document.as_deref().unwrap_or(none);
    let clause = fact
        .clause
        .as_deref()
        .map(|clause| alloc::format!("“{clause}”"))
        .unwrap_or_default();
    let url = fact
        .url
        .as_deref()
        .map(|url| alloc::format!(" {url}"))
        .unwrap_or_default();
    alloc::format!("{} = {document}{clause}[{mark}{url}]", fact.fact)
}

fn parties(shares: &[crate::line::Share], lang: Lang) -> String {
    joined(
        shares
            .iter()
            .map(|share| alloc::format!("{} {}", share.party.word(lang), share.amount)),
        ", ",
    )
}

fn joined(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}
