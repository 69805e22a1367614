//! The way of a token: [`Encoded`](crate::Encoded) → [`Untrusted`] → [`Signed`] → [`Live`] → permit. Each step
//! consumes the value before it; claims can be read from [`Signed`] on.

use core::{fmt, marker::PhantomData};

use chrono::{DateTime, Utc};

use crate::{
    checker::Checker,
    cose::{Input, ShortInput, SigningInput},
    denial::{Denial, Reason},
    emergency::{Emergency, EmergencyClaims},
    encoded::Encoded,
    grant::{Grant, GrantClaims},
    key::{KeyId, KeyRecord, KeyRing, KeySet, KeySetClaims, KeyState, PublicKey},
    log::{
        Checkpoint, CheckpointClaims, InclusionProof, Receipt, ReceiptClaims, Review, ReviewClaims,
    },
    narrow::{Narrowed, NarrowedClaims},
    offer::{Offer, OfferClaims},
    order::{Order, OrderClaims},
    proof::{Proof, ProofClaims},
    refusal::{Refusal, RefusalClaims},
    request::{Request, RequestClaims},
    signer::{AsyncRawVerify, Signature},
    status::{StatusList, StatusListClaims},
    suite::Suite,
    withdrawal::{Withdrawal, WithdrawalClaims},
};

mod kind;

pub use self::kind::TokenType;

/// A type of token at compile time: [`Request`], [`Grant`], [`Proof`] and the others. Sealed.
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
    use super::{Denial, KeyRecord};
    use crate::claims::outer::{Origin, Outer};

    /// Keeps the types of token to those of this crate.
    pub trait Sealed {}

    /// How claims are read and what their issuer may say.
    pub trait Rules: Said + Sized {
        /// Reads the payload, which begins at `start` of the token (step 7).
        fn decode(payload: &[u8], start: usize) -> Result<Self, Denial>;

        /// Whether the key may say it, beyond what holds for all types (step 8).
        fn issuer_rules(&self, record: &KeyRecord) -> Result<(), Denial>;
    }

    /// What all claims have.
    pub trait Said {
        /// Who says it, for which realm, when.
        fn origin(&self) -> &Origin;
    }

    /// What claims have that end.
    pub(crate) trait Ends: Said {
        /// Beginning and end as well.
        fn outer(&self) -> &Outer;
    }
}

macro_rules! kinds {
    ($( $kind:ident: $claims:ty, )*) => {
        $(
            impl sealed::Sealed for $kind {}

            impl TokenKind for $kind {
                const TYPE: TokenType = TokenType::$kind;
                type Claims = $claims;
            }
        )*
    };
}

kinds! {
    Request: RequestClaims,
    Offer: OfferClaims,
    Grant: GrantClaims,
    Narrowed: NarrowedClaims,
    Proof: ProofClaims,
    Refusal: RefusalClaims,
    Withdrawal: WithdrawalClaims,
    Emergency: EmergencyClaims,
    Order: OrderClaims,
    StatusList: StatusListClaims,
    KeySet: KeySetClaims,
    Receipt: ReceiptClaims,
    Review: ReviewClaims,
    Checkpoint: CheckpointClaims,
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
        self.check_signature(checker, record)?;
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

    /// Checks a token of a key that was compromised since: it is believed when the token is proven to be from before
    /// that moment (CST-149). The proof is a head of a log that another organisation, with a key that is trusted now,
    /// has signed or countersigned before `since`, and a path from the token's claims to it. The date that the
    /// token itself states proves nothing, but must be before `since` as well.
    ///
    /// A token of a key in any other state is checked as by [`verify`](Self::verify). What comes out can be read,
    /// reconciled and shown to a court; it does not become [`Live`], for its key is not trusted.
    ///
    /// # Errors
    /// As [`verify`](Self::verify); a head of the owner itself ([`Reason::NotWitnessed`]), from `since` or after it
    /// ([`Reason::KeyCompromised`]), or one that does not have the token ([`Reason::NotInLog`]).
    pub fn verify_witnessed(
        self,
        checker: &Checker<'_>,
        head: &Live<Checkpoint>,
        inclusion: &InclusionProof,
    ) -> Result<Signed<T>, Denial> {
        let (record, since) = checker.record_or_since(&self.encoded, T::TYPE.role())?;
        if let Some(since) = since {
            let claims = head.claims();
            head.still_trusted(checker)?;
            if claims.issuer() == record.organisation() {
                return Err(Reason::NotWitnessed.into());
            }
            if claims.issued_at() >= since {
                return Err(Reason::KeyCompromised.into());
            }
            if claims.size() != inclusion.size() {
                return Err(Reason::LogProofShape.into());
            }
            inclusion.verify(head.suite(), self.encoded.payload(), claims.root())?;
        }
        self.check_signature(checker, record)?;
        let signed = self.read(record)?;
        match since {
            Some(since)
                if sealed::Said::origin(&signed.claims)
                    .issued_at
                    .is_from(since) =>
            {
                Err(Reason::KeyCompromised.into())
            }
            _ => Ok(signed),
        }
    }

    /// Step 6.
    fn check_signature(&self, checker: &Checker<'_>, record: &KeyRecord) -> Result<(), Denial> {
        if self.encoded.is_short() {
            self.check_in(&mut ShortInput::empty(), checker, record)
        } else {
            self.check_long(checker, record)
        }
    }

    /// Apart, so that a short token does not pay for the room.
    #[inline(never)]
    fn check_long(&self, checker: &Checker<'_>, record: &KeyRecord) -> Result<(), Denial> {
        self.check_in(&mut SigningInput::empty(), checker, record)
    }

    fn check_in<const N: usize>(
        &self,
        input: &mut Input<N>,
        checker: &Checker<'_>,
        record: &KeyRecord,
    ) -> Result<(), Denial> {
        let signature = self.signed_parts(input)?;
        checker
            .check(record.public_key(), input.as_bytes(), &signature)
            .map_err(|_| Reason::BadSignature.into())
    }

    /// What step 6 looks at.
    fn signed_parts<const N: usize>(&self, input: &mut Input<N>) -> Result<Signature, Reason> {
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
    let origin = claims.origin();
    if origin.issuer != *record.organisation() {
        return Err(Reason::IssuerNotKeyOwner.into());
    }
    // The time of issue counts, not the time of the check: a grant outlives the rotation of its key. A
    // date in the past gains nothing, since a token's life is short.
    if !record.validity().has(origin.issued_at) {
        return Err(Reason::KeyNotValidAtIssue.into());
    }
    match record.state() {
        KeyState::VerifyOnly { since } if origin.issued_at.is_from(since) => {
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

    /// Its claims in bytes: what a log of such tokens has as an entry. The signature is no part of it, so
    /// another good signature over the same claims is the same entry.
    #[must_use]
    pub fn entry(&self) -> &[u8] {
        self.encoded.payload()
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

    /// Whether `roots` has the very key that signed it and believes it, whatever ring it was checked with.
    pub(crate) fn is_signed_by(&self, roots: &KeyRing) -> bool {
        roots.get(&self.key_id()).is_some_and(|record| {
            *record.public_key() == self.key
                && matches!(
                    record.state(),
                    KeyState::Active | KeyState::VerifyOnly { .. }
                )
                && record.roles().contains(T::TYPE.role())
                && issuer_rules(&self.claims, record).is_ok()
        })
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

macro_rules! records {
    ($( $kind:ident )*) => {
        $(
            impl Signed<$kind> {
                /// Checks realm and clock: a record that is kept has no end, but it is of this realm and not of
                /// the future (steps 9 and 10, after steps 5 and 8 once more).
                ///
                /// # Errors
                /// A key that is no longer trusted; another realm; issued in the future.
                pub fn live(
                    self,
                    checker: &Checker<'_>,
                    now: DateTime<Utc>,
                ) -> Result<Live<$kind>, Denial> {
                    self.still_trusted(checker)?;
                    checker.record_in_realm(self.claims(), now)?;
                    Ok(self.into_live(now, checker.policy().skew_s()))
                }
            }
        )*
    };
}

records! { Receipt Review Checkpoint }

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
    /// Whether `roots` has and believes the very key that signed it.
    pub(crate) fn is_signed_by(&self, roots: &KeyRing) -> bool {
        self.signed.is_signed_by(roots)
    }

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
