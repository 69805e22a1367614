//! The private block of a code, as elements of dicom-rs (feature `dicom`).

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use dicom_core::header::HasLength;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};

use super::attribute::Held;
use super::carry::{CODE_CREATOR, CODE_ELEMENT, CODE_GROUP};
use super::elements;
use crate::code::IndexCode;

/// The private block that carries the index code of a header (`IDX-70`).
///
/// ```
/// use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
/// use mic_index::dicom::{CodeBlock, ExamDraft};
/// use mic_index::index_code;
///
/// let code = index_code!(
///     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
/// );
/// // Block 10 belongs to somebody else.
/// let mut header: Vec<DataElement> =
///     vec![DataElement::new(Tag(0x0009, 0x0010), VR::LO, PrimitiveValue::from("ACME"))];
/// let block = CodeBlock::of(&header)?;
/// assert_eq!(block.code_tag(), Tag(0x0009, 0x1101));
///
/// header.extend(block.elements(code));
/// assert_eq!(ExamDraft::from_elements(&header).carried_code(), Some(code));
/// # Ok::<(), mic_index::dicom::NoFreeBlock>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeBlock {
    block: u8,
    stale: Vec<Tag>,
}

impl CodeBlock {
    /// The block of a header: one that carries a code already, or the first that is free (`IDX-71`).
    ///
    /// # Errors
    ///
    /// [`NoFreeBlock`] where others hold all 240 blocks of the group.
    pub fn of<'a, I, P>(
        header: impl IntoIterator<Item = &'a DataElement<I, P>>,
    ) -> Result<Self, NoFreeBlock>
    where
        I: 'a,
        P: 'a,
    {
        let mut group = Group::default();
        for element in header {
            group.note(element);
        }
        let mut own = group.own.iter().copied();
        let block = match own.next() {
            Some(block) => block,
            None => (BLOCK_FIRST..=u8::MAX)
                .find(|block| !group.taken.contains(block))
                .ok_or(NoFreeBlock)?,
        };
        let stale = own
            .flat_map(|block| [creator_tag(block), code_tag(block)])
            .collect();
        Ok(Self { block, stale })
    }

    /// The elements to put into the header, in place of any with the same tags.
    #[must_use]
    pub fn elements<I: HasLength, P>(&self, code: IndexCode) -> [DataElement<I, P>; 2] {
        [
            DataElement::new(
                self.creator_tag(),
                VR::LO,
                PrimitiveValue::from(CODE_CREATOR),
            ),
            DataElement::new(
                self.code_tag(),
                VR::UT,
                PrimitiveValue::from(code.printed().as_str()),
            ),
        ]
    }

    /// Elements to take out: second blocks of this creator, which copying of headers leaves behind.
    /// Nearly always none.
    #[must_use]
    pub fn stale(&self) -> &[Tag] {
        &self.stale
    }

    /// The tag that names the creator, (0009,00xx).
    #[must_use]
    pub const fn creator_tag(&self) -> Tag {
        creator_tag(self.block)
    }

    /// The tag of the code, (0009,xx01).
    #[must_use]
    pub const fn code_tag(&self) -> Tag {
        code_tag(self.block)
    }
}

/// Others hold all private blocks of group 0009, which no scanner does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("expected a free private block in group 0009, found 240 taken")]
#[non_exhaustive]
pub struct NoFreeBlock;

/// Lower block numbers are not for private use (PS3.5, 7.8.1).
const BLOCK_FIRST: u8 = 0x10;

const fn creator_tag(block: u8) -> Tag {
    Tag(CODE_GROUP, block as u16)
}

const fn code_tag(block: u8) -> Tag {
    Tag(CODE_GROUP, (block as u16) << 8 | CODE_ELEMENT as u16)
}

/// Who holds which blocks of the group.
#[derive(Default)]
struct Group {
    taken: BTreeSet<u8>,
    own: BTreeSet<u8>,
}

impl Group {
    fn note<I, P>(&mut self, element: &DataElement<I, P>) {
        let Tag(CODE_GROUP, number) = element.header().tag else {
            return;
        };
        let [block, low] = number.to_be_bytes();
        if block >= BLOCK_FIRST {
            // An element without a creator holds its block as well: it is somebody's.
            self.taken.insert(block);
        } else if block == 0 && low >= BLOCK_FIRST {
            self.taken.insert(low);
            if is_creator(element) {
                self.own.insert(low);
            }
        }
    }
}

fn is_creator<I, P>(element: &DataElement<I, P>) -> bool {
    let value = element.value().primitive().map(elements::held);
    matches!(value, Some(Held::Text(text)) if text.trim_matches(['\0', ' ']) == CODE_CREATOR)
}

/// The codes a header carries, gathered from its elements in any order.
#[derive(Default)]
pub(super) struct Carried {
    group: Group,
    values: Vec<(u8, Held)>,
}

impl Carried {
    /// Takes an element of the group into account.
    pub(super) fn note<I, P>(&mut self, element: &DataElement<I, P>) {
        self.group.note(element);
        let [block, low] = element.header().tag.element().to_be_bytes();
        if block >= BLOCK_FIRST && low == CODE_ELEMENT {
            let value = element.value().primitive();
            self.values
                .push((block, value.map_or(Held::NoText, elements::held)));
        }
    }

    /// The values of all blocks of the creator, behind each other.
    pub(super) fn held(self) -> Held {
        let mut all: Option<String> = None;
        for (block, value) in self.values {
            if !self.group.own.contains(&block) {
                continue;
            }
            let Held::Text(text) = value else {
                return Held::NoText;
            };
            all = Some(match all {
                None => text,
                Some(before) => before + "\\" + &text,
            });
        }
        all.map_or(Held::Absent, Held::Text)
    }
}
