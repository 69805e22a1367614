//! The five yuan of cloud imaging (云影像5元/人次): from what happened at a visit to the line on
//! the bill, with its reason.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::indexing_slicing
    )
)]

extern crate alloc;

mod allocate;
mod assess;
mod book;
#[cfg(feature = "toml")]
pub mod books;
mod civil;
mod event;
mod explain;
mod grammar;
mod key;
mod ledger;
mod line;
mod money;
mod policy;
mod retention;
mod rounding;
mod rule;
mod serial;
mod state;
mod text;
mod visits;

pub use self::{
    allocate::{AllocateError, allocate},
    assess::{Assessment, ExamAssessment, Reason, Standing, assess},
    book::{
        Book, BookError, BookErrorKind, BookErrors, ChargePolicy, Citation, Grounds, Layer, Policy,
        RetentionPolicy, VersionRef,
    },
    civil::{Moment, years_later},
    event::{CareSetting, Event, EventError, EventKind, Modality, Payer, Source},
    explain::{Explanation, Lang, RecomputeError},
    key::{
        EncounterId, ExamKey, ExamLineId, HoldId, INSTITUTION_CHARS, InstitutionCode, PersonRef,
        RECEIPT_CHARS_MAX, ReceiptId, SERIAL_CHARS_MAX, STUDY_UID_CHARS_MAX, StudyUid, VisitKey,
    },
    ledger::{Entry, EntryId, LedgerError, Posting, delta},
    line::{Line, LineError, LineKind, Scope, Share, Unit, desired},
    money::{Fen, MoneyError, Ppm, UnitPrice},
    policy::{ChargeModel, Clock, Completeness, CountingUnit, DateBasis, Level, Party, Trigger},
    retention::{Retention, RetentionError, retention},
    rounding::Rounding,
    rule::RuleId,
    state::{FoldError, VISIT_FACTS_MAX, VisitState},
    text::TextError,
    visits::Visits,
};
