//! What one book says of a made visit, for programs and in words.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::num::NonZeroU32;

use crate::{
    book::ChargePolicy,
    contract::Owed,
    event::Modality,
    explain::Lang,
    line::Line,
    money::{Fen, MoneyError, Ppm},
    policy::{TransferBasis, Unearned},
    retention::{Retention, RetentionError},
};

/// What one of two books says.
///
/// ```
/// # fn show(says: &mic_billing::Says) {
/// println!("{}", says.explain(mic_billing::Lang::Zh));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Says {
    /// The lines of the visits.
    Lines(Vec<Line>),
    /// What the contract in force asks for the visits; none where there is no contract.
    Contract(Option<ContractSays>),
    /// How long the images are kept.
    Kept(Box<Result<Retention, RetentionError>>),
    /// What an examination costs.
    Price {
        /// The examination.
        case: PriceCase,
        /// Its price.
        amount: Fen,
    },
    /// Whether film may be charged beside the exam.
    Film {
        /// Film is needed.
        needed: bool,
        /// The patient agreed.
        agreed: bool,
        /// The answer.
        allowed: bool,
    },
}

/// An examination to be priced.
///
/// ```
/// # fn show(case: &mic_billing::PriceCase) {
/// println!("{} positions at {}", case.positions, case.one);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PriceCase {
    /// The price of one position.
    pub one: Fen,
    /// The kind of exam.
    pub modality: Modality,
    /// How many positions.
    pub positions: NonZeroU32,
}

/// The terms of a contract as far as a visit shows them.
///
/// ```
/// # fn show(says: &mic_billing::ContractSays) {
/// println!("{} yuan owed", says.owed.amount);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContractSays {
    /// To whom.
    pub vendor: Option<String>,
    /// What is owed for the visits.
    pub owed: Owed,
    /// How transfer is paid.
    pub transfer_basis: TransferBasis,
    /// The vendor's part of the volume.
    pub volume_share: Option<Ppm>,
    /// What goes back when the vendor changes.
    pub unearned: Option<Unearned>,
}

impl ContractSays {
    pub(super) fn of(
        charge: Option<&ChargePolicy>,
        lines: &[Line],
    ) -> Result<Option<Self>, MoneyError> {
        let Some(contract) = charge.and_then(|charge| charge.contract.as_ref()) else {
            return Ok(None);
        };
        Ok(Some(Self {
            vendor: contract.vendor.clone(),
            owed: contract.owed(lines)?,
            transfer_basis: contract.transfer_basis,
            volume_share: contract.volume_share,
            unearned: contract.unearned,
        }))
    }
}

impl Says {
    /// In words.
    #[must_use]
    pub fn explain(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Lines(lines), _) if !lines.is_empty() => {
                let words = lines.iter().map(|line| line_words(line, lang));
                words.collect::<Vec<_>>().join("\n")
            }
            (Self::Lines(_), Lang::Zh) => "不收取也不减收。".to_string(),
            (Self::Lines(_), Lang::En) => "Nothing is charged or deducted.".to_string(),
            (Self::Contract(None), Lang::Zh) => "没有生效的合同。".to_string(),
            (Self::Contract(None), Lang::En) => "No contract is in force.".to_string(),
            (Self::Contract(Some(terms)), _) => terms.explain(lang),
            (Self::Kept(kept), _) => kept_words(kept, lang),
            (Self::Price { case, amount }, Lang::Zh) => format!(
                "{}，单价 {} 元，{} 个体位：{amount} 元。",
                case.modality.word(lang),
                case.one,
                case.positions
            ),
            (Self::Price { case, amount }, Lang::En) => format!(
                "{} at {} yuan, {} positions: {amount} yuan.",
                case.modality.word(lang),
                case.one,
                case.positions
            ),
            (
                Self::Film {
                    needed,
                    agreed,
                    allowed,
                },
                Lang::Zh,
            ) => format!(
                "胶片{}需要、患者{}同意：{}另行收费。",
                if *needed { "确有" } else { "无" },
                if *agreed { "已" } else { "未" },
                if *allowed { "可" } else { "不得" }
            ),
            (
                Self::Film {
                    needed,
                    agreed,
                    allowed,
                },
                Lang::En,
            ) => format!(
                "Film {}needed, {}agreed to: it {} be charged.",
                if *needed { "" } else { "not " },
                if *agreed { "" } else { "not " },
                if *allowed { "may" } else { "may not" }
            ),
        }
    }
}

impl ContractSays {
    fn explain(&self, lang: Lang) -> String {
        let vendor = self.vendor.as_deref().unwrap_or("-");
        let (units, amount, basis) = (
            self.owed.units,
            self.owed.amount,
            self.transfer_basis.word(lang),
        );
        let share = self
            .volume_share
            .map_or_else(|| "-".to_string(), |share| share.get().to_string());
        let unearned = self.unearned.map_or("-", |unearned| unearned.word(lang));
        match lang {
            Lang::Zh => format!(
                "应付 {vendor}：{units} 个计次单位，{amount} 元；传输{basis}；约定份额 {share} ppm；未履行部分{unearned}。"
            ),
            Lang::En => format!(
                "Owed to {vendor}: {amount} yuan for {units} units; transfer {basis}; volume share {share} ppm; unearned part {unearned}."
            ),
        }
    }
}

/// The unit first, and what it counts for a contract: two books may differ in these alone.
fn line_words(line: &Line, lang: Lang) -> String {
    let counted: Vec<String> = line.counted().iter().map(ToString::to_string).collect();
    let counted = match (counted.is_empty(), lang) {
        (true, _) => String::new(),
        (false, Lang::Zh) => format!("（计次：{}）", counted.join("、")),
        (false, Lang::En) => format!(" (counts {})", counted.join(", ")),
    };
    format!("{}{counted} {}", line.unit(), line.explain(lang))
}

fn kept_words(kept: &Result<Retention, RetentionError>, lang: Lang) -> String {
    match (kept, lang) {
        (Ok(kept), Lang::Zh) => format!(
            "自{} {} 起保存 {} 年，{} 起可以销毁。",
            kept.clock.word(lang),
            kept.base,
            kept.years,
            kept.first_disposable
        ),
        (Ok(kept), Lang::En) => format!(
            "Kept {} years from the {} on {}, disposable from {} on.",
            kept.years,
            kept.clock.word(lang),
            kept.base,
            kept.first_disposable
        ),
        (Err(error), Lang::Zh) => format!("不能确定保存期限：{error}。"),
        (Err(error), Lang::En) => format!("No end can be told: {error}."),
    }
}
