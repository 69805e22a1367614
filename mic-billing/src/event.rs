//! What happened: the append-only input of the engine.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    civil::Moment,
    key::{
        EncounterId, ExamLineId, HoldId, InstitutionCode, PersonRef, ReceiptId, StudyUid, VisitKey,
    },
    money::Fen,
};

/// One thing that happened at one visit, when it happened, when it became known, and who says so.
///
/// Its JSON is one flat object; a field that its kind doesn't have is an error, and so is a missing
/// one. Two events that differ only in `known` are the same fact, known since the earlier moment.
///
/// ```
/// use mic_billing::{Event, EventKind};
///
/// let event: Event = serde_json::from_str(r#"{
///     "institution": "H44030500001", "encounter": "E1",
///     "person": "000102030405060708090a0b0c0d0e0f",
///     "kind": "index_accepted", "exam": "F1", "receipt": "R-77",
///     "occurred": "2025-12-01T11:00:00+08:00", "known": "2025-12-01T11:00:04+08:00",
///     "source": "platform"
/// }"#)?;
/// assert!(matches!(event.kind(), EventKind::IndexAccepted { .. }));
///
/// let error = serde_json::from_str::<Event>(r#"{
///     "institution": "H44030500001", "encounter": "E1",
///     "person": "000102030405060708090a0b0c0d0e0f",
///     "kind": "index_accepted", "exam": "F1",
///     "occurred": "2025-12-01T11:00:00+08:00", "known": "2025-12-01T11:00:04+08:00",
///     "source": "platform"
/// }"#).unwrap_err();
/// assert!(error.to_string().starts_with("event index_accepted: expected the field receipt"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawEvent", into = "RawEvent")]
pub struct Event {
    fact: Fact,
    known: Moment,
}

impl Event {
    /// An event at a visit. `occurred` is when it happened, `known` when the caller learned of it.
    /// What can't be (known before it happened, a fee of nothing or less, a link to itself) is
    /// refused where it is read and where it is folded.
    #[must_use]
    pub const fn new(
        visit: VisitKey,
        person: PersonRef,
        source: Source,
        kind: EventKind,
        occurred: Moment,
        known: Moment,
    ) -> Self {
        Self {
            fact: Fact {
                occurred,
                kind,
                source,
                encounter: visit.encounter,
                person,
                institution: visit.institution,
            },
            known,
        }
    }

    /// The visit it happened at.
    #[must_use]
    pub const fn visit(&self) -> VisitKey {
        VisitKey::new(self.fact.institution, self.fact.encounter)
    }

    /// Whose visit.
    #[must_use]
    pub const fn person(&self) -> PersonRef {
        self.fact.person
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> &EventKind {
        &self.fact.kind
    }

    /// When it happened (valid time).
    #[must_use]
    pub const fn occurred(&self) -> Moment {
        self.fact.occurred
    }

    /// When it became known.
    #[must_use]
    pub const fn known(&self) -> Moment {
        self.known
    }

    /// Who says so.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.fact.source
    }

    /// Whether it happened at the visit of another one.
    pub(crate) fn is_at_visit_of(&self, other: &Self) -> bool {
        self.fact.encounter == other.fact.encounter
            && self.fact.institution == other.fact.institution
    }

    pub(crate) const fn fact(&self) -> &Fact {
        &self.fact
    }

    /// Whether it can have happened so (BIL-27, BIL-28).
    pub(crate) fn check(&self) -> Result<(), EventError> {
        match &self.fact.kind {
            EventKind::Linked { to } if *to == self.fact.encounter => {
                return Err(EventError::LinkedToItself);
            }
            EventKind::FeeLine { amount, .. } if *amount <= Fen::ZERO => {
                return Err(EventError::NoFee);
            }
            _ => {}
        }
        if self.fact.occurred > self.known {
            return Err(EventError::KnownTooEarly {
                kind: self.fact.kind.name(),
            });
        }
        Ok(())
    }

    pub(crate) const fn of_fact(fact: Fact, known: Moment) -> Self {
        Self { fact, known }
    }
}

/// An event without the moment it became known: the unit of the visit's state. The moment comes
/// first because it tells most facts of a visit apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Fact {
    pub(crate) occurred: Moment,
    pub(crate) kind: EventKind,
    pub(crate) source: Source,
    pub(crate) encounter: EncounterId,
    pub(crate) person: PersonRef,
    pub(crate) institution: InstitutionCode,
}

/// What can happen at a visit. Viewing images elsewhere is not among it: nothing is posted for it
/// (C-11).
///
/// ```
/// use mic_billing::{CareSetting, EventKind};
///
/// let kind = EventKind::Registered { setting: CareSetting::Outpatient };
/// assert_eq!(kind.name(), "registered");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// The visit began: registration at a desk (挂号) or admission (入院).
    Registered {
        /// The kind of care.
        setting: CareSetting,
    },
    /// An exam was ordered. An order alone costs nothing.
    ExamOrdered {
        /// The exam's fee line.
        exam: ExamLineId,
        /// The kind of exam.
        modality: Modality,
    },
    /// An exam was performed.
    Performed {
        /// The exam's fee line.
        exam: ExamLineId,
        /// The kind of exam.
        modality: Modality,
    },
    /// The exam's fee arose (费用发生).
    FeeLine {
        /// The exam's fee line.
        exam: ExamLineId,
        /// The price of the whole exam.
        amount: Fen,
    },
    /// The exam was reported.
    Reported {
        /// The exam's fee line.
        exam: ExamLineId,
    },
    /// The exam was cancelled (C-08).
    Cancelled {
        /// The exam's fee line.
        exam: ExamLineId,
    },
    /// The exam was refunded whole; a refund of a part is not a thing this crate knows (C-09).
    Refunded {
        /// The exam's fee line.
        exam: ExamLineId,
    },
    /// The exam's pixels are stored.
    PixelsStored {
        /// The exam's fee line.
        exam: ExamLineId,
        /// The study, where the store names it.
        study: Option<StudyUid>,
    },
    /// The platform accepted the exam's index.
    IndexAccepted {
        /// The exam's fee line.
        exam: ExamLineId,
        /// The study, where the platform names it.
        study: Option<StudyUid>,
        /// The platform's receipt.
        receipt: ReceiptId,
    },
    /// The platform refused the exam's index.
    IndexRejected {
        /// The exam's fee line.
        exam: ExamLineId,
    },
    /// The visit and another one of the same institution are one 人次 (V-07).
    Linked {
        /// The other visit.
        to: EncounterId,
    },
    /// The patient was discharged.
    Discharged,
    /// The visit's bill was settled.
    Settled {
        /// Who paid.
        payer: Payer,
    },
    /// A legal hold: the images of the visit may not be destroyed (K-07).
    HoldPlaced {
        /// The hold's number.
        hold: HoldId,
    },
    /// A legal hold ended for good; a new one has a new number.
    HoldReleased {
        /// The hold's number.
        hold: HoldId,
    },
}

impl EventKind {
    /// The name used in JSON and CSV.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "registered",
            Self::ExamOrdered { .. } => "exam_ordered",
            Self::Performed { .. } => "performed",
            Self::FeeLine { .. } => "fee_line",
            Self::Reported { .. } => "reported",
            Self::Cancelled { .. } => "cancelled",
            Self::Refunded { .. } => "refunded",
            Self::PixelsStored { .. } => "pixels_stored",
            Self::IndexAccepted { .. } => "index_accepted",
            Self::IndexRejected { .. } => "index_rejected",
            Self::Linked { .. } => "linked",
            Self::Discharged => "discharged",
            Self::Settled { .. } => "settled",
            Self::HoldPlaced { .. } => "hold_placed",
            Self::HoldReleased { .. } => "hold_released",
        }
    }

    /// The exam it is about, if it is about one.
    #[must_use]
    pub const fn exam(&self) -> Option<ExamLineId> {
        match self.exam_ref() {
            Some(exam) => Some(*exam),
            None => None,
        }
    }

    pub(crate) const fn exam_ref(&self) -> Option<&ExamLineId> {
        match self {
            Self::ExamOrdered { exam, .. }
            | Self::Performed { exam, .. }
            | Self::FeeLine { exam, .. }
            | Self::Reported { exam }
            | Self::Cancelled { exam }
            | Self::Refunded { exam }
            | Self::PixelsStored { exam, .. }
            | Self::IndexAccepted { exam, .. }
            | Self::IndexRejected { exam } => Some(exam),
            _ => None,
        }
    }
}

/// A plain list of names shared by serde, `Display` and the tests.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal, $zh:literal, $en:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// The name used in JSON, TOML and CSV.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The name in a sentence.
            #[must_use]
            pub const fn word(self, lang: crate::explain::Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$variant, crate::explain::Lang::Zh) => $zh,
                      (Self::$variant, crate::explain::Lang::En) => $en,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(crate) use named;

named!(
    /// Who tells of an event.
    ///
    /// ```
    /// assert_eq!(mic_billing::Source::Platform.name(), "platform");
    /// ```
    Source {
        /// The hospital's own systems.
        Hospital = "hospital", "医院", "hospital";
        /// The imaging cloud's index.
        Platform = "platform", "云平台", "platform";
        /// The insurer.
        Insurer = "insurer", "医保", "insurer";
        /// The operator of the store.
        Vendor = "vendor", "存储方", "storage vendor";
    }
);

named!(
    /// The kind of care; it decides how long images are kept.
    ///
    /// ```
    /// assert_eq!(mic_billing::CareSetting::Inpatient.name(), "inpatient");
    /// ```
    CareSetting {
        /// A visit to a clinic (门诊).
        Outpatient = "outpatient", "门诊", "outpatient";
        /// A visit to the emergency room, observation included (急诊).
        Emergency = "emergency", "急诊", "emergency";
        /// A check-up of the healthy (体检).
        PhysicalCheck = "physical_check", "体检", "check-up";
        /// A stay (住院).
        Inpatient = "inpatient", "住院", "inpatient";
    }
);

named!(
    /// The kind of exam, as far as prices tell them apart.
    ///
    /// ```
    /// assert_eq!(mic_billing::Modality::Ct.name(), "ct");
    /// ```
    Modality {
        /// Plain radiography (X线摄影): the kind whose price is capped (B-11).
        XRay = "xray", "X线", "X-ray";
        /// Fluoroscopy (X线透视) and contrast studies on it (X线造影).
        Fluoroscopy = "fluoroscopy", "X线透视或造影", "fluoroscopy";
        /// Angiography (血管造影, DSA).
        Angiography = "angiography", "血管造影", "angiography";
        /// Computed tomography.
        Ct = "ct", "CT", "CT";
        /// Magnetic resonance.
        Mr = "mr", "磁共振", "MR";
        /// Mammography.
        Mammography = "mammography", "乳腺摄影", "mammography";
        /// Nuclear medicine.
        Nuclear = "nuclear", "核医学", "nuclear medicine";
        /// Ultrasound.
        Ultrasound = "ultrasound", "超声", "ultrasound";
        /// Endoscopy.
        Endoscopy = "endoscopy", "内镜", "endoscopy";
        /// Pathology.
        Pathology = "pathology", "病理", "pathology";
        /// Electrocardiography.
        Ecg = "ecg", "心电", "ECG";
        /// Anything else.
        Other = "other", "其他", "other";
    }
);

impl Modality {
    /// How many there are.
    const COUNT: usize = 12;
    /// One more, for an exam whose kind nobody told.
    pub(crate) const COUNT_AND_NONE: usize = Self::COUNT + 1;
    const EVERY: [Self; Self::COUNT] = [
        Self::XRay,
        Self::Fluoroscopy,
        Self::Angiography,
        Self::Ct,
        Self::Mr,
        Self::Mammography,
        Self::Nuclear,
        Self::Ultrasound,
        Self::Endoscopy,
        Self::Pathology,
        Self::Ecg,
        Self::Other,
    ];

    /// None, and then each in order: the order in which `Option<Modality>` sorts.
    pub(crate) fn none_and_all() -> impl Iterator<Item = Option<Self>> {
        core::iter::once(None).chain(Self::EVERY.into_iter().map(Some))
    }

    /// The place in that order.
    pub(crate) const fn place(kind: Option<Self>) -> usize {
        match kind {
            None => 0,
            Some(Self::XRay) => 1,
            Some(Self::Fluoroscopy) => 2,
            Some(Self::Angiography) => 3,
            Some(Self::Ct) => 4,
            Some(Self::Mr) => 5,
            Some(Self::Mammography) => 6,
            Some(Self::Nuclear) => 7,
            Some(Self::Ultrasound) => 8,
            Some(Self::Endoscopy) => 9,
            Some(Self::Pathology) => 10,
            Some(Self::Ecg) => 11,
            Some(Self::Other) => 12,
        }
    }
}

named!(
    /// Who paid the bill (C-12).
    ///
    /// ```
    /// assert_eq!(mic_billing::Payer::SelfPaid.name(), "self_paid");
    /// ```
    Payer {
        /// The patient is insured: the fund pays its part.
        Insured = "insured", "医保结算", "insured";
        /// The patient pays all.
        SelfPaid = "self_paid", "自费", "self-paid";
    }
);

/// The flat form of an event: every field any kind has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawEvent {
    pub(crate) institution: InstitutionCode,
    pub(crate) encounter: EncounterId,
    pub(crate) person: PersonRef,
    pub(crate) kind: RawKind,
    pub(crate) occurred: Moment,
    pub(crate) known: Moment,
    pub(crate) source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exam: Option<ExamLineId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) modality: Option<Modality>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount_fen: Option<Fen>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) study: Option<StudyUid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) receipt: Option<ReceiptId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) setting: Option<CareSetting>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<EncounterId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payer: Option<Payer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hold: Option<HoldId>,
}

/// The kinds by name.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawKind {
    Registered,
    ExamOrdered,
    Performed,
    FeeLine,
    Reported,
    Cancelled,
    Refunded,
    PixelsStored,
    IndexAccepted,
    IndexRejected,
    Linked,
    Discharged,
    Settled,
    HoldPlaced,
    HoldReleased,
}

/// An event whose fields don't belong together.
///
/// ```
/// use mic_billing::{Event, EventError};
/// # let text = r#"{"institution":"H44030500001","encounter":"E1","person":"000102030405060708090a0b0c0d0e0f",
/// #   "kind":"discharged","exam":"F1","occurred":"2025-12-01T11:00:00+08:00",
/// #   "known":"2025-12-01T11:00:00+08:00","source":"hospital"}"#;
/// let error = serde_json::from_str::<Event>(text).unwrap_err().to_string();
/// let expected = EventError::Unexpected { kind: "discharged", field: "exam" }.to_string();
/// assert!(error.starts_with(&expected));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The kind needs a field that is not there.
    #[error("event {kind}: expected the field {field}")]
    Missing {
        /// The event's kind.
        kind: &'static str,
        /// The absent field.
        field: &'static str,
    },
    /// The kind has no such field.
    #[error("event {kind}: expected no field {field}")]
    Unexpected {
        /// The event's kind.
        kind: &'static str,
        /// The field too many.
        field: &'static str,
    },
    /// A linked visit must be another one.
    #[error("event linked: expected another encounter than its own")]
    LinkedToItself,
    /// A fee of nothing or less: what is taken back is a refund or a cancellation (BIL-27).
    #[error("event fee_line: expected amount_fen above 0")]
    NoFee,
    /// Known before it happened (BIL-28).
    #[error("event {kind}: expected to be known no earlier than it occurred")]
    KnownTooEarly {
        /// The event's kind.
        kind: &'static str,
    },
}

impl TryFrom<RawEvent> for Event {
    type Error = EventError;

    fn try_from(raw: RawEvent) -> Result<Self, EventError> {
        let mut left = raw.clone();
        let kind = take_kind(&mut left)?;
        let too_many = [
            (left.exam.is_some(), "exam"),
            (left.modality.is_some(), "modality"),
            (left.amount_fen.is_some(), "amount_fen"),
            (left.study.is_some(), "study"),
            (left.receipt.is_some(), "receipt"),
            (left.setting.is_some(), "setting"),
            (left.to.is_some(), "to"),
            (left.payer.is_some(), "payer"),
            (left.hold.is_some(), "hold"),
        ];
        if let Some((_, field)) = too_many.into_iter().find(|(there, _)| *there) {
            return Err(EventError::Unexpected {
                kind: kind.name(),
                field,
            });
        }
        let visit = VisitKey::new(raw.institution, raw.encounter);
        let event = Self::new(visit, raw.person, raw.source, kind, raw.occurred, raw.known);
        event.check()?;
        Ok(event)
    }
}

/// Takes the fields of the kind out of the flat form.
fn take_kind(raw: &mut RawEvent) -> Result<EventKind, EventError> {
    fn need<T>(
        slot: &mut Option<T>,
        kind: &'static str,
        field: &'static str,
    ) -> Result<T, EventError> {
        slot.take().ok_or(EventError::Missing { kind, field })
    }
    Ok(match raw.kind {
        RawKind::Registered => EventKind::Registered {
            setting: need(&mut raw.setting, "registered", "setting")?,
        },
        RawKind::ExamOrdered => EventKind::ExamOrdered {
            exam: need(&mut raw.exam, "exam_ordered", "exam")?,
            modality: need(&mut raw.modality, "exam_ordered", "modality")?,
        },
        RawKind::Performed => EventKind::Performed {
            exam: need(&mut raw.exam, "performed", "exam")?,
            modality: need(&mut raw.modality, "performed", "modality")?,
        },
        RawKind::FeeLine => EventKind::FeeLine {
            exam: need(&mut raw.exam, "fee_line", "exam")?,
            amount: need(&mut raw.amount_fen, "fee_line", "amount_fen")?,
        },
        RawKind::Reported => EventKind::Reported {
            exam: need(&mut raw.exam, "reported", "exam")?,
        },
        RawKind::Cancelled => EventKind::Cancelled {
            exam: need(&mut raw.exam, "cancelled", "exam")?,
        },
        RawKind::Refunded => EventKind::Refunded {
            exam: need(&mut raw.exam, "refunded", "exam")?,
        },
        RawKind::PixelsStored => EventKind::PixelsStored {
            exam: need(&mut raw.exam, "pixels_stored", "exam")?,
            study: raw.study.take(),
        },
        RawKind::IndexAccepted => EventKind::IndexAccepted {
            exam: need(&mut raw.exam, "index_accepted", "exam")?,
            study: raw.study.take(),
            receipt: need(&mut raw.receipt, "index_accepted", "receipt")?,
        },
        RawKind::IndexRejected => EventKind::IndexRejected {
            exam: need(&mut raw.exam, "index_rejected", "exam")?,
        },
        RawKind::Linked => EventKind::Linked {
            to: need(&mut raw.to, "linked", "to")?,
        },
        RawKind::Discharged => EventKind::Discharged,
        RawKind::Settled => EventKind::Settled {
            payer: need(&mut raw.payer, "settled", "payer")?,
        },
        RawKind::HoldPlaced => EventKind::HoldPlaced {
            hold: need(&mut raw.hold, "hold_placed", "hold")?,
        },
        RawKind::HoldReleased => EventKind::HoldReleased {
            hold: need(&mut raw.hold, "hold_released", "hold")?,
        },
    })
}

impl From<Event> for RawEvent {
    fn from(event: Event) -> Self {
        let Fact {
            occurred,
            kind,
            source,
            encounter,
            person,
            institution,
        } = event.fact;
        let mut raw = Self {
            institution,
            encounter,
            person,
            kind: RawKind::Discharged,
            occurred,
            known: event.known,
            source,
            exam: kind.exam(),
            modality: None,
            amount_fen: None,
            study: None,
            receipt: None,
            setting: None,
            to: None,
            payer: None,
            hold: None,
        };
        raw.kind = match kind {
            EventKind::Registered { setting } => {
                raw.setting = Some(setting);
                RawKind::Registered
            }
            EventKind::ExamOrdered { modality, .. } => {
                raw.modality = Some(modality);
                RawKind::ExamOrdered
            }
            EventKind::Performed { modality, .. } => {
                raw.modality = Some(modality);
                RawKind::Performed
            }
            EventKind::FeeLine { amount, .. } => {
                raw.amount_fen = Some(amount);
                RawKind::FeeLine
            }
            EventKind::Reported { .. } => RawKind::Reported,
            EventKind::Cancelled { .. } => RawKind::Cancelled,
            EventKind::Refunded { .. } => RawKind::Refunded,
            EventKind::PixelsStored { study, .. } => {
                raw.study = study;
                RawKind::PixelsStored
            }
            EventKind::IndexAccepted { study, receipt, .. } => {
                raw.study = study;
                raw.receipt = Some(receipt);
                RawKind::IndexAccepted
            }
            EventKind::IndexRejected { .. } => RawKind::IndexRejected,
            EventKind::Linked { to } => {
                raw.to = Some(to);
                RawKind::Linked
            }
            EventKind::Discharged => RawKind::Discharged,
            EventKind::Settled { payer } => {
                raw.payer = Some(payer);
                RawKind::Settled
            }
            EventKind::HoldPlaced { hold } => {
                raw.hold = Some(hold);
                RawKind::HoldPlaced
            }
            EventKind::HoldReleased { hold } => {
                raw.hold = Some(hold);
                RawKind::HoldReleased
            }
        };
        raw
    }
}
