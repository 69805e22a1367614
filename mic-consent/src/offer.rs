//! The offer (`mic-o`): the second way, in which the patient's phone shows the code. It is a handle of the
//! consent authority and worth nothing by itself: the hospital asks with it, and the patient confirms the
//! hospital's name in the app (CST-87 to CST-89).

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::{
    checker::Checker,
    claims::{
        binding::OfferId,
        fields, label,
        outer::{Outer, outer_claims},
        time,
    },
    code::{IssuerCode, Realm},
    denial::{Denial, Reason},
    encoded::Encoded,
    issue::{IssueError, seal, seal_async},
    key::KeyRecord,
    limits::OFFER_LIFE_S,
    signer::{AsyncSigner, Signer},
    token::{Live, Signed, TokenType, sealed},
};

/// The type of an offer token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Offer {}

/// What an offer says: which authority to ask, with which handle, until when. Nothing about the person.
///
/// ```
/// fn line(offer: &mic_consent::OfferClaims) -> String {
///     format!("ask {} with {}", offer.issuer(), offer.id())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferClaims {
    outer: Outer,
    id: OfferId,
}

impl OfferClaims {
    /// The consent authority.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerCode {
        &self.outer.origin.issuer
    }

    /// The handle, which a request repeats.
    #[must_use]
    pub const fn id(&self) -> &OfferId {
        &self.id
    }

    fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut claims = self.outer.write(None)?;
        claims.key(label::CTI).bytes(self.id.as_bytes());
        claims
            .key(label::MIC)
            .raw(&fields::write_private().finish());
        Ok(claims.finish())
    }
}

outer_claims!(OfferClaims);

impl sealed::Rules for OfferClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let outer = Outer::read(&mut claims)?;
        let id = fields::fixed(&mut claims, label::CTI).map(OfferId::from_bytes)?;
        let private = fields::private_map(&mut claims)?;
        fields::end(claims, private)?;
        outer.check(OFFER_LIFE_S).map_err(fields::broken)?;
        Ok(Self { outer, id })
    }

    fn issuer_rules(&self, _: &KeyRecord) -> Result<(), Denial> {
        Ok(())
    }
}

/// An offer being made by a consent authority for a person who is logged in.
///
/// ```
/// use mic_consent::{IssuerCode, OfferDraft, OfferId, QrPicture, Realm, Sm2SigningKey};
///
/// let authority = Sm2SigningKey::from_secret_bytes(&[8; 32])?; // a test key
/// let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// let offer = OfferDraft::new(Realm::new("mic.cn")?, IssuerCode::new("CONSENT01")?)
///     .sign(&authority, OfferId::from_bytes([7; 16]), now)?; // random bytes in earnest
/// assert!(QrPicture::from_text(&offer.to_text())?.version() <= 13);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct OfferDraft {
    realm: Realm,
    issuer: IssuerCode,
    life_s: u32,
}

impl OfferDraft {
    /// An offer that lives 90 seconds.
    #[must_use]
    pub const fn new(realm: Realm, issuer: IssuerCode) -> Self {
        Self {
            realm,
            issuer,
            life_s: OFFER_LIFE_S,
        }
    }

    /// It lives this many seconds: 1 to 90.
    #[must_use]
    pub const fn with_life_s(mut self, life_s: u32) -> Self {
        self.life_s = life_s;
        self
    }

    /// Signs it. `id` is 16 fresh random bytes, which the authority keeps beside the person and takes once.
    ///
    /// # Errors
    /// A life out of range; a failing signer.
    pub fn sign(
        &self,
        signer: &dyn Signer,
        id: OfferId,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(id, now)?;
        seal(TokenType::Offer, &payload, signer)
    }

    /// The same with a signer that is waited for. The claims are settled before the wait.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_async(
        &self,
        signer: &impl AsyncSigner,
        id: OfferId,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(id, now)?;
        seal_async(TokenType::Offer, &payload, signer).await
    }

    fn payload(&self, id: OfferId, now: DateTime<Utc>) -> Result<Vec<u8>, IssueError> {
        let issued_at = time::whole_second(now)?;
        let outer = Outer::new(self.issuer, self.realm, issued_at, self.life_s)?;
        outer.check(OFFER_LIFE_S)?;
        Ok(OfferClaims { outer, id }.encode()?)
    }
}

impl Signed<Offer> {
    /// Checks realm and time: steps 9 and 10, after steps 5 and 8 once more.
    ///
    /// # Errors
    /// A key that is no longer trusted; another realm; not yet or no longer valid.
    pub fn live(self, checker: &Checker<'_>, now: DateTime<Utc>) -> Result<Live<Offer>, Denial> {
        self.still_trusted(checker)?;
        checker.audience_and_time(self.claims(), OFFER_LIFE_S, now)?;
        Ok(self.into_live(now, checker.policy().skew_s()))
    }
}
