//! Which exams: the scope, and when one scope is within another (CST-40 to CST-44).

use alloc::vec::Vec;

use chrono::NaiveDate;

use crate::{
    cbor::{
        read::{self, Reader},
        write::{MapWriter, Writer},
    },
    claims::{
        binding::{HiddenRecord, RecordCommitment},
        time::Day,
    },
    code::{BodyPart, Modality, Province},
    denial::{Denial, Reason},
    limits::{BODY_PARTS_MAX, MODALITIES_MAX, PROVINCES_MAX, RECORDS_MAX},
};

/// The four kinds of scope.
///
/// ```
/// use mic_consent::{Scope, ScopeKind};
/// assert_eq!(Scope::all().kind(), ScopeKind::All);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ScopeKind {
    /// The list of exams, no images.
    ListOnly,
    /// All exams of the patient.
    All,
    /// The exams that pass a filter.
    Filter,
    /// Exams chosen one by one.
    Chosen,
}

impl ScopeKind {
    const fn number(self) -> u64 {
        match self {
            Self::ListOnly => 0,
            Self::All => 1,
            Self::Filter => 2,
            Self::Chosen => 3,
        }
    }

    const fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::ListOnly),
            1 => Some(Self::All),
            2 => Some(Self::Filter),
            3 => Some(Self::Chosen),
            _ => None,
        }
    }
}

/// The exam types 1 to 5 of the index records.
///
/// ```
/// assert!(mic_consent::ExamType::new(6).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExamType(u8);

impl ExamType {
    /// The type with this number.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if matches!(number, 1..=5) {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// Why a scope cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// The last day is before the first, or a day is outside 1970 to 2149.
    #[error("expected a first day that is not after the last, both from 1970-01-01 to 2149-06-06")]
    Days,
    /// A list is empty: leave it out to allow everything.
    #[error("expected at least one entry in the list of {what}")]
    EmptyList {
        /// Which list.
        what: &'static str,
    },
    /// A list is too long.
    #[error("expected at most {most} entries in the list of {what}, found {found}")]
    TooMany {
        /// Which list.
        what: &'static str,
        /// The limit.
        most: usize,
        /// Entries found, each counted once.
        found: usize,
    },
    /// A filter without any condition: that is all exams, and must be said so.
    #[error("expected at least one condition in the filter")]
    EmptyFilter,
}

/// Conditions on exams: a record passes when each condition that is present holds; lists allow any of their
/// entries.
///
/// ```
/// use chrono::NaiveDate;
/// use mic_consent::{Modality, ScopeFilter};
///
/// let first = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap();
/// let last = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
/// let filter = ScopeFilter::new().with_days(first, last)?.with_modalities([Modality::new("CT")?])?;
/// assert_eq!(filter.modalities().map(<[_]>::len), Some(1));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ScopeFilter {
    days: Option<(Day, Day)>,
    modalities: Option<Vec<Modality>>,
    provinces: Option<Vec<Province>>,
    body_parts: Option<Vec<BodyPart>>,
    exam_types: Option<Vec<ExamType>>,
}

impl ScopeFilter {
    /// No condition yet.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "an empty filter allows all; it should be asked for by name"
    )]
    pub const fn new() -> Self {
        Self {
            days: None,
            modalities: None,
            provinces: None,
            body_parts: None,
            exam_types: None,
        }
    }

    /// Exams from `first` to `last`, both included, by the calendar of China.
    ///
    /// # Errors
    /// `last` is before `first`, or one is outside 1970 to 2149.
    pub fn with_days(mut self, first: NaiveDate, last: NaiveDate) -> Result<Self, ScopeError> {
        match Day::of(first).and_then(|first| Ok((first, Day::of(last)?))) {
            Ok((first, last)) if first <= last => self.days = Some((first, last)),
            _ => return Err(ScopeError::Days),
        }
        Ok(self)
    }

    /// Exams of these modalities.
    ///
    /// # Errors
    /// None, or more than 20.
    pub fn with_modalities(
        mut self,
        list: impl IntoIterator<Item = Modality>,
    ) -> Result<Self, ScopeError> {
        self.modalities = Some(sorted(list, "modalities", MODALITIES_MAX)?);
        Ok(self)
    }

    /// Exams stored in these provinces.
    ///
    /// # Errors
    /// None, or more than 40.
    pub fn with_provinces(
        mut self,
        list: impl IntoIterator<Item = Province>,
    ) -> Result<Self, ScopeError> {
        self.provinces = Some(sorted(list, "provinces", PROVINCES_MAX)?);
        Ok(self)
    }

    /// Exams of these body parts.
    ///
    /// # Errors
    /// None, or more than 20.
    pub fn with_body_parts(
        mut self,
        list: impl IntoIterator<Item = BodyPart>,
    ) -> Result<Self, ScopeError> {
        self.body_parts = Some(sorted(list, "body parts", BODY_PARTS_MAX)?);
        Ok(self)
    }

    /// Exams of these types.
    ///
    /// # Errors
    /// None.
    pub fn with_exam_types(
        mut self,
        list: impl IntoIterator<Item = ExamType>,
    ) -> Result<Self, ScopeError> {
        self.exam_types = Some(sorted(list, "exam types", EXAM_TYPES_MAX)?);
        Ok(self)
    }

    /// First and last day.
    #[must_use]
    pub const fn days(&self) -> Option<(NaiveDate, NaiveDate)> {
        match self.days {
            Some((first, last)) => Some((first.date(), last.date())),
            None => None,
        }
    }

    /// The modalities, in order.
    #[must_use]
    pub fn modalities(&self) -> Option<&[Modality]> {
        self.modalities.as_deref()
    }

    /// The provinces, in order.
    #[must_use]
    pub fn provinces(&self) -> Option<&[Province]> {
        self.provinces.as_deref()
    }

    /// The body parts, in order.
    #[must_use]
    pub fn body_parts(&self) -> Option<&[BodyPart]> {
        self.body_parts.as_deref()
    }

    /// The exam types, in order.
    #[must_use]
    pub fn exam_types(&self) -> Option<&[ExamType]> {
        self.exam_types.as_deref()
    }

    /// Whether it has no condition.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.days.is_none()
            && self.modalities.is_none()
            && self.provinces.is_none()
            && self.body_parts.is_none()
            && self.exam_types.is_none()
    }

    fn admits(&self, facts: &RecordFacts) -> bool {
        // A fact that is not known cannot meet a condition (CST-43).
        self.days()
            .is_none_or(|(first, last)| (first..=last).contains(&facts.day))
            && holds(self.modalities.as_ref(), facts.modality)
            && holds(self.provinces.as_ref(), Some(facts.province))
            && holds(self.body_parts.as_ref(), facts.body_part)
            && holds(self.exam_types.as_ref(), facts.exam_type)
    }

    fn is_within(&self, bound: &Self) -> bool {
        let days = match (self.days, bound.days) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some((first, last)), Some((from, to))) => from <= first && last <= to,
        };
        days && subset(self.modalities.as_ref(), bound.modalities.as_ref())
            && subset(self.provinces.as_ref(), bound.provinces.as_ref())
            && subset(self.body_parts.as_ref(), bound.body_parts.as_ref())
            && subset(self.exam_types.as_ref(), bound.exam_types.as_ref())
    }
}

/// There are five.
const EXAM_TYPES_MAX: usize = 5;

fn sorted<T: Ord>(
    list: impl IntoIterator<Item = T>,
    what: &'static str,
    most: usize,
) -> Result<Vec<T>, ScopeError> {
    let mut list: Vec<T> = list.into_iter().collect();
    list.sort_unstable();
    list.dedup();
    match list.len() {
        0 => Err(ScopeError::EmptyList { what }),
        found if found > most => Err(ScopeError::TooMany { what, most, found }),
        _ => Ok(list),
    }
}

fn holds<T: PartialEq>(list: Option<&Vec<T>>, fact: Option<T>) -> bool {
    list.is_none_or(|list| fact.is_some_and(|fact| list.contains(&fact)))
}

fn subset<T: PartialEq>(list: Option<&Vec<T>>, bound: Option<&Vec<T>>) -> bool {
    match (list, bound) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(list), Some(bound)) => list.iter().all(|entry| bound.contains(entry)),
    }
}

/// What a node knows about a record when it decides: taken from its own index, never from the asking side.
///
/// ```
/// use mic_consent::{Modality, Province, RecordFacts};
/// let day = chrono::NaiveDate::from_ymd_opt(2026, 3, 9).unwrap();
/// let facts = RecordFacts::new(day, Province::new(61)?).with_modality(Modality::new("CT")?);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordFacts {
    pub(crate) day: NaiveDate,
    pub(crate) province: Province,
    pub(crate) modality: Option<Modality>,
    pub(crate) body_part: Option<BodyPart>,
    pub(crate) exam_type: Option<ExamType>,
}

impl RecordFacts {
    /// A record of an exam on `day` (calendar of China), stored in `province`.
    #[must_use]
    pub const fn new(day: NaiveDate, province: Province) -> Self {
        Self {
            day,
            province,
            modality: None,
            body_part: None,
            exam_type: None,
        }
    }

    /// With its modality.
    #[must_use]
    pub const fn with_modality(mut self, modality: Modality) -> Self {
        self.modality = Some(modality);
        self
    }

    /// With its body part.
    #[must_use]
    pub const fn with_body_part(mut self, body_part: BodyPart) -> Self {
        self.body_part = Some(body_part);
        self
    }

    /// With its exam type.
    #[must_use]
    pub const fn with_exam_type(mut self, exam_type: ExamType) -> Self {
        self.exam_type = Some(exam_type);
        self
    }
}

/// Which exams a request asks for and a grant allows.
///
/// ```
/// use mic_consent::{Modality, Scope, ScopeFilter};
/// let ct = Scope::filtered(ScopeFilter::new().with_modalities([Modality::new("CT")?])?)?;
/// assert!(ct.is_within(&Scope::all()));
/// assert!(!Scope::all().is_within(&ct));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    kind: ScopeKind,
    filter: ScopeFilter,
    /// Sorted; not empty exactly when the kind is [`ScopeKind::Chosen`].
    records: Vec<RecordCommitment>,
}

impl Scope {
    /// All exams of the patient.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            kind: ScopeKind::All,
            filter: ScopeFilter::new(),
            records: Vec::new(),
        }
    }

    /// The list of exams that pass the filter, which may be empty; no images.
    #[must_use]
    pub const fn list_only(filter: ScopeFilter) -> Self {
        Self {
            kind: ScopeKind::ListOnly,
            filter,
            records: Vec::new(),
        }
    }

    /// The exams that pass the filter.
    ///
    /// # Errors
    /// The filter has no condition.
    pub fn filtered(filter: ScopeFilter) -> Result<Self, ScopeError> {
        if filter.is_empty() {
            return Err(ScopeError::EmptyFilter);
        }
        Ok(Self {
            kind: ScopeKind::Filter,
            filter,
            records: Vec::new(),
        })
    }

    /// Exams chosen one by one, which must also pass the filter; it may be empty. For grants only: their
    /// commitments need the salt that the authority draws.
    ///
    /// # Errors
    /// No record, or more than 64.
    pub fn chosen(
        records: impl IntoIterator<Item = RecordCommitment>,
        filter: ScopeFilter,
    ) -> Result<Self, ScopeError> {
        let records = sorted(records, "records", RECORDS_MAX)?;
        Ok(Self {
            kind: ScopeKind::Chosen,
            filter,
            records,
        })
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> ScopeKind {
        self.kind
    }

    /// The conditions.
    #[must_use]
    pub const fn filter(&self) -> &ScopeFilter {
        &self.filter
    }

    /// The chosen records, hidden, in order.
    #[must_use]
    pub fn records(&self) -> &[RecordCommitment] {
        &self.records
    }

    /// Whether everything this scope allows is allowed by `bound` as well: the product order of kind,
    /// conditions and chosen records (CST-44).
    #[must_use]
    pub fn is_within(&self, bound: &Self) -> bool {
        let kind = match (self.kind, bound.kind) {
            (ScopeKind::ListOnly, _) | (_, ScopeKind::All) => true,
            (_, ScopeKind::ListOnly) | (ScopeKind::All, _) => false,
            (ScopeKind::Filter, bound) => bound == ScopeKind::Filter,
            (ScopeKind::Chosen, ScopeKind::Filter) => true,
            (ScopeKind::Chosen, ScopeKind::Chosen) => true,
        };
        let records = match bound.kind {
            ScopeKind::Chosen => {
                self.kind == ScopeKind::Chosen
                    && self
                        .records
                        .iter()
                        .all(|record| bound.records.contains(record))
            }
            _ => true,
        };
        kind && records && self.filter.is_within(&bound.filter)
    }

    /// Whether a record is in the list that this scope lets see.
    pub(crate) fn lists(&self, record: &HiddenRecord, facts: &RecordFacts) -> bool {
        let chosen = self.kind != ScopeKind::Chosen
            || self.records.binary_search(&record.commitment()).is_ok();
        chosen && self.filter.admits(facts)
    }

    /// Whether a record may be opened.
    pub(crate) fn opens(&self, record: &HiddenRecord, facts: &RecordFacts) -> bool {
        self.kind != ScopeKind::ListOnly && self.lists(record, facts)
    }

    /// Whether it reaches no further than this province.
    pub(crate) fn is_confined_to(&self, province: Province) -> bool {
        self.filter.provinces() == Some(&[province])
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut map = MapWriter::new();
        map.key(1).uint(self.kind.number());
        if let Some((first, last)) = self.filter.days {
            let number = |day: Day| u64::from(day.number());
            map.key(2).array(2).uint(number(first)).uint(number(last));
        }
        list(&mut map, 3, self.filter.modalities(), |out, modality| {
            out.text(modality.as_str())
        });
        list(&mut map, 4, self.filter.provinces(), |out, province| {
            out.uint(province.get().into())
        });
        let records = Some(self.records()).filter(|records| !records.is_empty());
        list(&mut map, 5, records, |out, record| {
            out.bytes(record.as_bytes())
        });
        list(&mut map, 6, self.filter.body_parts(), |out, part| {
            out.text(part.as_str())
        });
        list(&mut map, 7, self.filter.exam_types(), |out, exam_type| {
            out.uint(exam_type.get().into())
        });
        map.finish()
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, Denial> {
        let start = reader.offset();
        let mut map = reader.map()?;
        let kind = map
            .need(1, Reason::MissingClaim)?
            .take_as(read::uint, |number| {
                ScopeKind::from_number(number).ok_or(Reason::UnknownListValue)
            })?;
        let days = match map.find(2) {
            Some(value) => Some(days(value)?),
            None => None,
        };
        let modalities = entries(map.find(3), MODALITIES_MAX, |item| {
            item.take_as(read::text(Modality::CHARS_MAX), |text| {
                Modality::from_ascii(text).map_err(|_| Reason::BadCode)
            })
        })?;
        let provinces = entries(map.find(4), PROVINCES_MAX, |item| {
            item.take_as(read::uint, |number| {
                u8::try_from(number)
                    .ok()
                    .and_then(|number| Province::new(number).ok())
                    .ok_or(Reason::UnknownListValue)
            })
        })?;
        let records = entries(map.find(5), RECORDS_MAX, |item| {
            item.take(read::array_of).map(RecordCommitment::from_bytes)
        })?;
        let body_parts = entries(map.find(6), BODY_PARTS_MAX, |item| {
            item.take_as(read::text(BodyPart::CHARS_MAX), |text| {
                BodyPart::from_ascii(text).map_err(|_| Reason::BadCode)
            })
        })?;
        let exam_types = entries(map.find(7), EXAM_TYPES_MAX, |item| {
            item.take_as(read::uint, |number| {
                u8::try_from(number)
                    .ok()
                    .and_then(ExamType::new)
                    .ok_or(Reason::UnknownListValue)
            })
        })?;
        *reader = map.finish(Reason::UnexpectedKey)?;

        let filter = ScopeFilter {
            days,
            modalities,
            provinces,
            body_parts,
            exam_types,
        };
        // One way to say each thing (CST-41).
        let fits = match kind {
            ScopeKind::All => filter.is_empty() && records.is_none(),
            ScopeKind::ListOnly => records.is_none(),
            ScopeKind::Filter => !filter.is_empty() && records.is_none(),
            ScopeKind::Chosen => records.is_some(),
        };
        if !fits {
            return Err(reader.denial_at(Reason::ScopeInconsistent, start));
        }
        Ok(Self {
            kind,
            filter,
            records: records.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests;

fn list<T>(
    map: &mut MapWriter,
    key: i64,
    list: Option<&[T]>,
    write: impl for<'w> Fn(&'w mut Writer, &T) -> &'w mut Writer,
) {
    if let Some(list) = list {
        let out = map.key(key).array(list.len());
        for entry in list {
            write(out, entry);
        }
    }
}

fn days(value: &mut Reader<'_>) -> Result<(Day, Day), Denial> {
    let start = value.offset();
    value.take(read::array(2, 2))?;
    let first = value.take_as(read::uint, Day::new)?;
    let last = value.take_as(read::uint, Day::new)?;
    if last < first {
        return Err(value.denial_at(Reason::BadDate, start));
    }
    Ok((first, last))
}

/// A list in strictly ascending order, not empty.
#[inline(always)]
fn entries<'a, T: Ord>(
    value: Option<&mut Reader<'a>>,
    most: usize,
    read_entry: impl Fn(&mut Reader<'a>) -> Result<T, Denial>,
) -> Result<Option<Vec<T>>, Denial> {
    let Some(value) = value else { return Ok(None) };
    let count = value.take(read::array(1, most))?;
    let mut list: Vec<T> = Vec::with_capacity(count);
    for _ in 0..count {
        let here = value.offset();
        let entry = read_entry(value)?;
        if list.last().is_some_and(|last| *last >= entry) {
            return Err(value.denial_at(Reason::ListOrder, here));
        }
        list.push(entry);
    }
    Ok(Some(list))
}
