//! The lenient way in: what people and input methods do to a code, undone and told.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::alphabet::FoundClass;
use crate::part::{COMPACT_LEN, PRINTED_LEN, Part};
use crate::repair::{look_alike, plain};

/// Rewrites a text towards the strict forms and lists each change.
///
/// Undone are: blanks and invisible characters, full-width characters, small letters, other dashes
/// than the hyphen; and, where the text then has the length of a form, O, I, S, Z and their like for
/// a digit where no letter can stand. The result still has to be parsed. Nothing is guessed in the
/// site and device parts, where every letter is legal, and nothing is ever done silently: a text
/// without changes comes back as it was (`IDX-26`).
///
/// ```
/// use mic_index::{ChangeKind, IndexCode, normalise};
///
/// let typed = " １0000000000000000708463177-20241122143O-000000000-0000000000000-123502004266007916";
/// let (text, changes) = normalise(typed);
/// assert!(IndexCode::parse(&text).is_ok());
/// let kinds: Vec<ChangeKind> = changes.iter().map(|change| change.kind()).collect();
/// assert_eq!(kinds, [ChangeKind::Blank, ChangeKind::FullWidth, ChangeKind::LookAlike]);
/// ```
#[must_use]
pub fn normalise(text: &str) -> (String, Vec<Change>) {
    let mut cells: Vec<(usize, char, Option<char>)> = text
        .char_indices()
        .map(|(offset, from)| (offset, from, written_plainly(from)))
        .collect();

    let kept = || cells.iter().filter_map(|(_, _, to)| *to);
    let printed = kept().count() == PRINTED_LEN;
    let has_hyphens = |part: Part| {
        let before = part.printed_range().start.checked_sub(1);
        before.is_none_or(|at| kept().nth(at) == Some('-'))
    };
    let aligned = if printed {
        Part::ALL.into_iter().all(has_hyphens)
    } else {
        kept().count() == COMPACT_LEN
    };
    if aligned {
        let mut at = 0;
        for (_, from, to) in &mut cells {
            let Some(written) = to else { continue };
            if let Some(digit) = digit_meant(part_at(at, printed), *from, *written) {
                *to = Some(digit);
            }
            at += 1;
        }
    }

    let mut out = String::with_capacity(text.len());
    let mut changes = Vec::new();
    for (offset, from, to) in cells {
        out.extend(to);
        if to != Some(from) {
            changes.push(Change { offset, from, to });
        }
    }
    (out, changes)
}

/// One change of the normaliser: offset, from, to.
///
/// The characters are those of the input, and personal data like it; `Debug` shows neither.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Change {
    offset: usize,
    from: char,
    to: Option<char>,
}

impl fmt::Debug for Change {
    /// Shows where and why, and neither character (`IDX-28`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("offset", &self.offset)
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}

impl Change {
    /// Byte offset of the character in the text given.
    #[must_use]
    pub const fn offset(self) -> usize {
        self.offset
    }

    /// The character that stood there.
    #[must_use]
    pub const fn from(self) -> char {
        self.from
    }

    /// What it was changed to; `None` where it was left out.
    #[must_use]
    pub const fn to(self) -> Option<char> {
        self.to
    }

    /// Why.
    #[must_use]
    pub fn kind(self) -> ChangeKind {
        match (self.to, FoundClass::of(self.from)) {
            (None, FoundClass::Blank) => ChangeKind::Blank,
            (None, _) => ChangeKind::Invisible,
            (Some('-'), _) => ChangeKind::Dash,
            (Some(to), _) if to != plain(self.from) => ChangeKind::LookAlike,
            (Some(_), FoundClass::FullWidth) => ChangeKind::FullWidth,
            (Some(_), _) => ChangeKind::LowerCase,
        }
    }
}

/// Why the normaliser changed a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// A blank was left out.
    Blank,
    /// An invisible character was left out.
    Invisible,
    /// Another dash became a hyphen.
    Dash,
    /// A full-width character became its ASCII twin, in capitals.
    FullWidth,
    /// A small letter became a capital.
    LowerCase,
    /// A letter became the digit it resembles, where no letter can stand.
    LookAlike,
}

impl ChangeKind {
    /// The stable name for programs: `blank`, `invisible`, `dash`, `full_width`, `lower_case`,
    /// `look_alike`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Invisible => "invisible",
            Self::Dash => "dash",
            Self::FullWidth => "full_width",
            Self::LowerCase => "lower_case",
            Self::LookAlike => "look_alike",
        }
    }
}

/// The character in ASCII capitals; `None` to leave it out.
fn written_plainly(c: char) -> Option<char> {
    match (c, FoundClass::of(c)) {
        (_, FoundClass::Blank | FoundClass::Invisible) => None,
        // Hyphens and dashes of typesetting, the minus sign, the full-width hyphen.
        ('\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}', _) => {
            Some('-')
        }
        _ => Some(plain(c)),
    }
}

fn part_at(at: usize, printed: bool) -> Option<Part> {
    Part::ALL.into_iter().find(|part| {
        let range = if printed {
            part.printed_range()
        } else {
            part.compact_range()
        };
        range.contains(&at)
    })
}

/// The digit meant by a character that cannot stand in the part.
fn digit_meant(part: Option<Part>, from: char, written: char) -> Option<char> {
    let part = part?;
    let stands = u8::try_from(written).is_ok_and(|byte| part.class().contains(byte));
    if stands { None } else { look_alike(part, from) }
}
