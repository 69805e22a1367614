//! What is wrong with a code, for programs and for people.

use std::borrow::Cow;

use mic_index::{CheckPolicy, Diagnosis, Fault, Parser, Proposal};
use mic_platform::problem::Problem;
use serde::Serialize;

use super::out::Out;

/// The parser under the caller's choice.
pub(super) fn parser(require_check: bool) -> Parser {
    Parser::new().check(if require_check {
        CheckPolicy::Require
    } else {
        CheckPolicy::Report
    })
}

#[derive(Serialize)]
struct Bad {
    input_line: u64,
    ok: bool,
    faults: Vec<FaultRow>,
    /// Faults beyond those listed, where there are any.
    #[serde(skip_serializing_if = "is_none")]
    omitted: usize,
}

const fn is_none(count: &usize) -> bool {
    *count == 0
}

#[derive(Serialize)]
pub(super) struct FaultRow {
    part: &'static str,
    start: usize,
    end: usize,
    kind: &'static str,
    expected: String,
    message: String,
    proposals: Vec<ProposalRow>,
}

#[derive(Serialize)]
pub(super) struct ProposalRow {
    offset: usize,
    from: char,
    to: Option<char>,
}

impl FaultRow {
    pub(super) fn of(fault: &Fault) -> Self {
        Self {
            part: fault.part().name(),
            start: fault.span().start,
            end: fault.span().end,
            kind: fault.kind().name(),
            expected: fault.kind().expected().to_string(),
            message: fault.error().to_string(),
            proposals: fault.proposals().iter().map(ProposalRow::of).collect(),
        }
    }
}

impl ProposalRow {
    fn of(proposal: &Proposal) -> Self {
        Self {
            offset: proposal.offset(),
            from: proposal.from(),
            to: proposal.to(),
        }
    }
}

/// Everything that is wrong with a code, as a line of JSON.
pub(super) fn json(out: &mut Out, line: u64, diagnosis: &Diagnosis) -> Result<(), Problem> {
    out.json(&Bad {
        input_line: line,
        ok: false,
        faults: diagnosis.faults().iter().map(FaultRow::of).collect(),
        omitted: diagnosis.omitted(),
    })
}

/// The same for people, on standard error. The code itself is shown again only to a person who typed
/// it: what comes by standard input may end in a log.
pub(super) fn complain(line: u64, text: &[u8], diagnosis: &Diagnosis, typed: bool) {
    for fault in diagnosis.faults() {
        eprintln!("code {line}: {}", fault.error());
    }
    if diagnosis.omitted() > 0 {
        eprintln!("code {line}: and {} more", diagnosis.omitted());
    }
    if typed {
        eprintln!("{}", diagnosis.picture(text));
    }
}

/// A character for people: quoted, or by its number where it cannot be seen.
pub(super) fn character(c: char) -> Cow<'static, str> {
    if c.is_control() || c.is_whitespace() {
        Cow::Owned(format!("U+{:04X}", u32::from(c)))
    } else {
        Cow::Owned(format!("'{c}'"))
    }
}
