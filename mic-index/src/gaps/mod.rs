//! Exams, index and images side by side (对账): what is missing where.
//!
//! A hospital has made exams, the platform has accepted index codes, an archive holds studies. Each of
//! the seven ways in which a study can be in some of them means something else, see [`Sides`]. The
//! three lists come as streams in ascending order and are merged, so memory does not grow with them
//! (`IDX-106`).
//!
//! ```
//! use mic_index::gaps::{Exam, Gaps, Sides, by_study};
//! use mic_index::{RecordKey, index_code};
//!
//! let code = index_code!(
//!     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
//! );
//! let key = |uid: &str| Ok::<_, mic_index::StudyUidError>(RecordKey::new(code, uid.parse()?));
//! let made = [key("1.1")?, key("1.2")?, key("1.3")?];
//! let mut accepted = [key("1.3")?, key("1.1")?];
//! accepted.sort_by_key(by_study);
//! let stored = ["1.1", "1.2", "1.9"].map(str::parse);
//! let stored = stored.into_iter().collect::<Result<Vec<_>, _>>()?;
//!
//! let mut gaps = Gaps::new(made.map(Exam::from), accepted, stored);
//! let mut lines = Vec::new();
//! for row in &mut gaps {
//!     let row = row?;
//!     lines.push(format!("{} {}", row.study_instance_uid(), row.sides()));
//! }
//! assert_eq!(lines, [
//!     "1.1 exam, index, images",
//!     "1.2 exam, images", // the index is missing: money will be deducted
//!     "1.3 exam, index",  // indexed, and nobody can open it
//!     "1.9 images",       // stored, and nobody's
//! ]);
//! assert_eq!(gaps.counts().of(Sides::EXAM_IMAGES), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ascending;
mod counts;
mod merge;
mod sides;

pub use counts::GapCounts;
pub use merge::{Exam, GapRow, Gaps, OrderError, by_study};
pub use sides::{Side, Sides};
