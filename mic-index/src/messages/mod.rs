//! Messages of the insurance platform about images (feature `messages`): the image part of 4501, and
//! 4801 to 4804.
//!
//! The names on the wire are fixed here, in one place, with their oddities: 45xx is snake_case, 48xx
//! camelCase except for `certno`, and `acession_no` has lost a letter in the specification itself (`IDX-110`). Numbers
//! that are empty are written `"0"` (`IDX-111`). Fields nobody here knows are kept word for word
//! (`IDX-112`): provinces add their own.
//!
//! Only the JSON of the nodes is built. The envelope with its signature, and the line it goes out on, are the
//! caller's. Names and meanings are known from public code and a provincial change log; lengths and
//! dictionaries were not published, so most values are text.
//!
//! `Debug` of a message shows nothing of it, and no error repeats a value: nearly every field is personal.
//!
//! ```
//! use mic_index::messages::{DataNode, RepeatAnswer, RepeatCheck, RepeatCheckOutput};
//! use mic_index::{ExamType, ExamTypes};
//!
//! let check = RepeatCheck::builder()
//!     .psn_name("张三") // made up
//!     .psn_cert_type("01")
//!     .certno("110105194912310021") // made up
//!     .img_exam_type(ExamTypes::from(ExamType::Ct))
//!     .exam_date("2024-11-29".parse::<mic_index::messages::WireDate>()?)
//!     .exam_part(vec!["B020ZYZZZ".parse()?])
//!     .build()?;
//! let json = serde_json::to_string(&DataNode(check))?;
//! assert!(json.starts_with(r#"{"data":{"psnName":"张三","psnCertType":"01","certno":"#));
//!
//! // Three outcomes, kept apart.
//! let output = RepeatCheckOutput::from_json(r#"{"url": ""}"#)?;
//! assert_eq!(RepeatAnswer::from(output), RepeatAnswer::Nothing);
//! let not = RepeatCheck::builder().psn_name("张三").build().unwrap_err();
//! assert_eq!(
//!     not.to_string(),
//!     "certno: missing, imgExamType: missing, examDate: missing, examPart: missing"
//! );
//! assert!(matches!(RepeatAnswer::from(not), RepeatAnswer::NotAskable(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cloud;
mod error;
mod fields;
mod message;
mod report;
mod time;
mod url;
mod value;

pub use cloud::{
    Booking, BookingBuilder, BookingOutput, BookingOutputBuilder, CancelBooking,
    CancelBookingBuilder, DataNode, IndexPage, IndexPageBuilder, IndexPageOutput,
    IndexPageOutputBuilder, RepeatAnswer, RepeatCheck, RepeatCheckBuilder, RepeatCheckOutput,
    RepeatCheckOutputBuilder,
};
pub use error::{FieldFault, FieldFaultKind, MESSAGE_LEN_MAX, MessageError};
pub use fields::UnknownFields;
pub use report::{
    ExamInfo, ExamInfoBuilder, ExamReport, ExamReportBuilder, ImageInfo, ImageInfoBuilder,
    ItemInfo, ItemInfoBuilder, SampleInfo, SampleInfoBuilder,
};
pub use time::{WireDate, WireTime, WireTimeError};
pub use url::{PageUrl, PageUrlError, URL_LEN_MAX};
pub use value::{Number, NumberError};
