//! What the search keeps of a row: eighty-eight bytes that sort by code, study and line.

use alloc::string::String;

use super::row::Row;
use super::search::ENTRY_LEN;
use crate::code::IndexCode;
use crate::packed::PACKED_LEN;
use crate::study_uid::{STUDY_UID_LEN_MAX, StudyInstanceUid};

/// Two characters a byte.
const STUDY_LEN: usize = STUDY_UID_LEN_MAX / 2;

const _: () = assert!(ENTRY_LEN == PACKED_LEN + STUDY_LEN + 2 * size_of::<u64>());
const _: () = assert!(
    size_of::<Entry>() == ENTRY_LEN,
    "the memory bound counts entries"
);

/// A row as the search knows it. The derived order is that of code, StudyInstanceUID, line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) code: [u8; PACKED_LEN],
    pub(super) study: Study,
    pub(super) line: u64,
    pub(super) digest: u64,
}

/// A StudyInstanceUID or none, four bits a character: 0 behind the end, 1 a dot, 2 to 11 the digits.
/// The order of the bytes is the order of the texts, none first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Study([u8; STUDY_LEN]);

impl Study {
    pub(super) fn of(uid: Option<&StudyInstanceUid>) -> Self {
        let mut bytes = [0; STUDY_LEN];
        if let Some(uid) = uid {
            for (byte, pair) in bytes.iter_mut().zip(uid.as_str().as_bytes().chunks(2)) {
                let nibble = |at: usize| pair.get(at).map_or(0, |symbol| nibble_of(*symbol));
                *byte = nibble(0) << 4 | nibble(1);
            }
        }
        Self(bytes)
    }

    pub(super) fn uid(&self) -> Option<StudyInstanceUid> {
        let text: String = self
            .0
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 0xf])
            .map_while(|nibble| match nibble {
                1 => Some('.'),
                2..=11 => Some(char::from(b'0' + nibble - 2)),
                _ => None,
            })
            .collect();
        text.parse().ok()
    }
}

fn nibble_of(symbol: u8) -> u8 {
    match symbol {
        b'0'..=b'9' => symbol - b'0' + 2,
        _ => 1,
    }
}

impl Entry {
    pub(super) fn of(row: &Row) -> Self {
        Self {
            code: *row.code.packed(),
            study: Study::of(row.study_instance_uid.as_ref()),
            line: row.line,
            digest: row.digest(),
        }
    }

    pub(super) fn to_bytes(self) -> [u8; ENTRY_LEN] {
        let mut bytes = [0; ENTRY_LEN];
        let fields = self
            .code
            .into_iter()
            .chain(self.study.0)
            .chain(self.line.to_be_bytes())
            .chain(self.digest.to_be_bytes());
        for (place, byte) in bytes.iter_mut().zip(fields) {
            *place = byte;
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; ENTRY_LEN]) -> Option<Self> {
        let (code, rest) = bytes.split_first_chunk()?;
        let (study, rest) = rest.split_first_chunk()?;
        let (line, rest) = rest.split_first_chunk()?;
        let (digest, _) = rest.split_first_chunk()?;
        Some(Self {
            code: *code,
            study: Study(*study),
            line: u64::from_be_bytes(*line),
            digest: u64::from_be_bytes(*digest),
        })
    }

    pub(super) fn index_code(&self) -> Option<IndexCode> {
        IndexCode::from_packed(self.code).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uid() -> impl Strategy<Value = StudyInstanceUid> {
        "[0-9]{1,8}(\\.[0-9]{1,8}){0,6}".prop_map(|text| text.parse().unwrap())
    }

    proptest! {
        #[test]
        fn ok_four_bits_keep_text_and_order(a in uid(), b in uid()) {
            let (study_a, study_b) = (Study::of(Some(&a)), Study::of(Some(&b)));
            prop_assert_eq!(study_a.uid(), Some(a));
            prop_assert_eq!(study_a.cmp(&study_b), a.cmp(&b));
            prop_assert!(Study::of(None) < study_a);
        }

        #[test]
        fn ok_entries_come_back_from_bytes(
            code: [u8; PACKED_LEN], study: [u8; STUDY_LEN], line: u64, digest: u64,
        ) {
            let entry = Entry { code, study: Study(study), line, digest };
            prop_assert!(Entry::from_bytes(&entry.to_bytes()) == Some(entry));
        }
    }

    #[test]
    fn ok_the_longest_uid_fits() {
        let uid = "1.".repeat(31) + "23";
        assert_eq!(uid.len(), STUDY_UID_LEN_MAX);
        let uid: StudyInstanceUid = uid.parse().unwrap();
        assert_eq!(Study::of(Some(&uid)).uid(), Some(uid));
    }
}
