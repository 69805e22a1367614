//! Everything that is wrong with a text at once. Cold: it runs after a failure.

use alloc::vec::Vec;

use crate::alphabet::{Cell, CharClass, cells};
use crate::error::{ParseError, ParseErrorKind, saturate_u16};
use crate::layout::{self, HYPHEN};
use crate::parser::Parser;
use crate::part::{COMPACT_LEN, HYPHENS, Part};
use crate::repair::{self, Proposal};
use crate::time::{Fields, TimeField};
use crate::unit::{CheckPolicy, StorageUnitCode, UnitCheck};

/// Faults a diagnosis lists at most. A text of the right length has no more than 78; what is beyond
/// comes from input that was never a code, and is counted in [`Diagnosis::omitted`].
pub const FAULTS_MAX: usize = 128;

/// Lists every fault of a text, with proposals; none for a code that [`parse`] accepts.
///
/// ```
/// use mic_index::{Part, diagnose};
///
/// let text = "1000000000000000070846317O-202413221430-000000000-0000000000000-12350200426600791S";
/// let diagnosis = diagnose(text);
/// let parts: Vec<Part> = diagnosis.faults().iter().map(|fault| fault.part()).collect();
/// assert_eq!(parts, [Part::Person, Part::ExamTime, Part::Unit]);
///
/// let proposal = diagnosis.faults()[0].proposals()[0];
/// assert_eq!((proposal.offset(), proposal.from(), proposal.to()), (25, 'O', Some('0')));
/// ```
///
/// [`parse`]: crate::IndexCode::parse
#[must_use]
pub fn diagnose(text: impl AsRef<[u8]>) -> Diagnosis {
    Parser::new().diagnose(text)
}

impl Parser {
    /// Lists every fault of a text under this parser's policy.
    #[must_use]
    pub fn diagnose(self, text: impl AsRef<[u8]>) -> Diagnosis {
        let mut seen = Seen {
            text: text.as_ref(),
            policy: self.policy(),
            out: Diagnosis::empty(),
        };
        seen.look();
        seen.out
    }
}

/// The faults of a text in its order; the first is the error of the strict parser (`IDX-25`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    faults: Vec<Fault>,
    omitted: usize,
    check: Option<UnitCheck>,
}

impl Diagnosis {
    const fn empty() -> Self {
        Self {
            faults: Vec::new(),
            omitted: 0,
            check: None,
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// The faults in the order of the text, those of the text as a whole first.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Faults beyond [`FAULTS_MAX`], counted and not listed.
    #[must_use]
    pub const fn omitted(&self) -> usize {
        self.omitted
    }

    /// What the check character says, where the storage unit can be read.
    #[must_use]
    pub const fn check(&self) -> Option<UnitCheck> {
        self.check
    }
}

impl<'a> IntoIterator for &'a Diagnosis {
    type Item = &'a Fault;
    type IntoIter = core::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.faults().iter()
    }
}

/// One fault and what might repair it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    error: ParseError,
    proposals: Vec<Proposal>,
}

impl Fault {
    /// The fault as the strict parser would report it.
    #[must_use]
    pub const fn error(&self) -> ParseError {
        self.error
    }

    /// The part it lies in.
    #[must_use]
    pub const fn part(&self) -> Part {
        self.error.part()
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> ParseErrorKind {
        self.error.kind()
    }

    /// The bytes concerned.
    #[must_use]
    pub const fn span(&self) -> core::ops::Range<usize> {
        self.error.span()
    }

    /// Proposals, the likeliest first; often none. They are never applied by this crate.
    #[must_use]
    pub fn proposals(&self) -> &[Proposal] {
        &self.proposals
    }
}

struct Seen<'a> {
    text: &'a [u8],
    policy: CheckPolicy,
    out: Diagnosis,
}

impl Seen<'_> {
    fn look(&mut self) {
        match layout::hyphens(self.text) {
            0 => self.compact(),
            HYPHENS => self.printed(),
            n => {
                let found = saturate_u16(n);
                let at = layout::departure(self.text);
                self.fault(Part::Length, ParseErrorKind::Hyphens { found }, at);
                self.strays();
            }
        }
    }

    fn compact(&mut self) {
        let n = cells(self.text).count();
        if n != COMPACT_LEN {
            let found = saturate_u16(n);
            self.fault(
                Part::Length,
                ParseErrorKind::Length { found },
                0..self.text.len(),
            );
            self.strays();
            return;
        }
        let cells: Vec<Cell> = cells(self.text).collect();
        for part in Part::ALL {
            self.part(part, cells.get(part.compact_range()).unwrap_or_default());
        }
    }

    fn printed(&mut self) {
        let mut start = 0;
        let text = self.text;
        for (part, segment) in Part::ALL
            .into_iter()
            .zip(text.split(|byte| *byte == HYPHEN))
        {
            let end = start + segment.len();
            let shift = |cell: Cell| Cell {
                start: cell.start + start,
                end: cell.end + start,
                ..cell
            };
            let cells: Vec<Cell> = cells(segment).map(shift).collect();
            if cells.len() == part.len() {
                self.part(part, &cells);
            } else {
                self.fault(part, layout::part_length(part, cells.len()), start..end);
                // The class is the same in all places of a part, so these do not depend on where
                // a character is missing or too many. The values do, and are left alone.
                self.characters(part, part.class(), &cells);
            }
            start = end + 1;
        }
    }

    /// A part of the right length.
    fn part(&mut self, part: Part, cells: &[Cell]) {
        if self.characters(part, part.class(), cells) {
            return;
        }
        // All cells are ASCII now.
        let start = cells.first().map_or(0, |cell| cell.start);
        let span = start..start + part.len();
        let symbols = self.text.get(span.clone()).unwrap_or_default();
        match part {
            Part::ExamTime => {
                let fields = Fields::from_digits(symbols);
                for field in TimeField::ALL {
                    if let Some(fault) = fields.fault(field) {
                        let place = field.range();
                        let place = start + place.start..start + place.end;
                        self.fault(part, ParseErrorKind::Time(fault), place);
                    }
                }
            }
            Part::Person | Part::Unit if symbols.iter().all(|symbol| *symbol == b'0') => {
                self.fault(part, ParseErrorKind::AllZero, span);
            }
            Part::Unit => self.check(symbols, span.end - 1),
            Part::Length | Part::Person | Part::Site | Part::Device => {}
        }
    }

    fn check(&mut self, symbols: &[u8], last: usize) {
        let unit = core::str::from_utf8(symbols)
            .ok()
            .and_then(|unit| unit.parse().ok());
        self.out.check = unit.map(|unit: StorageUnitCode| unit.check());
        if let (CheckPolicy::Require, Some(UnitCheck::Mismatch { expected, found })) =
            (self.policy, self.out.check)
        {
            let kind = ParseErrorKind::CheckCharacter { expected };
            let proposals = repair::for_check(last, found, expected);
            self.push(ParseError::new(Part::Unit, kind, last..last + 1), proposals);
        }
    }

    /// Lists characters outside the class; whether there are any.
    fn characters(&mut self, part: Part, class: CharClass, cells: &[Cell]) -> bool {
        let mut any = false;
        for cell in cells {
            if !in_class(*cell, class) {
                any = true;
                let proposals = repair::for_character(part, *cell, cells);
                self.push(character(part, class, *cell), proposals);
            }
        }
        any
    }

    /// Where the parts cannot be told apart: what can stand nowhere in a code.
    fn strays(&mut self) {
        let class = CharClass::Alphanumeric;
        for cell in cells(self.text) {
            if !in_class(cell, class) && cell.found != Some('-') {
                let proposals = repair::for_character(Part::Length, cell, &[]);
                self.push(character(Part::Length, class, cell), proposals);
            }
        }
    }

    fn fault(&mut self, part: Part, kind: ParseErrorKind, span: core::ops::Range<usize>) {
        self.push(ParseError::new(part, kind, span), Vec::new());
    }

    fn push(&mut self, error: ParseError, proposals: Vec<Proposal>) {
        if self.out.faults.len() < FAULTS_MAX {
            self.out.faults.push(Fault { error, proposals });
        } else {
            self.out.omitted += 1;
        }
    }
}

fn in_class(cell: Cell, class: CharClass) -> bool {
    cell.ascii().is_some_and(|byte| class.contains(byte))
}

fn character(part: Part, expected: CharClass, cell: Cell) -> ParseError {
    let kind = ParseErrorKind::Character {
        expected,
        found: cell.class(),
    };
    ParseError::new(part, kind, cell.start..cell.end)
}
