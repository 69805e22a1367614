//! The whole way once, in each suite: request, QR text, grant, proof, permit for the list and for one record.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(clippy::unwrap_used, reason = "the scene must succeed")]

mod common;

use common::*;
use mic_consent::*;

fn play(suite: Suite) {
    let keys = keys(suite);
    let (ring, policy) = (keys.ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let mut guard = MemoryGuard::with_capacity(100);

    let shown = request(&keys, ct_scope()).to_text();
    let scanned = Encoded::from_text(&shown).unwrap();
    let asked = scanned
        .untrusted::<Request>()
        .unwrap()
        .verify(&checker)
        .unwrap()
        .live(&checker, after(5))
        .unwrap();
    assert_eq!(asked.claims().organisation(), &hospital_code());

    let granted = grant(&keys, ct_scope());
    let held = live_grant(&keys, Encoded::from_bytes(granted.as_bytes()).unwrap());
    held.answers(&nonce(), &keys.hospital.key_id()).unwrap();
    assert!(
        held.answers(&RequestNonce::from_bytes([0; 16]), &keys.hospital.key_id())
            .is_err()
    );

    let opening = opening();
    let at_index = index();
    let proof = ProofDraft::list(&held, at_index)
        .sign(keys.hospital.as_ref(), ProofId::from_bytes([1; 16]), now())
        .unwrap();
    let wanted = Use::list(&at_index, PERSON);
    let permit = held
        .permit(
            &checker,
            after(2),
            Presented::new(&proof, &opening),
            &wanted,
            &mut guard,
        )
        .unwrap();
    assert!(permit.lists(RECORD, &facts()));
    assert!(!permit.opens(RECORD));

    let at_archive = archive();
    let proof = ProofDraft::open(&held, at_archive, RECORD, &opening)
        .unwrap()
        .sign(keys.hospital.as_ref(), ProofId::from_bytes([2; 16]), now())
        .unwrap();
    let wanted = Use::open(&at_archive, PERSON, RECORD, facts());
    let presented = Presented::new(&proof, &opening);
    let permit = held
        .permit(&checker, after(2), presented, &wanted, &mut guard)
        .unwrap();
    assert!(permit.opens(RECORD));
    assert!(!permit.opens(OTHER_RECORD));
    drop(permit);

    let again = held
        .permit(&checker, after(3), presented, &wanted, &mut guard)
        .unwrap_err();
    assert_eq!(again.reason(), Reason::ProofReplayed);
}

#[test]
fn ok_scene_in_sm2() {
    play(Suite::Sm2Sm3);
}

#[test]
fn ok_scene_in_ed25519() {
    play(Suite::Ed25519);
}

#[test]
fn ok_sizes_and_pictures_stay_within_the_budget() {
    for &suite in Suite::ALL {
        let keys = keys(suite);
        let all = |scope: Scope| request(&keys, scope);
        let records: Vec<Vec<u8>> = (0..5_u8).map(|n| [RECORD, &[n]].concat()).collect();
        let five = grant_draft(&keys, Scope::all())
            .with_records(records.iter().map(Vec::as_slice))
            .sign(
                keys.authority.as_ref(),
                GrantId::from_bytes([0x77; 16]),
                now(),
            )
            .unwrap();
        for (name, token, most) in [
            ("request, all", all(Scope::all()), 10),
            ("request, filtered", all(ct_scope()), 13),
            ("grant, all", grant(&keys, Scope::all()), 13),
            ("grant, filtered", grant(&keys, ct_scope()), 13),
            ("grant, five studies", five, 13),
        ] {
            let text = token.to_text();
            let version = QrPicture::from_text(&text).unwrap().version();
            println!(
                "{suite} {name}: {} bytes, {} characters, version {version}-M",
                token.as_bytes().len(),
                text.len()
            );
            assert!(version <= most, "{suite} {name}: version {version}");
        }
    }
}
