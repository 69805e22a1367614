//! SM2 alone: our full grant check beside the bare signature check of every Rust crate here.

use std::rc::Rc;

use mic_benches::Group;
use mic_benches::consent::{AUTHORITY_SECRET, Scene};
use mic_consent::Suite;
use sm2::dsa::signature::{Signer, Verifier};

const DISTID: &str = "1234567812345678";

pub fn bare() -> anyhow::Result<Group> {
    let scene = Rc::new(Scene::new(Suite::Sm2Sm3, 16)?);
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

    let (text, libsm_text) = (message.clone(), message);
    Ok(Group::new(
        "consent: full SM2 grant check beside bare SM2 checks",
        "check",
    )
    .with("mic-consent, SM2 grant, all steps", 16, &16, move || {
        scene.passing()
    })
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
    .goal(2.0))
}
