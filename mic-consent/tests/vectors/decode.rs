//! Wrong text, structure and header: steps 1 to 4.

use ciborium::Value;
use mic_consent::Suite;
use serde_json::json;

use crate::{
    common::raw::{assemble, parts, sign},
    wrong::Wrong,
};

pub(crate) fn reject_text(wrong: &mut Wrong) {
    let text = wrong.grant.to_text();
    let body = text.strip_prefix("MICG1:").unwrap().to_owned();
    let mut push = |id: &str, note: &str, text: String| {
        wrong.push(id, note, json!({ "type": "mic-g", "text": text }));
    };
    push("text-empty", "nothing at all", String::new());
    push(
        "text-prefix-lower",
        "the prefix in small letters",
        format!("micg1:{body}"),
    );
    push(
        "text-prefix-unknown",
        "a prefix of another version",
        format!("MICG2:{body}"),
    );
    push(
        "text-blank-before",
        "a blank before the prefix",
        format!(" {text}"),
    );
    push(
        "text-prefix-other-type",
        "a grant under the prefix of a request",
        format!("MICQ1:{body}"),
    );
    push(
        "text-lower",
        "base45 in small letters",
        format!("MICG1:{}", body.to_lowercase()),
    );
    push(
        "text-length",
        "one character left over",
        format!("{text}{}", if body.len() % 3 == 0 { "0" } else { "00" }),
    );
    push(
        "text-overflow-pair",
        "a last pair above 255, which some decoders cut to eight bits",
        "MICG1:::".into(),
    );
    push(
        "text-overflow-triple",
        "a triple above 65535",
        "MICG1:GGW".into(),
    );
    push(
        "text-non-ascii",
        "a full-width colon",
        format!("MICG1：{body}"),
    );
    push(
        "text-too-long",
        "3079 characters",
        format!("MICG1:{}", "0".repeat(3073)),
    );
    push(
        "text-line-feed",
        "a line feed at the end",
        format!("{text}\n"),
    );
}

pub(crate) fn reject_structure(wrong: &mut Wrong) {
    let token = wrong.grant.as_bytes().to_vec();
    let (protected, payload, signature) = parts(&token);
    let edit = |at: usize, remove: usize, insert: &[u8]| {
        let mut edited = token.clone();
        edited.splice(at..at + remove, insert.iter().copied());
        edited
    };
    // In SM2: d2 84 | head of protected | protected | a0 | head of payload | payload | 58 40 | signature
    let at_protected = 2;
    let at_unprotected = at_protected + 2 + protected.len() - usize::from(protected.len() < 24);
    let at_payload = at_unprotected + 1;
    let at_signature = token.len() - signature.len() - 2;
    assert_eq!(token[at_unprotected], 0xa0);
    assert_eq!(token[at_payload], 0x58);
    assert_eq!(token[at_signature..at_signature + 2], [0x58, 0x40]);

    wrong.bytes("structure-empty", "no bytes", &[]);
    wrong.bytes("structure-too-long", "2049 bytes", &[0xd2; 2049]);
    wrong.bytes(
        "structure-truncated",
        "the last byte is missing",
        &token[..token.len() - 1],
    );
    wrong.bytes(
        "structure-trailing",
        "a byte after the end",
        &edit(token.len(), 0, &[0]),
    );
    wrong.bytes("structure-untagged", "without tag 18", &token[1..]);
    wrong.bytes(
        "structure-other-tag",
        "tag 17, COSE_Mac0",
        &edit(0, 1, &[0xd1]),
    );
    wrong.bytes(
        "structure-long-tag",
        "tag 18 in two bytes",
        &edit(0, 1, &[0xd8, 18]),
    );
    wrong.bytes(
        "structure-indefinite-array",
        "an array of indefinite length",
        &[&edit(1, 1, &[0x9f])[..], &[0xff]].concat(),
    );
    wrong.bytes("structure-three", "an array of three", &edit(1, 1, &[0x83]));
    wrong.bytes("structure-five", "an array of five", &edit(1, 1, &[0x85]));
    wrong.bytes(
        "structure-long-array",
        "the array's count in two bytes",
        &edit(1, 1, &[0x98, 4]),
    );
    wrong.bytes(
        "structure-huge-array",
        "an array of 2^32 - 1",
        &edit(1, 1, &[0x9a, 0xff, 0xff, 0xff, 0xff]),
    );
    wrong.bytes(
        "structure-reserved",
        "a reserved length form",
        &edit(1, 1, &[0x9c]),
    );
    wrong.bytes(
        "structure-unprotected-entry",
        "a second alg in the unprotected header",
        &edit(at_unprotected, 1, &[0xa1, 1, 0x32]),
    );
    wrong.bytes(
        "structure-unprotected-indefinite",
        "an unprotected header of indefinite length",
        &edit(at_unprotected, 1, &[0xbf, 0xff]),
    );
    wrong.bytes(
        "structure-unprotected-long",
        "an empty map in two bytes",
        &edit(at_unprotected, 1, &[0xb8, 0]),
    );
    wrong.bytes(
        "structure-unprotected-array",
        "an array in place of the unprotected header",
        &edit(at_unprotected, 1, &[0x80]),
    );
    let length = u8::try_from(payload.len()).unwrap();
    wrong.bytes(
        "structure-long-payload",
        "the payload's length in three bytes",
        &edit(at_payload, 2, &[0x59, 0, length]),
    );
    wrong.bytes(
        "structure-chunked-payload",
        "a payload in chunks",
        &edit(at_payload, 1, &[0x5f, 0x58]),
    );
    wrong.bytes(
        "structure-no-payload",
        "nil in place of the payload",
        &edit(at_payload, 2 + payload.len(), &[0xf6]),
    );
    wrong.bytes(
        "structure-text-payload",
        "a text in place of the payload",
        &edit(at_payload, 1, &[0x78]),
    );
    wrong.bytes(
        "structure-4-gib",
        "a payload said to be of 4 GiB",
        &edit(at_payload, 2, &[0x5a, 0xff, 0xff, 0xff, 0xff]),
    );
    wrong.bytes(
        "structure-16-eib",
        "a payload said to be of 16 EiB",
        &edit(
            at_payload,
            2,
            &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
    );
    wrong.bytes(
        "structure-signature-63",
        "a signature of 63 bytes",
        &assemble(&protected, &payload, &signature[..63]),
    );
    wrong.bytes(
        "structure-signature-65",
        "a signature of 65 bytes",
        &assemble(&protected, &payload, &[&signature[..], &[0]].concat()),
    );
    wrong.bytes(
        "structure-signature-empty",
        "an empty signature",
        &assemble(&protected, &payload, &[]),
    );
    wrong.bytes(
        "structure-header-long",
        "a protected header of 40 bytes",
        &assemble(&[0xa0; 40], &payload, &signature),
    );
}

/// CST-14: exactly three entries, each in its one form.
pub(crate) fn reject_header(wrong: &mut Wrong) {
    let suite = wrong.suite;
    let authority = wrong.signer("authority");
    let alg = || (Value::from(1), Value::from(suite.cose_algorithm()));
    let kid = || {
        (
            Value::from(4),
            Value::Bytes(authority.key_id().as_bytes().to_vec()),
        )
    };
    let typ = || (Value::from(16), Value::from("mic-g"));
    let other = match suite {
        Suite::Sm2Sm3 => Suite::Ed25519.cose_algorithm(),
        _ => Suite::Sm2Sm3.cose_algorithm(),
    };
    wrong.header("header-empty", "no entries", &[]);
    wrong.header("header-no-alg", "alg is missing", &[kid(), typ()]);
    wrong.header("header-no-kid", "kid is missing", &[alg(), typ()]);
    wrong.header("header-no-typ", "typ is missing", &[alg(), kid()]);
    wrong.header("header-order", "kid before alg", &[kid(), alg(), typ()]);
    wrong.header(
        "header-order-behind",
        "alg after typ",
        &[alg(), typ(), kid()],
    );
    wrong.header(
        "header-duplicate",
        "alg twice",
        &[alg(), alg(), kid(), typ()],
    );
    wrong.header(
        "header-crit",
        "a crit entry",
        &[
            alg(),
            (2.into(), Value::Array(vec![99.into()])),
            kid(),
            typ(),
        ],
    );
    wrong.header(
        "header-more",
        "one entry too many",
        &[alg(), kid(), typ(), (17.into(), 0.into())],
    );
    wrong.header(
        "header-alg-eddsa",
        "the old number -8",
        &[(1.into(), (-8).into()), kid(), typ()],
    );
    wrong.header(
        "header-alg-es256",
        "the old number -7",
        &[(1.into(), (-7).into()), kid(), typ()],
    );
    wrong.header(
        "header-alg-hmac",
        "HMAC 256/256",
        &[(1.into(), 5.into()), kid(), typ()],
    );
    wrong.header(
        "header-alg-zero",
        "the reserved number 0",
        &[(1.into(), 0.into()), kid(), typ()],
    );
    wrong.header(
        "header-alg-text",
        "alg as text",
        &[(1.into(), "SM2".into()), kid(), typ()],
    );
    wrong.header(
        "header-alg-other-suite",
        match suite {
            Suite::Sm2Sm3 => "Ed25519 with the id of an SM2 key",
            _ => "SM2 with the id of another suite's key",
        },
        &[(1.into(), other.into()), kid(), typ()],
    );
    wrong.header(
        "header-kid-7",
        "a key id of 7 bytes",
        &[alg(), (4.into(), Value::Bytes(vec![1; 7])), typ()],
    );
    wrong.header(
        "header-typ-number",
        "typ as a number",
        &[alg(), kid(), (16.into(), 1.into())],
    );
    wrong.header(
        "header-typ-unknown",
        "a type that does not exist",
        &[alg(), kid(), (16.into(), "mic-x".into())],
    );
    wrong.header(
        "header-text-key",
        "a text as map key",
        &[("alg".into(), suite.cose_algorithm().into()), kid(), typ()],
    );
    for (id, offered) in [
        ("mic-q", "mic-g"),
        ("mic-g", "mic-q"),
        ("mic-p", "mic-g"),
        ("mic-g", "mic-p"),
        ("mic-p", "mic-q"),
        ("mic-q", "mic-p"),
    ] {
        let name = match id {
            "mic-q" | "mic-p" => "hospital",
            _ => "authority",
        };
        let token = sign(id, &wrong.claims, wrong.signer(name).as_ref());
        wrong.push(
            &format!("header-{id}-as-{offered}"),
            "one type offered as another",
            json!({ "type": offered, "token": hex::encode(token) }),
        );
    }
}
