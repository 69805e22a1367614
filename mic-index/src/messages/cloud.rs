//! 4801 to 4804: index page, bookings, repeat exams. camelCase, except for `certno`.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{self, Serialize, SerializeMap, Serializer};

use super::error::{FieldFaultKind, MessageError};
use super::fields::{self, Faults, Need, RawFields, UnknownFields, given, unset};
use super::message::{kind, message, view, viewed};
use super::time::{WireDate, WireTime};
use super::url::PageUrl;
use super::value::{Wire, WireValue, read_list};
use crate::division::Division;
use crate::exam_types::ExamTypes;
use crate::site::SiteCode;

message! {
    /// 4801, input: asks for the address of the page with a person's index records.
    IndexPage IndexPageBuilder {
        /// Person number of the province (人员编号), not the person management code of the index.
        Required psn_no: text = "psnNo",
        /// Name of the person.
        Required psn_name: text = "psnName",
        /// Type of the certificate, `01` for the resident identity card; from the platform's
        /// dictionary.
        Optional cert_type: text = "certType",
        /// Number of the certificate. Written `certno`, all lower case.
        Required certno: text = "certno",
        /// Code of the doctor who asks; empty if the person does.
        Optional dr_code: text = "drCode",
        /// Name of the doctor.
        Optional dr_name: text = "drName",
    }
}

message! {
    /// 4801, output: the address. The platform answering none is an error.
    IndexPageOutput IndexPageOutputBuilder {
        /// Address of the page.
        Required url: url = "url",
    }
}

message! {
    /// 4802, input: a booked exam.
    Booking BookingBuilder {
        /// Number of the order, by which the booking is cancelled.
        Required ordr_rgst_sn: text = "ordrRgstSn",
        /// Name of the person.
        Required psn_name: text = "psnName",
        /// Type of the certificate.
        Optional cert_type: text = "certType",
        /// Number of the certificate. Written `certno`, all lower case.
        Required certno: text = "certno",
        /// Code of the hospital. Which code is not published; commonly the institution code.
        Required hospital_code: text = "hospitalCode",
        /// Name of the hospital.
        Optional hospital_name: text = "hospitalName",
        /// The time booked.
        Required appointment_time: time = "appointmentTime",
    }
}

message! {
    /// 4803, input: cancels a booking.
    CancelBooking CancelBookingBuilder {
        /// Number of the order that was booked.
        Required ordr_rgst_sn: text = "ordrRgstSn",
    }
}

message! {
    /// 4802 and 4803, output. The fields are not published; whether it worked is said by the
    /// envelope (`infcode`). Everything is kept in [`unknown`](Self::unknown).
    BookingOutput BookingOutputBuilder {}
}

message! {
    /// 4804, input: asks for an earlier exam before a new one is ordered.
    ///
    /// Without a name, a certificate, a type and a part the question cannot be asked; building it tells
    /// all that is missing, which is the outcome [`RepeatAnswer::NotAskable`].
    RepeatCheck RepeatCheckBuilder {
        /// Name of the person.
        Required psn_name: text = "psnName",
        /// Type of the certificate; `psnCertType` here, `certType` in 4801 and 4802.
        Optional psn_cert_type: text = "psnCertType",
        /// Number of the certificate. Written `certno`, all lower case.
        Required certno: text = "certno",
        /// Types of the exam, joined by bars.
        Required img_exam_type: types = "imgExamType",
        /// Day of the exam.
        Required exam_date: date = "examDate",
        /// Parts of the exam, codes of WS/T 364.8—2023 joined by bars. That several are joined like the
        /// types is an assumption.
        Required exam_part: parts = "examPart",
        /// Division of the insurance.
        Optional admdvs: division = "admdvs",
    }
}

impl RepeatCheckBuilder {
    /// Takes from a question of [`repeat`](crate::repeat) what both have: types, day, parts.
    #[must_use]
    pub fn question(self, question: &crate::repeat::Question) -> Self {
        let date = WireDate::try_from(question.day()).ok();
        self.img_exam_type(question.types())
            .exam_date(date)
            .exam_part(question.parts().to_vec())
    }
}

message! {
    /// 4804, output: the address of the earlier exam, empty if there is none.
    ///
    /// An answer without a text in `url` is an error, never "none": it may be the answer to another
    /// question, or one that failed (`IDX-114`). Likewise the builder has to be told,
    /// `url(None::<PageUrl>)` being none.
    ///
    /// ```
    /// use mic_index::messages::RepeatCheckOutput;
    ///
    /// assert!(RepeatCheckOutput::from_json(r#"{"url":""}"#)?.url().is_none());
    /// let error = RepeatCheckOutput::from_json(r#"{"infcode":-1}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "url: expected text, empty if there is nothing");
    /// # Ok::<(), mic_index::messages::MessageError>(())
    /// ```
    RepeatCheckOutput RepeatCheckOutputBuilder {
        /// Address of the earlier exam.
        Told url: url = "url",
    }
}

/// The outcome of 4804; the three are never mixed up (`IDX-114`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a question can't be asked, finds nothing, or finds something"
)]
pub enum RepeatAnswer {
    /// The question could not be built, and what was missing. Nobody was asked.
    NotAskable(MessageError),
    /// The platform knows of no earlier exam.
    Nothing,
    /// There is an earlier exam, to be seen here.
    Found(PageUrl),
}

impl From<RepeatCheckOutput> for RepeatAnswer {
    fn from(output: RepeatCheckOutput) -> Self {
        output.url.map_or(Self::Nothing, Self::Found)
    }
}

impl From<MessageError> for RepeatAnswer {
    /// For the error of [`RepeatCheckBuilder::build`]; an answer that cannot be read is none of the
    /// three outcomes.
    fn from(missing: MessageError) -> Self {
        Self::NotAskable(missing)
    }
}

/// The node `data`, in which 4801 to 4804 wrap their input.
///
/// Any value can be written in it; read are the messages of this module, so that no error repeats a
/// value (`IDX-115`). The whole of it has at most [`MESSAGE_LEN_MAX`](super::MESSAGE_LEN_MAX) characters.
///
/// ```
/// use mic_index::messages::{CancelBooking, DataNode};
///
/// let cancel = CancelBooking::builder().ordr_rgst_sn("A1").build()?;
/// let input = serde_json::to_string(&DataNode(cancel))?;
/// assert_eq!(input, r#"{"data":{"ordrRgstSn":"A1"}}"#);
/// let DataNode(again) = serde_json::from_str::<DataNode<CancelBooking>>(&input)?;
/// assert_eq!(again.ordr_rgst_sn(), "A1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a node is what it wraps")]
pub struct DataNode<T>(pub T);

/// Its name on the wire.
const DATA: &str = "data";

/// The characters around what it wraps.
const DATA_AROUND: usize = r#"{"data":}"#.len();

impl<T: Serialize> Serialize for DataNode<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fields::fits_written(&self.0, DATA_AROUND).map_err(ser::Error::custom)?;
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(DATA, &self.0)?;
        map.end()
    }
}

impl<'de, T: WireValue> Deserialize<'de> for DataNode<T> {
    /// From JSON alone; the error names every field, none of their values.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = RawFields::deserialize(deserializer)?;
        let Some(json) = fields.only(DATA) else {
            return Err(de::Error::custom("expected the node data and nothing else"));
        };
        fields::fits(json, DATA_AROUND).map_err(de::Error::custom)?;
        let mut faults = Faults::new();
        let inside = T::read(json, DATA, &mut faults);
        faults.or(inside).map(Self).map_err(de::Error::custom)
    }
}
