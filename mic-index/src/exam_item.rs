//! The exam item (检查项目): what was ordered and charged, in the words of whoever reports it.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

/// Characters of an [`ItemCode`] at most (`IDX-80`).
pub const ITEM_CODE_LEN_MAX: usize = 64;

/// Characters of an [`ItemName`] at most (`IDX-80`).
pub const ITEM_NAME_LEN_MAX: usize = 256;

/// The exam item (检查项目) of a record: a code, a name, or both.
///
/// The code is the insurance's item code, `exam_item_code` of transaction 4501, where there is one. Nothing
/// public gives its form, so it is checked by length and characters alone (`IDX-80`), and never looked up.
///
/// ```
/// use mic_index::ExamItem;
///
/// let item = ExamItem::named("颅脑CT平扫".parse()?).with_code("002305000010000".parse()?);
/// assert_eq!(item.name().unwrap().as_str(), "颅脑CT平扫");
/// assert_eq!(item.code().unwrap().as_str(), "002305000010000");
/// # Ok::<(), mic_index::ItemTextError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExamItem {
    /// One of the two at least.
    code: Option<ItemCode>,
    name: Option<ItemName>,
}

impl ExamItem {
    /// An item of a code without a name.
    #[must_use]
    pub const fn coded(code: ItemCode) -> Self {
        Self {
            code: Some(code),
            name: None,
        }
    }

    /// An item of a name without a code.
    #[must_use]
    pub const fn named(name: ItemName) -> Self {
        Self {
            code: None,
            name: Some(name),
        }
    }

    /// The item of what there is; `None` without either.
    #[must_use]
    pub fn new(code: Option<ItemCode>, name: Option<ItemName>) -> Option<Self> {
        (code.is_some() || name.is_some()).then_some(Self { code, name })
    }

    /// The item with a code.
    #[must_use]
    pub fn with_code(mut self, code: ItemCode) -> Self {
        self.code = Some(code);
        self
    }

    /// The item with a name.
    #[must_use]
    pub fn with_name(mut self, name: ItemName) -> Self {
        self.name = Some(name);
        self
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Option<&ItemCode> {
        self.code.as_ref()
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> Option<&ItemName> {
        self.name.as_ref()
    }
}

impl fmt::Debug for ExamItem {
    /// Shows what is there and no text: free text may name a patient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExamItem")
            .field("code", &self.code)
            .field("name", &self.name)
            .finish()
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $type:ident, $max:ident, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = ItemTextError;

            fn from_str(text: &str) -> Result<Self, ItemTextError> {
                Self::try_from(text)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = ItemTextError;

            fn try_from(text: &str) -> Result<Self, ItemTextError> {
                check(text, $max, $what)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = ItemTextError;

            fn try_from(text: String) -> Result<Self, ItemTextError> {
                check(&text, $max, $what)?;
                Ok(Self(text))
            }
        }

        impl From<$type> for String {
            fn from(text: $type) -> Self {
                text.0
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            /// Shows no text.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        }
    )*};
}

texts! {
    /// The code of an exam item, kept as it is: 1 to 64 characters, no control character, no blank at
    /// either end.
    ItemCode, ITEM_CODE_LEN_MAX, "item code";
    /// The name of an exam item, kept as it is: 1 to 256 characters, no control character, no blank at
    /// either end.
    ItemName, ITEM_NAME_LEN_MAX, "item name";
}

fn check(text: &str, max: usize, what: &'static str) -> Result<(), ItemTextError> {
    if text.is_empty() {
        return Err(ItemTextError::Empty { what });
    }
    let last = text.strip_suffix(char::is_whitespace).map(str::len);
    let mut len = 0;
    for (at, c) in text.char_indices() {
        let blank = c.is_whitespace() && (at == 0 || last == Some(at));
        if c.is_control() || blank {
            let width = c.len_utf8();
            return Err(ItemTextError::Character { what, at, width });
        }
        len += 1;
    }
    if len > max {
        return Err(ItemTextError::Length {
            what,
            max,
            found: len,
        });
    }
    Ok(())
}

/// A text that is no code or name of an exam item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ItemTextError {
    /// Nothing there.
    #[error("{what}: expected a text, found nothing")]
    Empty {
        /// `item code` or `item name`.
        what: &'static str,
    },
    /// Too many characters.
    #[error("{what}: expected at most {max} characters, found {found}")]
    Length {
        /// `item code` or `item name`.
        what: &'static str,
        /// Characters allowed.
        max: usize,
        /// Characters found.
        found: usize,
    },
    /// A control character, or a blank at either end.
    #[error("{what}: expected no control character and no blank at an end, found one at byte {at}")]
    Character {
        /// `item code` or `item name`.
        what: &'static str,
        /// Byte offset.
        at: usize,
        /// Bytes of the character.
        width: usize,
    },
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    /// IDX-80: at the limit, and one beyond.
    #[test]
    fn ok_texts_up_to_their_limits() {
        for text in ["1", "颅脑CT平扫", "CT  head", "a\u{200d}b"] {
            assert_eq!(text.parse::<ItemName>().unwrap().as_str(), text);
        }
        assert!("码".repeat(ITEM_CODE_LEN_MAX).parse::<ItemCode>().is_ok());
        let error = "码".repeat(ITEM_CODE_LEN_MAX + 1).parse::<ItemCode>();
        assert_eq!(
            error.unwrap_err().to_string(),
            "item code: expected at most 64 characters, found 65"
        );
        assert!("名".repeat(ITEM_NAME_LEN_MAX).parse::<ItemName>().is_ok());
        assert!(
            "名"
                .repeat(ITEM_NAME_LEN_MAX + 1)
                .parse::<ItemName>()
                .is_err()
        );
    }

    #[test]
    fn err_blank_ends_and_control_characters_are_placed() {
        let what = "item name";
        for (text, at, width) in [
            (" CT", 0, 1),
            ("CT ", 2, 1),
            ("CT\u{3000}", 2, 3),
            ("C\nT", 1, 1),
            ("C\u{85}T", 1, 2),
            (" ", 0, 1),
        ] {
            let expected = ItemTextError::Character { what, at, width };
            assert_eq!(text.parse::<ItemName>(), Err(expected), "{text:?}");
        }
        assert_eq!("".parse::<ItemName>(), Err(ItemTextError::Empty { what }));
    }

    #[test]
    fn ok_debug_shows_no_text() {
        let item = ExamItem::named("王五 CT".parse().unwrap());
        let shown = alloc::format!("{item:?}");
        assert_eq!(shown, "ExamItem { code: None, name: Some(ItemName(..)) }");
        assert_eq!(ExamItem::new(None, None), None);
    }
}
