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
fn ok_most_reasons_of_the_token_itself_have_a_vector() {
    // Steps 11 and 13 to 15 need a node and an action; they are in permit.rs. LifeOverPolicy depends on the policy.
    let elsewhere = [
        Reason::LifeOverPolicy,
        Reason::CheckTooOld,
        Reason::ClockInvalid,
        // Needs a granting key of a hospital: permit.rs.
        Reason::SelfGranted,
        // Thousands of lists; a witness: log.rs, status.rs.
        Reason::TooManyLists,
        // A store: kept_book.rs.
        Reason::NotKept,
        Reason::NotWitnessed,
        Reason::OtherLog,
    ];
    // The files of a suite stand at the same place in both tables.
    for ((suite, tokens), (_, objects)) in wrong::REJECT_FILES.iter().zip(&objects::REJECT_FILES) {
        let seen: Vec<u64> = [*tokens, *objects]
            .into_iter()
            .flat_map(|name| file::read(name)["cases"].as_array().unwrap().clone())
            .map(|case| case["expect"]["err"]["number"].as_u64().unwrap())
            .collect();
        for reason in Reason::ALL {
            let of_the_token = matches!(reason.step().number(), 1..=10 | 12 | 16 | 17)
                && !elsewhere.contains(reason);
            assert!(
                !of_the_token || seen.contains(&u64::from(reason.number())),
                "{} has no vector in {suite}",
                reason.name()
            );
        }
    }
}
