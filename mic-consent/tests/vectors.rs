//! Every vector is run; the generated files are compared with what the fixed seeds give.
//!
//! `MIC_CONSENT_WRITE_VECTORS=1 cargo test -p mic-consent --test vectors` writes them anew.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "qr"))]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "vectors that cannot be read should fail"
)]

mod common;
#[path = "common/denials.rs"]
mod denials;

extern crate alloc;

use alloc::collections::BTreeMap;
use std::{fs, path::PathBuf};

use chrono::{DateTime, Utc};
use ciborium::Value;
use common::{
    raw::{
        assemble, bytes_of, claims_of, find, header, parts, sign, sign_with, to_be_signed, with,
    },
    *,
};
use mic_consent::*;
use serde_json::{Value as Json, json};

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "vectors", name]
        .iter()
        .collect()
}

/// Compares with the file, or writes it when asked to.
fn settle(name: &str, made: &Json) {
    let text = format!("{}\n", serde_json::to_string_pretty(made).unwrap());
    if std::env::var_os("MIC_CONSENT_WRITE_VECTORS").is_some() {
        fs::write(path(name), &text).unwrap();
    }
    let file = fs::read_to_string(path(name)).unwrap();
    assert!(
        file == text,
        "{name} differs from what the seeds give: write it anew and look at the difference"
    );
}

/// The accepted tokens are the seeds of the fuzz targets.
fn write_seeds(made: &Json) {
    if std::env::var_os("MIC_CONSENT_WRITE_VECTORS").is_none() {
        return;
    }
    let write = |target: &str, id: &str, bytes: &[u8]| {
        let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fuzz", "corpus", target]
            .iter()
            .collect();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(id), bytes).unwrap();
    };
    for case in made["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if let Some(text) = case["input"]["text"].as_str() {
            write("qr_text", id, text.as_bytes());
        } else {
            let token = hex::decode(case["input"]["token"].as_str().unwrap()).unwrap();
            write("decode", id, &token);
            write("verify", id, &token);
            write("claims", id, &parts(&token).1);
        }
    }
}

fn read(name: &str) -> Json {
    serde_json::from_str(&fs::read_to_string(path(name)).unwrap()).unwrap()
}

// The keys of the vectors: name, suite, seed byte, owner, role, province.
type TestKey = (
    &'static str,
    &'static str,
    u8,
    &'static str,
    &'static str,
    Option<u8>,
);

const KEYS: [TestKey; 7] = [
    (
        "hospital-sm2",
        "SM2-SM3",
        0x21,
        "H11010500001",
        "request",
        None,
    ),
    ("authority-sm2", "SM2-SM3", 0x22, "CONSENT01", "grant", None),
    (
        "hospital-ed25519",
        "Ed25519",
        0x31,
        "H11010500001",
        "request",
        None,
    ),
    (
        "authority-ed25519",
        "Ed25519",
        0x32,
        "CONSENT01",
        "grant",
        None,
    ),
    (
        "provincial-authority-sm2",
        "SM2-SM3",
        0x23,
        "CONSENT61",
        "grant",
        Some(61),
    ),
    (
        "other-hospital-sm2",
        "SM2-SM3",
        0x24,
        "H61010200001",
        "request",
        Some(61),
    ),
    ("stranger-sm2", "SM2-SM3", 0x2f, "CONSENT99", "", None),
];

fn signer(name: &str) -> Box<dyn Signer> {
    let (_, suite, seed, ..) = *KEYS.iter().find(|(found, ..)| *found == name).unwrap();
    match suite {
        "SM2-SM3" => Box::new(Sm2SigningKey::from_secret_bytes(&[seed; 32]).unwrap()),
        _ => Box::new(Ed25519SigningKey::from_secret_bytes(&[seed; 32]).unwrap()),
    }
}

fn keys_json() -> Json {
    KEYS.iter()
        .map(|(name, suite, seed, owner, role, province)| {
            let signer = signer(name);
            let public = match *suite {
                "SM2-SM3" => Sm2SigningKey::from_secret_bytes(&[*seed; 32])
                    .unwrap()
                    .public_key()
                    .clone(),
                _ => Ed25519SigningKey::from_secret_bytes(&[*seed; 32])
                    .unwrap()
                    .public_key()
                    .clone(),
            };
            json!({
                "name": name,
                "suite": suite,
                "test_secret": hex::encode([*seed; 32]),
                "public_key": hex::encode(public.as_bytes()),
                "distid": public.distid(),
                "key_id": signer.key_id().to_string(),
                "organisation": owner,
                "roles": if role.is_empty() { json!([]) } else { json!([role]) },
                "province": province,
                "trusted": !role.is_empty(),
                "valid_from": rfc3339(validity().from()),
                "valid_until": rfc3339(validity().until()),
            })
        })
        .collect()
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn file(what: &str, cases: Vec<Json>) -> Json {
    json!({
        "spec": "mic-consent token",
        "version": 1,
        "what": what,
        "note": "test keys and made-up people; secrets are published on purpose",
        "realm": "mic.cn",
        "skew_s": 60,
        "keys": keys_json(),
        "cases": cases,
    })
}

// ---- Running a case, from its JSON alone ----

fn time_of(text: &Json) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text.as_str().unwrap())
        .unwrap()
        .to_utc()
}

fn ring_of(keys: &Json, states: &Json) -> KeyRing {
    let mut ring = KeyRing::new();
    for key in keys
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["trusted"] == true)
    {
        let bytes = hex::decode(key["public_key"].as_str().unwrap()).unwrap();
        let public = match key["suite"].as_str().unwrap() {
            "SM2-SM3" => {
                PublicKey::sm2(&bytes.try_into().unwrap(), key["distid"].as_str().unwrap()).unwrap()
            }
            "Ed25519" => PublicKey::ed25519(&bytes.try_into().unwrap()).unwrap(),
            other => panic!("{other}"),
        };
        assert_eq!(public.key_id().to_string(), key["key_id"].as_str().unwrap());
        let owner = IssuerCode::new(key["organisation"].as_str().unwrap()).unwrap();
        let roles: Roles = key["roles"]
            .as_array()
            .unwrap()
            .iter()
            .map(|role| Role::from_name(role.as_str().unwrap()).unwrap())
            .collect();
        let validity =
            KeyValidity::new(time_of(&key["valid_from"]), time_of(&key["valid_until"])).unwrap();
        let mut record = KeyRecord::new(public, owner, roles, validity).unwrap();
        if let Some(province) = key["province"].as_u64() {
            record = record
                .with_province(Province::new(u8::try_from(province).unwrap()).unwrap())
                .unwrap();
        }
        let state = &states[key["name"].as_str().unwrap()];
        let since = || time_of(&state["since"]);
        record = record.with_state(match state["state"].as_str() {
            None => KeyState::Active,
            Some("suspended") => KeyState::Suspended,
            Some("revoked") => KeyState::Revoked,
            Some("compromised") => KeyState::Compromised { since: since() },
            Some("verify-only") => KeyState::VerifyOnly { since: since() },
            Some(other) => panic!("{other}"),
        });
        ring.insert(record).unwrap();
    }
    ring
}

fn run(header: &Json, case: &Json) -> Result<Json, Denial> {
    let input = &case["input"];
    let encoded = match (&input["text"], &input["token"]) {
        (Json::String(text), _) => Encoded::from_text(text)?,
        (_, Json::String(token)) => Encoded::from_bytes(&hex::decode(token).unwrap())?,
        _ => panic!("no input"),
    };
    let ring = ring_of(&header["keys"], &input["key_states"]);
    let suites = match input["suites"].as_str().unwrap_or("both") {
        "gm-only" => AcceptedSuites::GmOnly,
        "international-only" => AcceptedSuites::InternationalOnly,
        _ => AcceptedSuites::Both,
    };
    let policy = Policy::new(
        Realm::new(header["realm"].as_str().unwrap()).unwrap(),
        suites,
    );
    let checker = Checker::new(&ring, &policy);
    let clock = time_of(&input["clock"]);
    let status = Always(match input["status"].as_str().unwrap_or("valid") {
        "valid" => Status::Valid,
        "withdrawn" => Status::Withdrawn,
        "suspended" => Status::Suspended,
        _ => Status::Unknown,
    });
    match input["type"].as_str().unwrap() {
        "mic-q" => {
            let live = encoded
                .untrusted::<Request>()?
                .verify(&checker)?
                .live(&checker, clock)?;
            let claims = live.claims();
            Ok(json!({
                "organisation": claims.organisation().as_str(),
                "purpose": claims.purpose().number(),
                "rights": claims.rights().bits(),
                "nonce": claims.nonce().to_string(),
                "expires_at": rfc3339(claims.expires_at()),
                "period_s": claims.period_s(),
            }))
        }
        "mic-g" => {
            let live = encoded
                .untrusted::<Grant>()?
                .verify(&checker)?
                .live(&checker, clock, &status)?;
            let claims = live.claims();
            Ok(json!({
                "id": claims.id().to_string(),
                "organisation": claims.organisation().as_str(),
                "purpose": claims.purpose().number(),
                "rights": claims.rights().bits(),
                "holder": claims.holder().to_string(),
                "subject": claims.subject().to_string(),
                "records": claims.scope().records().iter().map(ToString::to_string).collect::<Vec<_>>(),
                "status": [claims.status().list(), claims.status().index()],
                "valid_from": rfc3339(claims.valid_from()),
                "expires_at": rfc3339(claims.expires_at()),
                "band": claims.band().number(),
                "guardian": claims.guardian().is_some(),
            }))
        }
        "mic-p" => {
            let signed = encoded.untrusted::<Proof>()?.verify(&checker)?;
            let claims = signed.claims();
            Ok(json!({
                "id": claims.id().to_string(),
                "grant": claims.grant().to_string(),
                "node": claims.place().node().as_str(),
                "province": claims.place().in_province().map(Province::get),
                "opens": matches!(claims.action(), Action::OpenRecord(_)),
            }))
        }
        other => panic!("{other}"),
    }
}

fn verdict(result: Result<Json, Denial>) -> Json {
    match result {
        Ok(claims) => json!({ "ok": claims }),
        Err(denial) => json!({ "err": {
            "number": denial.number(),
            "name": denial.reason().name(),
            "step": denial.step().number(),
            "at": denial.at(),
        }}),
    }
}

fn run_file(name: &str, all: &str) {
    let file = read(name);
    let cases = file["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let found = verdict(run(&file, case));
        assert!(found.get(all).is_some(), "{}: {found}", case["id"]);
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

#[test]
fn ok_accept_vectors_are_accepted_with_these_claims() {
    let made = accept();
    settle("accept.json", &made);
    write_seeds(&made);
    run_file("accept.json", "ok");
}

#[test]
fn err_reject_vectors_are_refused_with_this_very_denial() {
    settle("reject.json", &reject());
    run_file("reject.json", "err");
}

#[test]
fn ok_most_reasons_of_the_token_itself_have_a_vector() {
    let file = reject();
    let seen: Vec<u64> = file["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["expect"]["err"]["number"].as_u64().unwrap())
        .collect();
    // Steps 11 and 13 to 15 need a node and an action; they are in permit.rs. LifeOverPolicy depends on the policy.
    let elsewhere = [
        Reason::LifeOverPolicy,
        Reason::CheckTooOld,
        Reason::ClockInvalid,
    ];
    for reason in Reason::ALL {
        let of_the_token =
            matches!(reason.step().number(), 1..=10 | 12) && !elsewhere.contains(reason);
        assert!(
            !of_the_token || seen.contains(&u64::from(reason.number())),
            "{} has no vector",
            reason.name()
        );
    }
}

// ---- Making the cases ----

fn case(id: &str, note: &str, input: Json) -> Json {
    let mut case = json!({ "id": id, "note": note, "input": input });
    if case["input"].get("clock").is_none() {
        case["input"]["clock"] = json!(rfc3339(after(10)));
    }
    let header = json!({ "realm": "mic.cn", "keys": keys_json() });
    case["expect"] = verdict(run(&header, &case));
    case
}

fn accept() -> Json {
    let mut cases = Vec::new();
    for suite in [Suite::Sm2Sm3, Suite::Ed25519] {
        let keys = keys(suite);
        let name = suite.name().to_lowercase();
        let mut token = |id: &str, note: &str, kind: &str, token: &Encoded| {
            let text = token.to_text();
            let (protected, payload, _) = parts(token.as_bytes());
            let signed = to_be_signed(&protected, &format!("mic-consent/1/{kind}"), &payload);
            let mut made = case(
                &format!("{name}-{id}"),
                note,
                json!({ "type": kind, "token": hex::encode(token.as_bytes()) }),
            );
            made["text"] = json!(text);
            made["to_be_signed"] = json!(hex::encode(signed));
            cases.push(made);
            cases.push(case(
                &format!("{name}-{id}-text"),
                note,
                json!({ "type": kind, "text": text }),
            ));
        };
        token(
            "request-all",
            "all exams",
            "mic-q",
            &request(&keys, Scope::all()),
        );
        token(
            "request-filtered",
            "days and modalities",
            "mic-q",
            &request(&keys, ct_scope()),
        );
        let operator = request_draft(Scope::list_only(ScopeFilter::new()));
        let operator = RequestDraft::new(
            realm(),
            hospital_code(),
            Purpose::Referral,
            Rights::LIST,
            Scope::list_only(operator_filter(&operator)),
        )
        .with_department(DepartmentCode::new("A03.05").unwrap())
        .with_doctor(DoctorCode::new("D110105000001").unwrap())
        .with_period_s(900)
        .with_life_s(300);
        let operator = operator
            .sign(keys.hospital.as_ref(), nonce(), now())
            .unwrap();
        token(
            "request-operator",
            "the list alone, for one department and doctor",
            "mic-q",
            &operator,
        );

        token(
            "grant-all",
            "all exams",
            "mic-g",
            &grant(&keys, Scope::all()),
        );
        token(
            "grant-filtered",
            "days and modalities",
            "mic-g",
            &grant(&keys, ct_scope()),
        );
        let id = GrantId::from_bytes([0x78; 16]);
        let chosen = grant_draft(&keys, Scope::all())
            .with_records([RECORD, OTHER_RECORD])
            .with_studies_max(2)
            .with_valid_from(after(5))
            .sign(keys.authority.as_ref(), id, now())
            .unwrap();
        token(
            "grant-chosen",
            "two chosen records, counted, beginning later",
            "mic-g",
            &chosen,
        );
        let parent = GuardianCommitment::new(suite, &opening(), b"TEST-PERSON-0002").unwrap();
        let child = grant_draft(&keys, ct_scope())
            .with_band(PatientBand::Under14)
            .with_guardian(Guardian::new(
                Relation::Parent,
                parent,
                GuardianEvidence::Register,
            ))
            .with_separate_consent(
                SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER | SeparateConsent::MINOR,
            )
            .sign(keys.authority.as_ref(), id, now())
            .unwrap();
        token(
            "grant-guardian",
            "a child under 14, with a parent",
            "mic-g",
            &child,
        );

        let held = live_grant(&keys, grant(&keys, ct_scope()));
        let list = ProofDraft::list(&held, index())
            .sign(keys.hospital.as_ref(), ProofId::from_bytes([1; 16]), now())
            .unwrap();
        token(
            "proof-list",
            "to see the list at the national index",
            "mic-p",
            &list,
        );
        let open = ProofDraft::open(&held, archive(), RECORD, &opening()).unwrap();
        let open = open
            .sign(keys.hospital.as_ref(), ProofId::from_bytes([2; 16]), now())
            .unwrap();
        token(
            "proof-open",
            "to open one record at an archive",
            "mic-p",
            &open,
        );
    }
    file("tokens that are accepted", cases)
}

fn operator_filter(_: &RequestDraft) -> ScopeFilter {
    ScopeFilter::new()
        .with_exam_types([ExamType::new(1).unwrap(), ExamType::new(2).unwrap()])
        .unwrap()
}

/// Everything that is wrong on purpose.
struct Wrong {
    cases: Vec<Json>,
    grant: Encoded,
    claims: Value,
}

impl Wrong {
    fn push(&mut self, id: &str, note: &str, input: Json) {
        self.cases.push(case(id, note, input));
    }

    /// These bytes, offered as a grant.
    fn bytes(&mut self, id: &str, note: &str, token: &[u8]) {
        self.push(
            id,
            note,
            json!({ "type": "mic-g", "token": hex::encode(token) }),
        );
    }

    /// The grant with one claim changed, signed properly by the authority.
    fn claim(&mut self, id: &str, note: &str, path: &[i64], new: Option<Value>) {
        let token = sign(
            "mic-g",
            &with(&self.claims, path, new),
            signer("authority-sm2").as_ref(),
        );
        self.bytes(id, note, &token);
    }

    /// These payload bytes, signed properly by the authority.
    fn payload(&mut self, id: &str, note: &str, payload: &[u8]) {
        let authority = signer("authority-sm2");
        let token = sign_with(
            &header(authority.as_ref(), "mic-g"),
            payload,
            "mic-consent/1/mic-g",
            authority.as_ref(),
        );
        self.bytes(id, note, &token);
    }

    /// The grant under another header, signed properly by the authority.
    fn header(&mut self, id: &str, note: &str, entries: &[(Value, Value)]) {
        let authority = signer("authority-sm2");
        let payload = bytes_of(&self.claims);
        let token = sign_with(
            &Value::Map(entries.to_vec()),
            &payload,
            "mic-consent/1/mic-g",
            authority.as_ref(),
        );
        self.bytes(id, note, &token);
    }
}

const MIC: i64 = -65537;

fn reject() -> Json {
    let keys = keys(Suite::Sm2Sm3);
    let grant = grant(&keys, ct_scope());
    let claims = claims_of(&grant);
    let mut wrong = Wrong {
        cases: Vec::new(),
        grant,
        claims,
    };
    reject_text(&mut wrong);
    reject_structure(&mut wrong);
    reject_header(&mut wrong);
    reject_key(&mut wrong);
    reject_claims(&mut wrong);
    reject_scope(&mut wrong);
    reject_issuer_and_time(&mut wrong);
    as_written_by_hand(&wrong.cases);
    file("tokens that are refused, each with its denial", wrong.cases)
}

/// Each case is refused for the reason, and where it follows from the form at the place, that was written down for
/// it; before anything of it is kept.
fn as_written_by_hand(cases: &[Json]) {
    let mut expected = BTreeMap::new();
    for (reason, ids) in denials::EXPECTED {
        for id in *ids {
            assert!(expected.insert(*id, *reason).is_none(), "{id} twice");
        }
    }
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let reason = expected.remove(id).map(Reason::name);
        assert_eq!(case["expect"]["err"]["name"].as_str(), reason, "{id}");
        let place = denials::PLACES.iter().find(|(_, ids)| ids.contains(&id));
        if let Some((at, _)) = place {
            assert_eq!(case["expect"]["err"]["at"], json!(at), "{id}");
        }
    }
    assert!(expected.is_empty(), "no case for {expected:?}");
}

fn reject_text(wrong: &mut Wrong) {
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

fn reject_structure(wrong: &mut Wrong) {
    let token = wrong.grant.as_bytes().to_vec();
    let (protected, payload, signature) = parts(&token);
    let edit = |at: usize, remove: usize, insert: &[u8]| {
        let mut edited = token.clone();
        edited.splice(at..at + remove, insert.iter().copied());
        edited
    };
    // d2 84 | head of protected | protected | a0 | head of payload | payload | 58 40 | signature
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

fn reject_header(wrong: &mut Wrong) {
    let authority = signer("authority-sm2");
    let alg = || (Value::from(1), Value::from(-65537));
    let kid = || {
        (
            Value::from(4),
            Value::Bytes(authority.key_id().as_bytes().to_vec()),
        )
    };
    let typ = || (Value::from(16), Value::from("mic-g"));
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
        "Ed25519 with the id of an SM2 key",
        &[(1.into(), (-19).into()), kid(), typ()],
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
        &[("alg".into(), (-65537).into()), kid(), typ()],
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
            "mic-q" => "hospital-sm2",
            "mic-p" => "hospital-sm2",
            _ => "authority-sm2",
        };
        let token = sign(id, &wrong.claims, signer(name).as_ref());
        wrong.push(
            &format!("header-{id}-as-{offered}"),
            "one type offered as another",
            json!({ "type": offered, "token": hex::encode(token) }),
        );
    }
}

fn reject_key(wrong: &mut Wrong) {
    let grant = hex::encode(wrong.grant.as_bytes());
    let state = |state: &str, since: Option<i64>| {
        let since = since.map(|seconds| rfc3339(after(seconds)));
        json!({ "type": "mic-g", "token": grant, "key_states": { "authority-sm2": { "state": state, "since": since } } })
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
    wrong.push(
        "key-suite",
        "an SM2 grant at a node for international suites",
        json!({ "type": "mic-g", "token": grant, "suites": "international-only" }),
    );
    let ed25519 = common::grant(&keys(Suite::Ed25519), ct_scope());
    wrong.push(
        "key-suite-gm",
        "an Ed25519 grant at a node for SM2 alone",
        json!({ "type": "mic-g", "token": hex::encode(ed25519.as_bytes()), "suites": "gm-only" }),
    );
    let claims = wrong.claims.clone();
    wrong.bytes(
        "key-unknown",
        "a key outside the trusted set",
        &sign("mic-g", &claims, signer("stranger-sm2").as_ref()),
    );
    wrong.bytes(
        "key-role",
        "a hospital grants to itself",
        &sign(
            "mic-g",
            &with(&claims, &[1], Some("H11010500001".into())),
            signer("hospital-sm2").as_ref(),
        ),
    );

    let (protected, payload, signature) = parts(wrong.grant.as_bytes());
    let authority = signer("authority-sm2");
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
    let order =
        hex::decode("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123").unwrap();
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
    let empty = Sm2SigningKey::with_distid(&[0x22; 32], "").unwrap();
    wrong.bytes(
        "signature-empty-distid",
        "signed with an empty distinguishing id",
        &sign_with(&plain, &payload, "mic-consent/1/mic-g", &empty),
    );
}

fn reject_claims(wrong: &mut Wrong) {
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

fn reject_scope(wrong: &mut Wrong) {
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

fn reject_issuer_and_time(wrong: &mut Wrong) {
    wrong.claim(
        "issuer-other",
        "an issuer that does not own the key",
        &[1],
        Some("CONSENT02".into()),
    );
    let claims = with(&wrong.claims, &[1], Some("CONSENT61".into()));
    let provincial = signer("provincial-authority-sm2");
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
    let token = hex::encode(sign("mic-g", &later, signer("authority-sm2").as_ref()));
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
    let request = request(&keys(Suite::Sm2Sm3), ct_scope());
    let expired = json!({ "type": "mic-q", "token": hex::encode(request.as_bytes()), "clock": rfc3339(after(180)) });
    wrong.push(
        "time-request-expired",
        "a request after 120 seconds and the skew",
        expired,
    );
    let asked = claims_of(&request);
    let exp = find(&asked, &[4]);
    assert_eq!(exp, (now().timestamp() + 120).into());
    let hospital = signer("hospital-sm2");
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

// ---- QR pictures and the national example ----

#[test]
fn ok_qr_vectors_give_this_text_version_and_size() {
    let mut cases = Vec::new();
    for suite in [Suite::Sm2Sm3, Suite::Ed25519] {
        let keys = keys(suite);
        for (id, token) in [
            ("request-all", request(&keys, Scope::all())),
            ("request-filtered", request(&keys, ct_scope())),
            ("grant-all", grant(&keys, Scope::all())),
            ("grant-filtered", grant(&keys, ct_scope())),
        ] {
            let text = token.to_text();
            let picture = QrPicture::from_text(&text).unwrap();
            cases.push(json!({
                "id": format!("{}-{id}", suite.name().to_lowercase()),
                "note": "level M, alphanumeric mode",
                "input": { "token": hex::encode(token.as_bytes()) },
                "expect": { "ok": { "text": text, "version": picture.version(), "modules": picture.modules() } },
            }));
        }
    }
    for (id, text, expect) in [
        ("no-text", "", json!({ "kind": "Length", "found": 0 })),
        (
            "small-letters",
            "MICQ1:abc",
            json!({ "kind": "Character", "at": 6 }),
        ),
        (
            "chinese",
            "MICQ1:0授",
            json!({ "kind": "Character", "at": 7 }),
        ),
        ("hash", "MICQ1:0#", json!({ "kind": "Character", "at": 7 })),
    ] {
        cases.push(json!({ "id": id, "note": "no picture is drawn", "input": { "text": text }, "expect": { "err": expect } }));
    }
    settle(
        "qr.json",
        &json!({ "spec": "mic-consent qr", "version": 1, "what": "texts and pictures", "cases": cases }),
    );
    for case in read("qr.json")["cases"].as_array().unwrap() {
        let found = match (&case["input"]["token"], &case["input"]["text"]) {
            (Json::String(token), _) => {
                let text = Encoded::from_bytes(&hex::decode(token).unwrap())
                    .unwrap()
                    .to_text();
                let picture = QrPicture::from_text(&text).unwrap();
                json!({ "ok": { "text": text, "version": picture.version(), "modules": picture.modules() } })
            }
            (_, Json::String(text)) => match QrPicture::from_text(text).unwrap_err() {
                QrError::Length { found } => json!({ "err": { "kind": "Length", "found": found } }),
                QrError::Character { at } => json!({ "err": { "kind": "Character", "at": at } }),
                other => panic!("{other}"),
            },
            _ => panic!("no input"),
        };
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

#[test]
fn ok_sm2_vectors_of_the_national_standard() {
    for case in read("sm2.json")["cases"].as_array().unwrap() {
        let input = &case["input"];
        let bytes = |name: &str| hex::decode(input[name].as_str().unwrap()).unwrap();
        let key = PublicKey::sm2(
            &bytes("public_key").try_into().unwrap(),
            input["distid"].as_str().unwrap(),
        );
        let found = match key {
            Err(error) => json!({ "err": error.to_string() }),
            Ok(key) => {
                let signature = Signature::from_bytes(bytes("signature").try_into().unwrap());
                match key.verify(&bytes("message"), &signature) {
                    Ok(()) => json!({ "ok": true }),
                    Err(error) => json!({ "err": error.to_string() }),
                }
            }
        };
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}
