//! The caret picture: a text with its faults marked below it.

use core::fmt;

use crate::alphabet::{FoundClass, cells};
use crate::diagnose::Diagnosis;

/// Characters of the input a picture shows at most; twice the printed form.
const SHOWN_MAX: usize = 164;

impl Diagnosis {
    /// Draws the faults below the text they were found in.
    ///
    /// The text is given again because a diagnosis does not keep it. The picture shows the whole
    /// code and with it the person code: it is for the screen of whoever typed it, not for logs.
    ///
    /// ```
    /// use mic_index::diagnose;
    ///
    /// let text = "10000000000000000708463177-202413221430-000000000-0000000000000-123502004266007916";
    /// assert_eq!(
    ///     diagnose(text).picture(text).to_string(),
    ///     "10000000000000000708463177-202413221430-000000000-0000000000000-123502004266007916\n\
    ///      \x20                              ^^ exam time: expected a month from 01 to 12\n"
    /// );
    /// ```
    #[must_use]
    pub fn picture<'a>(&'a self, text: &'a (impl AsRef<[u8]> + ?Sized)) -> Picture<'a> {
        Picture {
            diagnosis: self,
            text: text.as_ref(),
        }
    }
}

/// A text with its faults marked below it; see [`Diagnosis::picture`].
#[derive(Clone, Copy)]
pub struct Picture<'a> {
    diagnosis: &'a Diagnosis,
    text: &'a [u8],
}

impl fmt::Display for Picture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for cell in cells(self.text).take(SHOWN_MAX) {
            match (cell.found, cell.class()) {
                (Some(c), FoundClass::Blank) if c.is_ascii() => f.write_str(" ")?,
                (Some(_), FoundClass::Invisible) => f.write_str("·")?,
                (Some(c), _) => write!(f, "{c}")?,
                (None, _) => f.write_str("\u{fffd}")?,
            }
        }
        if cells(self.text).nth(SHOWN_MAX).is_some() {
            f.write_str("…")?;
        }
        f.write_str("\n")?;
        for fault in self.diagnosis.faults() {
            let span = fault.span();
            let before = columns(self.text, 0, span.start);
            let under = columns(self.text, span.start, span.end).max(1);
            writeln!(
                f,
                "{:before$}{:^<under$} {}: {}",
                "",
                "",
                fault.part(),
                fault.kind()
            )?;
        }
        match self.diagnosis.omitted() {
            0 => Ok(()),
            more => writeln!(f, "and {more} more"),
        }
    }
}

impl fmt::Debug for Picture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Picture(..)")
    }
}

/// Terminal columns of the characters that begin in `start..end`, as far as they are shown.
fn columns(text: &[u8], start: usize, end: usize) -> usize {
    cells(text)
        .take(SHOWN_MAX)
        .filter(|cell| (start..end).contains(&cell.start))
        .map(|cell| match cell.found {
            // Drawn as one dot.
            _ if cell.class() == FoundClass::Invisible => 1,
            Some('\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}')
            | Some('\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ff60}')
            | Some('\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}') => 2,
            _ => 1,
        })
        .sum()
}
