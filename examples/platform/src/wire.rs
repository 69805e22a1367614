//! The JSON that the nodes speak over their HTTP doors.
//!
//! Signed consent tokens cross as their QR text, digests as lower-case hexadecimal, index codes in
//! their printed form, times as RFC 3339. Person codes appear only in bodies between nodes that need
//! them, never in a path.

use chrono::{DateTime, FixedOffset};
use mic_index::IndexCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::node::Role;
use crate::problem::Problem;
use crate::signature::FRESH_SECONDS_MAX;
use crate::time;
use crate::trust::{NodeKey, Trust};

/// A person code or a salt: crosses the wire as text, is never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private(String);

impl Private {
    /// The text, for its one use.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Private {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl core::fmt::Debug for Private {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Private(..)")
    }
}

/// Files a sender holds, by digest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Digests {
    /// BLAKE3 of whole files, lower-case hexadecimal.
    pub digests: Vec<String>,
}

/// What became of one file at the province's door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Intake {
    /// Kept, durably.
    Stored {
        /// Its study.
        study: String,
        /// Another encoding of an instance that is already there, kept beside it.
        another_encoding: bool,
        /// What the header has wrong or unusual.
        findings: Vec<String>,
    },
    /// Already there, byte for byte.
    Held {
        /// Its study.
        study: String,
    },
    /// Not kept, with the reason.
    Refused {
        /// Stable name of the reason.
        code: String,
        /// What was found, where, and what was expected.
        reason: String,
    },
}

/// What the hospital's information system knows about the exams it sent, and the header does not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// 人员管理码 of the patient.
    pub person: Private,
    /// 定点医药机构编码 of the examining hospital.
    pub institution: String,
    /// The insurance encounter (就诊ID) to which the exams belong.
    pub encounter: String,
    /// When the visit was; also the exam time of studies whose header has no usable date.
    pub visit: DateTime<FixedOffset>,
    /// The studies of this order.
    pub studies: Vec<String>,
}

/// Where the exam time of an index code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeSource {
    /// The DICOM header.
    Header,
    /// The order, because the header has no usable date or time.
    Order,
}

/// One exam as the national index lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exam {
    /// The national index code; not unique by itself.
    pub code: IndexCode,
    /// StudyInstanceUID; with the code the key of the record.
    pub study: String,
    /// 定点医药机构编码 of the examining hospital.
    pub institution: String,
    /// DICOM modalities in the study.
    pub modalities: Vec<String>,
    /// StudyDescription in UTF-8.
    pub description: Option<String>,
    /// How many series.
    pub series: u32,
    /// How many instances.
    pub instances: u32,
    /// Sum of the instances' file sizes.
    pub bytes: u64,
    /// Where the exam time was found.
    pub time_source: TimeSource,
    /// The node that keeps the study, by its organisation code.
    pub keeper: String,
}

/// A keeper's doors; announced when it starts, since they may move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doors {
    /// The transfer door, `host:port`.
    pub transfer: String,
}

/// One line of the list that consent opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The exam.
    pub exam: Exam,
    /// The transfer door of its keeper, if that is known to be open.
    pub transfer: Option<String>,
}

/// What the national index made of one exam record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indexed {
    /// New.
    Accepted,
    /// The same record was there.
    Duplicate,
    /// The record key was there with other facts (more instances, say): brought up to date.
    Updated,
    /// The code was there with another study: both are kept.
    Collided,
}

/// One study after the province sealed it and told the nation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sealed {
    /// The record as it was sent.
    pub exam: Exam,
    /// What the national index answered.
    pub indexed: Indexed,
    /// Digest over the study's manifest.
    pub root: String,
}

/// Registration of a patient at the hospital's desk (挂号).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Register {
    /// 人员管理码, as transaction 1101 returned it.
    pub person: Private,
}

/// A registration that was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registered {
    /// Names the registration at this hospital; random.
    pub registration: String,
}

/// A consent request as the workstation shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    /// The QR text.
    pub text: String,
    /// The QR symbol's version, 1 to 40.
    pub version: u8,
    /// When the request expires.
    pub expires: DateTime<FixedOffset>,
}

/// What the patient's app shows before she decides.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shown {
    /// 定点医药机构编码 of the hospital that asks.
    pub institution: String,
    /// The purpose, in Chinese.
    pub purpose: String,
    /// What is asked for, in Chinese.
    pub scope: String,
    /// How long the grant would last, in minutes.
    pub minutes: u32,
}

/// The patient's scan: the text that was in the picture.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Scanned {
    /// The QR text.
    pub text: String,
}

/// The patient's decision, after the real-person check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Decision {
    /// The request she scanned.
    pub text: String,
    /// 人员管理码 of the patient who is signed in to the app.
    pub person: Private,
    /// Whether she agrees.
    pub agree: bool,
}

/// What the authority did with a decision.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Decided {
    /// The grant's identifier, if one was made.
    pub grant: Option<String>,
}

/// A grant with what its holder needs to use it; only over the back channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Collected {
    /// The grant's text form.
    pub grant: String,
    /// Salt of the subject commitment, hexadecimal.
    pub salt: Private,
}

/// Asks the authority for the grant that answers a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Collect {
    /// The request's nonce, hexadecimal.
    pub nonce: String,
}

/// A grant presented with proof that the presenter holds the grantee's key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Presented {
    /// The grant's text form.
    pub grant: String,
    /// The proof of use, text or hexadecimal of its bytes.
    pub proof: String,
    /// Salt that opens the subject commitment, hexadecimal.
    pub salt: Private,
    /// 人员管理码 whose commitment the salt opens.
    pub person: Private,
}

/// A JSON document with its author's signature over exactly the bytes of `body`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignedDocument {
    /// The document's JSON text.
    pub body: String,
    /// The key that signed it.
    pub key: String,
    /// The signature, hexadecimal.
    pub signature: String,
}

impl SignedDocument {
    /// Writes and signs `document`.
    ///
    /// # Errors
    ///
    /// The signer failed.
    pub fn seal(key: &NodeKey, document: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(document)?;
        Ok(Self {
            signature: hex::encode(key.sign(body.as_bytes())?),
            key: key.id(),
            body,
        })
    }

    /// Checks that a node with `role` signed it, then reads it.
    ///
    /// # Errors
    ///
    /// Denied if the signature does not hold or is another role's; a data fault if it does not read.
    pub fn open<T: DeserializeOwned>(&self, trust: &Trust, role: Role) -> Result<T, Problem> {
        let signature = hex::decode(&self.signature).map_err(|e| Problem::data("signature", e))?;
        trust.verify(&self.key, self.body.as_bytes(), &signature)?;
        trust.caller(&self.key)?.must_be(role)?;
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// What is withdrawn in one status list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusView {
    /// The list's number.
    pub list: u32,
    /// When the authority made this view.
    pub issued: DateTime<FixedOffset>,
    /// Indexes of withdrawn grants.
    pub withdrawn: Vec<u32>,
}

/// Names a grant to withdraw.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Withdraw {
    /// The grant's identifier.
    pub grant: String,
}

/// Starts a pull of studies to the front-end machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pull {
    /// StudyInstanceUIDs; all must be on the list that consent opened.
    pub studies: Vec<String>,
}

/// A pull as it goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Studies that are listed as complete.
    pub studies_done: u32,
    /// All studies of the job.
    pub studies: u32,
    /// Instances that can be opened.
    pub instances_done: u64,
    /// All instances of the studies seen so far.
    pub instances: u64,
    /// Instances that were already held and not sent.
    pub instances_held: u64,
    /// Verified bytes of instances.
    pub bytes_done: u64,
    /// All bytes of instances of the studies seen so far.
    pub bytes: u64,
    /// Bytes of chunks that were fetched.
    pub bytes_fetched: u64,
    /// Bytes that crossed the transfer socket both ways, framing included.
    pub wire_bytes: u64,
    /// Milliseconds from the start to the first instance that could be opened.
    pub first_instance_ms: Option<u64>,
    /// Whether it has ended.
    pub ended: bool,
    /// Why it ended before its work was done.
    pub problem: Option<Problem>,
}

/// A file as the hospital holds it, hashed again from the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// SHA-256 of the stored bytes, hexadecimal.
    pub sha256: String,
    /// Their number.
    pub bytes: u64,
}

/// What was drawn of a study: `frames = drawn + left_out + not_drawn`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// How many instances the study has.
    pub instances: usize,
    /// How many frames they hold.
    pub frames: u64,
    /// How many frames are on the contact sheet.
    pub drawn: u64,
    /// How many frames the sheet has no room for.
    pub left_out: u64,
    /// How many instances hold no picture (reports, segment lists).
    pub without_pixels: usize,
    /// What could not be drawn, with the reason.
    pub not_drawn: Vec<String>,
}

/// What a front-end machine says when it connects to a transfer door; signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hello {
    /// The node it means to talk to.
    pub to: String,
    /// When it said so.
    pub at: DateTime<FixedOffset>,
}

impl Hello {
    /// A greeting to the node with this organisation code, now.
    #[must_use]
    pub fn to(node: &str) -> Self {
        Self {
            to: node.to_owned(),
            at: time::now(),
        }
    }

    /// Whether it is meant for this node, and fresh.
    ///
    /// # Errors
    ///
    /// Denied, with what was expected.
    pub fn check(&self, node: &str) -> Result<(), Problem> {
        let age = (time::now() - self.at).num_seconds().abs();
        if self.to == node && age <= FRESH_SECONDS_MAX {
            return Ok(());
        }
        Err(Problem::denied(
            "transfer.hello",
            "expected a greeting to this node that is not older than a minute",
        ))
    }
}
