//! Repeat exams: which earlier exams a new one may repeat (the logic of transaction 4804).
//!
//! An earlier exam is nominated, never accused: whether the new one is needed all the same is a
//! doctor's question. Three outcomes are kept apart (`IDX-60`), because "nothing was found" and
//! "nobody could ask" lead to different screens.
//!
//! ```
//! use chrono::NaiveDate;
//! use mic_index::repeat::{Nomination, PartMatch, Question};
//! use mic_index::{ExamRecord, ExamType, index_code};
//!
//! let code = index_code!(
//!     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
//! );
//! let earlier = ExamRecord::builder()
//!     .code(code)
//!     .study_instance_uid("1.2.840.1".parse()?)
//!     .institution("H35020300001".parse()?)
//!     .exam_type(ExamType::Ct)
//!     .part("B020ZYZZZ".parse()?) // head, plain
//!     .counts(1, 28)
//!     .build()?
//!     .record()
//!     .ok_or("indexable")?;
//!
//! let day = NaiveDate::from_ymd_opt(2024, 11, 29).ok_or("a day")?;
//! let asked = Question::builder(day)
//!     .person(code.person())
//!     .exam_type(ExamType::Ct)
//!     .part("B02010ZZZ".parse()?) // head, plain and enhanced
//!     .window_days(7);
//! let Nomination::Found(found) = asked.nominate([&earlier]) else { unreachable!() };
//! assert_eq!(found.best().days_before(), 7);
//! assert_eq!(found.best().part(), PartMatch::Region);
//!
//! // Without a person nobody can ask, which is not the same as finding nothing.
//! let nobody = Question::builder(day).exam_type(ExamType::Ct).any_part();
//! let Nomination::NotAskable(why) = nobody.nominate([&earlier]) else { unreachable!() };
//! assert_eq!(why.to_string(), "not askable: no person code");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod candidate;
mod question;

pub use candidate::{Candidate, Candidates, Nomination, PartMatch};
pub use question::{
    NotAskable, NotAskableReason, Question, QuestionBuilder, UnknownParts, WINDOW_DAYS_DEFAULT,
};
