//! Policy as data: layered, bitemporal, cited (rules T-01 to T-07).
//!
//! A [`Layer`] is one file: the nation, a province, a city or a contract, with its documents and
//! its versions. A [`Book`] is what several layers say together; it can't exist unless they agree.

mod check;
mod compile;
mod error;
#[cfg(feature = "read")]
mod json;
mod layer;
mod plain;
#[cfg(feature = "toml")]
mod toml;

use alloc::{sync::Arc, vec::Vec};

use chrono::NaiveDate;

pub(crate) use self::layer::fact_named;
pub use self::{
    compile::{ChargePolicy, Citation, Grounds, Policy, RetentionPolicy, VersionRef},
    error::{BookError, BookErrorKind, BookErrors},
    layer::Layer,
};
use crate::civil::Moment;

/// The policy of one region: what held on which day, as it was known at which moment.
///
/// ```
/// use mic_billing::{Book, BookErrorKind, ChargeModel, books};
///
/// let book = Book::load([books::national()?, books::shenzhen()?])?;
/// let day = chrono::NaiveDate::from_ymd_opt(2025, 12, 1).unwrap();
/// let policy = book.policy(day, "2026-01-01T00:00:00+08:00".parse()?);
/// assert_eq!(policy.charge().unwrap().model, ChargeModel::EmbeddedDeduction);
///
/// let error = Book::load([books::national()?]).unwrap_err();
/// assert_eq!(error.first().kind(), &BookErrorKind::NationAlone);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Book {
    layers: Arc<Vec<Layer>>,
    /// By the moment of knowledge, earliest first.
    epochs: Vec<Epoch>,
    /// What is said where no layer says anything.
    nothing: Arc<Policy>,
}

/// What was known from one moment on: the policy from each day on, earliest first.
#[derive(Clone, Debug)]
struct Epoch {
    known_from: Moment,
    days: Vec<(NaiveDate, Arc<Policy>)>,
}

impl Book {
    /// Puts layers together, in any order; one of them a region.
    ///
    /// # Errors
    /// Every fault of every layer at once, then, where there is none, the first that putting the layers together has in each version (BIL-17), each with its path and, where the layer came from TOML
    /// or from JSON as text, its line.
    pub fn load(layers: impl IntoIterator<Item = Layer>) -> Result<Self, BookErrors> {
        let mut layers: Vec<Layer> = layers.into_iter().collect();
        layers.sort_by_key(Layer::level);
        check::layers(&layers)?;
        let epochs = compile::epochs(&layers)?;
        Ok(Self {
            layers: Arc::new(layers),
            epochs,
            nothing: Arc::default(),
        })
    }

    /// The policy of a day, as it was known at a moment.
    #[must_use]
    pub fn policy(&self, day: NaiveDate, known_at: Moment) -> &Arc<Policy> {
        let known = self
            .epochs
            .partition_point(|epoch| epoch.known_from <= known_at);
        let epoch = known.checked_sub(1).and_then(|at| self.epochs.get(at));
        epoch
            .and_then(|epoch| {
                let begun = epoch.days.partition_point(|(from, _)| *from <= day);
                epoch.days.get(begun.checked_sub(1)?)
            })
            .map_or(&self.nothing, |(_, policy)| policy)
    }

    /// The policy from each day on, as it was known at a moment, earliest first.
    pub(crate) fn days(&self, known_at: Moment) -> &[(NaiveDate, Arc<Policy>)] {
        let known = self
            .epochs
            .partition_point(|epoch| epoch.known_from <= known_at);
        let epoch = known.checked_sub(1).and_then(|at| self.epochs.get(at));
        epoch.map_or(&[], |epoch| &epoch.days)
    }

    /// The moments from which something else was known, earliest first.
    pub(crate) fn moments(&self) -> impl Iterator<Item = Moment> {
        self.epochs.iter().map(|epoch| epoch.known_from)
    }

    /// The days from which another policy may hold.
    pub(crate) fn boundaries(&self) -> impl Iterator<Item = NaiveDate> {
        // The same in each epoch.
        let days = self
            .epochs
            .first()
            .into_iter()
            .flat_map(|epoch| &epoch.days);
        days.map(|(day, _)| *day)
    }

    /// The layers, uppermost first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }
}
