//! Grants: the full check, with the authority's key prepared as a node would have it, beside the bare signature
//! check of the same crates; everything but the signature beside the general decoders; the repeat check. Other tokens (JWT, PASETO, Biscuit) and other SM2 crates are in `peers/`.

use std::{collections::HashSet, rc::Rc};

use coset::{CoseSign1, TaggedCborSerializable as _};
use ed25519_dalek::Signer as _;
use mic_benches::{
    Group, Seed,
    consent::{GRANTS as GRANTS_LISTED, Scene, status_list},
    run, size,
};
use mic_consent::{Status, Suite};
use sm2::dsa::signature::Verifier as _;

/// Different grants, so that no row profits from one token staying in the caches.
const GRANTS: u8 = 16;
/// The id that a check hashes before the message unless told otherwise.
const DISTID: &str = "1234567812345678";

fn main() -> anyhow::Result<()> {
    let sm2 = Rc::new(Scene::new(Suite::Sm2Sm3, GRANTS)?.with_tables());
    let plain = Rc::new(Scene::new(Suite::Sm2Sm3, GRANTS)?);
    let es256 = Rc::new(Scene::new(Suite::Esp256, GRANTS)?.with_tables());
    let ed25519 = Rc::new(Scene::new(Suite::Ed25519, GRANTS)?.with_tables());
    let plain_ed25519 = Rc::new(Scene::new(Suite::Ed25519, GRANTS)?);
    anyhow::ensure!(
        [&sm2, &plain, &es256, &ed25519, &plain_ed25519]
            .iter()
            .all(|scene| refuses_changes(scene)),
        "a changed grant passed"
    );
    run(vec![
        full_sm2(&sm2, &plain)?,
        full_es256(&es256)?,
        full_ed25519(&ed25519, &plain_ed25519),
        unsigned(&sm2),
        again(&sm2)?,
        status()?,
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

fn full_sm2(scene: &Rc<Scene>, plain: &Rc<Scene>) -> anyhow::Result<Group> {
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
            "mic-consent, SM2 grant, all steps, key with its table",
            count as u64,
            &count,
            passing(scene),
        )
        .with(
            "mic-consent, SM2 grant, all steps, key without a table",
            count as u64,
            &count,
            passing(plain),
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

fn full_es256(scene: &Rc<Scene>) -> anyhow::Result<Group> {
    use p256::ecdsa::signature::Signer as _;
    let count = scene.grants().len();
    let key = p256::ecdsa::SigningKey::from_slice(&mic_benches::consent::AUTHORITY_SECRET)?;
    let public = *key.verifying_key();
    let signed: Vec<(Vec<u8>, p256::ecdsa::Signature)> = scene
        .grants()
        .iter()
        .map(|message| (message.clone(), key.sign(message)))
        .collect();
    Ok(Group::new("consent: full ESP256 grant check", "grant")
        .with(
            "mic-consent, ESP256 grant, all steps, key with its table",
            count as u64,
            &count,
            passing(scene),
        )
        .with(
            "p256 crate, bare signature check",
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

/// What a node does for a grant that it has checked before. The aim is a microsecond; hashing the token, which
/// a memory of verdicts by token would do, is there to compare.
fn again(scene: &Rc<Scene>) -> anyhow::Result<Group> {
    use sha2::Digest as _;
    let count = scene.grants().len();
    let known = scene
        .grants()
        .iter()
        .map(|grant| Ok(Some(scene.signed(grant)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let (ours, theirs) = (Rc::clone(scene), Rc::clone(scene));
    let mut known = known;
    let mut again = move || {
        let mut passed = 0;
        for grant in &mut known {
            *grant = grant.take().and_then(|grant| ours.check_again(grant).ok());
            passed += usize::from(grant.is_some());
        }
        passed
    };
    anyhow::ensure!(again() == count, "a known grant was refused");
    Ok(
        Group::new("consent: repeat check of a known grant", "grant")
            .with(
                "mic-consent, key, realm, clock and status anew",
                count as u64,
                &count,
                again,
            )
            .with(
                "sha2 0.11, SHA-256 of the token",
                count as u64,
                &count,
                move || {
                    let digests = theirs.grants().iter().map(sha2::Sha256::digest);
                    digests
                        .filter(|digest| digest.as_slice() != [0; 32])
                        .count()
                },
            ),
    )
}

/// One look at the list of a million grants of which one in a hundred is withdrawn; the aim is 50 ns. The peers hold
/// the withdrawn places in the open, in some forty times the memory.
fn status() -> anyhow::Result<Group> {
    let mut seed = Seed::new(20_261_128);
    let mut place = || u32::try_from(seed.below(u64::from(GRANTS_LISTED))).unwrap_or_default();
    let withdrawn: Rc<HashSet<u32>> = Rc::new((0..10_000).map(|_| place()).collect());
    let asked: Rc<[u32]> = (0..size(100_000, 100)).map(|_| place()).collect();
    let list = status_list(withdrawn.iter().copied())?;
    let count = asked.iter().filter(|at| withdrawn.contains(at)).count();
    let (ours, set, sorted) = (Rc::clone(&asked), Rc::clone(&asked), Rc::clone(&asked));
    let mut places: Vec<u32> = withdrawn.iter().copied().collect();
    places.sort_unstable();
    let asked = asked.len() as u64;
    Ok(Group::new("consent: one look at a status list", "look")
        .with(
            "mic-consent, the list as it was signed",
            asked,
            &count,
            move || {
                let withdrawn = |at: &&u32| list.claims().status(**at) == Status::Withdrawn;
                ours.iter().filter(withdrawn).count()
            },
        )
        .with(
            "std, a hash set of the withdrawn",
            asked,
            &count,
            move || set.iter().filter(|at| withdrawn.contains(at)).count(),
        )
        .with(
            "std, a sorted list of the withdrawn",
            asked,
            &count,
            move || {
                let found = |at: &&u32| places.binary_search(at).is_ok();
                sorted.iter().filter(found).count()
            },
        ))
}

fn full_ed25519(scene: &Rc<Scene>, plain: &Rc<Scene>) -> Group {
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
            "mic-consent, Ed25519 grant, all steps, key with its table",
            count as u64,
            &count,
            passing(scene),
        )
        .with(
            "mic-consent, Ed25519 grant, all steps, key without a table",
            count as u64,
            &count,
            passing(plain),
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
    let token = CoseSign1::from_tagged_slice(grant);
    ciborium::from_reader(token.ok()?.payload?.as_slice()).ok()
}

fn passing(scene: &Rc<Scene>) -> impl FnMut() -> usize + 'static {
    let scene = Rc::clone(scene);
    move || scene.passing()
}
