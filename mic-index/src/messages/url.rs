//! The address of a page, as 4801 and 4804 answer it.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::combinator::all_consuming;
use nom::error::Error;

/// Length in characters of an address at most: what browsers and proxies agree on.
pub const URL_LEN_MAX: usize = 2048;

/// Address of a page, beginning with `http://` or `https://`, printable ASCII without blanks.
///
/// It is a key to somebody's images: `Debug` masks it. Open it, do not log it. Nothing else is
/// checked, the platform being the one that gives it out.
///
/// ```
/// use mic_index::messages::{PageUrl, PageUrlError};
///
/// let page: PageUrl = "https://example.org/index?t=1".parse()?;
/// assert_eq!(format!("{page:?}"), "PageUrl(..)");
/// assert_eq!("javascript:alert(1)".parse::<PageUrl>(), Err(PageUrlError::Form));
/// # Ok::<(), PageUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PageUrl {
    text: String,
}

impl PageUrl {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for PageUrl {
    type Err = PageUrlError;

    fn from_str(text: &str) -> Result<Self, PageUrlError> {
        if text.len() > URL_LEN_MAX {
            return Err(PageUrlError::Length { found: text.len() });
        }
        let scheme = alt((tag::<_, _, Error<&str>>("https://"), tag("http://")));
        let rest = take_while1(|found: char| found.is_ascii_graphic());
        match all_consuming((scheme, rest)).parse(text) {
            Ok(_) => Ok(Self {
                text: String::from(text),
            }),
            Err(_) => Err(PageUrlError::Form),
        }
    }
}

impl fmt::Display for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageUrl(..)")
    }
}

/// A text that is no address of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PageUrlError {
    /// Too long.
    #[error("expected an address of at most {URL_LEN_MAX} characters, found {found}")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// Another scheme, nothing behind it, a blank, or a character outside ASCII.
    #[error("expected an address beginning with http:// or https://, without blanks")]
    Form,
}
