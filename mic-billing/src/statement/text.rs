//! The one text of a statement: every field of every entry, so that the seal proves all of it
//! (M-04, M-05). `spec/pricing.md` has the form.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::fmt::{self, Display, Write as _};

use super::Statement;
use crate::{
    assess::{ExamAssessment, Standing},
    book::{Citation, Grounds, VersionRef},
    civil::Moment,
    ledger::Entry,
    line::{Line, Share},
};

/// The first line of a statement's canonical text. Version 1 had keys, amounts and postings alone.
const FORMAT: &str = "mic-billing-statement/2";

/// Writes the whole text. Writing to a string can't fail, so the results are not looked at.
pub(super) fn canonical(statement: &Statement) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{FORMAT}\n{} {}",
        statement.institution, statement.period
    );
    let grounds = distinct(statement);
    for (number, grounds) in (1_usize..).zip(&grounds) {
        let _ = writeln!(text, "grounds {number}");
        for version in &grounds.versions {
            let _ = write_version(&mut text, version);
        }
        for citation in &grounds.citations {
            let _ = write_citation(&mut text, citation);
        }
    }
    for entry in statement.entries.values() {
        let _ = write_entry(&mut text, entry, &grounds);
    }
    let amounts = statement.entries.values();
    let total: i128 = amounts.map(|entry| i128::from(entry.amount().get())).sum();
    let _ = writeln!(text, "total {} {total}", statement.entries.len());
    text
}

/// What the lines stand on, each once, in the order of the entries: many lines share one.
fn distinct(statement: &Statement) -> Vec<&Arc<Grounds>> {
    let mut found: Vec<&Arc<Grounds>> = Vec::new();
    for entry in statement.entries.values() {
        let grounds = &entry.line().why.grounds;
        if place(&found, grounds).is_none() {
            found.push(grounds);
        }
    }
    found
}

fn place(among: &[&Arc<Grounds>], grounds: &Arc<Grounds>) -> Option<usize> {
    let same = |held: &&Arc<Grounds>| Arc::ptr_eq(held, grounds) || *held == grounds;
    among.iter().position(same)?.checked_add(1)
}

fn write_version(text: &mut String, version: &VersionRef) -> fmt::Result {
    writeln!(
        text,
        "version {} {} {} {} {} {} {} {}",
        Word(&version.layer),
        Word(&version.version),
        version.from,
        version.known_from,
        mark(version.fictional, "fictional"),
        mark(version.assumed, "assumed"),
        OrNone(version.document.as_deref().map(Word)),
        OrNone(version.note.as_deref().map(Word)),
    )
}

fn write_citation(text: &mut String, citation: &Citation) -> fmt::Result {
    writeln!(
        text,
        "fact {} {} {} {} {} {} {} {} {}",
        Word(&citation.fact),
        Word(&citation.value),
        Word(&citation.layer),
        Word(&citation.version),
        mark(citation.verified, "verified"),
        OrNone(citation.document.as_deref().map(Word)),
        OrNone(citation.clause.as_deref().map(Word)),
        OrNone(citation.url.as_deref().map(Word)),
        OrNone(citation.note.as_deref().map(Word)),
    )
}

fn write_entry(text: &mut String, entry: &Entry, grounds: &[&Arc<Grounds>]) -> fmt::Result {
    write!(text, "{} {}", entry.id(), entry.amount().get())?;
    for posting in entry.postings() {
        write!(text, " {}={}", posting.party, posting.amount.get())?;
    }
    text.push('\n');
    write_line(text, entry.line(), grounds)
}

fn write_line(text: &mut String, line: &Line, grounds: &[&Arc<Grounds>]) -> fmt::Result {
    let why = &line.why;
    writeln!(
        text,
        "line {} {} {} {} {} {} {} {} {}",
        line.kind.name(),
        line.amount.get(),
        why.model,
        why.price.get(),
        why.trigger,
        why.payer,
        why.visit_date,
        why.known_at,
        place(grounds, &why.grounds).unwrap_or_default(),
    )?;
    write_shares(text, "payers", &line.payers)?;
    write_shares(text, "payees", &line.payees)?;
    write_list(text, "counted", &line.counted)?;
    write_list(text, "rules", &why.rules)?;
    why.exams.iter().try_for_each(|exam| write_exam(text, exam))
}

fn write_shares(text: &mut String, name: &str, shares: &[Share]) -> fmt::Result {
    text.push_str(name);
    for share in shares {
        write!(text, " {}={}", share.party, share.amount.get())?;
    }
    text.push('\n');
    Ok(())
}

fn write_list(text: &mut String, name: &str, items: &[impl Display]) -> fmt::Result {
    text.push_str(name);
    items.iter().try_for_each(|item| write!(text, " {item}"))?;
    text.push('\n');
    Ok(())
}

fn write_exam(text: &mut String, exam: &ExamAssessment) -> fmt::Result {
    let (at, deadline) = times(exam.standing);
    writeln!(
        text,
        "exam {} {} {} {} {} {} {} {} {}",
        exam.exam,
        OrNone(exam.study),
        OrNone(exam.modality),
        OrNone(exam.since),
        OrNone(exam.index),
        OrNone(exam.stored),
        exam.standing.code(),
        OrNone(at),
        OrNone(deadline),
    )
}

/// When the proof was complete, and the last moment for it.
const fn times(standing: Standing) -> (Option<Moment>, Option<Moment>) {
    match standing {
        Standing::Provided { at, deadline }
        | Standing::Cured { at, deadline }
        | Standing::Late { at, deadline } => (Some(at), Some(deadline)),
        Standing::Missing { deadline } | Standing::Pending { deadline } => (None, Some(deadline)),
        Standing::Ordered
        | Standing::Cancelled
        | Standing::Refunded
        | Standing::NotCovered
        | Standing::ModalityUnknown
        | Standing::Unjudged => (None, None),
    }
}

const fn mark(is: bool, name: &'static str) -> &'static str {
    if is { name } else { "-" }
}

/// A value, or `-` where there is none.
struct OrNone<T>(Option<T>);

impl<T: Display> Display for OrNone<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}

/// A text of the book as one word that is never `-` and never two: `=`, then the text with blanks,
/// control characters and `%` as `%` and two digits for each byte.
struct Word<'a>(&'a str);

impl Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('=')?;
        self.0.chars().try_for_each(|mark| {
            if mark == '%' || mark.is_whitespace() || mark.is_control() {
                let mut bytes = [0; 4];
                let bytes = mark.encode_utf8(&mut bytes).bytes();
                bytes
                    .into_iter()
                    .try_for_each(|byte| write!(f, "%{byte:02X}"))
            } else {
                f.write_char(mark)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn ok_two_texts_never_make_one_word() {
        for (text, word) in [
            ("", "="),
            ("-", "=-"),
            ("每例 减收%5", "=每例%20减收%255"),
            ("a\nb", "=a%0Ab"),
            ("a\u{3000}b", "=a%E3%80%80b"),
        ] {
            assert_eq!(Word(text).to_string(), word);
        }
    }
}
