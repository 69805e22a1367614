//! The states of a study at its receiver, and the table of what leads where.

/// Where a study stands at the receiver.
///
/// ```text
/// pull ─► Requested ─OFFER─► Offered ─manifest─► Judging ─accept─► Opening ─► Receiving ─all─► Sealing
///             ▲                 │                                    │ (all here)                 │ durable
///             └── line lost ────┘                                    ├────────────► Sealing       ▼
///                                                                    │ (complete)             Committed
///  Failed ◄─ refusal, fault, storage ─ any                           └──────────────────────►     │ receipt kept
///  Cancelled ◄─ cancel ─ any before Committed                                                 Receipted
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StudyState {
    /// Asked for, or waiting for a connection to ask on.
    Requested,
    /// Offered; the manifest is arriving.
    Offered,
    /// The application judges manifest and signature.
    Judging,
    /// The store looks what is here.
    Opening,
    /// Chunks are wanted and arrive.
    Receiving,
    /// All is verified and is being made durable.
    Sealing,
    /// Durable and listed; the receipt is to be issued.
    Committed,
    /// The receipt is kept and sent.
    Receipted,
    /// Given up by the application; what is verified stays.
    Cancelled,
    /// Ended by an error; what is verified stays.
    Failed,
}

/// What happens to a study at the receiver.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StudyInput {
    /// OFFER with a manifest to come.
    Offer,
    /// OFFER of the root that is known.
    OfferKnown,
    /// The last byte of the manifest.
    ManifestWhole,
    /// The application accepts.
    Accept,
    /// The store opened it; chunks are missing.
    Opened,
    /// The store opened it; all chunks are here.
    OpenedFull,
    /// The store has it complete.
    OpenedComplete,
    /// A chunk, or leaves.
    Data,
    /// The last chunk is written.
    AllWritten,
    /// The store made it durable.
    Durable,
    /// The receipt is noted.
    ReceiptKept,
    /// The connection that carried the manifest is gone.
    LineLost,
    /// The application gives it up.
    Cancel,
    /// Refusal, fault or storage error.
    Fault,
}

impl StudyState {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::Requested,
        Self::Offered,
        Self::Judging,
        Self::Opening,
        Self::Receiving,
        Self::Sealing,
        Self::Committed,
        Self::Receipted,
        Self::Cancelled,
        Self::Failed,
    ];

    /// The state after `input`; `None` where the input is a fault of whoever gave it (XFR-32).
    #[must_use]
    pub const fn next(self, input: StudyInput) -> Option<Self> {
        use StudyInput as I;
        match (self, input) {
            (Self::Cancelled | Self::Failed, _) => Some(self),
            (Self::Requested, I::Offer) => Some(Self::Offered),
            (Self::Requested, I::OfferKnown) | (Self::Offered, I::ManifestWhole) => {
                Some(Self::Judging)
            }
            (Self::Requested | Self::Offered, I::LineLost) => Some(Self::Requested),
            (_, I::LineLost) => Some(self),
            (Self::Judging, I::Accept) => Some(Self::Opening),
            (Self::Opening, I::Opened) => Some(Self::Receiving),
            (Self::Opening, I::OpenedFull) | (Self::Receiving, I::AllWritten) => {
                Some(Self::Sealing)
            }
            (Self::Opening, I::OpenedComplete) | (Self::Sealing, I::Durable) => {
                Some(Self::Committed)
            }
            // First images come ahead of the rest of the manifest.
            (Self::Offered | Self::Judging | Self::Opening | Self::Receiving, I::Data) => {
                Some(self)
            }
            (Self::Committed, I::ReceiptKept) => Some(Self::Receipted),
            // Durable is durable: nothing takes it back.
            (Self::Committed | Self::Receipted, I::Cancel | I::Fault) => Some(self),
            (_, I::Cancel) => Some(Self::Cancelled),
            (_, I::Fault) => Some(Self::Failed),
            _ => None,
        }
    }

    /// The state's name in the specification.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "Requested",
            Self::Offered => "Offered",
            Self::Judging => "Judging",
            Self::Opening => "Opening",
            Self::Receiving => "Receiving",
            Self::Sealing => "Sealing",
            Self::Committed => "Committed",
            Self::Receipted => "Receipted",
            Self::Cancelled => "Cancelled",
            Self::Failed => "Failed",
        }
    }

    /// Whether nothing more will happen to the study.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Receipted | Self::Cancelled | Self::Failed)
    }
}

impl StudyInput {
    /// Every input.
    pub const ALL: [Self; 14] = [
        Self::Offer,
        Self::OfferKnown,
        Self::ManifestWhole,
        Self::Accept,
        Self::Opened,
        Self::OpenedFull,
        Self::OpenedComplete,
        Self::Data,
        Self::AllWritten,
        Self::Durable,
        Self::ReceiptKept,
        Self::LineLost,
        Self::Cancel,
        Self::Fault,
    ];
}
