//! Tokens that are wrong on purpose, and the denials written down for them by hand.

extern crate alloc;

use alloc::collections::BTreeMap;

use ciborium::Value;
use mic_consent::*;
use serde_json::{Value as Json, json};

use crate::{
    claims,
    common::{
        raw::{bytes_of, claims_of, header, sign, sign_with, with},
        *,
    },
    decode, denials,
    file::file,
    keys::signer,
    run::case,
    verify,
};

/// Everything that is wrong on purpose.
pub(crate) struct Wrong {
    pub(crate) suite: Suite,
    pub(crate) cases: Vec<Json>,
    pub(crate) grant: Encoded,
    pub(crate) claims: Value,
}

impl Wrong {
    pub(crate) fn push(&mut self, id: &str, note: &str, input: Json) {
        self.cases.push(case(id, note, input));
    }

    /// The key with this part, in the suite.
    pub(crate) fn signer(&self, who: &str) -> Box<dyn Signer> {
        signer(&self.name(who))
    }

    /// The name of that key.
    pub(crate) fn name(&self, who: &str) -> String {
        let suite = match self.suite {
            Suite::Sm2Sm3 => "sm2",
            Suite::Ed25519 => "ed25519",
            _ => "esp256",
        };
        format!("{who}-{suite}")
    }

    /// These bytes, offered as a grant.
    pub(crate) fn bytes(&mut self, id: &str, note: &str, token: &[u8]) {
        self.push(
            id,
            note,
            json!({ "type": "mic-g", "token": hex::encode(token) }),
        );
    }

    /// The grant with one claim changed, signed properly by the authority.
    pub(crate) fn claim(&mut self, id: &str, note: &str, path: &[i64], new: Option<Value>) {
        let token = sign(
            "mic-g",
            &with(&self.claims, path, new),
            self.signer("authority").as_ref(),
        );
        self.bytes(id, note, &token);
    }

    /// These payload bytes, signed properly by the authority.
    pub(crate) fn payload(&mut self, id: &str, note: &str, payload: &[u8]) {
        let authority = self.signer("authority");
        let token = sign_with(
            &header(authority.as_ref(), "mic-g"),
            payload,
            "mic-consent/1/mic-g",
            authority.as_ref(),
        );
        self.bytes(id, note, &token);
    }

    /// The grant under another header, signed properly by the authority.
    pub(crate) fn header(&mut self, id: &str, note: &str, entries: &[(Value, Value)]) {
        let authority = self.signer("authority");
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

pub(crate) const MIC: i64 = -65537;

/// One file for each suite, with the same ids.
pub(crate) const REJECT_FILES: [(Suite, &str); 3] = [
    (Suite::Sm2Sm3, "reject.json"),
    (Suite::Ed25519, "reject-ed25519.json"),
    (Suite::Esp256, "reject-esp256.json"),
];

pub(crate) fn reject(suite: Suite) -> Json {
    let keys = keys(suite);
    let grant = grant(&keys, ct_scope());
    let claims = claims_of(&grant);
    let mut wrong = Wrong {
        suite,
        cases: Vec::new(),
        grant,
        claims,
    };
    decode::reject_text(&mut wrong);
    decode::reject_structure(&mut wrong);
    decode::reject_header(&mut wrong);
    verify::reject_key(&mut wrong);
    claims::reject_claims(&mut wrong);
    claims::reject_scope(&mut wrong);
    verify::reject_issuer_and_time(&mut wrong);
    as_written_by_hand(suite, &wrong.cases);
    let what = format!("tokens that are refused, each with its denial, in {suite}");
    file(&what, wrong.cases)
}

/// Each case is refused for the reason, and where it follows from the form at the place, that was written down for
/// it; before anything of it is kept.
pub(crate) fn as_written_by_hand(suite: Suite, cases: &[Json]) {
    let mut expected = BTreeMap::new();
    for (reason, ids) in denials::EXPECTED {
        for id in ids.iter().filter(|id| denials::is_in(suite, id)) {
            assert!(expected.insert(*id, *reason).is_none(), "{id} twice");
        }
    }
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let reason = expected.remove(id).map(Reason::name);
        assert_eq!(case["expect"]["err"]["name"].as_str(), reason, "{id}");
        let place = denials::PLACES.iter().find(|(_, ids)| ids.contains(&id));
        if let Some((at, _)) = place {
            let at = denials::place_in(suite, *at);
            assert_eq!(case["expect"]["err"]["at"], json!(at), "{id}");
        }
    }
    assert!(expected.is_empty(), "no case for {expected:?}");
}
