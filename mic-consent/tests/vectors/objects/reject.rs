//! What is refused: claims that are missing, unknown or out of range, keys without the role, and narrowings that
//! widen.

use ciborium::Value;
use mic_consent::*;
use serde_json::{Value as Json, json};

use super::{
    Cases,
    accept::{
        chain, emergency, grant, live_grant, narrowed, offer, order, receipts, refusal, review,
        token, under_order, withdrawal,
    },
    order::list,
    signer,
};
use crate::common::{
    raw::{bytes_of, claims_of, find, header, sign, sign_with, with},
    *,
};

const MIC: i64 = -65537;

/// One object to be spoiled: its suite, its type, who signs it, its claims, and what a run needs beside it.
struct Object {
    suite: Suite,
    kind: &'static str,
    signer: &'static str,
    claims: Value,
    beside: Json,
}

impl Object {
    fn new(kind: &'static str, signer: &'static str, token: &Encoded) -> Self {
        Self {
            suite: token.suite(),
            kind,
            signer,
            claims: claims_of(token),
            beside: json!({}),
        }
    }

    fn input(&self, token: &[u8]) -> Json {
        let mut input = self.beside.clone();
        input["type"] = json!(self.kind);
        input["token"] = json!(hex::encode(token));
        input
    }

    /// With one claim changed, signed properly.
    fn with(&self, path: &[i64], new: Option<Value>) -> Json {
        let claims = with(&self.claims, path, new);
        self.input(&sign(
            self.kind,
            &claims,
            signer(self.suite, self.signer).as_ref(),
        ))
    }
}

fn text(code: &str) -> Option<Value> {
    Some(code.into())
}

fn number(number: u64) -> Option<Value> {
    Some(number.into())
}

fn bytes(count: usize) -> Option<Value> {
    Some(Value::Bytes(vec![9; count]))
}

pub(super) fn cases(suite: Suite) -> Cases {
    let mut cases = Cases::default();
    let [opened, in_emergency] = receipts(suite);
    let nonce_text = nonce().to_string();
    let mut refused = Object::new("mic-d", "authority", &refusal(suite));
    refused.beside = json!({ "nonce": nonce_text });
    let mut link = Object::new("mic-n", "hospital", &narrowed(suite));
    link.beside = json!({ "grant": hex::encode(grant(suite).as_bytes()) });
    let some = StatusListDraft::new(realm(), authority_code(), 3, 1000).with_withdrawn([7, 8]);
    let list = Object::new("mic-s", "status", &list(suite, some, 0));
    let (offer, withdrawal) = (
        Object::new("mic-o", "authority", &offer(suite)),
        Object::new("mic-w", "authority", &withdrawal(suite, Effect::Withdrawn)),
    );
    let (emergency, review) = (
        Object::new("mic-e", "emergency", &emergency(suite)),
        Object::new("mic-v", "review", &review(suite)),
    );
    let (opened, in_emergency) = (
        Object::new("mic-r", "archive", &opened),
        Object::new("mic-r", "archive", &in_emergency),
    );

    let by_order = Object::new("mic-r", "archive", &under_order(suite));
    let order = Object::new("mic-l", "court", &order(suite));
    holes(&mut cases, "order", &order, &[]);
    holes(&mut cases, "receipt-order", &by_order, &[]);
    of_orders(&mut cases, &order, &by_order);
    holes(&mut cases, "offer", &offer, &[]);
    holes(&mut cases, "refusal", &refused, &[]);
    holes(&mut cases, "withdrawal", &withdrawal, &[]);
    holes(&mut cases, "emergency", &emergency, &[]);
    holes(&mut cases, "status-list", &list, &[]);
    holes(&mut cases, "narrowed", &link, &[12, 13, 14, 18]);
    holes(&mut cases, "review", &review, &[]);
    holes(&mut cases, "receipt", &opened, &[13, 14]);
    holes(&mut cases, "receipt-emergency", &in_emergency, &[13, 14]);
    for (name, object) in [
        ("offer", &offer),
        ("refusal", &refused),
        ("withdrawal", &withdrawal),
        ("emergency", &emergency),
        ("status-list", &list),
        ("narrowed", &link),
        ("review", &review),
        ("receipt", &opened),
    ] {
        common_faults(&mut cases, name, object);
    }
    living(&mut cases, &offer, &refused, &withdrawal, &emergency);
    lists(&mut cases, &list);
    of_receipts(&mut cases, &opened, &in_emergency);
    narrowings(&mut cases, &link);
    cases
}

/// Every claim that is needed, left out.
fn holes(cases: &mut Cases, name: &str, object: &Object, optional: &[i64]) {
    let keys = |map: &Value| -> Vec<i64> {
        let key = |(key, _): &(Value, Value)| {
            i64::try_from(i128::from(key.as_integer().unwrap())).unwrap()
        };
        map.as_map().unwrap().iter().map(key).collect()
    };
    for key in keys(&object.claims) {
        let label = if key == MIC {
            "mic".into()
        } else {
            key.to_string()
        };
        cases.push(
            &format!("{name}-no-{label}"),
            "a claim is missing",
            object.with(&[key], None),
            Some(Reason::MissingClaim),
        );
    }
    for key in keys(&find(&object.claims, &[MIC])) {
        if optional.contains(&key) {
            continue;
        }
        cases.push(
            &format!("{name}-no-mic-{key}"),
            "a claim of the private map is missing",
            object.with(&[MIC, key], None),
            Some(Reason::MissingClaim),
        );
    }
}

/// What is wrong in the same way for all types.
fn common_faults(cases: &mut Cases, name: &str, object: &Object) {
    let mut push = |id: &str, note: &str, input: Json, reason| {
        cases.push(&format!("{name}-{id}"), note, input, Some(reason));
    };
    push(
        "unknown-claim",
        "an unknown private claim",
        object.with(&[MIC, 60], number(1)),
        Reason::UnexpectedKey,
    );
    push(
        "version",
        "version 2",
        object.with(&[MIC, 1], number(2)),
        Reason::UnsupportedVersion,
    );
    push(
        "iat-text",
        "a time as text",
        object.with(&[6], text("now")),
        Reason::WrongItem,
    );
    push(
        "realm",
        "another realm",
        object.with(&[3], text("test.mic.cn")),
        Reason::WrongRealm,
    );
    let late = object.with(
        &[6],
        number(u64::try_from(now().timestamp()).unwrap() + 3_600),
    );
    let later = match name {
        "receipt" | "review" => Reason::IssuedInFuture,
        // It would end before it begins, or live on into the future.
        "offer" | "refusal" | "narrowed" | "emergency" | "status-list" => Reason::TimeOrder,
        _ => Reason::IssuedInFuture,
    };
    push("in-future", "issued in an hour", late, later);

    let payload = bytes_of(&object.claims);
    let own = signer(object.suite, object.signer);
    let head = header(own.as_ref(), object.kind);
    let external = format!("mic-consent/1/{}", object.kind);
    let trailing = sign_with(
        &head,
        &[&payload[..], &[0]].concat(),
        &external,
        own.as_ref(),
    );
    push(
        "trailing",
        "a byte after the claims",
        object.input(&trailing),
        Reason::TrailingBytes,
    );
    let bare = sign_with(&head, &payload, "mic-consent/1/mic-g", own.as_ref());
    push(
        "external",
        "signed with the external text of a grant",
        object.input(&bare),
        Reason::BadSignature,
    );
    let stranger = if object.signer == "status" {
        "archive"
    } else {
        "status"
    };
    let stranger = sign(
        object.kind,
        &object.claims,
        signer(object.suite, stranger).as_ref(),
    );
    push(
        "role",
        "a key without the role",
        object.input(&stranger),
        Reason::RoleMissing,
    );
    let mut other = object.input(&sign("mic-q", &object.claims, own.as_ref()));
    other["type"] = json!(object.kind);
    push(
        "type",
        "under the type of a request",
        other,
        Reason::OtherType,
    );
    if !matches!(name, "emergency" | "narrowed") {
        push(
            "issuer",
            "another issuer than the key's owner",
            object.with(&[1], text("SOMEBODY")),
            Reason::IssuerNotKeyOwner,
        );
    }
}

fn living(
    cases: &mut Cases,
    offer: &Object,
    refusal: &Object,
    withdrawal: &Object,
    emergency: &Object,
) {
    let now = u64::try_from(now().timestamp()).unwrap();
    let mut push = |id: &str, note: &str, input: Json, reason| {
        cases.push(id, note, input, Some(reason));
    };
    push(
        "offer-life",
        "an offer of 91 seconds",
        offer.with(&[4], number(now + 91)),
        Reason::LifeTooLong,
    );
    let mut late = offer.with(&[4], number(now + 90));
    late["clock"] = json!(crate::file::rfc3339(after(150)));
    push(
        "offer-expired",
        "an offer shown later: a screenshot",
        late,
        Reason::Expired,
    );
    push(
        "offer-id",
        "a handle of 15 bytes",
        offer.with(&[7], bytes(15)),
        Reason::BadLength,
    );
    push(
        "refusal-life",
        "a refusal of 301 seconds",
        refusal.with(&[4], number(now + 301)),
        Reason::LifeTooLong,
    );
    push(
        "refusal-reason",
        "a reason that does not exist",
        refusal.with(&[MIC, 25], number(5)),
        Reason::UnknownListValue,
    );
    let mut other = refusal.with(&[4], number(now + 300));
    other["nonce"] = json!("22".repeat(16));
    push(
        "refusal-other-request",
        "an answer to another request",
        other,
        Reason::OtherRequest,
    );
    push(
        "withdrawal-effect",
        "an effect that does not exist",
        withdrawal.with(&[MIC, 28], number(3)),
        Reason::UnknownListValue,
    );
    push(
        "withdrawal-place",
        "a place without index",
        withdrawal.with(&[MIC, 7], Some(Value::Array(vec![3.into()]))),
        Reason::BadLength,
    );
    push(
        "withdrawal-life",
        "longer than any grant",
        withdrawal.with(&[4], number(now + 86_401)),
        Reason::LifeTooLong,
    );

    push(
        "emergency-life",
        "longer than a shift",
        emergency.with(&[4], number(now + 14_401)),
        Reason::LifeTooLong,
    );
    push(
        "emergency-keep",
        "with the right to keep",
        emergency.with(&[MIC, 4], number(7)),
        Reason::EmergencyRights,
    );
    push(
        "emergency-pass-on",
        "with the right to pass on",
        emergency.with(&[MIC, 4], number(35)),
        Reason::EmergencyRights,
    );
    push(
        "emergency-reviewer",
        "reviewed by the doctor who acts",
        emergency.with(&[MIC, 26], text("D110105000001")),
        Reason::ReviewerSelf,
    );
    push(
        "emergency-reason",
        "a reason that does not exist",
        emergency.with(&[MIC, 25], number(4)),
        Reason::UnknownListValue,
    );
    push(
        "emergency-staff",
        "a role that does not exist",
        emergency.with(&[MIC, 27], number(0)),
        Reason::UnknownListValue,
    );
    push(
        "emergency-opening",
        "a digest of the opening of 16 bytes",
        emergency.with(&[MIC, 40], bytes(16)),
        Reason::BadLength,
    );
    push(
        "emergency-reviewing",
        "a reviewing organisation in small letters",
        emergency.with(&[MIC, 44], text("h11")),
        Reason::BadCode,
    );
    push(
        "emergency-scope",
        "the list alone with the right to view",
        emergency.with(&[MIC, 5], Some(Value::Map(vec![(1.into(), 0.into())]))),
        Reason::ScopeInconsistent,
    );
    let mut closed = emergency.with(&[4], number(now + 3_600));
    closed["emergency"] = json!(false);
    push(
        "emergency-not-accepted",
        "a node without emergency access",
        closed,
        Reason::EmergencyNotAccepted,
    );
}

fn lists(cases: &mut Cases, list: &Object) {
    let now = u64::try_from(now().timestamp()).unwrap();
    let pair = |count: u64, code: &[u8]| {
        Some(Value::Array(vec![
            count.into(),
            Value::Bytes(code.to_vec()),
        ]))
    };
    let Value::Array(good) = find(&list.claims, &[MIC, 31]) else {
        panic!("a pair")
    };
    let code = good[1].as_bytes().unwrap().clone();
    let mut push = |id: &str, note: &str, path: &[i64], new: Option<Value>, reason| {
        cases.push(id, note, list.with(path, new), Some(reason));
    };
    push(
        "status-list-life",
        "a week and a second",
        &[4],
        number(now + 604_801),
        Reason::LifeTooLong,
    );
    push(
        "status-list-no-places",
        "no places",
        &[MIC, 30],
        number(0),
        Reason::TooMany,
    );
    push(
        "status-list-places",
        "more places than a list may have",
        &[MIC, 30],
        number(4_194_305),
        Reason::TooMany,
    );
    push(
        "status-list-fewer-places",
        "a place beyond the end",
        &[MIC, 30],
        number(8),
        Reason::BadStatusCode,
    );
    push(
        "status-list-count",
        "one place more than the code has",
        &[MIC, 31],
        pair(3, &code),
        Reason::BadStatusCode,
    );
    push(
        "status-list-count-less",
        "one place fewer than the code has",
        &[MIC, 31],
        pair(1, &code),
        Reason::BadStatusCode,
    );
    push(
        "status-list-cut",
        "a code that is cut",
        &[MIC, 31],
        pair(2, &code[..code.len() - 1]),
        Reason::BadStatusCode,
    );
    push(
        "status-list-padded",
        "a byte after the code",
        &[MIC, 31],
        pair(2, &[&code[..], &[0]].concat()),
        Reason::BadStatusCode,
    );
    let mut dirty = code.clone();
    *dirty.last_mut().unwrap() |= 1;
    push(
        "status-list-dirty",
        "a bit set behind the code",
        &[MIC, 31],
        pair(2, &dirty),
        Reason::BadStatusCode,
    );
    push(
        "status-list-ones",
        "a gap without end",
        &[MIC, 31],
        pair(2, &[0xff; 300]),
        Reason::BadStatusCode,
    );
    push(
        "status-list-both",
        "withdrawn and suspended at once",
        &[MIC, 32],
        pair(2, &code),
        Reason::BadStatusCode,
    );
    push(
        "status-list-many",
        "more set than there are places",
        &[MIC, 31],
        pair(1001, &code),
        Reason::BadStatusCode,
    );
    push(
        "status-list-version-large",
        "a version of 2^32",
        &[MIC, 29],
        number(1 << 32),
        Reason::TooMany,
    );
}

fn of_orders(cases: &mut Cases, order: &Object, by_order: &Object) {
    let now = u64::try_from(now().timestamp()).unwrap();
    let mut push = |id: &str, note: &str, input: Json, reason| {
        cases.push(id, note, input, Some(reason));
    };
    push(
        "order-life",
        "longer than a week",
        order.with(&[4], number(now + 604_801)),
        Reason::LifeTooLong,
    );
    push(
        "order-pass-on",
        "with the right to pass on",
        order.with(&[MIC, 4], number(35)),
        Reason::OrderRights,
    );
    push(
        "order-ground",
        "a ground that does not exist",
        order.with(&[MIC, 42], number(5)),
        Reason::UnknownListValue,
    );
    push(
        "order-article",
        "an article in small letters",
        order.with(&[MIC, 43], text("pipl.13")),
        Reason::BadCode,
    );
    push(
        "order-instrument",
        "an instrument of 31 bytes",
        order.with(&[MIC, 41], bytes(31)),
        Reason::BadLength,
    );
    push(
        "order-purpose",
        "a purpose, as a grant has",
        order.with(&[MIC, 3], number(1)),
        Reason::MissingClaim,
    );
    let mut by_authority = order.with(&[4], number(now + 60));
    by_authority["token"] = json!(hex::encode(sign(
        "mic-l",
        &with(&order.claims, &[1], text("CONSENT01")),
        signer(order.suite, "authority").as_ref(),
    )));
    push(
        "order-by-authority",
        "an order signed by a consent authority",
        by_authority,
        Reason::RoleMissing,
    );
    let mut by_court = order.with(&[4], number(now + 60));
    by_court["type"] = json!("mic-e");
    push(
        "order-as-emergency",
        "an order shown as an emergency access",
        by_court,
        Reason::OtherType,
    );
    let mut closed = order.with(&[4], number(now + 3_600));
    closed["orders"] = json!(false);
    push(
        "order-not-accepted",
        "a node that takes no orders",
        closed,
        Reason::OrderNotAccepted,
    );
    push(
        "receipt-order-purpose",
        "a purpose and an instrument",
        by_order.with(&[MIC, 3], number(1)),
        Reason::UnexpectedKey,
    );
    let asked = RequestDraft::new(
        realm(),
        InstitutionCode::new(super::BARRED).unwrap(),
        Purpose::Treatment,
        Rights::LIST,
        Scope::list_only(ScopeFilter::new()),
    )
    .sign(
        signer(order.suite, "barred").as_ref(),
        nonce(),
        crate::common::now(),
    )
    .unwrap();
    push(
        "organisation-suspended",
        "a request of a suspended organisation",
        token("mic-q", &asked),
        Reason::OrganisationSuspended,
    );
}

fn of_receipts(cases: &mut Cases, opened: &Object, in_emergency: &Object) {
    let mut push = |id: &str, note: &str, input: Json, reason| {
        cases.push(id, note, input, Some(reason));
    };
    push(
        "receipt-both",
        "a purpose and an emergency's reason",
        opened.with(&[MIC, 25], number(1)),
        Reason::MissingClaim,
    );
    push(
        "receipt-neither",
        "neither purpose nor reason",
        opened.with(&[MIC, 3], None),
        Reason::MissingClaim,
    );
    push(
        "receipt-record-of-list",
        "a record where the list was shown",
        in_emergency.with(&[MIC, 23], bytes(32)),
        Reason::MissingClaim,
    );
    push(
        "receipt-purpose",
        "a purpose that does not exist",
        opened.with(&[MIC, 3], number(9)),
        Reason::UnknownPurpose,
    );
    push(
        "receipt-other-node",
        "a node that is not the issuer",
        opened.with(&[MIC, 18], Some("ARCHIVE62".into())),
        Reason::OtherNode,
    );
    push(
        "receipt-province",
        "a province that does not exist",
        opened.with(&[MIC, 19], number(99)),
        Reason::UnknownListValue,
    );
    push(
        "receipt-action",
        "an action that does not exist",
        opened.with(&[MIC, 20], number(3)),
        Reason::UnknownListValue,
    );
    let head = token("mic-h", &receipts(opened.suite)[0]);
    push(
        "receipt-as-checkpoint",
        "a receipt offered as a head",
        head,
        Reason::OtherType,
    );
    let owner = CheckpointDraft::head_of(
        &MerkleLog::new(opened.suite).unwrap(),
        *archive().node(),
        realm(),
    )
    .sign(
        signer(opened.suite, "archive").as_ref(),
        *archive().node(),
        now(),
    )
    .unwrap();
    let head = Object::new("mic-h", "archive", &owner);
    push(
        "checkpoint-size",
        "a log of 2^41 entries",
        head.with(&[MIC, 35], number(1 << 41)),
        Reason::TooMany,
    );
    push(
        "checkpoint-root",
        "a root of 31 bytes",
        head.with(&[MIC, 36], bytes(31)),
        Reason::BadLength,
    );
    push(
        "checkpoint-no-log",
        "nobody's log",
        head.with(&[MIC, 18], None),
        Reason::MissingClaim,
    );
}

/// Narrowings that are wider in each part, of another grant, by another key, or too many.
fn narrowings(cases: &mut Cases, link: &Object) {
    let grant = live_grant(link.suite);
    let ends = u64::try_from(grant.claims().expires_at().timestamp()).unwrap();
    let now_s = u64::try_from(now().timestamp()).unwrap();
    let mut push = |id: &str, note: &str, input: Json, reason| {
        cases.push(id, note, input, Some(reason));
    };
    let wider = Reason::NarrowedWider;
    push(
        "narrowed-rights",
        "a right more",
        link.with(&[MIC, 4], number(15)),
        wider,
    );
    push(
        "narrowed-scope",
        "all exams",
        link.with(&[MIC, 5], Some(Value::Map(vec![(1.into(), 1.into())]))),
        wider,
    );
    let undated = with(&find(&link.claims, &[MIC, 5]), &[2], None);
    push(
        "narrowed-days",
        "the days dropped",
        link.with(&[MIC, 5], Some(undated)),
        wider,
    );
    let more = with(
        &find(&link.claims, &[MIC, 5]),
        &[3],
        Some(Value::Array(vec!["CT".into(), "XA".into()])),
    );
    push(
        "narrowed-modality",
        "a modality more",
        link.with(&[MIC, 5], Some(more)),
        wider,
    );
    push(
        "narrowed-no-studies",
        "a count of nought",
        link.with(&[MIC, 12], number(0)),
        Reason::TooMany,
    );
    push(
        "narrowed-many-studies",
        "a count beyond the limit",
        link.with(&[MIC, 12], number(10_001)),
        Reason::TooMany,
    );
    push(
        "narrowed-longer",
        "a second longer than the grant",
        link.with(&[4], number(ends + 1)),
        wider,
    );
    push(
        "narrowed-earlier",
        "a second before the grant",
        link.with(&[6], number(now_s - 1)),
        wider,
    );
    push(
        "narrowed-expired",
        "a narrowing that is over",
        link.with(&[4], number(now_s - 100)),
        Reason::TimeOrder,
    );
    push(
        "narrowed-other-grant",
        "another grant's id",
        link.with(&[MIC, 21], bytes(16)),
        Reason::OtherGrant,
    );
    push(
        "narrowed-other-digest",
        "another grant of the same id",
        link.with(&[MIC, 22], bytes(32)),
        Reason::OtherGrant,
    );
    push(
        "narrowed-province-alone",
        "a node without its province",
        link.with(&[MIC, 19], None),
        Reason::MissingClaim,
    );

    let own = |who: &str, claims: &Value| {
        link.input(&sign("mic-n", claims, signer(link.suite, who).as_ref()))
    };
    push(
        "narrowed-by-viewer",
        "by a key of the hospital that does not hold it",
        own("viewer", &link.claims),
        Reason::NotTheGrantee,
    );
    let foreign = with(&link.claims, &[1], text("H61010200001"));
    push(
        "narrowed-by-other",
        "by another hospital",
        own("other-hospital", &foreign),
        Reason::NotTheGrantee,
    );
    push(
        "narrowed-issuer",
        "in another hospital's name",
        own("hospital", &foreign),
        Reason::IssuerNotKeyOwner,
    );

    // A second narrowing that goes back to what the first took away.
    let narrow = chain(link.suite);
    let second = NarrowDraft::of_narrowed(&narrow)
        .sign(signer(link.suite, "viewer").as_ref(), now())
        .unwrap();
    let base = claims_of(&second);
    let first = hex::encode(narrowed(link.suite).as_bytes());
    let then = |who: &str, path: &[i64], new: Option<Value>| {
        let claims = with(&base, path, new);
        let token = sign("mic-n", &claims, signer(link.suite, who).as_ref());
        json!({
            "type": "mic-n",
            "token": first,
            "grant": link.beside["grant"],
            "then": [hex::encode(token)],
        })
    };
    push(
        "narrowed-back-rights",
        "a right of the grant that was taken away",
        then("viewer", &[MIC, 4], number(11)),
        wider,
    );
    push(
        "narrowed-back-count",
        "two studies again",
        then("viewer", &[MIC, 12], number(2)),
        wider,
    );
    push(
        "narrowed-back-no-count",
        "not counted again",
        then("viewer", &[MIC, 12], None),
        wider,
    );
    push(
        "narrowed-back-doctor",
        "any doctor again",
        then("viewer", &[MIC, 14], None),
        wider,
    );
    push(
        "narrowed-back-other-doctor",
        "another doctor",
        then("viewer", &[MIC, 14], text("D110105000009")),
        wider,
    );
    push(
        "narrowed-back-node",
        "another node",
        then("viewer", &[MIC, 18], text("ARCHIVE62")),
        wider,
    );
    push(
        "narrowed-back-time",
        "as long as the grant",
        then("viewer", &[4], number(ends)),
        wider,
    );
    push(
        "narrowed-back-holder",
        "by the holder before",
        then("hospital", &[MIC, 12], number(1)),
        Reason::NotTheGrantee,
    );
    let mut skipped = then("viewer", &[MIC, 12], number(1));
    skipped["token"] = skipped["then"][0].clone();
    skipped["then"] = json!([]);
    push(
        "narrowed-skipped",
        "the second without the first",
        skipped,
        Reason::NotTheGrantee,
    );

    let (ring, policy) = (super::ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let (mut chained, mut then) = (narrow, Vec::new());
    for _ in 0..3 {
        let token = NarrowDraft::of_narrowed(&chained)
            .sign(signer(link.suite, "viewer").as_ref(), now())
            .unwrap();
        then.push(hex::encode(token.as_bytes()));
        if then.len() < 3 {
            let token = token
                .untrusted::<Narrowed>()
                .unwrap()
                .verify(&checker)
                .unwrap();
            chained = chained.narrowed_by(token, &checker, now()).unwrap();
        }
    }
    let four =
        json!({ "type": "mic-n", "token": first, "grant": link.beside["grant"], "then": then });
    push(
        "narrowed-four-times",
        "a fourth narrowing",
        four,
        Reason::NarrowedTooOften,
    );
}
