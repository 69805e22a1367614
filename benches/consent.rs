//! Grants: the full check beside the bare signature check of the same crates, and everything but the signature
//! beside the general decoders. Other tokens (JWT, PASETO, Biscuit) and other SM2 crates are in `peers/`.

use std::rc::Rc;

use coset::{CborSerializable, CoseSign1};
use ed25519_dalek::Signer as _;
use mic_benches::{Group, consent::Scene, run};
use mic_consent::Suite;
use sm2::dsa::signature::Verifier as _;

/// Different grants, so that no row profits from one token staying in the caches.
const GRANTS: u8 = 16;
/// The id that a check hashes before the message unless told otherwise.
const DISTID: &str = "1234567812345678";

fn main() -> anyhow::Result<()> {
    let sm2 = Rc::new(Scene::new(Suite::Sm2Sm3, GRANTS)?);
    let ed25519 = Rc::new(Scene::new(Suite::Ed25519, GRANTS)?);
    anyhow::ensure!(
        refuses_changes(&sm2) && refuses_changes(&ed25519),
        "a changed grant passed"
    );
    run(vec![
        full_sm2(&sm2)?,
        full_ed25519(&ed25519),
        unsigned(&sm2),
    ]);
    Ok(())
}

/// A measured check that accepts everything would win every race.
fn refuses_changes(scene: &Scene) -> bool {
    scene.grants().iter().all(|grant| {
        (0..grant.len()).step_by(7).all(|at| {
            let mut changed = grant.clone();
            changed[at] ^= 1;
            scene.check(&changed).is_err()
        })
    })
}

fn full_sm2(scene: &Rc<Scene>) -> anyhow::Result<Group> {
    let count = scene.grants().len();
    let key = sm2::dsa::SigningKey::from_slice(DISTID, &mic_benches::consent::AUTHORITY_SECRET)?;
    let public = key.verifying_key().clone();
    let signed: Vec<(Vec<u8>, sm2::dsa::Signature)> = scene
        .grants()
        .iter()
        .map(|message| Ok((message.clone(), key.try_sign(message)?)))
        .collect::<anyhow::Result<_>>()?;
    Ok(Group::new("consent: full SM2 grant check", "grant")
        .with(
            "mic-consent, SM2 grant, all steps",
            count as u64,
            &count,
            passing(scene),
        )
        .with(
            "sm2 crate, bare signature check",
            count as u64,
            &count,
            move || {
                signed
                    .iter()
                    .filter(|(message, signature)| public.verify(message, signature).is_ok())
                    .count()
            },
        )
        .goal(3.0))
}

fn full_ed25519(scene: &Rc<Scene>) -> Group {
    let count = scene.grants().len();
    let key = ed25519_dalek::SigningKey::from_bytes(&mic_benches::consent::AUTHORITY_SECRET);
    let public = key.verifying_key();
    let signed: Vec<(Vec<u8>, ed25519_dalek::Signature)> = scene
        .grants()
        .iter()
        .map(|message| (message.clone(), key.sign(message)))
        .collect();
    Group::new("consent: full Ed25519 grant check", "grant")
        .with(
            "mic-consent, Ed25519 grant, all steps",
            count as u64,
            &count,
            passing(scene),
        )
        .with(
            "ed25519-dalek `verify_strict`, bare",
            count as u64,
            &count,
            move || {
                signed
                    .iter()
                    .filter(|(message, signature)| public.verify_strict(message, signature).is_ok())
                    .count()
            },
        )
}

/// Steps 1 to 12 without step 6, beside decoding alone by general tools.
fn unsigned(scene: &Rc<Scene>) -> Group {
    let count = scene.grants().len();
    let ours = Rc::clone(scene);
    let theirs = Rc::clone(scene);
    Group::new("consent: decode and checks without the signature", "grant")
        .with(
            "mic-consent, decode and all checks",
            count as u64,
            &count,
            move || {
                ours.grants()
                    .iter()
                    .filter(|grant| ours.check_unsigned(grant).is_ok())
                    .count()
            },
        )
        .with(
            "coset + ciborium, decode only",
            count as u64,
            &count,
            move || {
                theirs
                    .grants()
                    .iter()
                    .filter(|grant| general(grant).is_some())
                    .count()
            },
        )
        .goal(10.0)
}

fn general(grant: &[u8]) -> Option<ciborium::Value> {
    let token = CoseSign1::from_slice(grant)
        .or_else(|_| <CoseSign1 as coset::TaggedCborSerializable>::from_tagged_slice(grant));
    ciborium::from_reader(token.ok()?.payload?.as_slice()).ok()
}

fn passing(scene: &Rc<Scene>) -> impl FnMut() -> usize + 'static {
    let scene = Rc::clone(scene);
    move || scene.passing()
}
