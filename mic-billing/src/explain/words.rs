//! The sentence of a line, in Chinese and in English, part by part.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{Explanation, Lang};
use crate::{
    assess::{ExamAssessment, Standing},
    book::Citation,
    civil::Moment,
    line::{Line, LineKind, Share},
    policy::Trigger,
};

impl Line {
    /// The line in words: amount, exams, rules, documents, versions, both times, arithmetic,
    /// and what is assumed. Times are Beijing time.
    #[must_use]
    pub fn explain(&self, lang: Lang) -> String {
        let mut parts = Vec::with_capacity(8);
        parts.push(self.headline(lang));
        parts.extend(
            self.why
                .exams
                .iter()
                .map(|exam| exam_sentence(exam, self.why.trigger, lang)),
        );
        parts.push(self.arithmetic(lang));
        parts.push(self.why.rules_sentence(lang));
        parts.extend(self.why.documents(lang));
        parts.push(self.why.versions(lang));
        parts.extend(self.why.assumed(lang));
        parts.join(match lang {
            Lang::Zh => "",
            Lang::En => " ",
        })
    }

    fn headline(&self, lang: Lang) -> String {
        let (price, model) = (self.why.price, self.why.model.word(lang));
        match (self.kind, lang) {
            (LineKind::Included, Lang::Zh) => {
                "不减收：影像云服务已内含于检查价格并已提供。".to_string()
            }
            (LineKind::Included, Lang::En) => {
                "Nothing deducted: the cloud service is inside the exam price and was provided."
                    .to_string()
            }
            (LineKind::Deduction, Lang::Zh) => format!("减收 {price} 元：未按要求提供影像云服务。"),
            (LineKind::Deduction, Lang::En) => {
                format!("Deducted {price} yuan: the cloud service was not provided as required.")
            }
            (LineKind::Service, Lang::Zh) => format!("收取 {price} 元：影像云服务（{model}）。"),
            (LineKind::Service, Lang::En) => {
                format!("Charged {price} yuan: cloud service ({model}).")
            }
        }
    }

    /// The product, and who bears it.
    fn arithmetic(&self, lang: Lang) -> String {
        let factor = match self.kind {
            LineKind::Included => 0,
            LineKind::Deduction => -1,
            LineKind::Service => 1,
        };
        let (price, amount) = (self.why.price, self.amount);
        let mut text = match lang {
            Lang::Zh => format!("计算：{factor} × {price} = {amount} 元"),
            Lang::En => format!("{factor} x {price} = {amount} yuan"),
        };
        if !amount.is_zero() {
            let (payers, payees) = (parties(&self.payers, lang), parties(&self.payees, lang));
            text.push_str(&match lang {
                Lang::Zh => format!("；付方 {payers}，收方 {payees}"),
                Lang::En => format!("; payers: {payers}; payees: {payees}"),
            });
        }
        text.push_str(stop(lang));
        text
    }
}

impl Explanation {
    fn rules_sentence(&self, lang: Lang) -> String {
        let rules = joined(self.rules.iter().map(ToString::to_string), lang);
        match lang {
            Lang::Zh => format!("规则 {rules}。"),
            Lang::En => format!("Rules {rules}."),
        }
    }

    /// One sentence per document: which facts it states, in which words.
    fn documents(&self, lang: Lang) -> Vec<String> {
        let mut by_document: BTreeMap<&str, Vec<&Citation>> = BTreeMap::new();
        for citation in self
            .grounds
            .citations
            .iter()
            .filter(|citation| citation.verified)
        {
            by_document
                .entry(citation.document.as_deref().unwrap_or_default())
                .or_default()
                .push(citation);
        }
        by_document
            .into_iter()
            .map(|(document, facts)| document_sentence(document, &facts, lang))
            .collect()
    }

    fn versions(&self, lang: Lang) -> String {
        let versions =
            self.grounds
                .versions
                .iter()
                .map(|version| match (version.fictional, lang) {
                    (false, _) => version.to_string(),
                    (true, Lang::Zh) => format!("{version}（虚构示例）"),
                    (true, Lang::En) => format!("{version} (made up)"),
                });
        let (versions, day, known) = (
            joined(versions, lang),
            self.visit_date,
            clock(self.known_at),
        );
        match lang {
            Lang::Zh => format!("政策版本 {versions}：就诊日 {day} 有效，{known} 时已知。"),
            Lang::En => {
                format!("Policy {versions}: valid on the visit date {day}, known at {known}.")
            }
        }
    }

    fn assumed(&self, lang: Lang) -> Option<String> {
        let mut facts = self
            .assumptions()
            .map(|citation| fact_word(&citation.fact, lang).to_string())
            .chain(self.assumed_versions().map(|version| match lang {
                Lang::Zh => format!("{version} 的有效日期"),
                Lang::En => format!("the days of {version}"),
            }))
            .peekable();
        facts.peek()?;
        let facts = joined(facts, lang);
        Some(match lang {
            Lang::Zh => format!("尚无文件证实的设定：{facts}。"),
            Lang::En => format!("Assumed, no document verified: {facts}."),
        })
    }
}

fn exam_sentence(exam: &ExamAssessment, trigger: Trigger, lang: Lang) -> String {
    let proof = trigger.word(lang);
    let key = exam.exam;
    let kind = exam.modality.map(|modality| modality.word(lang));
    let since = exam.since.map(clock).unwrap_or_default();
    let subject = match (lang, kind) {
        (Lang::Zh, Some(kind)) => format!("检查 {key}（{kind}，{since}）"),
        (Lang::Zh, None) => format!("检查 {key}（{since}）"),
        (Lang::En, Some(kind)) => format!("Exam {key} ({kind}, {since})"),
        (Lang::En, None) => format!("Exam {key} ({since})"),
    };
    let fate = match (exam.standing, lang) {
        (Standing::Provided { at, deadline }, Lang::Zh) => {
            format!(
                "“{proof}”于 {} 达成，未超过期限 {}",
                clock(at),
                clock(deadline)
            )
        }
        (Standing::Provided { at, deadline }, Lang::En) => {
            format!(
                "{proof} at {}, within the deadline {}",
                clock(at),
                clock(deadline)
            )
        }
        (Standing::Cured { at, deadline }, Lang::Zh) => {
            format!(
                "“{proof}”于 {} 达成，超过期限 {} 而在补救期内",
                clock(at),
                clock(deadline)
            )
        }
        (Standing::Cured { at, deadline }, Lang::En) => {
            format!(
                "{proof} at {}, after the deadline {} and within the late cure",
                clock(at),
                clock(deadline)
            )
        }
        (Standing::Late { at, deadline }, Lang::Zh) => {
            format!(
                "“{proof}”于 {} 才达成，超过期限 {}",
                clock(at),
                clock(deadline)
            )
        }
        (Standing::Late { at, deadline }, Lang::En) => {
            format!(
                "{proof} only at {}, after the deadline {}",
                clock(at),
                clock(deadline)
            )
        }
        (Standing::Missing { deadline }, Lang::Zh) => {
            format!("至期限 {} 仍未见“{proof}”", clock(deadline))
        }
        (Standing::Missing { deadline }, Lang::En) => {
            format!("no proof ({proof}) by the deadline {}", clock(deadline))
        }
        (Standing::Pending { deadline }, Lang::Zh) => format!("期限 {} 未到", clock(deadline)),
        (Standing::Pending { deadline }, Lang::En) => {
            format!("the deadline {} is not over", clock(deadline))
        }
        (Standing::ModalityUnknown, Lang::Zh) => "检查类型未知".to_string(),
        (Standing::ModalityUnknown, Lang::En) => "of unknown kind".to_string(),
        (other, _) => other.code().to_string(),
    };
    let early = match (exam.is_proof_before_exam(), lang) {
        (false, _) => "",
        (true, Lang::Zh) => "（注意：证明时间早于检查时间）",
        (true, Lang::En) => " (note: a proof is dated before the exam)",
    };
    match lang {
        Lang::Zh => format!("{subject}：{fate}{early}。"),
        Lang::En => format!("{subject}: {fate}{early}."),
    }
}

fn document_sentence(document: &str, facts: &[&Citation], lang: Lang) -> String {
    let stated = facts.iter().map(|citation| {
        let fact = fact_word(&citation.fact, lang);
        match &citation.clause {
            Some(clause) => match lang {
                Lang::Zh => format!("{fact}（述要：{clause}）"),
                Lang::En => format!("{fact} (in short: {clause})"),
            },
            None => fact.to_string(),
        }
    });
    let stated = joined(stated, lang);
    let url = facts
        .iter()
        .find_map(|citation| citation.url.as_deref())
        .unwrap_or_default();
    match (lang, url) {
        (Lang::Zh, "") => format!("依据 {document}：{stated}。"),
        (Lang::Zh, url) => format!("依据 {document}：{stated}，见 {url} 。"),
        (Lang::En, "") => format!("By {document}: {stated}."),
        (Lang::En, url) => format!("By {document}: {stated}, see {url} ."),
    }
}

/// A fact of the book in a sentence.
fn fact_word(fact: &str, lang: Lang) -> &str {
    let (zh, en) = match fact {
        "charge_model" => ("收费方式", "charge model"),
        "price" => ("单价", "price"),
        "counting_unit" => ("计次单位", "counting unit"),
        "deduction_unit" => ("减收单位", "deduction unit"),
        "trigger" => ("提供标准", "proof of service"),
        "completeness" => ("多项检查的判定", "completeness"),
        "grace_hours" => ("宽限期", "grace"),
        "late_cure_days" => ("补救期", "late cure"),
        "date_basis" => ("就诊日口径", "date basis"),
        "modalities" => ("适用检查类型", "kinds of exam"),
        "fund_share" => ("基金支付比例", "fund share"),
        "payee_shares" => ("收款分配", "payee shares"),
        "vendor" => ("中选方", "vendor"),
        "contract_price" => ("合同单价", "contract price"),
        "surplus_to" => ("差额归属", "surplus"),
        "transfer_basis" => ("传输计费方式", "transfer basis"),
        "volume_share" => ("约定份额", "volume share"),
        "unearned" => ("未履行部分", "unearned part"),
        "position_share" => ("加收部位比例", "further positions"),
        "positions_max" => ("计价部位上限", "positions at most"),
        "xray_cap" => ("X线摄影封顶", "X-ray cap"),
        "film" => ("胶片", "film"),
        "outpatient_years" => ("门诊保存年限", "outpatient years"),
        "inpatient_years" => ("住院保存年限", "inpatient years"),
        "retention_clock" => ("保存起算", "start of the years"),
        other => (other, other),
    };
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

fn parties(shares: &[Share], lang: Lang) -> String {
    joined(
        shares
            .iter()
            .map(|share| format!("{} {}", share.party.word(lang), share.amount)),
        lang,
    )
}

/// A moment as people in China read it.
fn clock(moment: Moment) -> String {
    moment.to_chrono().format("%Y-%m-%d %H:%M:%S").to_string()
}

fn joined(parts: impl Iterator<Item = String>, lang: Lang) -> String {
    parts.collect::<Vec<_>>().join(match lang {
        Lang::Zh => "、",
        Lang::En => ", ",
    })
}

const fn stop(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "。",
        Lang::En => ".",
    }
}
