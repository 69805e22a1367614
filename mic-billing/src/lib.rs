//! The five yuan of cloud imaging (云影像5元/人次): from what happened at a visit to the line that
//! is charged or deducted, with its reason in words and numbers, and to the day until which the
//! images must be kept.
//!
//! It is not a bill printer, a ledger database or an insurance interface. It decides; what it
//! decides goes into whatever you run.
//!
//! ```
//! use mic_billing::{Book, Event, Lang, Moment, VisitState, assess, books, delta, desired, retention};
//!
//! // One visit, two exams: an accepted index for F1, none for F2.
//! let event = |at: &str, rest: &str| -> Event {
//!     serde_json::from_str(&format!(r#"{{"institution":"H44030500001","encounter":"E1",
//!         "person":"000102030405060708090a0b0c0d0e0f","source":"hospital",
//!         "occurred":"2025-12-01T{at}+08:00","known":"2025-12-01T{at}+08:00",{rest}}}"#)).unwrap()
//! };
//! let events = [
//!     event("08:30:00", r#""kind":"registered","setting":"outpatient""#),
//!     event("09:20:00", r#""kind":"performed","exam":"F1","modality":"ct""#),
//!     event("09:40:00", r#""kind":"performed","exam":"F2","modality":"xray""#),
//!     event("11:00:00", r#""kind":"index_accepted","exam":"F1","receipt":"R-1""#),
//! ];
//! let state = VisitState::of(&events)?;
//! let now: Moment = "2025-12-10T00:00:00+08:00".parse()?;
//!
//! // Shenzhen: the price is inside the exam, and taken off where the index is missing.
//! let shenzhen = Book::load([books::national()?, books::shenzhen()?])?;
//! let lines = desired(&[assess(&state, &shenzhen, now)])?;
//! let amounts: Vec<String> = lines.iter().map(|line| line.amount().to_string()).collect();
//! assert_eq!(amounts, ["0.00", "-5.00"]);
//! assert!(lines[1].explain(Lang::Zh).starts_with("减收 5.00 元"));
//! assert!(lines[1].explain(Lang::Zh).contains("深医保〔2025〕19号"));
//!
//! // What is posted is the difference to what was posted; again, nothing.
//! let journal = delta(&lines, &[])?;
//! assert_eq!(delta(&lines, &journal)?, []);
//!
//! // Elsewhere the same visit is a separate item (a made-up region).
//! let separate = Book::load([books::national()?, books::fictional_separate_item()?])?;
//! assert_eq!(desired(&[assess(&state, &separate, now)])?[0].amount().to_string(), "5.00");
//!
//! // Fifteen years from the last visit, and disposable the day after.
//! let kept = retention(&state, [], &shenzhen, now)?;
//! assert_eq!(kept.first_disposable.to_string(), "2040-12-02");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The types to know
//!
//! - [`Book`], made of [`Layer`]s: what a region's documents say, each fact cited and marked
//!   verified or not. Whether the 5 yuan are a deduction, a separate line or paid by the fund is
//!   such a fact; the crate assumes none.
//! - [`Event`] and [`VisitState`]: what happened, and what is known of a visit. Order, doubles and
//!   delays of events change nothing.
//! - [`Line`]: what a visit should have, with its [`Explanation`].
//! - [`Entry`]: what is appended to the journal by [`delta`].
//! - [`Retention`]: until when. [`DisposalList`] and [`handover`] for the time after.
//! - [`Accounts`] and [`Statement`]: months, closed under a seal; corrections go to the first open one.
//! - [`Sweep`]: the same money without reasons, one pass over an export sorted by visit, about
//!   eight times as fast. `EventReader` reads exports in CSV, NDJSON and JSON.
//! - [`Contract`] and [`ExamRules`]: what a region bought, and what its texts say of positions and film.
//!
//! # The contract
//!
//! - Pure functions: no clock, no randomness, no input or output. The moment of knowledge is an
//!   argument, and nothing known later plays a part.
//! - [`assess`] and [`retention`] take a state; several visits go through [`Visits`], which resolves
//!   links first. Charges are keyed by the linked root visit; person-days and retention by person
//!   and institution, so give these all visits of the person there.
//! - Money is whole [`Fen`]; nothing wraps, nothing is lost in a split ([`allocate()`]).
//! - Nothing panics. Limits: [`VISIT_FACTS_MAX`] facts of a visit, 1 MiB of a TOML book, 64 versions of a layer.
//!
//! # Errors
//!
//! Policy: [`BookErrors`], all faults at once with path and line. Events: [`EventError`],
//! [`TextError`], [`FoldError`], `ReadError`, [`SweepError`]. Months: [`StatementError`]. Money: [`MoneyError`], [`AllocateError`], [`LineError`]. A journal
//! that doesn't hold together: [`LedgerError`]. A retention that can't be told yet:
//! [`RetentionError`]. None carries an identifier of a person; serde's own errors of single
//! records may repeat an unknown name, those of `EventReader` repeat nothing.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `std` (default) | `std` in the dependencies |
//! | `toml` (default) | `Layer::from_toml` and the shipped `books` |
//! | `read` (default) | `EventReader`: CSV, NDJSON, JSON; `Layer::from_json`, with the line of every fault |
//!
//! Without them the crate is `no_std` with `alloc`; books come from JSON through serde. The oldest
//! compiler is Rust 1.85.
//!
//! The specification is `spec/pricing.md`, the vectors are in `vectors/`, both in the package.

#![no_std]
// Money, shares and dates are whole numbers; a part that estimates would have to say so here.
#![deny(clippy::float_arithmetic, clippy::lossy_float_literal)]
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
#[cfg(feature = "std")]
extern crate std;

/// The README's code, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The design notes' code, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../DESIGN.md")]
struct Design;

mod accounts;
mod allocate;
mod assess;
mod book;
#[cfg(feature = "toml")]
pub mod books;
mod civil;
mod compare;
mod contract;
mod disposal;
mod event;
mod exam_price;
mod explain;
mod grammar;
mod key;
mod ledger;
mod line;
mod money;
mod period;
mod policy;
#[cfg(feature = "read")]
mod read;
mod retention;
mod rounding;
mod rule;
mod serial;
mod state;
mod statement;
mod sweep;
mod text;
mod visits;

#[cfg(feature = "read")]
pub use self::read::{EventReader, RECORD_BYTES_MAX, ReadError, ReadErrorKind};
pub use self::{
    accounts::{Accounts, Placed},
    allocate::{AllocateError, allocate},
    assess::{Assessment, ExamAssessment, Reason, Standing, assess},
    book::{
        Book, BookError, BookErrorKind, BookErrors, ChargePolicy, Citation, Grounds, Layer, Policy,
        RetentionPolicy, VersionRef,
    },
    civil::{Moment, years_later},
    compare::{
        CompareError, Comparison, ContractSays, Difference, PriceCase, Says, Witness, compare,
        distinguish,
    },
    contract::{Contract, Owed, PoolError, Usage, transfer_of, transfer_pool},
    disposal::{DisposalError, DisposalList, DutyLeft, Handover, SignedDisposal, handover},
    event::{CareSetting, Event, EventError, EventKind, Modality, Payer, Source},
    exam_price::{ExamPrice, ExamRules},
    explain::{Explanation, Lang, RecomputeError},
    key::{
        EncounterId, ExamKey, ExamLineId, HoldId, INSTITUTION_CHARS, InstitutionCode, PersonRef,
        RECEIPT_CHARS_MAX, ReceiptId, SERIAL_CHARS_MAX, STUDY_UID_CHARS_MAX, StudyUid, VisitKey,
    },
    ledger::{Entry, EntryId, LedgerError, Posting, delta},
    line::{Line, LineError, LineKind, Scope, Share, Unit, desired},
    money::{Fen, MoneyError, Ppm, UnitPrice},
    period::Period,
    policy::{
        ChargeModel, Clock, Completeness, CountingUnit, DateBasis, FilmRule, Level, Party,
        RetentionClock, SurplusTo, TransferBasis, Trigger, Unearned,
    },
    retention::{Retention, RetentionError, retention},
    rounding::Rounding,
    rule::RuleId,
    state::{FoldError, VISIT_FACTS_MAX, VisitState},
    statement::{Closed, Seal, Statement, StatementError, Sum, Totals},
    sweep::{Judged, Links, Runs, Sweep, SweepError, SweptLine, Terms, explain},
    text::TextError,
    visits::Visits,
};
