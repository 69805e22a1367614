//! Texts of a header in the character set they were written in (PS3.3 C.12.1.1.2, PS3.5 chapter 6
//! and annexes H to K), and the two repairs that Chinese hospitals need.

use core::cell::Cell;
use std::borrow::Cow;

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5,
    ISO_8859_6, ISO_8859_7, ISO_8859_8, ISO_8859_15, SHIFT_JIS, UTF_8, WINDOWS_874, WINDOWS_1254,
};

use super::Undeclared;
use super::finding::HeaderFinding;

const ESCAPE: u8 = 0x1B;

/// What turns bytes into characters. Single-byte sets share ASCII below 0x80.
#[derive(Debug, Clone, Copy)]
enum Table {
    /// One character per byte, as Unicode begins.
    Latin1,
    Set(&'static Encoding),
    /// GB 2312 in the upper half, read with its superset.
    Gb2312,
    /// JIS X 0208 in the lower half.
    Jis0208,
    /// JIS X 0212 in the lower half.
    Jis0212,
}

/// The character sets of one data set, and a count of what its texts needed.
#[derive(Debug)]
pub(crate) struct CharacterSets {
    /// Nothing beyond ASCII is declared.
    undeclared: bool,
    latin1: bool,
    first: Table,
    /// GB 2312 by escapes is declared (ISO 2022 IR 58).
    ir58: bool,
    unknown: bool,
    repair: Undeclared,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    not_declared: Cell<usize>,
    as_gb18030: Cell<usize>,
    as_utf8: Cell<usize>,
    undecodable: Cell<usize>,
}

impl CharacterSets {
    /// From the value of (0008,0005), absent or not.
    pub(crate) fn new(declared: Option<&[u8]>, repair: Undeclared) -> Self {
        let text = String::from_utf8_lossy(declared.unwrap_or_default()).to_uppercase();
        let terms: Vec<&str> = text
            .split('\\')
            .map(|term| term.trim_matches([' ', '\0']))
            .collect();
        let first_term = terms.first().copied().unwrap_or_default();
        let first = table_of(first_term);
        let others = terms.get(1..).unwrap_or_default();
        Self {
            undeclared: matches!(first_term, "" | "ISO_IR 6" | "ISO 2022 IR 6" | "ISO-IR 6")
                && others.iter().all(|term| term.is_empty()),
            latin1: matches!(first, Some(Table::Latin1)) && !first_term.is_empty(),
            first: first.unwrap_or(Table::Latin1),
            ir58: terms.contains(&"ISO 2022 IR 58"),
            unknown: terms.iter().any(|term| table_of(term).is_none()),
            repair,
            tally: Tally::default(),
        }
    }

    /// The whole text of a value; to be split at backslashes only afterwards, because in GB18030,
    /// GBK and Shift JIS the second byte of a character may be one.
    pub(crate) fn decode<'a>(&self, value: &'a [u8]) -> Cow<'a, str> {
        if value.is_ascii() && !value.contains(&ESCAPE) {
            return String::from_utf8_lossy(value);
        }
        if value.contains(&ESCAPE) {
            return Cow::Owned(self.decode_escapes(value));
        }
        if self.ir58 && !self.undeclared {
            // The set is declared and the writer forgot the escapes.
            if let Some(text) = chinese(value) {
                count(&self.tally.as_gb18030);
                return Cow::Owned(text);
            }
        }
        if self.undeclared || self.latin1 {
            return self.decode_doubtful(value);
        }
        self.decode_with(self.first, value)
    }

    /// Bytes beyond ASCII where only ASCII or Latin-1 is declared.
    fn decode_doubtful<'a>(&self, value: &'a [u8]) -> Cow<'a, str> {
        if self.repair == Undeclared::Gb18030 {
            if let Ok(text) = core::str::from_utf8(value) {
                count(&self.tally.as_utf8);
                return Cow::Borrowed(text);
            }
            if let Some(text) = chinese(value) {
                count(&self.tally.as_gb18030);
                return Cow::Owned(text);
            }
        }
        if self.undeclared {
            count(&self.tally.not_declared);
        }
        Cow::Owned(latin1(value))
    }

    /// Code extension by escape sequences (PS3.5 6.1.2.5.3). An escape sets the lower or the upper
    /// half; both are as at the begin again after each delimiter.
    fn decode_escapes(&self, value: &[u8]) -> String {
        let mut text = String::with_capacity(value.len());
        let (mut low, mut high): (Option<Table>, Table) = (None, self.first);
        let mut rest = value;
        while let Some(next) = rest.first() {
            if *next == ESCAPE {
                let (taken, half) = escape(rest);
                match half {
                    Some(Half::Low(table)) => low = table,
                    Some(Half::High(table)) => high = table,
                    None => count(&self.tally.undecodable),
                }
                rest = rest.get(taken..).unwrap_or_default();
                continue;
            }
            let end = rest
                .iter()
                .position(|byte| *byte == ESCAPE || is_delimiter(*byte, low.is_some()))
                .map_or(rest.len(), |end| end.max(1));
            let (run, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            let delimited = run.len() == 1 && is_delimiter(*next, low.is_some());
            let table = low.unwrap_or(high);
            text.push_str(&self.decode_with(table, run));
            if delimited {
                (low, high) = (None, self.first);
            }
            rest = after;
        }
        text
    }

    fn decode_with<'a>(&self, table: Table, value: &'a [u8]) -> Cow<'a, str> {
        let (text, faulty) = match table {
            Table::Latin1 => (Cow::Owned(latin1(value)), false),
            Table::Set(set) => set.decode_without_bom_handling(value),
            Table::Gb2312 => GB18030.decode_without_bom_handling(value),
            Table::Jis0208 => owned(EUC_JP.decode_without_bom_handling(&raised(value, None))),
            Table::Jis0212 => owned(EUC_JP.decode_without_bom_handling(&raised(value, Some(0x8F)))),
        };
        if faulty {
            count(&self.tally.undecodable);
        }
        text
    }

    /// What the texts decoded so far needed.
    pub(crate) fn findings(&self) -> Vec<HeaderFinding> {
        let mut findings = Vec::new();
        if self.unknown {
            findings.push(HeaderFinding::CharacterSetUnknown);
        }
        let texts = self.tally.not_declared.get();
        if texts > 0 {
            findings.push(HeaderFinding::CharacterSetNotDeclared { texts });
        }
        for (read_as, texts) in [
            ("GB18030", self.tally.as_gb18030.get()),
            ("UTF-8", self.tally.as_utf8.get()),
        ] {
            if texts > 0 {
                findings.push(HeaderFinding::CharacterSetRepaired { read_as, texts });
            }
        }
        let texts = self.tally.undecodable.get();
        if texts > 0 {
            findings.push(HeaderFinding::TextUndecodable { texts });
        }
        findings
    }
}

enum Half {
    /// `None` is ASCII again.
    Low(Option<Table>),
    High(Table),
}

/// The escape sequences of PS3.3 tables C.12-3 and C.12-4: bytes taken, and what they set.
fn escape(input: &[u8]) -> (usize, Option<Half>) {
    let three = input.get(1..3).unwrap_or_default();
    let four = input.get(1..4).unwrap_or_default();
    match four {
        b"$)A" => return (4, Some(Half::High(Table::Gb2312))),
        b"$)C" => return (4, Some(Half::High(Table::Set(EUC_KR)))),
        b"$(D" => return (4, Some(Half::Low(Some(Table::Jis0212)))),
        _ => {}
    }
    let half = match three {
        b"(B" | b"(J" => Half::Low(None),
        b"$B" | b"$@" => Half::Low(Some(Table::Jis0208)),
        b")I" => Half::High(Table::Set(SHIFT_JIS)),
        b"-A" => Half::High(Table::Latin1),
        b"-B" => Half::High(Table::Set(ISO_8859_2)),
        b"-C" => Half::High(Table::Set(ISO_8859_3)),
        b"-D" => Half::High(Table::Set(ISO_8859_4)),
        b"-F" => Half::High(Table::Set(ISO_8859_7)),
        b"-G" => Half::High(Table::Set(ISO_8859_6)),
        b"-H" => Half::High(Table::Set(ISO_8859_8)),
        b"-L" => Half::High(Table::Set(ISO_8859_5)),
        b"-M" => Half::High(Table::Set(WINDOWS_1254)),
        b"-T" => Half::High(Table::Set(WINDOWS_874)),
        b"-b" => Half::High(Table::Set(ISO_8859_15)),
        _ => return (1, None),
    };
    (3, Some(half))
}

/// The defined terms of (0008,0005), with and without code extension, and GBK, which is none and
/// is written by many all the same.
fn table_of(term: &str) -> Option<Table> {
    let number = term
        .strip_prefix("ISO_IR ")
        .or_else(|| term.strip_prefix("ISO-IR "))
        .or_else(|| term.strip_prefix("ISO IR "))
        .or_else(|| term.strip_prefix("ISO 2022 IR "));
    Some(match number.unwrap_or(term) {
        "" | "6" | "87" | "159" | "149" | "58" | "100" => Table::Latin1,
        "101" => Table::Set(ISO_8859_2),
        "109" => Table::Set(ISO_8859_3),
        "110" => Table::Set(ISO_8859_4),
        "144" => Table::Set(ISO_8859_5),
        "127" => Table::Set(ISO_8859_6),
        "126" => Table::Set(ISO_8859_7),
        "138" => Table::Set(ISO_8859_8),
        "148" => Table::Set(WINDOWS_1254),
        "203" => Table::Set(ISO_8859_15),
        "166" => Table::Set(WINDOWS_874),
        "13" => Table::Set(SHIFT_JIS),
        "192" | "UTF-8" | "UTF8" => Table::Set(UTF_8),
        "GB18030" | "GBK" | "GB2312" => Table::Set(GB18030),
        "BIG5" => Table::Set(BIG5),
        _ => return None,
    })
}

/// Control characters always end a run. The punctuation does where it cannot be half of a
/// character, that is while the lower half is ASCII.
fn is_delimiter(byte: u8, low_is_wide: bool) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0C | b'\r')
        || (!low_is_wide && matches!(byte, b'\\' | b'^' | b'='))
}

/// GB18030, if the bytes are that without a fault and every character beyond ASCII is one a
/// Chinese text has. This is a guess: "Äneas" passes it, which is why it is never on by itself.
fn chinese(value: &[u8]) -> Option<String> {
    let (text, faulty) = GB18030.decode_without_bom_handling(value);
    let fits = |c: char| {
        c.is_ascii()
            || matches!(u32::from(c),
                0x2010..=0x206F | 0x2460..=0x24FF | 0x3000..=0x303F | 0x3400..=0x9FFF
                | 0xF900..=0xFAFF | 0xFF00..=0xFFEF | 0x2_0000..=0x3_FFFF | 0xB7)
    };
    (!faulty && text.chars().all(fits)).then(|| text.into_owned())
}

fn latin1(value: &[u8]) -> String {
    value.iter().map(|byte| char::from(*byte)).collect()
}

/// Two-byte characters of the lower half as EUC writes them: the top bits set.
fn raised(value: &[u8], prefix: Option<u8>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len());
    for pair in value.chunks(2) {
        if pair.iter().all(|byte| (0x21..=0x7E).contains(byte)) {
            bytes.extend(prefix);
            bytes.extend(pair.iter().map(|byte| byte | 0x80));
        } else {
            bytes.extend_from_slice(pair);
        }
    }
    bytes
}

fn owned((text, faulty): (Cow<'_, str>, bool)) -> (Cow<'static, str>, bool) {
    (Cow::Owned(text.into_owned()), faulty)
}

fn count(cell: &Cell<usize>) {
    cell.set(cell.get().saturating_add(1));
}
