//! The way of a token: [`Encoded`](crate::Encoded) → [`Untrusted`] → [`Signed`] → [`Live`] → permit. Each step
//! consumes the value before it; claims can be read from [`Signed`] on.

use core::{fmt, marker::PhantomData};

use chrono::{DateTime, Utc};

use crate::{
    checker::Checker,
    cose::SigningInput,
    denial::{Denial, Reason},
    encoded::Encoded,
    grant::{Grant, GrantClaims},
    key::{KeyId, KeyRecord, KeyState, PublicKey, Role},
    proof::{Proof, ProofClaims},
    request::{Request, RequestClaims},
    signer::{AsyncRawVerify, Signature},
    suite::Suite,
};

/// The types of token.
///
/// ```
/// use mic_consent::TokenType;
/// assert_eq!(TokenType::Request.name(), "mic-q");
/// assert_eq!(TokenType::Grant.prefix(), "MICG1:");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TokenType {
    /// `mic-q`: a hospital asks.
    Request,
    /// `mic-g`: a consent authority grants.
    Grant,
    /// `mic-p`: the hospital proves that it uses the grant, here and now.
    Proof,
}

impl TokenType {
    /// All types.
    pub const ALL: &'static [Self] = &[Self::Request, Self::Grant, Self::Proof];

    /// The text in the `typ` header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "mic-q",
            Self::Grant => "mic-g",
            Self::Proof => "mic-p",
        }
    }

    /// The type with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The prefix of the text form.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Request => "MICQ1:",
            Self::Grant => "MICG1:",
            Self::Proof => "MICP1:",
        }
    }

    /// The external text under the signature: no signature of one type fits another (CST-15).
    #[must_use]
    pub const fn external(self) -> &'static str {
        match self {
            Self::Request => "mic-consent/1/mic-q",
            Self::Grant => "mic-consent/1/mic-g",
            Self::Proof => "mic-consent/1/mic-p",
        }
    }

    /// The role a key needs to sign it.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Request | Self::Proof => Role::Request,
            Self::Grant => Role::Grant,
        }
    }
}

/// A type of token at compile time: [`Request`], [`Grant`] or [`Proof`]. Sealed.
pub trait TokenKind: sealed::Sealed {
    /// The type.
    const TYPE: TokenType;
    /// What it says, readable once its signature is checked.
    type Claims: fmt::Debug + sealed::Rules;
}

#[expect(
    unnameable_types,
    reason = "the traits seal the types of token and are for this crate alone"
)]
pub(crate) mod sealed {
    use super::{DateTime, Denial, KeyRecord, Utc};
    use crate::code::{IssuerCode, Realm};

    /// Keeps the types of token to those of this crate.
    pub trait Sealed {}

    /// How claims are read and what their issuer may say.
    pub trait Rules: Common + Sized {
        /// Reads the payload, which begins at `start` of the token (step 7).
        fn decode(payload: &[u8], start: usize) -> Result<Self, Denial>;

        /// Whether the key may say it, beyond what holds for all types (step 8).
        fn issuer_rules(&self, record: &KeyRecord) -> Result<(), Denial>;
    }

    /// What all claims have.
    pub trait Common {
        /// The issuer.
        fn issuer(&self) -> &IssuerCode;
        /// The realm.
        fn realm(&self) -> &Realm;
        /// When it was issued.
        fn issued_at(&self) -> DateTime<Utc>;
        /// From when it is valid.
        fn valid_from(&self) -> DateTime<Utc>;
        /// Until when.
        fn expires_at(&self) -> DateTime<Utc>;
    }
}

impl sealed::Sealed for Request {}

impl TokenKind for Request {
    const TYPE: TokenType = TokenType::Request;
    type Claims = RequestClaims;
}

impl sealed::Sealed for Grant {}

impl TokenKind for Grant {
    const TYPE: TokenType = TokenType::Grant;
    type Claims = GrantClaims;
}

impl sealed::Sealed for Proof {}

impl TokenKind for Proof {
    const TYPE: TokenType = TokenType::Proof;
    type Claims = ProofClaims;
}

/// A token of a known type whose signature is not checked. Its claims cannot be read.
///
/// ```compile_fail
/// fn peek(token: &mic_consent::Untrusted<mic_consent::Grant>) {
///     token.claims(); // no such method before the signature is checked
/// }
/// ```
pub struct Untrusted<T: TokenKind> {
    encoded: Encoded,
    kind: PhantomData<fn() -> T>,
}

impl<T: TokenKind> Untrusted<T> {
    pub(crate) const fn new(encoded: Encoded) -> Self {
        Self {
            encoded,
            kind: PhantomData,
        }
    }

    /// Checks who signed it and whether they may say it: steps 5 to 8. The key record decides on the
    /// algorithm, the header must agree.
    ///
    /// # Errors
    /// A suite outside the policy, an unknown, unfit or withdrawn key, a wrong signature, claims outside
    /// their ranges, or claims that this key may not make.
    pub fn verify(self, checker: &Checker<'_>) -> Result<Signed<T>, Denial> {
        let record = checker.record(&self.encoded, T::TYPE.role())?;
        let mut input = SigningInput::empty();
        let signature = self.signed_parts(&mut input)?;
        checker
            .check(record.public_key(), input.as_bytes(), &signature)
            .map_err(|_| Reason::BadSignature)?;
        self.read(record)
    }

    /// The same, with a module that is waited for in place of the checker's own way to check signatures.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub async fn verify_async(
        self,
        checker: &Checker<'_>,
        module: &impl AsyncRawVerify,
    ) -> Result<Signed<T>, Denial> {
        let record = checker.record(&self.encoded, T::TYPE.role())?;
        let mut input = SigningInput::empty();
        let signature = self.signed_parts(&mut input)?;
        module
            .verify(record.public_key(), input.as_bytes(), &signature)
            .await
            .map_err(|_| Reason::BadSignature)?;
        self.read(record)
    }

    /// What step 6 looks at.
    fn signed_parts(&self, input: &mut SigningInput) -> Result<Signature, Reason> {
        self.encoded.signing_input(input)?;
        self.encoded
            .signature()
            .try_into()
            .map(Signature::from_bytes)
            .map_err(|_| Reason::SignatureLength)
    }

    /// Steps 7 and 8, behind a good signature.
    fn read(self, record: &KeyRecord) -> Result<Signed<T>, Denial> {
        let encoded = self.encoded;
        // Step 7.
        let claims =
            <T::Claims as sealed::Rules>::decode(encoded.payload(), encoded.payload_offset())?;

        // Step 8.
        issuer_rules(&claims, record)?;
        Ok(Signed {
            key: record.public_key().clone(),
            encoded,
            claims,
        })
    }

    /// The token as it came.
    #[must_use]
    pub const fn encoded(&self) -> &Encoded {
        &self.encoded
    }
}

/// Step 8: what holds for the issuer of any type (CST-56, CST-57), and what its type adds.
fn issuer_rules(claims: &impl sealed::Rules, record: &KeyRecord) -> Result<(), Denial> {
    if claims.issuer() != record.organisation() {
        return Err(Reason::IssuerNotKeyOwner.into());
    }
    // The time of issue counts, not the time of the check: a grant outlives the rotation of its key. A
    // date in the past gains nothing, since a token's life is short.
    if !record.validity().contains(claims.issued_at()) {
        return Err(Reason::KeyNotValidAtIssue.into());
    }
    match record.state() {
        KeyState::VerifyOnly { since } if claims.issued_at() >= since => {
            Err(Reason::KeyRetired.into())
        }
        _ => claims.issuer_rules(record),
    }
}

impl<T: TokenKind> fmt::Debug for Untrusted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Untrusted").field(&self.encoded).finish()
    }
}

/// A token whose signature is that of a trusted key in the right role. It may still be expired, for another
/// realm, or withdrawn: make it [`Live`] before acting on it.
///
/// There is no way to make one but [`Untrusted::verify`]:
///
/// ```compile_fail
/// fn forge(claims: mic_consent::GrantClaims) -> mic_consent::Signed<mic_consent::Grant> {
///     mic_consent::Signed { claims }
/// }
/// ```
pub struct Signed<T: TokenKind> {
    encoded: Encoded,
    /// The key whose signature it was found to be.
    key: PublicKey,
    claims: T::Claims,
}

impl<T: TokenKind> Signed<T> {
    /// What it says.
    #[must_use]
    pub const fn claims(&self) -> &T::Claims {
        &self.claims
    }

    /// The key that signed it.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.encoded.key_id()
    }

    /// The suite it is signed in; its commitments use the hash of that suite.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.encoded.suite()
    }

    /// The token as it came.
    #[must_use]
    pub const fn encoded(&self) -> &Encoded {
        &self.encoded
    }

    pub(crate) fn into_claims(self) -> T::Claims {
        self.claims
    }

    /// Steps 5 and 8 again, with what `checker` knows by now: a key may have been withdrawn since the
    /// signature was checked (CST-25, CST-63). The signature itself does not age.
    pub(crate) fn still_trusted(&self, checker: &Checker<'_>) -> Result<(), Denial> {
        let record = checker.record(&self.encoded, T::TYPE.role())?;
        if *record.public_key() != self.key {
            // Another key under the same id: what was checked says nothing about it.
            return Err(Reason::UnknownKey.into());
        }
        issuer_rules(&self.claims, record)
    }

    pub(crate) fn into_live(self, checked_at: DateTime<Utc>, skew_s: u32) -> Live<T> {
        Live {
            signed: self,
            checked_at,
            skew_s,
        }
    }
}

impl<T: TokenKind> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("key_id", &self.key_id())
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

/// A signed token that is for this realm, within its time, and, if it is a grant, not withdrawn: true at the
/// moment of the check.
///
/// ```compile_fail
/// fn copy(live: &mic_consent::Live<mic_consent::Grant>) -> mic_consent::Live<mic_consent::Grant> {
///     live.clone() // a state that ages is not copied
/// }
/// ```
pub struct Live<T: TokenKind> {
    signed: Signed<T>,
    checked_at: DateTime<Utc>,
    /// The skew that the policy of that check allows.
    skew_s: u32,
}

impl<T: TokenKind> Live<T> {
    /// What it says.
    #[must_use]
    pub const fn claims(&self) -> &T::Claims {
        self.signed.claims()
    }

    /// The key that signed it.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.signed.key_id()
    }

    /// The suite it is signed in.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.signed.suite()
    }

    /// The token as it came.
    #[must_use]
    pub const fn encoded(&self) -> &Encoded {
        self.signed.encoded()
    }

    /// The moment of the check.
    #[must_use]
    pub const fn checked_at(&self) -> DateTime<Utc> {
        self.checked_at
    }

    /// By how many seconds clocks may differ, as the policy of the check had it.
    pub(crate) const fn skew_s(&self) -> u32 {
        self.skew_s
    }

    /// Steps 5 and 8 again.
    pub(crate) fn still_trusted(&self, checker: &Checker<'_>) -> Result<(), Denial> {
        self.signed.still_trusted(checker)
    }

    /// Back to [`Signed`], to be checked again.
    #[must_use]
    pub fn into_signed(self) -> Signed<T> {
        self.signed
    }
}

impl<T: TokenKind> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("signed", &self.signed)
            .field("checked_at", &self.checked_at)
            .finish()
    }
}
