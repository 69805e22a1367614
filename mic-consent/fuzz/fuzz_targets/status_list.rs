//! Any places: a list says of each place what its draft said, in the one form that the draft gives; and a book
//! never takes a withdrawal back.
#![no_main]

use std::{collections::BTreeSet, sync::LazyLock};

use chrono::TimeDelta;
use libfuzzer_sys::fuzz_target;
use mic_consent::*;
use mic_consent_fuzz::{cast_ring, now, policy, signer_of};

static WORLD: LazyLock<(KeyRing, Policy)> = LazyLock::new(|| (cast_ring(), policy()));

fuzz_target!(|input: (u16, Vec<u16>, Vec<u16>, Vec<u16>)| {
    let (places, withdrawn, suspended, later) = input;
    let places = u32::from(places) + 1;
    let within = |list: &[u16]| -> BTreeSet<u32> {
        list.iter()
            .map(|place| u32::from(*place) % places)
            .collect()
    };
    let (withdrawn, suspended, later) = (within(&withdrawn), within(&suspended), within(&later));
    let checker = Checker::new(&WORLD.0, &WORLD.1);
    let key = signer_of(TokenType::StatusList);
    let issuer = IssuerCode::new("CONSENT01").expect("a code");
    let draft = StatusListDraft::new(*WORLD.1.realm(), issuer, 1, places)
        .with_withdrawn(withdrawn.iter().copied())
        .with_suspended(suspended.iter().copied());
    let live = |draft: &StatusListDraft, seconds| {
        let time = now() + TimeDelta::seconds(seconds);
        let token = draft.sign(&key, time).expect("places within the list");
        let token = Encoded::document_from_bytes(token.as_bytes()).expect("our own");
        let signed = token
            .untrusted::<StatusList>()
            .expect("a list")
            .verify(&checker);
        signed.expect("signed").live(&checker, time).expect("live")
    };
    let list = live(&draft, 0);
    for place in 0..places.min(300) {
        let expected = match (withdrawn.contains(&place), suspended.contains(&place)) {
            (true, _) => Status::Withdrawn,
            (false, true) => Status::Suspended,
            (false, false) => Status::Valid,
        };
        assert_eq!(list.claims().status(place), expected);
    }
    let next = StatusListDraft::after(list.claims()).with_withdrawn(later.iter().copied());
    let bare = StatusListDraft::new(*WORLD.1.realm(), issuer, 1, places)
        .with_version(3)
        .with_withdrawn(later.iter().copied());
    let mut book = StatusBook::new(&WORLD.1);
    book.accept(list).expect("the first");
    book.accept(live(&next, 1))
        .expect("it keeps what was withdrawn");
    let kept = withdrawn.is_subset(&later);
    assert_eq!(book.accept(live(&bare, 2)).is_ok(), kept);
});
