//! Running a case from its JSON alone, as another implementation would.

use chrono::{DateTime, Utc};
use mic_consent::*;
use serde_json::{Value as Json, json};

use crate::{
    common::{Always, after},
    file::{read, rfc3339},
    keys::keys_json,
};

pub(crate) fn time_of(text: &Json) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text.as_str().unwrap())
        .unwrap()
        .to_utc()
}

pub(crate) fn ring_of(keys: &Json, states: &Json) -> KeyRing {
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
            "ESP256" => PublicKey::es256(&bytes.try_into().unwrap()).unwrap(),
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

pub(crate) fn run(header: &Json, case: &Json) -> Result<Json, Denial> {
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

pub(crate) fn verdict(result: Result<Json, Denial>) -> Json {
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

pub(crate) fn run_file(name: &str, all: &str) {
    let file = read(name);
    let cases = file["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let found = verdict(run(&file, case));
        assert!(found.get(all).is_some(), "{}: {found}", case["id"]);
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

pub(crate) fn case(id: &str, note: &str, input: Json) -> Json {
    let mut case = json!({ "id": id, "note": note, "input": input });
    if case["input"].get("clock").is_none() {
        case["input"]["clock"] = json!(rfc3339(after(10)));
    }
    let header = json!({ "realm": "mic.cn", "keys": keys_json() });
    case["expect"] = verdict(run(&header, &case));
    case
}
