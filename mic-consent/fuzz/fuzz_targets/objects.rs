//! Any claims of any type behind a good signature. The first byte is the letter of the type. No panic, no rule of
//! the specification missed, and no other bytes of the same length say the same.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mic_consent::*;
use mic_consent_fuzz::{cast_ring, now, policy, sealed};

static WORLD: LazyLock<(KeyRing, Policy)> = LazyLock::new(|| (cast_ring(), policy()));

fuzz_target!(|input: &[u8]| {
    let Some((letter, payload)) = input.split_first() else {
        return;
    };
    let Some(kind) = TokenType::from_name(&format!("mic-{}", char::from(*letter))) else {
        return;
    };
    if payload.len() > 1600 {
        return;
    }
    let checker = Checker::new(&WORLD.0, &WORLD.1);
    let token = Encoded::from_bytes(&sealed(kind, payload)).expect("the outer form is right");
    match kind {
        TokenType::Offer => {
            if let Ok(signed) = token
                .untrusted::<Offer>()
                .expect("its type")
                .verify(&checker)
            {
                let life = signed.claims().expires_at() - signed.claims().issued_at();
                assert!((1..=90).contains(&life.num_seconds()));
            }
        }
        TokenType::Emergency => {
            if let Ok(signed) = token
                .untrusted::<Emergency>()
                .expect("its type")
                .verify(&checker)
            {
                let claims = signed.claims();
                assert!(
                    claims
                        .terms()
                        .rights()
                        .is_within(Rights::LIST | Rights::VIEW | Rights::REPORT)
                );
                assert_ne!(claims.doctor(), claims.reviewer());
                let refused = signed.live(&checker, now());
                assert!(refused.is_err(), "this policy takes no emergencies");
            }
        }
        TokenType::Order => {
            if let Ok(signed) = token
                .untrusted::<Order>()
                .expect("its type")
                .verify(&checker)
            {
                let claims = signed.claims();
                let most = Rights::LIST | Rights::VIEW | Rights::REPORT | Rights::KEEP;
                assert!(claims.terms().rights().is_within(most));
                assert_ne!(claims.issuer().as_str(), claims.organisation().as_str());
            }
        }
        TokenType::StatusList => {
            if let Ok(signed) = token
                .untrusted::<StatusList>()
                .expect("its type")
                .verify(&checker)
            {
                let claims = signed.claims();
                assert!(
                    u64::from(claims.withdrawn()) + u64::from(claims.suspended())
                        <= u64::from(claims.places())
                );
                assert_eq!(claims.status(claims.places()), Status::Unknown);
            }
        }
        TokenType::KeySet => {
            if let Ok(signed) = token
                .untrusted::<KeySet>()
                .expect("its type")
                .verify(&checker)
            {
                for record in signed.claims().keys().iter() {
                    let roles = record.roles();
                    assert!(!(roles.contains(Role::Request) && roles.contains(Role::Grant)));
                }
            }
        }
        TokenType::Narrowed => {
            if let Ok(signed) = token
                .untrusted::<Narrowed>()
                .expect("its type")
                .verify(&checker)
            {
                let terms = signed.claims().terms();
                assert!(terms.valid_from() < terms.expires_at());
                assert!(terms.is_within(&terms));
            }
        }
        TokenType::Receipt => {
            if let Ok(signed) = token
                .untrusted::<Receipt>()
                .expect("its type")
                .verify(&checker)
            {
                let claims = signed.claims();
                // What a law orders and what an emergency asks for have no purpose of the patient's choice.
                assert_eq!(claims.purpose().is_some(), claims.basis() == Basis::Consent);
                assert_eq!(signed.entry(), payload);
            }
        }
        _ => drop(mic_consent_fuzz::verify(token, &checker)),
    }
});
