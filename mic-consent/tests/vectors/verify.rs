//! Wrong keys and signatures, issuers, audiences, times and states: steps 5, 6, 8 to 10 and 12.

use ciborium::Value;
use mic_consent::*;
use serde_json::json;

use crate::{
    common::{
        raw::{assemble, bytes_of, claims_of, find, header, parts, sign, sign_with, with},
        *,
    },
    file::rfc3339,
    wrong::{MIC, Wrong},
};

/// The order of the group of the suite, in the form in which a signature has it.
fn order(suite: Suite) -> &'static str {
    match suite {
        Suite::Sm2Sm3 => "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123",
        Suite::Ed25519 => "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
        _ => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    }
}

pub(crate) fn reject_key(wrong: &mut Wrong) {
    let grant = hex::encode(wrong.grant.as_bytes());
    let authority_name = wrong.name("authority");
    let state = |state: &str, since: Option<i64>| {
        let since = since.map(|seconds| rfc3339(after(seconds)));
        json!({ "type": "mic-g", "token": grant, "key_states": { (&authority_name): { "state": state, "since": since } } })
    };
    wrong.push(
        "key-suspended",
        "the authority's key is suspended",
        state("suspended", None),
    );
    wrong.push(
        "key-revoked",
        "the authority's key is revoked",
        state("revoked", None),
    );
    wrong.push(
        "key-compromised",
        "the authority's key is compromised since later",
        state("compromised", Some(3600)),
    );
    wrong.push(
        "key-retired",
        "the authority's key signs no more since the moment of issue",
        state("verify-only", Some(0)),
    );
    if wrong.suite == Suite::Sm2Sm3 {
        wrong.push(
            "key-suite",
            "an SM2 grant at a node for international suites",
            json!({ "type": "mic-g", "token": grant, "suites": "international-only" }),
        );
        let ed25519 = crate::common::grant(&keys(Suite::Ed25519), ct_scope());
        wrong.push(
            "key-suite-gm",
            "an Ed25519 grant at a node for SM2 alone",
            json!({ "type": "mic-g", "token": hex::encode(ed25519.as_bytes()), "suites": "gm-only" }),
        );
    } else {
        wrong.push(
            "key-suite",
            "a grant of another suite at a node for SM2 alone",
            json!({ "type": "mic-g", "token": grant, "suites": "gm-only" }),
        );
    }
    let claims = wrong.claims.clone();
    wrong.bytes(
        "key-unknown",
        "a key outside the trusted set",
        &sign("mic-g", &claims, wrong.signer("stranger").as_ref()),
    );
    wrong.bytes(
        "key-role",
        "a hospital grants to itself",
        &sign(
            "mic-g",
            &with(&claims, &[1], Some("H11010500001".into())),
            wrong.signer("hospital").as_ref(),
        ),
    );

    let (protected, payload, signature) = parts(wrong.grant.as_bytes());
    let authority = wrong.signer("authority");
    let mut flipped = signature.clone();
    flipped[0] ^= 1;
    wrong.bytes(
        "signature-bit",
        "one bit of the signature",
        &assemble(&protected, &payload, &flipped),
    );
    let mut changed = payload.clone();
    *changed.last_mut().unwrap() ^= 2;
    wrong.bytes(
        "signature-claim",
        "one bit of the claims",
        &assemble(&protected, &changed, &signature),
    );
    let order = hex::decode(order(wrong.suite)).unwrap();
    let (r, s) = signature.split_at(32);
    wrong.bytes(
        "signature-r-zero",
        "r is zero",
        &assemble(&protected, &payload, &[&[0; 32], s].concat()),
    );
    wrong.bytes(
        "signature-s-zero",
        "s is zero",
        &assemble(&protected, &payload, &[r, &[0; 32]].concat()),
    );
    wrong.bytes(
        "signature-r-order",
        "r is the order of the group",
        &assemble(&protected, &payload, &[&order[..], s].concat()),
    );
    wrong.bytes(
        "signature-s-order",
        "s is the order of the group",
        &assemble(&protected, &payload, &[r, &order[..]].concat()),
    );
    wrong.bytes(
        "signature-swapped",
        "s before r",
        &assemble(&protected, &payload, &[s, r].concat()),
    );
    let plain = header(authority.as_ref(), "mic-g");
    wrong.bytes(
        "signature-no-aad",
        "signed without the external text",
        &sign_with(&plain, &payload, "", authority.as_ref()),
    );
    wrong.bytes(
        "signature-other-aad",
        "signed with the external text of a request",
        &sign_with(&plain, &payload, "mic-consent/1/mic-q", authority.as_ref()),
    );
    if wrong.suite == Suite::Ed25519 {
        // s and s plus the order fit the same equation; only the lower one is the signature (RFC 8032, 5.1.7).
        let mut carry = 0;
        let more: Vec<u8> = (s.iter().zip(&order))
            .map(|(one, two)| {
                let sum = u16::from(*one) + u16::from(*two) + carry;
                carry = sum >> 8;
                (sum & 0xff) as u8
            })
            .collect();
        assert_eq!(carry, 0);
        wrong.bytes(
            "signature-s-plus-order",
            "s plus the order of the group",
            &assemble(&protected, &payload, &[r, &more].concat()),
        );
        let mut identity = [0; 32];
        identity[0] = 1;
        wrong.bytes(
            "signature-r-identity",
            "R is the neutral element",
            &assemble(&protected, &payload, &[&identity, s].concat()),
        );
    }
    if wrong.suite != Suite::Sm2Sm3 {
        return;
    }
    let empty = Sm2SigningKey::with_distid(&[0x22; 32], "").unwrap();
    wrong.bytes(
        "signature-empty-distid",
        "signed with an empty distinguishing id",
        &sign_with(&plain, &payload, "mic-consent/1/mic-g", &empty),
    );
}

pub(crate) fn reject_issuer_and_time(wrong: &mut Wrong) {
    wrong.claim(
        "issuer-other",
        "an issuer that does not own the key",
        &[1],
        Some("CONSENT02".into()),
    );
    let claims = with(&wrong.claims, &[1], Some("CONSENT61".into()));
    let provincial = wrong.signer("provincial-authority");
    wrong.bytes(
        "issuer-province-everywhere",
        "a provincial authority opens every archive",
        &sign("mic-g", &claims, provincial.as_ref()),
    );
    let both = with(
        &claims,
        &[MIC, 5, 4],
        Some(Value::Array(vec![61.into(), 62.into()])),
    );
    wrong.bytes(
        "issuer-province-two",
        "a provincial authority opens a neighbour's archive too",
        &sign("mic-g", &both, provincial.as_ref()),
    );
    let other = with(&claims, &[MIC, 5, 4], Some(Value::Array(vec![62.into()])));
    wrong.bytes(
        "issuer-province-other",
        "a provincial authority opens a neighbour's archive",
        &sign("mic-g", &other, provincial.as_ref()),
    );
    let early = with(
        &with(
            &wrong.claims,
            &[6],
            Some((now().timestamp() - 86_401).into()),
        ),
        &[4],
        Some((now().timestamp() - 5).into()),
    );
    wrong.payload(
        "issuer-key-too-young",
        "issued before the key was valid",
        &bytes_of(&early),
    );
    wrong.claim(
        "audience-realm",
        "another realm",
        &[3],
        Some("mic.test".into()),
    );

    let grant = hex::encode(wrong.grant.as_bytes());
    let at =
        |seconds: i64| json!({ "type": "mic-g", "token": grant, "clock": rfc3339(after(seconds)) });
    wrong.push(
        "time-expired",
        "the first second after the end and the skew",
        at(7_260),
    );
    wrong.push("time-long-expired", "a year later", at(365 * 86_400));
    wrong.push(
        "time-issued-in-future",
        "a clock 61 seconds behind",
        at(-61),
    );
    let later = with(
        &wrong.claims,
        &[5],
        Some((now().timestamp() + 1_000).into()),
    );
    let token = hex::encode(sign("mic-g", &later, wrong.signer("authority").as_ref()));
    wrong.push(
        "time-not-yet",
        "61 seconds before the beginning",
        json!({ "type": "mic-g", "token": token, "clock": rfc3339(after(939)) }),
    );
    for (status, id) in [
        ("withdrawn", "status-withdrawn"),
        ("suspended", "status-suspended"),
        ("unknown", "status-unknown"),
    ] {
        wrong.push(
            id,
            "what the status source says",
            json!({ "type": "mic-g", "token": grant, "status": status }),
        );
    }
    let request = request(&keys(wrong.suite), ct_scope());
    let expired = json!({ "type": "mic-q", "token": hex::encode(request.as_bytes()), "clock": rfc3339(after(180)) });
    wrong.push(
        "time-request-expired",
        "a request after 120 seconds and the skew",
        expired,
    );
    let asked = claims_of(&request);
    let exp = find(&asked, &[4]);
    assert_eq!(exp, (now().timestamp() + 120).into());
    let hospital = wrong.signer("hospital");
    let mut push = |id: &str, note: &str, claims: Value| {
        wrong.push(id, note, json!({ "type": "mic-q", "token": hex::encode(sign("mic-q", &claims, hospital.as_ref())) }));
    };
    push(
        "request-life",
        "a request that lives 301 seconds",
        with(&asked, &[4], Some((now().timestamp() + 301).into())),
    );
    push(
        "request-period",
        "a request for a grant of more than a day",
        with(&asked, &[MIC, 17], Some(86_401.into())),
    );
    push(
        "request-chosen",
        "a request for chosen records",
        with(
            &asked,
            &[MIC, 5],
            Some(Value::Map(vec![
                (1.into(), 3.into()),
                (5.into(), Value::Array(vec![Value::Bytes(vec![1; 10])])),
            ])),
        ),
    );
    push(
        "request-other-owner",
        "a request in the name of another hospital",
        with(&asked, &[1], Some("H61010200001".into())),
    );
}
