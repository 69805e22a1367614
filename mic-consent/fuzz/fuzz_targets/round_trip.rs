//! Any wishes: a request that is signed is read again with the same claims, from bytes and from text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_consent::*;
use mic_consent_fuzz::{hospital, now, policy, ring};

fuzz_target!(|wish: ([u8; 16], u32, u32, Vec<u8>, u8)| {
    let (nonce, life_s, period_s, provinces, rights) = wish;
    let provinces = provinces
        .into_iter()
        .take(60)
        .filter_map(|number| Province::new(number).ok());
    let scope = ScopeFilter::new()
        .with_provinces(provinces)
        .ok()
        .and_then(|filter| Scope::filtered(filter).ok());
    let rights = if rights % 2 == 0 {
        Rights::LIST
    } else {
        Rights::LIST | Rights::VIEW
    };
    let (policy, ring, nonce) = (policy(), ring(), RequestNonce::from_bytes(nonce));
    let owner = InstitutionCode::new("H11010500001").expect("a code");
    let scope = scope.unwrap_or(Scope::all());
    let draft = RequestDraft::new(
        *policy.realm(),
        owner,
        Purpose::Treatment,
        rights,
        scope.clone(),
    );
    let Ok(token) =
        draft
            .with_life_s(life_s)
            .with_period_s(period_s)
            .sign(&hospital(), nonce, now())
    else {
        assert!(!(1..=300).contains(&life_s) || !(1..=86_400).contains(&period_s));
        return;
    };
    let again = Encoded::from_text(&token.to_text()).expect("our own text");
    assert_eq!(again, token);
    let signed = again
        .untrusted::<Request>()
        .expect("a request")
        .verify(&Checker::new(&ring, &policy))
        .expect("signed");
    assert_eq!(
        (signed.claims().scope(), signed.claims().period_s()),
        (&scope, period_s)
    );
    assert_eq!(
        (signed.claims().nonce(), signed.claims().rights()),
        (&nonce, rights)
    );
});
