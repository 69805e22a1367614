//! Character classes: what a place expects, what was found there.

/// The 31 characters of a 统一社会信用代码 (GB 32100-2015): no I, O, S, V, Z. The position is the value.
pub(crate) const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// The 36 characters of the site and device parts. The position is the value (`IDX-31`).
pub(crate) const ALNUM_ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Marks a byte that is not in an alphabet.
pub(crate) const NONE: u8 = 0xff;

/// Value of each byte in [`CREDIT_ALPHABET`], else [`NONE`].
pub(crate) static CREDIT_VALUE: [u8; 256] = inverse(CREDIT_ALPHABET);
/// Value of each byte in [`ALNUM_ALPHABET`], else [`NONE`].
pub(crate) static ALNUM_VALUE: [u8; 256] = inverse(ALNUM_ALPHABET);

/// Value of each byte in [`CREDIT_ALPHABET`], else [`NO_CREDIT`].
pub(crate) static CREDIT_VALUE_OR_HIGH: [u32; 256] = {
    let values = inverse(CREDIT_ALPHABET);
    let mut table = [NO_CREDIT; 256];
    let mut byte = 0;
    while byte < table.len() {
        if values[byte] != NONE {
            table[byte] = values[byte] as u32;
        }
        byte += 1;
    }
    table
};

/// Stands above six values of five bits, and stays there however far it is shifted with them.
pub(crate) const NO_CREDIT: u32 = 1 << 30;

const fn inverse(alphabet: &[u8]) -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut value = 0;
    while value < alphabet.len() {
        table[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    table
}

/// What a place in the code accepts.
///
/// ```
/// use mic_index::CharClass;
///
/// assert!(CharClass::Alphanumeric.contains(b'Z'));
/// assert!(!CharClass::CreditCode.contains(b'Z')); // taken for a 2 too easily, left out by GB 32100
/// assert_eq!(CharClass::Digit.to_string(), "a digit");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CharClass {
    /// `0-9`.
    #[error("a digit")]
    Digit,
    /// `0-9A-Z`.
    #[error("a digit or capital letter")]
    Alphanumeric,
    /// `0-9A-Z` without I, O, S, V, Z: the alphabet of GB 32100-2015.
    #[error("a digit or capital letter other than I, O, S, V, Z")]
    CreditCode,
}

impl CharClass {
    /// Whether the byte belongs to the class.
    #[must_use]
    pub const fn contains(self, byte: u8) -> bool {
        match self {
            Self::Digit => byte.is_ascii_digit(),
            Self::Alphanumeric => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            Self::CreditCode => {
                (byte.is_ascii_digit() || byte.is_ascii_uppercase())
                    && !matches!(byte, b'I' | b'O' | b'S' | b'V' | b'Z')
            }
        }
    }

    /// The stable name for programs: `digit`, `alphanumeric`, `credit_code`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Digit => "digit",
            Self::Alphanumeric => "alphanumeric",
            Self::CreditCode => "credit_code",
        }
    }
}

/// What stood in a place instead; the class of the character, never the character.
///
/// ```
/// use mic_index::FoundClass;
///
/// assert_eq!(FoundClass::of('o'), FoundClass::LowercaseLetter);
/// assert_eq!(FoundClass::of('７'), FoundClass::FullWidth);
/// assert_eq!(FoundClass::of('\t').to_string(), "a blank");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FoundClass {
    /// `A-Z` where only digits may stand, or one of I, O, S, V, Z in the storage unit.
    #[error("a capital letter")]
    CapitalLetter,
    /// `a-z`.
    #[error("a lower-case letter")]
    LowercaseLetter,
    /// `0-9`.
    #[error("a digit")]
    Digit,
    /// A hyphen (U+002D).
    #[error("a hyphen")]
    Hyphen,
    /// A space, tab, line end, or a wide or non-breaking space.
    #[error("a blank")]
    Blank,
    /// Any other printable ASCII character.
    #[error("a punctuation character")]
    Punctuation,
    /// A control character or a mark that cannot be seen, such as a byte order mark or one that turns
    /// the direction of writing: all that Unicode lets a display ignore (Default_Ignorable_Code_Point).
    #[error("an invisible character")]
    Invisible,
    /// A full-width form (U+FF01 to U+FF5E), as Chinese input methods produce.
    #[error("a full-width character")]
    FullWidth,
    /// Any other character outside ASCII.
    #[error("a character outside ASCII")]
    NonAscii,
    /// A byte that is not part of valid UTF-8.
    #[error("a byte that is not valid UTF-8")]
    InvalidUtf8,
}

impl FoundClass {
    /// The class of a character.
    #[must_use]
    pub const fn of(found: char) -> Self {
        match found {
            '0'..='9' => Self::Digit,
            'A'..='Z' => Self::CapitalLetter,
            'a'..='z' => Self::LowercaseLetter,
            '-' => Self::Hyphen,
            ' '
            | '\t'
            | '\n'
            | '\r'
            | '\u{a0}'
            | '\u{3000}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{202f}'
            | '\u{205f}' => Self::Blank,
            '!'..='~' => Self::Punctuation,
            '\0'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}' => Self::Invisible,
            '\u{ff01}'..='\u{ff5e}' => Self::FullWidth,
            _ => Self::NonAscii,
        }
    }

    /// The stable name for programs, such as `lowercase_letter`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CapitalLetter => "capital_letter",
            Self::LowercaseLetter => "lowercase_letter",
            Self::Digit => "digit",
            Self::Hyphen => "hyphen",
            Self::Blank => "blank",
            Self::Punctuation => "punctuation",
            Self::Invisible => "invisible",
            Self::FullWidth => "full_width",
            Self::NonAscii => "non_ascii",
            Self::InvalidUtf8 => "invalid_utf8",
        }
    }
}

/// One character of the input, or one byte that is not part of valid UTF-8.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// `None` for a byte that is not part of valid UTF-8.
    pub(crate) found: Option<char>,
}

impl Cell {
    pub(crate) const fn class(self) -> FoundClass {
        match self.found {
            Some(found) => FoundClass::of(found),
            None => FoundClass::InvalidUtf8,
        }
    }

    /// The byte, where the cell is ASCII.
    pub(crate) fn ascii(self) -> Option<u8> {
        self.found
            .filter(char::is_ascii)
            .and_then(|found| u8::try_from(found).ok())
    }
}

/// The input as characters; every byte belongs to exactly one cell.
///
/// Lengths are counted in cells, so that one full-width digit is one wrong character and not a
/// wrong length (`IDX-21`).
pub(crate) fn cells(input: &[u8]) -> impl Iterator<Item = Cell> + Clone {
    let mut at = 0;
    input
        .utf8_chunks()
        .flat_map(|chunk| {
            let valid = chunk.valid().chars().map(|c| (Some(c), c.len_utf8()));
            let invalid = chunk.invalid().iter().map(|_| (None, 1));
            valid.chain(invalid)
        })
        .map(move |(found, len)| {
            let start = at;
            at += len;
            Cell {
                start,
                end: at,
                found,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_tables_say_the_same() {
        for byte in 0..=u8::MAX {
            let at = usize::from(byte);
            assert_eq!(
                CharClass::CreditCode.contains(byte),
                CREDIT_VALUE[at] != NONE
            );
            assert_eq!(
                CharClass::Alphanumeric.contains(byte),
                ALNUM_VALUE[at] != NONE
            );
        }
    }

    #[test]
    fn both_alphabets_ascend_so_that_value_order_is_text_order() {
        assert!(CREDIT_ALPHABET.is_sorted() && ALNUM_ALPHABET.is_sorted());
    }

    #[test]
    fn cells_cover_every_byte_once() {
        let input = b"a\xff\xe5\x8c\xe5\x8c\xbb\xf0\x9f";
        let mut at = 0;
        for cell in cells(input) {
            assert_eq!(cell.start, at);
            at = cell.end;
        }
        assert_eq!(at, input.len());
    }
}
