//! Every vector is run; the generated files are compared with what the fixed seeds give.
//!
//! `MIC_CONSENT_WRITE_VECTORS=1 cargo test -p mic-consent --test vectors` writes them anew.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "vectors that cannot be read should fail"
)]

#[path = "../common/mod.rs"]
mod common;

mod accept;
mod claims;
mod decode;
mod denials;
mod file;
mod keys;
mod objects;
mod qr;
mod run;
mod suites;
mod verify;
mod wrong;

use file::{settle, write_seeds};
use mic_consent::Reason;
use run::run_file;

#[test]
fn ok_accept_vectors_are_accepted_with_these_claims() {
    let made = accept::accept();
    settle("accept.json", &made);
    write_seeds(&made);
    run_file("accept.json", "ok");
}

#[test]
fn err_reject_vectors_are_refused_with_this_very_denial() {
    for (suite, name) in wrong::REJECT_FILES {
        settle(name, &wrong::reject(suite));
        run_file(name, "err");
    }
}

#[test]
fn ok_every_reason_has_a_vector_in_every_suite() {
    // The files of a suite stand at the same place in both tables.
    for ((suite, tokens), (_, objects)) in wrong::REJECT_FILES.iter().zip(&objects::REJECT_FILES) {
        let prefix = format!("{}-", suite.name().to_lowercase());
        let cases = |name| file::read(name)["cases"].as_array().unwrap().clone();
        let decisions = cases("decide.json")
            .into_iter()
            .filter(|case| case["id"].as_str().unwrap().starts_with(&prefix));
        let seen: Vec<u64> = [*tokens, *objects]
            .into_iter()
            .flat_map(cases)
            .chain(decisions)
            .filter_map(|case| case["expect"]["err"]["number"].as_u64())
            .collect();
        for reason in Reason::ALL {
            assert!(
                seen.contains(&u64::from(reason.number())),
                "{} has no vector in {suite}",
                reason.name()
            );
        }
    }
}
