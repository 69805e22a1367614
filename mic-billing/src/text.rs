//! The error of every short text: a date, a moment, an amount, an identifier.

/// A text that is not what its field needs. It never repeats the text itself.
///
/// ```
/// use mic_billing::Moment;
///
/// let error = "2025-11-20 10:00".parse::<Moment>().unwrap_err();
/// assert_eq!(error.offset(), 10);
/// assert_eq!(error.to_string(), "moment: expected YYYY-MM-DDThh:mm:ss and an offset such as +08:00 at byte 10");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected} at byte {offset}")]
pub struct TextError {
    field: &'static str,
    offset: usize,
    expected: &'static str,
}

impl TextError {
    pub(crate) const fn new(field: &'static str, offset: usize, expected: &'static str) -> Self {
        Self {
            field,
            offset,
            expected,
        }
    }

    /// What the text was read as: `date`, `moment`, `institution code`...
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// The byte at which it stopped to be one.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// What was expected there.
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        self.expected
    }
}
