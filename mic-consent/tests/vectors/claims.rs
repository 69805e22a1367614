//! Wrong claims and scopes behind a good signature: step 7.

use ciborium::Value;

use crate::{
    common::{
        raw::{bytes_of, find, with},
        *,
    },
    wrong::{MIC, Wrong},
};

pub(crate) fn reject_claims(wrong: &mut Wrong) {
    for (key, name) in [
        (1, "iss"),
        (2, "sub"),
        (3, "aud"),
        (4, "exp"),
        (6, "iat"),
        (7, "cti"),
        (8, "cnf"),
        (10, "nonce"),
        (MIC, "mic"),
    ] {
        wrong.claim(
            &format!("claims-no-{name}"),
            "a claim is missing",
            &[key],
            None,
        );
    }
    for (key, name) in [
        (1, "ver"),
        (2, "org"),
        (3, "purpose"),
        (4, "rights"),
        (5, "scope"),
        (6, "notice"),
        (7, "status"),
        (10, "separate"),
        (16, "check"),
    ] {
        wrong.claim(
            &format!("claims-no-mic-{name}"),
            "a claim of the private map is missing",
            &[MIC, key],
            None,
        );
    }
    wrong.claim("claims-unknown", "an unknown claim", &[9], Some(0.into()));
    wrong.claim(
        "claims-unknown-mic",
        "an unknown private claim",
        &[MIC, 9],
        Some(2.into()),
    );
    wrong.claim(
        "claims-unknown-cnf",
        "a second confirmation",
        &[8, 5],
        Some(Value::Bytes(vec![0; 32])),
    );
    wrong.claim("claims-version", "version 2", &[MIC, 1], Some(2.into()));
    wrong.claim("claims-purpose-0", "purpose 0", &[MIC, 3], Some(0.into()));
    wrong.claim("claims-purpose-8", "purpose 8", &[MIC, 3], Some(8.into()));
    wrong.claim("claims-rights-0", "no rights", &[MIC, 4], Some(0.into()));
    wrong.claim(
        "claims-rights-64",
        "a right that does not exist",
        &[MIC, 4],
        Some(67.into()),
    );
    wrong.claim(
        "claims-exp-float",
        "exp as a float",
        &[4],
        Some(Value::Float(1.8e9)),
    );
    wrong.claim(
        "claims-exp-nan",
        "exp is not a number",
        &[4],
        Some(Value::Float(f64::NAN)),
    );
    wrong.claim(
        "claims-exp-text",
        "exp as text",
        &[4],
        Some("9999999999".into()),
    );
    wrong.claim(
        "claims-exp-negative",
        "exp is negative",
        &[4],
        Some((-1).into()),
    );
    wrong.claim("claims-exp-null", "exp is null", &[4], Some(Value::Null));
    wrong.claim(
        "claims-exp-tagged",
        "exp as a tagged date",
        &[4],
        Some(Value::Tag(1, Box::new(1_795_000_000.into()))),
    );
    wrong.claim(
        "claims-exp-year-10000",
        "exp in the year 10000",
        &[4],
        Some(253_402_300_800_u64.into()),
    );
    wrong.claim(
        "claims-exp-max",
        "exp is 2^64 - 1",
        &[4],
        Some(u64::MAX.into()),
    );
    let iat = now().timestamp();
    wrong.claim(
        "claims-exp-before-iat",
        "exp before iat",
        &[4],
        Some((iat - 1).into()),
    );
    wrong.claim("claims-exp-iat", "exp equal to iat", &[4], Some(iat.into()));
    wrong.claim(
        "claims-life",
        "a life of a day and a second",
        &[4],
        Some((iat + 86_401).into()),
    );
    wrong.claim(
        "claims-nbf-iat",
        "nbf said although equal to iat",
        &[5],
        Some(iat.into()),
    );
    wrong.claim(
        "claims-nbf-before",
        "nbf before iat",
        &[5],
        Some((iat - 1).into()),
    );
    wrong.claim(
        "claims-nbf-exp",
        "nbf equal to exp",
        &[5],
        Some((iat + 7200).into()),
    );
    wrong.claim(
        "claims-iss-long",
        "an issuer of 17 characters",
        &[1],
        Some("CONSENT0100000000".into()),
    );
    wrong.claim(
        "claims-iss-chinese",
        "an issuer in Chinese",
        &[1],
        Some("北京".into()),
    );
    wrong.claim(
        "claims-iss-lower",
        "an issuer in small letters",
        &[1],
        Some("consent01".into()),
    );
    wrong.claim(
        "claims-org-short",
        "an institution code of 11 characters",
        &[MIC, 2],
        Some("H1101050000".into()),
    );
    wrong.claim(
        "claims-sub-15",
        "a subject of 15 bytes",
        &[2],
        Some(Value::Bytes(vec![1; 15])),
    );
    wrong.claim(
        "claims-cti-17",
        "an id of 17 bytes",
        &[7],
        Some(Value::Bytes(vec![1; 17])),
    );
    wrong.claim(
        "claims-notice-32",
        "a notice hash of 32 bytes",
        &[MIC, 6],
        Some(Value::Bytes(vec![1; 32])),
    );
    wrong.claim(
        "claims-status-one",
        "a status place without index",
        &[MIC, 7],
        Some(Value::Array(vec![3.into()])),
    );
    wrong.claim(
        "claims-status-large",
        "a status index of 2^32",
        &[MIC, 7],
        Some(Value::Array(vec![3.into(), (1_u64 << 32).into()])),
    );
    // CST-53.
    wrong.claim(
        "claims-separate-sensitive",
        "no separate consent to sensitive data",
        &[MIC, 10],
        Some(2.into()),
    );
    wrong.claim(
        "claims-separate-hand-over",
        "no separate consent to handing over",
        &[MIC, 10],
        Some(1.into()),
    );
    wrong.claim(
        "claims-separate-keep",
        "the right to keep without its separate consent",
        &[MIC, 4],
        Some(7.into()),
    );
    wrong.claim(
        "claims-separate-unknown",
        "a box that does not exist",
        &[MIC, 10],
        Some(19.into()),
    );
    wrong.claim(
        "claims-band-adult",
        "an adult said in a second way",
        &[MIC, 15],
        Some(0.into()),
    );
    wrong.claim(
        "claims-band-unknown",
        "an age band that does not exist",
        &[MIC, 15],
        Some(4.into()),
    );
    // CST-54.
    wrong.claim(
        "claims-incapacity-alone",
        "an adult without capacity and no guardian",
        &[MIC, 15],
        Some(3.into()),
    );
    wrong.claim(
        "claims-minor-box",
        "under 14 without the box for minors",
        &[MIC, 15],
        Some(1.into()),
    );
    let boxes = with(&wrong.claims, &[MIC, 10], Some(7.into()));
    let child = with(&boxes, &[MIC, 15], Some(1.into()));
    wrong.payload(
        "claims-child-alone",
        "under 14 without a guardian",
        &bytes_of(&child),
    );
    let guardian = Value::Map(vec![
        (1.into(), 1.into()),
        (2.into(), Value::Bytes(vec![9; 8])),
        (3.into(), 1.into()),
    ]);
    wrong.claim(
        "claims-adult-guardian",
        "a guardian for an adult with capacity",
        &[MIC, 8],
        Some(guardian.clone()),
    );
    let child = with(
        &child,
        &[MIC, 8],
        Some(with(&guardian, &[1], Some(6.into()))),
    );
    wrong.payload(
        "claims-guardian-relation",
        "a relation that does not exist",
        &bytes_of(&child),
    );
    wrong.claim("claims-studies-0", "no studies", &[MIC, 12], Some(0.into()));
    wrong.claim(
        "claims-studies-many",
        "10,001 studies",
        &[MIC, 12],
        Some(10_001.into()),
    );
    wrong.claim(
        "claims-doctor-long",
        "a doctor code of 17 characters",
        &[MIC, 14],
        Some("D1101050000010000".into()),
    );
    wrong.claim(
        "claims-check",
        "a check that does not exist",
        &[MIC, 16],
        Some(9.into()),
    );

    let payload = bytes_of(&wrong.claims);
    wrong.payload(
        "claims-trailing",
        "a byte after the claims",
        &[&payload[..], &[0]].concat(),
    );
    wrong.payload("claims-empty", "an empty payload", &[]);
    wrong.payload("claims-array", "an array in place of the claims", &[0x80]);
    wrong.payload("claims-nested", "1,500 arrays in each other", &[0x81; 1500]);
    wrong.payload(
        "claims-huge-map",
        "a map of 2^64 - 1 entries",
        &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    );
    wrong.payload(
        "claims-indefinite",
        "claims of indefinite length",
        &[&[0xbf], &payload[1..], &[0xff]].concat(),
    );
    let Value::Map(entries) = wrong.claims.clone() else {
        panic!("a map")
    };
    let mut twice = entries.clone();
    twice.insert(1, entries[0].clone());
    wrong.payload(
        "claims-duplicate",
        "iss twice",
        &bytes_of(&Value::Map(twice)),
    );
    let mut swapped = entries.clone();
    swapped.swap(0, 1);
    wrong.payload(
        "claims-order",
        "sub before iss",
        &bytes_of(&Value::Map(swapped)),
    );
    let mut late = entries.clone();
    let exp = late.remove(3);
    late.push(exp);
    wrong.payload(
        "claims-order-late",
        "exp after the private map",
        &bytes_of(&Value::Map(late)),
    );
    // The first key, 1, in two bytes.
    wrong.payload(
        "claims-long-key",
        "a key that is not in its shortest form",
        &[&payload[..1], &[0x18, 1], &payload[2..]].concat(),
    );
}

pub(crate) fn reject_scope(wrong: &mut Wrong) {
    let bytes = |n: u8| Value::Bytes(vec![n; 10]);
    let array = |items: Vec<Value>| Some(Value::Array(items));
    wrong.claim(
        "scope-kind",
        "a kind that does not exist",
        &[MIC, 5, 1],
        Some(4.into()),
    );
    wrong.claim(
        "scope-all-filtered",
        "all exams, and a filter",
        &[MIC, 5, 1],
        Some(1.into()),
    );
    wrong.claim(
        "scope-list-view",
        "the list alone with the right to view",
        &[MIC, 5, 1],
        Some(0.into()),
    );
    wrong.claim(
        "scope-chosen-none",
        "chosen records without any",
        &[MIC, 5, 1],
        Some(3.into()),
    );
    wrong.claim(
        "scope-filter-records",
        "a filter with chosen records",
        &[MIC, 5, 5],
        array(vec![bytes(1)]),
    );
    wrong.claim(
        "scope-filter-none",
        "a filter without a condition",
        &[MIC, 5],
        Some(Value::Map(vec![(1.into(), 2.into())])),
    );
    wrong.claim(
        "scope-days-reversed",
        "the last day before the first",
        &[MIC, 5, 2],
        array(vec![20_000.into(), 19_999.into()]),
    );
    wrong.claim(
        "scope-days-late",
        "a day after 2149",
        &[MIC, 5, 2],
        array(vec![20_000.into(), 65_536.into()]),
    );
    wrong.claim(
        "scope-days-one",
        "one day instead of two",
        &[MIC, 5, 2],
        array(vec![20_000.into()]),
    );
    wrong.claim(
        "scope-modality-order",
        "MR before CT",
        &[MIC, 5, 3],
        array(vec!["MR".into(), "CT".into()]),
    );
    wrong.claim(
        "scope-modality-twice",
        "CT twice",
        &[MIC, 5, 3],
        array(vec!["CT".into(), "CT".into()]),
    );
    wrong.claim(
        "scope-modality-none",
        "an empty list of modalities",
        &[MIC, 5, 3],
        array(vec![]),
    );
    wrong.claim(
        "scope-modality-short",
        "a modality of one letter",
        &[MIC, 5, 3],
        array(vec!["C".into()]),
    );
    let many: Vec<Value> = (10..31).map(|n| Value::from(format!("M{n}"))).collect();
    wrong.claim(
        "scope-modality-many",
        "21 modalities",
        &[MIC, 5, 3],
        array(many),
    );
    wrong.claim(
        "scope-province",
        "a province that does not exist",
        &[MIC, 5, 4],
        array(vec![99.into()]),
    );
    wrong.claim(
        "scope-unknown",
        "an unknown condition",
        &[MIC, 5, 8],
        Some(1.into()),
    );
    let chosen = with(
        &wrong.claims,
        &[MIC, 5],
        Some(Value::Map(vec![
            (1.into(), 3.into()),
            (5.into(), Value::Array(vec![bytes(2), bytes(1)])),
        ])),
    );
    wrong.payload(
        "scope-record-order",
        "records out of order",
        &bytes_of(&chosen),
    );
    let reversed = find(&wrong.claims, &[MIC, 5])
        .into_map()
        .unwrap()
        .into_iter();
    let mut reversed: Vec<_> = reversed.collect();
    reversed.swap(1, 2);
    wrong.claim(
        "scope-key-order",
        "modalities before days",
        &[MIC, 5],
        Some(Value::Map(reversed)),
    );
    let short = with(
        &wrong.claims,
        &[MIC, 5],
        Some(Value::Map(vec![
            (1.into(), 3.into()),
            (5.into(), Value::Array(vec![Value::Bytes(vec![1; 9])])),
        ])),
    );
    wrong.payload(
        "scope-record-short",
        "a commitment of 9 bytes",
        &bytes_of(&short),
    );
    let many: Vec<Value> = (0..65).map(bytes).collect();
    let many = with(
        &wrong.claims,
        &[MIC, 5],
        Some(Value::Map(vec![
            (1.into(), 3.into()),
            (5.into(), Value::Array(many)),
        ])),
    );
    wrong.payload("scope-record-many", "65 records", &bytes_of(&many));
}
