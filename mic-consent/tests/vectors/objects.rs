//! Vectors of the objects around the grant: offer, narrowed grant, refusal, withdrawal, emergency access, status
//! list, key set, receipt, review, checkpoint, and proofs about logs.

mod accept;
mod decide;
mod log;
mod order;
mod reject;

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use mic_consent::*;
use serde_json::{Value as Json, json};

use crate::{
    common::*,
    file::{rfc3339, settle},
};

/// The keys of these vectors: name, seed byte, owner, roles. Each exists in every suite, from the seed plus
/// [`offset`].
const CAST: [(&str, u8, &str, &[Role]); 15] = [
    ("hospital", 0x41, "H11010500001", &[Role::Request]),
    ("viewer", 0x42, "H11010500001", &[Role::Request]),
    ("other-hospital", 0x43, "H61010200001", &[Role::Request]),
    ("authority", 0x44, "CONSENT01", &[Role::Grant]),
    ("status", 0x45, "CONSENT01", &[Role::Status]),
    ("emergency", 0x46, "H11010500001", &[Role::Emergency]),
    ("review", 0x47, "H11010500001", &[Role::Review]),
    ("archive", 0x48, "ARCHIVE61", &[Role::Log]),
    ("insurer", 0x49, "INSURER61", &[Role::Log]),
    ("root-1", 0x4a, "ROOT00", &[Role::Root]),
    ("root-2", 0x4b, "ROOT00", &[Role::Root]),
    ("root-3", 0x4c, "ROOT00", &[Role::Root]),
    ("court", 0x4d, "COURT01", &[Role::Order]),
    ("barred", 0x4e, BARRED, &[Role::Request]),
    ("own-authority", 0x4f, "H11010500001", &[Role::Grant]),
];

/// What is refused, one file for each suite, with the same ids.
pub(crate) const REJECT_FILES: [(Suite, &str); 3] = [
    (Suite::Sm2Sm3, "objects-reject.json"),
    (Suite::Ed25519, "objects-reject-ed25519.json"),
    (Suite::Esp256, "objects-reject-esp256.json"),
];

/// An organisation that is suspended as a whole.
const BARRED: &str = "H11010500009";

pub(super) fn key(suite: Suite, name: &str) -> (Box<dyn Signer>, PublicKey) {
    let (_, seed, ..) = *CAST.iter().find(|(found, ..)| *found == name).unwrap();
    let secret = [seed + offset(suite); 32];
    match suite {
        Suite::Sm2Sm3 => {
            let key = Sm2SigningKey::from_secret_bytes(&secret).unwrap();
            let public = key.public_key().clone();
            (Box::new(key), public)
        }
        Suite::Ed25519 => {
            let key = Ed25519SigningKey::from_secret_bytes(&secret).unwrap();
            let public = key.public_key().clone();
            (Box::new(key), public)
        }
        Suite::Esp256 => {
            let key = Es256SigningKey::from_secret_bytes(&secret).unwrap();
            let public = key.public_key().clone();
            (Box::new(key), public)
        }
        other => panic!("no test keys for {other}"),
    }
}

/// A key is of one suite, so no two suites share a secret.
fn offset(suite: Suite) -> u8 {
    match suite {
        Suite::Sm2Sm3 => 0,
        Suite::Ed25519 => 64,
        Suite::Esp256 => 128,
        other => panic!("no test keys for {other}"),
    }
}

/// The suite with this name.
pub(super) fn suite_named(name: &str) -> Suite {
    Suite::from_name(name).unwrap()
}

pub(super) fn signer(suite: Suite, name: &str) -> Box<dyn Signer> {
    key(suite, name).0
}

pub(super) const SUITES: [Suite; 3] = [Suite::Sm2Sm3, Suite::Ed25519, Suite::Esp256];

fn records() -> Vec<KeyRecord> {
    SUITES
        .iter()
        .flat_map(|suite| CAST.iter().map(|part| (*suite, part)))
        .map(|(suite, (name, _, owner, roles))| {
            let roles: Roles = roles.iter().copied().collect();
            let owner = IssuerCode::new(owner).unwrap();
            KeyRecord::new(key(suite, name).1, owner, roles, validity()).unwrap()
        })
        .collect()
}

/// Made once: every case asks for it.
pub(super) fn ring() -> KeyRing {
    static RING: LazyLock<KeyRing> = LazyLock::new(|| {
        let mut ring = KeyRing::from_records(records()).unwrap();
        ring.suspend(IssuerCode::new(BARRED).unwrap()).unwrap();
        ring
    });
    RING.clone()
}

fn keys_json() -> Json {
    SUITES
        .iter()
        .flat_map(|suite| CAST.iter().map(|part| (*suite, part)))
        .map(|(suite, (name, seed, owner, roles))| {
            let seed = seed + offset(suite);
            let public = key(suite, name).1;
            json!({
                "name": format!("{name}-{}", suite.name().to_lowercase()),
                "suite": suite.name(),
                "test_secret": hex::encode([seed; 32]),
                "public_key": hex::encode(public.as_bytes()),
                "distid": public.distid(),
                "key_id": public.key_id().to_string(),
                "organisation": owner,
                "roles": roles.iter().map(|role| role.name()).collect::<Vec<_>>(),
                "valid_from": rfc3339(validity().from()),
                "valid_until": rfc3339(validity().until()),
            })
        })
        .collect()
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
        "suspended": [BARRED],
        "cases": cases,
    })
}

/// Runs a case from its JSON alone and writes down what came of it.
fn verdict(input: &Json) -> Json {
    match run(input) {
        Ok(claims) => json!({ "ok": claims }),
        Err(denial) => json!({ "err": {
            "number": denial.number(),
            "name": denial.reason().name(),
            "step": denial.step().number(),
            "at": denial.at(),
        }}),
    }
}

fn bytes(input: &Json, key: &str) -> Vec<u8> {
    hex::decode(input[key].as_str().unwrap()).unwrap()
}

fn encoded(bytes: &[u8]) -> Result<Encoded, Denial> {
    if bytes.len() > limits::TOKEN_BYTES_MAX {
        Encoded::document_from_bytes(bytes)
    } else {
        Encoded::from_bytes(bytes)
    }
}

fn run(input: &Json) -> Result<Json, Denial> {
    let kind = input["type"].as_str().unwrap();
    if let Some(result) = log::run(kind, input) {
        return result;
    }
    if let Some(result) = order::run(kind, input) {
        return result;
    }
    if let Some(result) = decide::run(kind, input) {
        return result;
    }
    let (ring, mut policy) = (ring(), policy());
    if input["emergency"] != false {
        policy = policy.with_emergency_access();
    }
    if input["orders"] != false {
        policy = policy.with_orders();
    }
    let checker = Checker::new(&ring, &policy);
    let now = clock(input);
    let token = encoded(&bytes(input, "token"))?;
    match kind {
        "mic-q" => {
            let live = token
                .untrusted::<Request>()?
                .verify(&checker)?
                .live(&checker, now)?;
            Ok(json!({ "offer": live.claims().offer().map(ToString::to_string) }))
        }
        "mic-o" => {
            let live = token
                .untrusted::<Offer>()?
                .verify(&checker)?
                .live(&checker, now)?;
            Ok(
                json!({ "id": live.claims().id().to_string(), "expires_at": rfc3339(live.claims().expires_at()) }),
            )
        }
        "mic-d" => {
            let nonce = RequestNonce::from_bytes(bytes(input, "nonce").try_into().unwrap());
            let signed = token.untrusted::<Refusal>()?.verify(&checker)?;
            let live = signed.live(&checker, now, &nonce)?;
            Ok(json!({
                "organisation": live.claims().organisation().as_str(),
                "reason": live.claims().reason().number(),
            }))
        }
        "mic-w" => {
            let live = token
                .untrusted::<Withdrawal>()?
                .verify(&checker)?
                .live(&checker, now)?;
            let claims = live.claims();
            Ok(json!({
                "grant": claims.grant().to_string(),
                "status": [claims.status().list(), claims.status().index()],
                "effect": claims.effect().number(),
            }))
        }
        "mic-e" => {
            let live = token
                .untrusted::<Emergency>()?
                .verify(&checker)?
                .live(&checker, now)?;
            let claims = live.claims();
            Ok(json!({
                "id": claims.id().to_string(),
                "rights": claims.terms().rights().bits(),
                "reason": claims.reason().number(),
                "staff": claims.staff_role().number(),
                "reviewer": claims.reviewer().as_str(),
                "reviewing": claims.reviewing().as_str(),
                "opening": claims.opening().to_string(),
            }))
        }
        "mic-l" => {
            let live = token.untrusted::<Order>()?.verify(&checker)?.live(
                &checker,
                now,
                &Always(Status::Valid),
            )?;
            let claims = live.claims();
            Ok(json!({
                "id": claims.id().to_string(),
                "issuer": claims.issuer().as_str(),
                "organisation": claims.organisation().as_str(),
                "rights": claims.terms().rights().bits(),
                "status": [claims.status().list(), claims.status().index()],
                "opening": claims.opening().to_string(),
                "instrument": claims.instrument().to_string(),
                "ground": claims.ground().number(),
                "article": claims.article().as_str(),
            }))
        }
        "mic-s" => {
            let live = token
                .untrusted::<StatusList>()?
                .verify(&checker)?
                .live(&checker, now)?;
            let claims = live.claims();
            let of = |wanted| {
                (0..claims.places())
                    .filter(|place| claims.status(*place) == wanted)
                    .collect::<Vec<_>>()
            };
            Ok(json!({
                "list": claims.list(),
                "version": claims.version(),
                "places": claims.places(),
                "withdrawn": of(Status::Withdrawn),
                "suspended": of(Status::Suspended),
            }))
        }
        "mic-k" => {
            let live = token
                .untrusted::<KeySet>()?
                .verify(&checker)?
                .live(&checker, now)?;
            let claims = live.claims();
            Ok(json!({
                "version": claims.version(),
                "previous": claims.previous().map(hex::encode),
                "suspended": claims.keys().suspended().map(IssuerCode::as_str).collect::<Vec<_>>(),
                "keys": claims.keys().iter().map(|record| json!({
                    "key_id": record.key_id().to_string(),
                    "organisation": record.organisation().as_str(),
                    "state": format!("{:?}", record.state()).split(' ').next().unwrap().to_lowercase(),
                })).collect::<Vec<_>>(),
            }))
        }
        "mic-n" => {
            let grant = encoded(&bytes(input, "grant"))?
                .untrusted::<Grant>()?
                .verify(&checker)?;
            let grant = grant.live(&checker, now, &Always(Status::Valid))?;
            let link = token.untrusted::<Narrowed>()?.verify(&checker)?;
            let mut narrowed = grant.narrowed_by(link, &checker, now)?;
            for more in input["then"].as_array().into_iter().flatten() {
                let link = encoded(&hex::decode(more.as_str().unwrap()).unwrap())?;
                let link = link.untrusted::<Narrowed>()?.verify(&checker)?;
                narrowed = narrowed.narrowed_by(link, &checker, now)?;
            }
            let terms = narrowed.terms();
            Ok(json!({
                "rights": terms.rights().bits(),
                "records": terms.scope().records().iter().map(ToString::to_string).collect::<Vec<_>>(),
                "expires_at": rfc3339(terms.expires_at()),
                "node": terms.place().map(|place| place.node().as_str()),
                "links": narrowed.links().len(),
                "holder": narrowed.links().last().unwrap().claims().holder().to_string(),
            }))
        }
        "mic-r" => {
            let live = token
                .untrusted::<Receipt>()?
                .verify(&checker)?
                .live(&checker, now)?;
            let claims = live.claims();
            Ok(json!({
                "organisation": claims.organisation().as_str(),
                "grant": claims.grant().to_string(),
                "basis": claims.basis().number(),
                "node": claims.place().node().as_str(),
                "opens": matches!(claims.action(), Action::OpenRecord(_)),
            }))
        }
        "mic-v" => {
            let live = token
                .untrusted::<Review>()?
                .verify(&checker)?
                .live(&checker, now)?;
            let claims = live.claims();
            Ok(
                json!({ "emergency": claims.emergency().to_string(), "verdict": claims.verdict().number() }),
            )
        }
        "mic-h" => {
            let live = token
                .untrusted::<Checkpoint>()?
                .verify(&checker)?
                .live(&checker, now)?;
            let claims = live.claims();
            Ok(
                json!({ "log": claims.log().as_str(), "size": claims.size(), "root": claims.root().to_string() }),
            )
        }
        other => panic!("{other}"),
    }
}

pub(super) fn clock(input: &Json) -> DateTime<Utc> {
    match input["clock"].as_str() {
        Some(text) => DateTime::parse_from_rfc3339(text).unwrap().to_utc(),
        None => after(10),
    }
}

/// Cases as they are made.
#[derive(Default)]
pub(super) struct Cases(Vec<Json>);

impl Cases {
    /// A case whose outcome is written down by hand: none for an accepted one, else the reason.
    pub(super) fn push(&mut self, id: &str, note: &str, input: Json, expected: Option<Reason>) {
        let mut case = json!({ "id": id, "note": note, "input": input });
        if case["input"].get("clock").is_none() {
            case["input"]["clock"] = json!(rfc3339(after(10)));
        }
        let found = verdict(&case["input"]);
        assert_eq!(
            found["err"]["name"].as_str(),
            expected.map(Reason::name),
            "{id}: {found}"
        );
        case["expect"] = found;
        self.0.push(case);
    }
}

fn check(name: &str, what: &str, cases: Cases) {
    let made = file(what, cases.0);
    settle(name, &made);
    for case in made["cases"].as_array().unwrap() {
        assert_eq!(verdict(&case["input"]), case["expect"], "{}", case["id"]);
    }
}

#[test]
fn ok_vectors_of_the_other_objects_are_accepted() {
    let cases = accept::cases();
    accept::write_seeds(&cases.0);
    check(
        "objects-accept.json",
        "objects around the grant that are accepted",
        cases,
    );
}

#[test]
fn err_vectors_of_the_other_objects_are_refused_with_this_very_denial() {
    for (suite, name) in REJECT_FILES {
        let mut cases = reject::cases(suite);
        order::wrong(&mut cases, suite);
        log::wrong(&mut cases, suite);
        let what = format!("objects around the grant that are refused, in {suite}");
        check(name, &what, cases);
    }
}

#[test]
fn err_decisions_are_permitted_or_refused_with_this_very_denial() {
    check(
        "decide.json",
        "what a node permits, an authority takes and a witness agrees to, and what they refuse",
        decide::cases::cases(),
    );
}
