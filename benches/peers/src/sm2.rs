//! SM2 alone: our full grant check beside the bare signature check of every Rust crate here, and of OpenSSL.

use std::rc::Rc;

use mic_benches::Group;
use mic_benches::consent::{AUTHORITY_SECRET, Scene};
use mic_consent::{BaseTables, PreparedKey, PublicKey, Signature, Suite};
use openssl::{bn::BigNum, ecdsa::EcdsaSig, pkey::PKey, pkey_ctx::PkeyCtx};
use sm2::dsa::signature::{Signer, Verifier};

const DISTID: &str = "1234567812345678";

pub fn bare() -> anyhow::Result<Group> {
    let scene = Rc::new(Scene::new(Suite::Sm2Sm3, 16)?.with_tables());
    // A message as long as a grant's signing input, signed once; all check the same signature.
    let message = scene.grants().first().cloned().unwrap_or_default();
    let key = sm2::dsa::SigningKey::from_slice(DISTID, &AUTHORITY_SECRET)?;
    let signature = key.try_sign(&message)?;
    let bytes = signature.to_bytes();
    let (r, s) = bytes.split_at(32);
    let public = key.verifying_key().clone();
    let sec1 = public.to_sec1_bytes();

    let context = libsm::sm2::signature::SigCtx::new();
    let failed = |error| anyhow::anyhow!("libsm: {error}");
    let point = context.load_pubkey(&sec1).map_err(failed)?;
    let digest = context.hash(DISTID, &point, &message).map_err(failed)?;
    let libsm_signature = libsm::sm2::signature::Signature::new(r, s);
    let efficient_key = efficient_sm2::PublicKey::from_slice(&sec1[1..]);
    let efficient_signature = efficient_sm2::Signature::new(r, s)
        .map_err(|error| anyhow::anyhow!("efficient-sm2: {error:?}"))?;

    let openssl = openssl(&sec1, &digest, bytes.as_ref())?;
    let prepared = PreparedKey::new(ours(&sec1)?, &mut BaseTables::new());
    let ours = Signature::from_bytes(bytes.into());

    let (text, libsm_text, our_text) = (message.clone(), message.clone(), message.clone());
    let group = Group::new(
        "consent: full SM2 grant check beside bare SM2 checks",
        "check",
    )
    .with("mic-consent, SM2 grant, all steps", 16, &16, move || {
        scene.passing()
    })
    .with(
        "mic-consent, signature alone, key with its table",
        1,
        &true,
        move || prepared.verify(&our_text, &ours).is_ok(),
    )
    .with("sm2, signature", 1, &true, move || {
        public.verify(&text, &signature).is_ok()
    })
    .goal(3.0)
    .with("libsm, signature", 1, &true, move || {
        context
            .verify(&libsm_text, &point, &libsm_signature)
            .unwrap_or(false)
    })
    .goal(2.0)
    .with(
        "efficient-sm2, signature over a given digest",
        1,
        &true,
        move || {
            efficient_signature
                .verify_digest(&efficient_key, &digest)
                .is_ok()
        },
    )
    .goal(2.0)
    .with("OpenSSL, signature over a given digest", 1, &true, openssl)
    .goal(4.0);
    with_others(group, &message, &sec1, bytes.as_ref())
}

/// The other crates of the registry with a check that can be called: key and signature parsed once where the crate can
/// keep them. Each must refuse another message before it is timed.
fn with_others(
    group: Group,
    message: &[u8],
    sec1: &[u8],
    signature: &[u8],
) -> anyhow::Result<Group> {
    let signature: [u8; 64] = signature.try_into()?;
    let (r, s) = (signature[..32].try_into()?, signature[32..].try_into()?);

    let key = gm_sm2::key::Sm2PublicKey::new(sec1)
        .map_err(|error| anyhow::anyhow!("gm-sm2: {error:?}"))?;
    let gm_sm2 = move |text: &[u8]| key.verify(Some(DISTID), text, &signature).is_ok();

    let key: [u8; 65] = sec1.try_into()?;
    let libsmx = move |text: &[u8]| {
        libsmx::sm2::verify_message(text, DISTID.as_bytes(), &key, &signature).is_ok()
    };

    let key = gmcrypto_core::sm2::Sm2PublicKey::from_sec1_bytes(sec1)
        .ok_or_else(|| anyhow::anyhow!("gmcrypto-core: no key"))?;
    let der = gmcrypto_core::asn1::encode_sig(&r, &s);
    let (id, own) = (DISTID.as_bytes(), der.clone());
    let gmcrypto = move |text: &[u8]| gmcrypto_core::sm2::verify_with_id(&key, id, text, &own);

    let key: String = sec1[1..].iter().map(|byte| format!("{byte:02x}")).collect();
    let smcrypto =
        move |text: &[u8]| smcrypto::sm2::Verify::new_with_id(id, &key).verify(text, &der);

    let checks: [(&str, Box<dyn Fn(&[u8]) -> bool>); 4] = [
        ("gm-sm2", Box::new(gm_sm2)),
        ("libsmx", Box::new(libsmx)),
        ("gmcrypto-core", Box::new(gmcrypto)),
        ("smcrypto", Box::new(smcrypto)),
    ];
    let mut group = group;
    for (name, check) in checks {
        let mut wrong = message.to_vec();
        wrong[0] ^= 1;
        anyhow::ensure!(!check(&wrong), "{name} took another message");
        let text = message.to_vec();
        let row = format!("{name}, signature");
        group = group.with(&row, 1, &true, move || check(&text)).goal(2.0);
    }
    Ok(group)
}

fn ours(sec1: &[u8]) -> anyhow::Result<PublicKey> {
    Ok(PublicKey::sm2(sec1[1..].try_into()?, DISTID)?)
}

/// Through the library's own interface for keys, with the key parsed once. The distinguishing id cannot be set
/// from safe Rust, so it is given the digest, which spares it the hash.
fn openssl(
    sec1: &[u8],
    digest: &[u8],
    signature: &[u8],
) -> anyhow::Result<impl FnMut() -> bool + 'static> {
    // SubjectPublicKeyInfo of a point on 1.2.156.10197.1.301.
    let mut spki = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08".to_vec();
    spki.extend_from_slice(b"\x2a\x81\x1c\xcf\x55\x01\x82\x2d\x03\x42\x00");
    spki.extend_from_slice(sec1);
    let key = PKey::public_key_from_der(&spki)?;
    let (r, s) = signature.split_at(32);
    let der = EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?
        .to_der()?;
    let digest = digest.to_vec();
    let check = move |digest: &[u8]| {
        let mut context = PkeyCtx::new(&key)?;
        context.verify_init()?;
        context.verify(digest, &der)
    };
    let mut wrong = digest.clone();
    wrong[0] ^= 1;
    anyhow::ensure!(
        !check(&wrong).unwrap_or(false),
        "OpenSSL took another digest"
    );
    Ok(move || check(&digest).unwrap_or(false))
}
