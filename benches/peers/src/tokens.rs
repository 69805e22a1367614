//! Whole tokens: bytes or text to a checked permission, with the same facts in each format.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use biscuit_auth::{
    Algorithm as BiscuitAlgorithm, AuthorizerBuilder, AuthorizerLimits, Biscuit, KeyPair,
    PrivateKey,
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use mic_benches::Group;
use mic_benches::consent::{AUTHORITY_SECRET, Scene, key};
use mic_consent::Suite;
use pasetors::claims::{Claims as PasetoClaims, ClaimsValidationRules};
use pasetors::keys::{AsymmetricPublicKey, AsymmetricSecretKey};
use pasetors::token::UntrustedToken;
use pasetors::{Public, public, version4::V4};
use serde::{Deserialize, Serialize};

/// The facts of a grant, for formats that take a serde type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Facts {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    holder: String,
    nonce: String,
    organisation: String,
    purpose: String,
    rights: Vec<String>,
    days: [String; 2],
    modalities: Vec<String>,
    notice: String,
    status: [u32; 2],
}

/// Far ahead: jsonwebtoken and pasetors ask the system's clock.
const END: u64 = 4_000_000_000;

fn facts() -> Facts {
    Facts {
        iss: "CONSENT01".into(),
        aud: "mic.cn".into(),
        sub: "5a".repeat(32),
        jti: "77".repeat(16),
        iat: 1_700_000_000,
        nbf: 1_700_000_000,
        exp: END,
        holder: "0b4ee445b99df052".into(),
        nonce: "11".repeat(16),
        organisation: "H11010500001".into(),
        purpose: "treatment".into(),
        rights: vec!["list".into(), "view".into()],
        days: ["2024-11-18".into(), "2026-11-18".into()],
        modalities: vec!["CT".into(), "MR".into()],
        notice: "ab".repeat(32),
        status: [3, 70_001],
    }
}

pub fn sm2() -> anyhow::Result<Group> {
    let (ours, biscuit, authorized) = (ours(Suite::Sm2Sm3)?, biscuit(false)?, biscuit(true)?);
    Ok(Group::new(
        "consent: full SM2 grant check beside Ed25519 Biscuit",
        "grant",
    )
    .with("mic-consent, SM2 grant, all steps", 16, &16, ours)
    .with("biscuit-auth Ed25519, signature only", 1, &true, biscuit)
    .with(
        "biscuit-auth Ed25519, with authorizer",
        1,
        &true,
        authorized,
    )
    .goal(1.2))
}

pub fn es256() -> anyhow::Result<Group> {
    let ours = ours(Suite::Esp256)?;
    Ok(
        Group::new("consent: full ESP256 grant check beside a JWT", "grant")
            .with("mic-consent, ESP256 grant, all steps", 16, &16, ours)
            .with(
                "jsonwebtoken ES256, issuer, audience, times",
                1,
                &true,
                jwt_es256()?,
            )
            .goal(1.0),
    )
}

pub fn ed25519() -> anyhow::Result<Group> {
    let (ours, biscuit, authorized) = (ours(Suite::Ed25519)?, biscuit(false)?, biscuit(true)?);
    Ok(Group::new(
        "consent: full Ed25519 grant check beside other tokens",
        "grant",
    )
    .with("mic-consent, Ed25519 grant, all steps", 16, &16, ours)
    .with(
        "jsonwebtoken EdDSA, issuer, audience, times",
        1,
        &true,
        jwt()?,
    )
    .goal(1.0)
    .with(
        "pasetors v4.public, issuer, audience, times",
        1,
        &true,
        paseto()?,
    )
    .goal(1.4)
    .with("biscuit-auth, signature only", 1, &true, biscuit)
    .with("biscuit-auth, with authorizer", 1, &true, authorized)
    .goal(2.2))
}

fn ours(suite: Suite) -> anyhow::Result<impl FnMut() -> usize + 'static> {
    let scene = Rc::new(Scene::new(suite, 16)?.with_tables());
    Ok(move || scene.passing())
}

fn public_key() -> anyhow::Result<[u8; 32]> {
    let (_, public) = key(Suite::Ed25519, AUTHORITY_SECRET)?;
    Ok(public.as_bytes().try_into()?)
}

fn jwt_es256() -> anyhow::Result<impl FnMut() -> bool + 'static> {
    let secret = openssl::bn::BigNum::from_slice(&AUTHORITY_SECRET)?;
    let (_, public) = key(Suite::Esp256, AUTHORITY_SECRET)?;
    let sec1 = [&[4], public.as_bytes()].concat();
    let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1)?;
    let mut context = openssl::bn::BigNumContext::new()?;
    let point = openssl::ec::EcPoint::from_bytes(&group, &sec1, &mut context)?;
    let private = openssl::ec::EcKey::from_private_components(&group, &secret, &point)?;
    let der = openssl::pkey::PKey::from_ec_key(private)?.private_key_to_pkcs8()?;
    let token = jsonwebtoken::encode(
        &Header::new(Algorithm::ES256),
        &facts(),
        &EncodingKey::from_ec_der(&der),
    )?;
    checked_jwt(token, Algorithm::ES256, DecodingKey::from_ec_der(&sec1))
}

fn jwt() -> anyhow::Result<impl FnMut() -> bool + 'static> {
    // PKCS #8 of an Ed25519 seed (RFC 8410).
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend_from_slice(&AUTHORITY_SECRET);
    let token = jsonwebtoken::encode(
        &Header::new(Algorithm::EdDSA),
        &facts(),
        &EncodingKey::from_ed_der(&der),
    )?;
    checked_jwt(
        token,
        Algorithm::EdDSA,
        DecodingKey::from_ed_der(&public_key()?),
    )
}

fn checked_jwt(
    token: String,
    algorithm: Algorithm,
    key: DecodingKey,
) -> anyhow::Result<impl FnMut() -> bool + 'static> {
    let mut rules = Validation::new(algorithm);
    rules.set_issuer(&["CONSENT01"]);
    rules.set_audience(&["mic.cn"]);
    rules.validate_nbf = true;
    let expected = facts();
    let check = move |token: &str| {
        jsonwebtoken::decode::<Facts>(token, &key, &rules)
            .is_ok_and(|token| token.claims == expected)
    };
    anyhow::ensure!(
        !check(&changed(&token)),
        "jsonwebtoken took a changed token"
    );
    Ok(move || check(&token))
}

fn paseto() -> anyhow::Result<impl FnMut() -> bool + 'static> {
    let public_bytes = public_key()?;
    let secret = AsymmetricSecretKey::<V4>::from(&[&AUTHORITY_SECRET[..], &public_bytes].concat())?;
    let key = AsymmetricPublicKey::<V4>::from(&public_bytes)?;
    let facts = facts();
    let mut claims = PasetoClaims::new()?;
    claims.issuer(&facts.iss)?;
    claims.audience(&facts.aud)?;
    claims.subject(&facts.sub)?;
    claims.token_identifier(&facts.jti)?;
    claims.expiration("2096-10-02T07:06:40Z")?;
    claims.add_additional("holder", facts.holder)?;
    claims.add_additional("nonce", facts.nonce)?;
    claims.add_additional("organisation", facts.organisation)?;
    claims.add_additional("purpose", facts.purpose)?;
    claims.add_additional("rights", facts.rights)?;
    claims.add_additional("days", facts.days.to_vec())?;
    claims.add_additional("modalities", facts.modalities)?;
    claims.add_additional("notice", facts.notice)?;
    claims.add_additional("status", facts.status.to_vec())?;
    let token = public::sign(&secret, &claims, None, None)?;
    let mut rules = ClaimsValidationRules::new();
    rules.validate_issuer_with("CONSENT01");
    rules.validate_audience_with("mic.cn");
    let check = move |token: &str| {
        let untrusted = UntrustedToken::<Public, V4>::try_from(token);
        untrusted.is_ok_and(|token| public::verify(&key, &token, &rules, None, None).is_ok())
    };
    anyhow::ensure!(!check(&changed(&token)), "pasetors took a changed token");
    Ok(move || check(&token))
}

fn biscuit(authorize: bool) -> anyhow::Result<impl FnMut() -> bool + 'static> {
    let root = KeyPair::from(&PrivateKey::from_bytes(
        &AUTHORITY_SECRET,
        BiscuitAlgorithm::Ed25519,
    )?);
    let facts = facts();
    let code = format!(
        r#"issuer("{}"); realm("{}"); subject("{}"); id("{}"); holder("{}"); nonce("{}"); organisation("{}");
        purpose("{}"); right("list"); right("view"); days({}, {}); modality("CT"); modality("MR"); notice("{}");
        status({}, {}); check if time($now), $now >= 2023-11-14T22:13:20Z, $now < 2096-10-02T07:06:40Z;"#,
        facts.iss,
        facts.aud,
        facts.sub,
        facts.jti,
        facts.holder,
        facts.nonce,
        facts.organisation,
        facts.purpose,
        "2024-11-18T00:00:00Z",
        "2026-11-18T00:00:00Z",
        facts.notice,
        facts.status[0],
        facts.status[1],
    );
    let token = Biscuit::builder().code(code)?.build(&root)?.to_vec()?;
    let public = root.public();
    // The default of one millisecond can refuse on a busy machine.
    let limits = AuthorizerLimits {
        max_time: Duration::from_secs(10),
        ..AuthorizerLimits::default()
    };
    let authorizer = AuthorizerBuilder::new()
        .code(
            r#"time(2026-11-18T09:06:40Z);
            allow if issuer("CONSENT01"), realm("mic.cn"), right("view"), purpose("treatment");"#,
        )
        .context("authorizer")?
        .set_limits(limits);
    let check = move |token: &[u8]| {
        let Ok(token) = Biscuit::from(token, public) else {
            return false;
        };
        !authorize
            || authorizer
                .clone()
                .build(&token)
                .is_ok_and(|mut authorizer| authorizer.authorize().is_ok())
    };
    let mut wrong = token.clone();
    if let Some(byte) = wrong.get_mut(60) {
        *byte ^= 1;
    }
    anyhow::ensure!(!check(&wrong), "biscuit-auth took a changed token");
    Ok(move || check(&token))
}

/// Another letter in the middle: of the payload, as these tokens are made.
fn changed(token: &str) -> String {
    let middle = token.len() / 2;
    token
        .char_indices()
        .map(|(at, c)| {
            if at != middle {
                c
            } else if c == 'A' {
                'B'
            } else {
                'A'
            }
        })
        .collect()
}
