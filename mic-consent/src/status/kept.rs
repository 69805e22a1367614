//! The status book that outlives a restart: what it heard and saw is kept in records of fixed size, appended as it
//! comes (CST-99, CST-147).

use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::{
    KnownStatus, StatusBook, StatusList, StatusMark, StatusRef,
    book::{Content, Fact, Heard},
};
use crate::{
    code::IssuerCode,
    denial::{Denial, Reason},
    key::KeyRing,
    token::Live,
    withdrawal::{Effect, Withdrawal},
};

/// Bytes of a record in a [`BookStore`].
pub const BOOK_RECORD_BYTES: usize = 72;

/// Why a store did not do its work.
///
/// ```
/// let error = mic_consent::BookStoreError::Damaged { at: 144 };
/// assert_eq!(error.to_string(), "expected records as they were kept, found others from byte 144 on");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookStoreError {
    /// It cannot be reached or written.
    #[error("the store of the status book cannot be reached")]
    Unavailable,
    /// What it holds was not written by a book. A withdrawal may be missing, so nothing is taken up: put it
    /// aside, and serve again when lists from after this moment have come.
    #[error("expected records as they were kept, found others from byte {at} on")]
    Damaged {
        /// Offset of the first wrong record.
        at: usize,
    },
}

/// Where a [`KeptBook`] keeps its records: a file that is only appended to, a table, a log.
pub trait BookStore {
    /// Keeps one record for good before it returns.
    ///
    /// # Errors
    /// It is not kept; the caller is told, and tells the book again.
    fn append(&mut self, record: &[u8; BOOK_RECORD_BYTES]) -> Result<(), BookStoreError>;

    /// Keeps these records in place of all others, at once or not at all.
    ///
    /// # Errors
    /// The old records stand.
    fn replace(
        &mut self,
        records: &mut dyn Iterator<Item = [u8; BOOK_RECORD_BYTES]>,
    ) -> Result<(), BookStoreError>;
}

/// A [`StatusBook`] over a store. It fails closed: a withdrawal acts at once, whether it could be kept or not; what
/// could not be kept is an error, to be told again. After a restart every grant is unknown until lists come that
/// are not older than those seen before; what was heard is withdrawn from the first moment on.
///
/// A list itself is not kept, only its mark: that of the same version must have the same content. Give the book the
/// document it had last as well, and a newer list that takes a withdrawal back is found over a restart too.
///
/// ```
/// use mic_consent::*;
///
/// #[derive(Default)]
/// struct Kept(Vec<u8>);
/// impl BookStore for Kept {
///     fn append(&mut self, record: &[u8; BOOK_RECORD_BYTES]) -> Result<(), BookStoreError> {
///         self.0.extend_from_slice(record);
///         Ok(())
///     }
///     fn replace(&mut self, records: &mut dyn Iterator<Item = [u8; BOOK_RECORD_BYTES]>) -> Result<(), BookStoreError> {
///         self.0 = records.flatten().collect();
///         Ok(())
///     }
/// }
///
/// let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// let policy = Policy::new(Realm::new("mic.cn")?, AcceptedSuites::GmOnly);
/// let book = KeptBook::open(StatusBook::new(&policy), &[], Kept::default(), now)?;
/// assert_eq!(book.book().marks().count(), 0);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct KeptBook<S> {
    book: StatusBook,
    store: S,
}

impl<S: BookStore> KeptBook<S> {
    /// Takes up what a store held into `book`, and has it keep what is not over at `now`. An incomplete record at
    /// the end was never acknowledged and is dropped.
    ///
    /// # Errors
    /// A record that no book has written; a store that fails.
    pub fn open(
        mut book: StatusBook,
        kept: &[u8],
        store: S,
        now: DateTime<Utc>,
    ) -> Result<Self, BookStoreError> {
        for (at, record) in kept.chunks_exact(BOOK_RECORD_BYTES).enumerate() {
            let damaged = BookStoreError::Damaged {
                at: at * BOOK_RECORD_BYTES,
            };
            book.recall(read(record).ok_or(damaged)?);
        }
        let mut kept = Self { book, store };
        kept.compact(now)?;
        Ok(kept)
    }

    /// Takes a list, as [`StatusBook::accept`] does, and keeps its mark.
    ///
    /// # Errors
    /// As there; a store that fails ([`Reason::NotKept`]): the list is believed, tell it again.
    pub fn accept(&mut self, list: Live<StatusList>) -> Result<(), Denial> {
        let (issuer, number) = (*list.claims().issuer(), list.claims().list());
        let issued_at = list.claims().issued_at();
        self.book.accept(list)?;
        let mark = self.book.mark_of(&issuer, number).map(Fact::Seen);
        for fact in mark.into_iter().chain([Fact::Newest(issued_at)]) {
            self.keep(&fact)?;
        }
        Ok(())
    }

    /// Takes a withdrawal, as [`StatusBook::hear`] does, and keeps it.
    ///
    /// # Errors
    /// As there; a store that fails ([`Reason::NotKept`]): the grant is refused here all the same, tell it again.
    pub fn hear(&mut self, withdrawal: &Live<Withdrawal>) -> Result<(), Denial> {
        let (issuer, place) = (*withdrawal.claims().issuer(), withdrawal.claims().status());
        let heard = self.book.hear(withdrawal);
        let fact = match self.book.heard_of(&issuer, place) {
            Some(heard) => Some(Fact::Heard(issuer, place, heard)),
            None => self
                .book
                .deaf_of(&issuer)
                .map(|since| Fact::Deaf(issuer, since)),
        };
        if let Some(fact) = fact {
            self.keep(&fact)?;
        }
        heard
    }

    /// Drops the lists whose key is no longer trusted, as [`StatusBook::drop_untrusted`] does, and keeps the
    /// moment before which no list comes back.
    ///
    /// # Errors
    /// The store failed; the lists are dropped here all the same.
    pub fn drop_untrusted(
        &mut self,
        keys: &KeyRing,
        now: DateTime<Utc>,
    ) -> Result<usize, BookStoreError> {
        let dropped = self.book.drop_untrusted(keys);
        if dropped > 0 {
            self.compact(now)?;
        }
        Ok(dropped)
    }

    /// Has the store keep what is not over at `now` and nothing else. Call it now and then.
    ///
    /// # Errors
    /// The store failed; the old records stand.
    pub fn compact(&mut self, now: DateTime<Utc>) -> Result<(), BookStoreError> {
        let mut records = self.book.facts(now).map(|fact| write(&fact));
        self.store.replace(&mut records)
    }

    fn keep(&mut self, fact: &Fact) -> Result<(), Reason> {
        self.store.append(&write(fact)).map_err(|_| Reason::NotKept)
    }

    /// The book.
    #[must_use]
    pub const fn book(&self) -> &StatusBook {
        &self.book
    }

    /// The book as a source of status.
    #[must_use]
    pub const fn with_keys<'a>(&'a self, keys: &'a KeyRing) -> KnownStatus<'a> {
        self.book.with_keys(keys)
    }

    /// The store, to see to it. Records are appended and replaced by the book alone.
    pub const fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// The store.
    #[must_use]
    pub fn into_store(self) -> S {
        self.store
    }
}

impl<S> fmt::Debug for KeptBook<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeptBook").field(&self.book).finish()
    }
}

const HEARD: u8 = 1;
const SEEN: u8 = 2;
const DEAF: u8 = 3;
const FLOOR: u8 = 4;
const NEWEST: u8 = 5;

/// Kind, owner (its length and 16 bytes), two numbers, an effect, two times, a content; then eight bytes of the
/// SHA-256 of all of it.
const BODY_BYTES: usize = BOOK_RECORD_BYTES - 8;

#[derive(Default)]
struct Body {
    kind: u8,
    owner: Option<IssuerCode>,
    numbers: (u32, u32),
    effect: u8,
    times: (i64, i64),
    content: Content,
}

fn write(fact: &Fact) -> [u8; BOOK_RECORD_BYTES] {
    let body = match fact {
        Fact::Heard(issuer, place, heard) => Body {
            kind: HEARD,
            owner: Some(*issuer),
            numbers: (place.list(), place.index()),
            effect: heard.effect.number(),
            times: (heard.issued_at.timestamp(), heard.until.timestamp()),
            ..Body::default()
        },
        Fact::Seen(mark) => {
            let (issued_at, content) = mark.content().copied().unwrap_or_default();
            Body {
                kind: SEEN,
                owner: Some(*mark.issuer()),
                numbers: (mark.list(), mark.version()),
                // Whether the content is known.
                effect: mark.content().is_some().into(),
                times: (issued_at.timestamp(), 0),
                content,
            }
        }
        Fact::Deaf(issuer, since) | Fact::Floor(issuer, since) => Body {
            kind: match fact {
                Fact::Deaf(..) => DEAF,
                _ => FLOOR,
            },
            owner: Some(*issuer),
            times: (since.timestamp(), 0),
            ..Body::default()
        },
        Fact::Newest(moment) => Body {
            kind: NEWEST,
            times: (moment.timestamp(), 0),
            ..Body::default()
        },
    };
    let owner = body
        .owner
        .as_ref()
        .map_or("", IssuerCode::as_str)
        .as_bytes();
    let mut bytes = Vec::with_capacity(BOOK_RECORD_BYTES);
    bytes.push(body.kind);
    bytes.push(u8::try_from(owner.len()).unwrap_or(u8::MAX));
    bytes.extend(owner.iter().chain(&[0; 16]).take(16));
    bytes.extend(body.numbers.0.to_be_bytes());
    bytes.extend(body.numbers.1.to_be_bytes());
    bytes.push(body.effect);
    bytes.extend(body.times.0.to_be_bytes());
    bytes.extend(body.times.1.to_be_bytes());
    bytes.extend(body.content);
    bytes.resize(BODY_BYTES, 0);
    bytes.extend(check(&bytes));
    let mut record = [0; BOOK_RECORD_BYTES];
    for (to, from) in record.iter_mut().zip(bytes) {
        *to = from;
    }
    record
}

fn check(body: &[u8]) -> [u8; 8] {
    let hash: [u8; 32] = Sha256::digest(body).into();
    let mut check = [0; 8];
    for (to, from) in check.iter_mut().zip(hash) {
        *to = from;
    }
    check
}

fn read(record: &[u8]) -> Option<Fact> {
    let (body, sum) = record.split_at_checked(BODY_BYTES)?;
    if check(body) != *sum {
        return None;
    }
    let ([kind, length], rest) = body.split_first_chunk::<2>()?;
    let (owner, rest) = rest.split_first_chunk::<16>()?;
    let (one, rest) = rest.split_first_chunk::<4>()?;
    let (two, rest) = rest.split_first_chunk::<4>()?;
    let (effect, rest) = rest.split_first()?;
    let (first, rest) = rest.split_first_chunk::<8>()?;
    let (second, rest) = rest.split_first_chunk::<8>()?;
    let (content, _) = rest.split_first_chunk::<16>()?;
    let owner = || {
        let bytes = owner.get(..usize::from(*length))?;
        IssuerCode::new(core::str::from_utf8(bytes).ok()?).ok()
    };
    let moment = |bytes: &[u8; 8]| DateTime::from_timestamp(i64::from_be_bytes(*bytes), 0);
    let (one, two) = (u32::from_be_bytes(*one), u32::from_be_bytes(*two));
    Some(match *kind {
        HEARD => Fact::Heard(
            owner()?,
            StatusRef::new(one, two),
            Heard {
                effect: Effect::from_number((*effect).into())?,
                issued_at: moment(first)?,
                until: moment(second)?,
            },
        ),
        SEEN => {
            let mark = StatusMark::new(owner()?, one, two);
            Fact::Seen(match effect {
                0 => mark,
                _ => mark.with_content(moment(first)?, *content),
            })
        }
        DEAF => Fact::Deaf(owner()?, moment(first)?),
        FLOOR => Fact::Floor(owner()?, moment(first)?),
        NEWEST => Fact::Newest(moment(first)?),
        _ => return None,
    })
}
