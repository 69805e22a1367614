//! What a wrong character may have been meant to be. Proposed, ranked, never applied.

use alloc::vec::Vec;
use core::fmt;

use crate::alphabet::{Cell, FoundClass};
use crate::part::Part;
use crate::unit::StorageUnitCode;

/// A character that might stand in place of another: offset, from, to.
///
/// `to` is `None` where the character should be left out. One proposal is never the whole code, but those of a
/// code in full-width digits are, read one after the other: both characters are personal data like the
/// input. Show them to whoever gave the text; `Debug` shows neither.
///
/// ```
/// use mic_index::diagnose;
///
/// let text = "１0000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916";
/// let diagnosis = diagnose(text);
/// let proposal = diagnosis.faults()[0].proposals()[0];
/// assert_eq!((proposal.from(), proposal.to()), ('１', Some('1')));
/// assert_eq!(format!("{proposal:?}"), "Proposal { offset: 0, confidence: SameCharacter, .. }");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proposal {
    offset: usize,
    from: char,
    to: Option<char>,
    confidence: Confidence,
}

impl fmt::Debug for Proposal {
    /// Shows where and why, and neither character (`IDX-28`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proposal")
            .field("offset", &self.offset)
            .field("confidence", &self.confidence)
            .finish_non_exhaustive()
    }
}

impl Proposal {
    /// Byte offset of the character in the input.
    #[must_use]
    pub const fn offset(self) -> usize {
        self.offset
    }

    /// The character that stands there.
    #[must_use]
    pub const fn from(self) -> char {
        self.from
    }

    /// The character proposed; `None` to leave it out.
    #[must_use]
    pub const fn to(self) -> Option<char> {
        self.to
    }

    /// What speaks for it.
    #[must_use]
    pub const fn confidence(self) -> Confidence {
        self.confidence
    }
}

/// What speaks for a proposal, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Confidence {
    /// The same character written otherwise (full-width, lower case), or one that cannot be seen.
    SameCharacter,
    /// With this repair the check character of the storage unit fits.
    CheckFits,
    /// Looks alike; nothing in the code can confirm it.
    Unverified,
    /// Looks alike, but the check character does not fit afterwards: another fault, or a code
    /// that fails its check anyway.
    CheckFails,
}

impl Confidence {
    /// The stable name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SameCharacter => "same_character",
            Self::CheckFits => "check_fits",
            Self::Unverified => "unverified",
            Self::CheckFails => "check_fails",
        }
    }
}

/// Proposals for a character outside its part's class. `others` are the cells of the whole part.
pub(crate) fn for_character(part: Part, cell: Cell, others: &[Cell]) -> Vec<Proposal> {
    let Some(from) = cell.found else {
        return Vec::new();
    };
    let propose = |to, confidence| Proposal {
        offset: cell.start,
        from,
        to,
        confidence,
    };
    let mut proposals = Vec::new();
    match cell.class() {
        FoundClass::Blank | FoundClass::Invisible => {
            proposals.push(propose(None, Confidence::SameCharacter));
        }
        _ => {
            let plain = plain(from);
            if plain != from && accepts(part, plain) {
                proposals.push(propose(Some(plain), Confidence::SameCharacter));
            } else if let Some(to) = look_alike(part, from) {
                let confidence = match part {
                    Part::Unit => check_of(others),
                    _ => Confidence::Unverified,
                };
                proposals.push(propose(Some(to), confidence));
            }
        }
    }
    proposals.sort_by_key(|proposal| proposal.confidence);
    proposals
}

/// The proposal for a check character that does not fit.
pub(crate) fn for_check(offset: usize, from: char, expected: char) -> Vec<Proposal> {
    let confidence = Confidence::CheckFits;
    Vec::from([Proposal {
        offset,
        from,
        to: Some(expected),
        confidence,
    }])
}

/// The ASCII capital or digit a character is another way to write.
pub(crate) fn plain(c: char) -> char {
    let narrow = match c {
        '\u{ff01}'..='\u{ff5e}' => u8::try_from(u32::from(c) - 0xff01 + 0x21).map_or(c, char::from),
        _ => c,
    };
    narrow.to_ascii_uppercase()
}

/// The digit a character is often mistaken for, where only that digit can be meant.
///
/// In site and device all letters are legal, so nothing is proposed there.
pub(crate) fn look_alike(part: Part, c: char) -> Option<char> {
    // A small l is a mistaken 1 long before it is an L.
    let digit = match plain(c) {
        'O' => '0',
        'I' => '1',
        'Z' => '2',
        'S' => '5',
        'L' if c.is_lowercase() => '1',
        'B' => '8',
        _ => return None,
    };
    match part {
        Part::Person | Part::ExamTime => Some(digit),
        Part::Unit => matches!(plain(c), 'O' | 'I' | 'Z' | 'S').then_some(digit),
        Part::Length | Part::Site | Part::Device => None,
    }
}

fn accepts(part: Part, c: char) -> bool {
    u8::try_from(c).is_ok_and(|byte| part.class().contains(byte))
}

/// Whether the check character fits once every wrong character of the unit is repaired.
fn check_of(unit: &[Cell]) -> Confidence {
    let mut repaired = [0; Part::Unit.len()];
    for (slot, cell) in repaired.iter_mut().zip(unit) {
        let Some(c) = cell.found else {
            return Confidence::CheckFails;
        };
        let plain = plain(c);
        let c = if accepts(Part::Unit, plain) {
            plain
        } else {
            look_alike(Part::Unit, c).unwrap_or(plain)
        };
        *slot = u8::try_from(c).unwrap_or_default();
    }
    let code = core::str::from_utf8(&repaired)
        .ok()
        .and_then(|unit| unit.parse().ok());
    match code {
        Some(code) if StorageUnitCode::check(code).is_match() && unit.len() == repaired.len() => {
            Confidence::CheckFits
        }
        _ => Confidence::CheckFails,
    }
}
