//! The states of a study at its source, and the table of what leads where.

/// Where a study stands at the source.
///
/// ```text
/// REQUEST ─► Judging ─offered─► Serving ─COMMIT─► Draining ─RECEIPT─► Receipted ─answered─► Ended
///               │ refused          │ CANCEL, ERROR, unreadable   │          │              ▲
///               └──────────────────┴─────────────────────────────┴──────────┴──────────────┘
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceState {
    /// The application decides whether the study is given out.
    Judging,
    /// The manifest and wanted chunks are being sent.
    Serving,
    /// The receiver has verified all and is making it durable.
    Draining,
    /// The receipt is here and wants an answer.
    Receipted,
    /// Nothing more happens; late frames are passed over.
    Ended,
}

/// What happens to a study at the source.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceInput {
    /// The application gives the manifest.
    Offered,
    /// The application refuses.
    Refused,
    /// WANT.
    Want,
    /// RANK.
    Rank,
    /// HELD.
    Held,
    /// COMMIT.
    Commit,
    /// RECEIPT.
    Receipt,
    /// The application answers the receipt.
    Answered,
    /// CANCEL.
    Cancel,
    /// ERROR from the receiver.
    Error,
    /// The application can't read what it offered.
    Unreadable,
}

impl SourceState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Judging,
        Self::Serving,
        Self::Draining,
        Self::Receipted,
        Self::Ended,
    ];

    /// The state after `input`; `None` where the input is a fault of whoever gave it (XFR-31).
    #[must_use]
    pub const fn next(self, input: SourceInput) -> Option<Self> {
        use SourceInput as I;
        match (self, input) {
            (Self::Ended, _) => Some(Self::Ended),
            (_, I::Cancel | I::Error) => Some(Self::Ended),
            (Self::Judging, I::Offered) => Some(Self::Serving),
            (Self::Judging, I::Refused) => Some(Self::Ended),
            (Self::Serving, I::Want | I::Rank | I::Held) => Some(Self::Serving),
            (Self::Serving, I::Commit) => Some(Self::Draining),
            (Self::Serving, I::Refused | I::Unreadable) => Some(Self::Ended),
            (Self::Draining, I::Receipt) => Some(Self::Receipted),
            (Self::Receipted, I::Answered) => Some(Self::Ended),
            _ => None,
        }
    }

    /// The state's name in the specification.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Judging => "Judging",
            Self::Serving => "Serving",
            Self::Draining => "Draining",
            Self::Receipted => "Receipted",
            Self::Ended => "Ended",
        }
    }
}

impl SourceInput {
    /// Every input.
    pub const ALL: [Self; 11] = [
        Self::Offered,
        Self::Refused,
        Self::Want,
        Self::Rank,
        Self::Held,
        Self::Commit,
        Self::Receipt,
        Self::Answered,
        Self::Cancel,
        Self::Error,
        Self::Unreadable,
    ];
}
