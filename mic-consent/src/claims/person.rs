//! Who consents and in which form: age band, guardian, separate consent, how the person was checked.
//! No birth date, no name (CST-34).

use alloc::vec::Vec;
use core::{fmt, ops::BitOr};

use crate::{
    cbor::read::{self, Reader},
    cbor::write::MapWriter,
    claims::{binding::GuardianCommitment, purpose::Rights},
    denial::{Denial, Reason},
};

macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $( $(#[$item_doc:meta])* $item:ident = $number:literal, )* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name { $( $(#[$item_doc])* $item, )* }

        impl $name {
            /// All values.
            pub const ALL: &'static [Self] = &[ $( Self::$item, )* ];

            /// The number in the token.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self { $( Self::$item => $number, )* }
            }

            /// The value with this number.
            #[must_use]
            pub fn from_number(number: u64) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| u64::from(value.number()) == number)
            }
        }
    };
}

pub(crate) use closed_list;

closed_list! {
    /// The patient's age and capacity, as far as the law asks: under 14 a guardian must consent
    /// (个人信息保护法 article 31), between 14 and 17 one may.
    ///
    /// ```
    /// use mic_consent::PatientBand;
    /// assert!(PatientBand::Under14.needs_guardian());
    /// assert!(!PatientBand::Adult.admits_guardian());
    /// ```
    PatientBand {
        /// 18 or older, with capacity. Left out in the token.
        Adult = 0,
        /// Younger than 14.
        Under14 = 1,
        /// 14 to 17.
        From14To17 = 2,
        /// An adult without capacity.
        WithoutCapacity = 3,
    }
}

impl PatientBand {
    /// Whether only a guardian can consent (CST-54).
    #[must_use]
    pub const fn needs_guardian(self) -> bool {
        matches!(self, Self::Under14 | Self::WithoutCapacity)
    }

    /// Whether a guardian may consent.
    #[must_use]
    pub const fn admits_guardian(self) -> bool {
        !matches!(self, Self::Adult)
    }
}

closed_list! {
    /// What the guardian is to the patient.
    ///
    /// ```
    /// assert_eq!(mic_consent::Relation::Parent.number(), 1);
    /// ```
    Relation {
        /// Father or mother.
        Parent = 1,
        /// Another guardian by law.
        LegalGuardian = 2,
        /// Husband or wife.
        Spouse = 3,
        /// A grown child.
        AdultChild = 4,
        /// Appointed by a court or an authority.
        Appointed = 5,
    }
}

closed_list! {
    /// How the guardianship was shown.
    ///
    /// ```
    /// assert_eq!(mic_consent::GuardianEvidence::FamilyAccount.number(), 3);
    /// ```
    GuardianEvidence {
        /// Household register or birth certificate.
        Register = 1,
        /// Decision of a court or an authority.
        Decision = 2,
        /// A checked family account (家庭账户) of the insurer.
        FamilyAccount = 3,
        /// Written authorisation, seen by the consent authority.
        Written = 4,
    }
}

closed_list! {
    /// How the consent authority made sure who consented.
    ///
    /// ```
    /// assert_eq!(mic_consent::PersonCheck::Face.number(), 1);
    /// ```
    PersonCheck {
        /// Face against the official picture (实人认证).
        Face = 1,
        /// Password and a second factor on the person's device.
        SecondFactor = 2,
        /// In person with a document.
        InPerson = 3,
    }
}

/// The guardian who consents: relation, evidence and a salted commitment, never a name.
///
/// ```
/// use mic_consent::{Guardian, GuardianCommitment, GuardianEvidence, Opening, Relation, Suite};
/// let opening = Opening::from_bytes([5; 32]);
/// let person = GuardianCommitment::new(Suite::Sm2Sm3, &opening, b"made-up person code").unwrap();
/// let guardian = Guardian::new(Relation::Parent, person, GuardianEvidence::Register);
/// assert_eq!(guardian.relation(), Relation::Parent);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Guardian {
    relation: Relation,
    commitment: GuardianCommitment,
    evidence: GuardianEvidence,
}

impl Guardian {
    /// Puts the three facts together.
    #[must_use]
    pub const fn new(
        relation: Relation,
        commitment: GuardianCommitment,
        evidence: GuardianEvidence,
    ) -> Self {
        Self {
            relation,
            commitment,
            evidence,
        }
    }

    /// What the guardian is to the patient.
    #[must_use]
    pub const fn relation(&self) -> Relation {
        self.relation
    }

    /// Who the guardian is, hidden.
    #[must_use]
    pub const fn commitment(&self) -> &GuardianCommitment {
        &self.commitment
    }

    /// How the guardianship was shown.
    #[must_use]
    pub const fn evidence(&self) -> GuardianEvidence {
        self.evidence
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut map = MapWriter::new();
        map.key(1).uint(self.relation.number().into());
        map.key(2).bytes(self.commitment.as_bytes());
        map.key(3).uint(self.evidence.number().into());
        map.finish()
    }

    pub(crate) fn decode<'a>(reader: &mut Reader<'a>) -> Result<Self, Denial> {
        let mut map = reader.map()?;
        let relation = map
            .need(1, Reason::MissingClaim)?
            .take_as(read::uint, |number| {
                Relation::from_number(number).ok_or(Reason::UnknownListValue)
            })?;
        let commitment = map
            .need(2, Reason::MissingClaim)?
            .take(read::array_of)
            .map(GuardianCommitment::from_bytes)?;
        let evidence = map
            .need(3, Reason::MissingClaim)?
            .take_as(read::uint, |number| {
                GuardianEvidence::from_number(number).ok_or(Reason::UnknownListValue)
            })?;
        *reader = map.finish(Reason::UnexpectedKey)?;
        Ok(Self {
            relation,
            commitment,
            evidence,
        })
    }
}

/// The boxes the person ticked one by one (单独同意, 个人信息保护法 articles 23, 29, 31).
///
/// ```
/// use mic_consent::{PatientBand, Rights, SeparateConsent};
/// let needed = SeparateConsent::needed(Rights::LIST | Rights::VIEW, PatientBand::Adult);
/// assert_eq!(needed, SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeparateConsent(u8);

impl SeparateConsent {
    /// To the use of sensitive data.
    pub const SENSITIVE: Self = Self(1);
    /// To handing data over to another handler.
    pub const HAND_OVER: Self = Self(2);
    /// A guardian's, for a minor.
    pub const MINOR: Self = Self(4);
    /// To keeping a copy.
    pub const KEEPING: Self = Self(8);

    /// The boxes that a grant with these rights for such a person must carry: always sensitive data and
    /// handing over, since images cross between organisations; more for a minor and for keeping (CST-53).
    #[must_use]
    pub const fn needed(rights: Rights, band: PatientBand) -> Self {
        let mut bits = Self::SENSITIVE.0 | Self::HAND_OVER.0;
        if matches!(band, PatientBand::Under14) {
            bits |= Self::MINOR.0;
        }
        if rights.contains(Rights::KEEP) {
            bits |= Self::KEEPING.0;
        }
        Self(bits)
    }

    /// Whether all of `other` were ticked.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits in the token.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Result<Self, Reason> {
        match u8::try_from(bits) {
            Ok(bits @ 1..=15) => Ok(Self(bits)),
            _ => Err(Reason::UnknownListValue),
        }
    }
}

impl BitOr for SeparateConsent {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for SeparateConsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeparateConsent({:#06b})", self.0)
    }
}
