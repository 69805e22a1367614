//! Status lists and key sets, alone and in the order in which a node sees them.

use ciborium::Value;
use mic_consent::*;
use serde_json::{Value as Json, json};

use super::{Cases, SUITES, accept::token, bytes, clock, encoded, key, ring, signer, suite_named};
use crate::common::{
    raw::{claims_of, find, sign, with},
    *,
};

fn list_draft(version: u32) -> StatusListDraft {
    StatusListDraft::new(realm(), authority_code(), 3, 1000).with_version(version)
}

pub(super) fn list(suite: Suite, draft: StatusListDraft, at: i64) -> Encoded {
    draft
        .sign(signer(suite, "status").as_ref(), after(at))
        .unwrap()
}

fn some_keys(suite: Suite) -> KeyRing {
    let record = |name: &str, owner: &str, roles: Roles| {
        let owner = IssuerCode::new(owner).unwrap();
        KeyRecord::new(key(suite, name).1, owner, roles, validity()).unwrap()
    };
    KeyRing::from_records([
        record("hospital", "H11010500001", Role::Request.into())
            .with_province(Province::new(11).unwrap())
            .unwrap(),
        record(
            "authority",
            "CONSENT01",
            Roles::from(Role::Grant) | Role::Status.into(),
        ),
        record("archive", "ARCHIVE61", Role::Log.into())
            .with_state(KeyState::VerifyOnly { since: after(-60) }),
        record("insurer", "INSURER61", Role::Log.into())
            .with_state(KeyState::Compromised { since: after(-120) }),
        record("emergency", "H11010500001", Role::Emergency.into()).with_state(KeyState::Suspended),
        record("review", "H11010500001", Role::Review.into()).with_state(KeyState::Revoked),
    ])
    .unwrap()
}

fn root_code() -> IssuerCode {
    IssuerCode::new("ROOT00").unwrap()
}

fn first_set(suite: Suite) -> KeySetDraft {
    KeySetDraft::first(realm(), root_code(), some_keys(suite))
}

fn signed_set(suite: Suite, draft: &KeySetDraft, root: &str, at: i64) -> Encoded {
    draft.sign(signer(suite, root).as_ref(), after(at)).unwrap()
}

fn live_set(set: &Encoded) -> Live<KeySet> {
    let (ring, policy) = (ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let signed = set
        .clone()
        .untrusted::<KeySet>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    signed.live(&checker, after(10)).unwrap()
}

pub(super) fn run(kind: &str, input: &Json) -> Option<Result<Json, Denial>> {
    match kind {
        "status lists in order" => Some(lists(input)),
        "key sets in order" => Some(sets(input)),
        _ => None,
    }
}

/// Each list in turn; then what the book says of the places asked for.
fn lists(input: &Json) -> Result<Json, Denial> {
    let (ring, policy) = (ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let now = clock(input);
    let mut book = StatusBook::new(&policy);
    for step in input["steps"].as_array().unwrap() {
        let token = encoded(&bytes(step, "token"))?;
        if token.token_type() == TokenType::Withdrawal {
            let heard = token.untrusted::<Withdrawal>()?.verify(&checker)?;
            book.hear(&heard.live(&checker, now)?)?;
        } else {
            let list = token.untrusted::<StatusList>()?.verify(&checker)?;
            book.accept(list.live(&checker, now)?)?;
        }
    }
    let grant_key = key(Suite::Sm2Sm3, "authority").1.key_id();
    let asked: Vec<String> = input["ask"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| {
            let number = |n: usize| u32::try_from(place[n].as_u64().unwrap()).unwrap();
            let place = StatusRef::new(number(0), number(1));
            format!("{:?}", book.with_keys(&ring).status(&grant_key, place, now)).to_lowercase()
        })
        .collect();
    Ok(json!({ "statuses": asked }))
}

/// Each group of documents in turn, two of three roots being needed.
fn sets(input: &Json) -> Result<Json, Denial> {
    let policy = policy();
    let suite = suite_named(input["suite"].as_str().unwrap());
    let roots = ["root-1", "root-2", "root-3"].map(|name| {
        KeyRecord::new(key(suite, name).1, root_code(), Role::Root, validity()).unwrap()
    });
    let mut trusted = TrustedKeys::new(KeyRing::from_records(roots).unwrap(), 2).unwrap();
    for group in input["steps"].as_array().unwrap() {
        let mut live = Vec::new();
        for token in group.as_array().unwrap() {
            let checker = Checker::new(trusted.roots(), &policy);
            let token = encoded(&hex::decode(token.as_str().unwrap()).unwrap())?;
            live.push(
                token
                    .untrusted::<KeySet>()?
                    .verify(&checker)?
                    .live(&checker, clock(input))?,
            );
        }
        trusted.adopt(&live)?;
    }
    let keys = trusted.keys(clock(input)).map_or(0, KeyRing::len);
    Ok(json!({ "version": trusted.version(), "keys": keys }))
}

fn in_order(tokens: &[Encoded], ask: &[(u32, u32)]) -> Json {
    let steps: Vec<Json> = tokens
        .iter()
        .map(|token| json!({ "token": hex::encode(token.as_bytes()) }))
        .collect();
    json!({ "type": "status lists in order", "steps": steps, "ask": ask })
}

fn groups(suite: Suite, groups: &[&[&Encoded]]) -> Json {
    let steps: Vec<Vec<String>> = groups
        .iter()
        .map(|group| {
            group
                .iter()
                .map(|token| hex::encode(token.as_bytes()))
                .collect()
        })
        .collect();
    json!({ "type": "key sets in order", "suite": suite.name(), "steps": steps })
}

pub(super) fn right(cases: &mut Cases) {
    for suite in SUITES {
        let name = suite.name().to_lowercase();
        let some = list(
            suite,
            list_draft(1)
                .with_withdrawn([0, 7, 8, 999])
                .with_suspended([9]),
            0,
        );
        cases.push(
            &format!("{name}-status-list"),
            "a thousand places",
            token("mic-s", &some),
            None,
        );
        let none = list(suite, list_draft(1), 0);
        cases.push(
            &format!("{name}-status-list-empty"),
            "nothing withdrawn",
            token("mic-s", &none),
            None,
        );
        let draft = first_set(suite);
        let set = signed_set(suite, &draft, "root-1", 0);
        cases.push(
            &format!("{name}-key-set"),
            "six keys in all states",
            token("mic-k", &set),
            None,
        );

        let other = signed_set(suite, &draft, "root-3", 0);
        let next = KeySetDraft::after(&live_set(&set), KeyRing::new()).unwrap();
        let [one, two] = ["root-1", "root-2"].map(|root| signed_set(suite, &next, root, 1));
        cases.push(
            &format!("{name}-key-sets"),
            "two of three roots, then the next set by two others",
            groups(suite, &[&[&set, &other], &[&one, &two], &[&one, &two]]),
            None,
        );
    }
    let suite = Suite::Sm2Sm3;
    let one = list(
        suite,
        list_draft(1).with_withdrawn([7]).with_suspended([8]),
        0,
    );
    let two = list(suite, list_draft(2).with_withdrawn([7, 9]), 5);
    let ask = [(3, 6), (3, 7), (3, 8), (3, 9), (3, 1000), (4, 7)];
    cases.push(
        "status-first",
        "places of one list, beyond it, and of another",
        in_order(core::slice::from_ref(&one), &ask),
        None,
    );
    cases.push(
        "status-next",
        "the next version ends a suspension",
        in_order(&[one.clone(), two.clone(), two], &ask),
        None,
    );
    let grant = super::accept::live_grant(suite);
    let draft = WithdrawalDraft::of(grant.claims(), Effect::Withdrawn);
    let heard = draft
        .sign(signer(suite, "authority").as_ref(), after(2))
        .unwrap();
    let wide = StatusListDraft::new(realm(), authority_code(), 3, 100_000);
    let wide = list(suite, wide, 0);
    cases.push(
        "status-heard",
        "a withdrawal heard before the next list counts at once",
        in_order(&[wide.clone(), heard.clone()], &[(3, 70_001), (3, 70_002)]),
        None,
    );
    cases.push(
        "status-heard-first",
        "and also without any list",
        in_order(&[heard], &[(3, 70_001), (3, 70_002)]),
        None,
    );
    let mut late = in_order(&[wide], &[(3, 70_002)]);
    late["steps"][0]["token"] = json!(hex::encode(
        list(
            suite,
            StatusListDraft::new(realm(), authority_code(), 3, 100_000).with_life_s(86_400),
            -3_700
        )
        .as_bytes()
    ));
    cases.push(
        "status-stale",
        "a list older than the hour of the policy says nothing",
        late,
        None,
    );
}

pub(super) fn wrong(cases: &mut Cases, suite: Suite) {
    let one = list(suite, list_draft(2).with_withdrawn([7]), 0);
    let ask = [(3, 7)];
    let older = list(suite, list_draft(1).with_withdrawn([7]), 0);
    let mut push = |id: &str, note: &str, tokens: &[Encoded], reason| {
        cases.push(id, note, in_order(tokens, &ask), Some(reason));
    };
    push(
        "status-rolled-back",
        "an older version after a newer one",
        &[one.clone(), older],
        Reason::OlderThanSeen,
    );
    let older = list(suite, list_draft(3).with_withdrawn([7]), -5);
    push(
        "status-dated-back",
        "a newer version from before",
        &[one.clone(), older],
        Reason::OlderThanSeen,
    );
    let fork = list(suite, list_draft(2).with_withdrawn([8]), 0);
    push(
        "status-forked",
        "two contents of one version",
        &[one.clone(), fork],
        Reason::ForkedVersion,
    );
    let undone = list(suite, list_draft(3), 5);
    push(
        "status-undone",
        "a withdrawal taken back",
        &[one, undone],
        Reason::WithdrawalUndone,
    );

    let draft = first_set(suite);
    let [a, b, c] = ["root-1", "root-2", "root-3"].map(|root| signed_set(suite, &draft, root, 0));
    let empty = KeySetDraft::first(realm(), root_code(), KeyRing::new());
    let other_first = signed_set(suite, &empty, "root-2", 0);
    let next = KeySetDraft::after(&live_set(&a), KeyRing::new()).unwrap();
    let [next_a, next_b] = ["root-1", "root-2"].map(|root| signed_set(suite, &next, root, 1));
    let stranger = KeySetDraft::after(&live_set(&other_first), KeyRing::new()).unwrap();
    let [wrong_a, wrong_b] = ["root-1", "root-2"].map(|root| signed_set(suite, &stranger, root, 1));
    let [fork_a, fork_b] = ["root-1", "root-2"].map(|root| signed_set(suite, &empty, root, 0));
    let mut push = |id: &str, note: &str, steps: &[&[&Encoded]], reason| {
        cases.push(id, note, groups(suite, steps), Some(reason));
    };
    push(
        "key-set-one-root",
        "one root where two are needed",
        &[&[&a]],
        Reason::TooFewRoots,
    );
    push(
        "key-set-same-root",
        "one root twice",
        &[&[&a, &a]],
        Reason::TooFewRoots,
    );
    push(
        "key-set-differ",
        "two roots, two contents",
        &[&[&a, &other_first]],
        Reason::TooFewRoots,
    );
    push(
        "key-set-none",
        "no document at all",
        &[&[]],
        Reason::TooFewRoots,
    );
    push(
        "key-set-rolled-back",
        "the first set after the second",
        &[&[&a, &b], &[&next_a, &next_b], &[&a, &c]],
        Reason::OlderThanSeen,
    );
    push(
        "key-set-forked",
        "another first set",
        &[&[&a, &b], &[&fork_a, &fork_b]],
        Reason::ForkedVersion,
    );
    push(
        "key-set-other-predecessor",
        "a second set after another first",
        &[&[&a, &b], &[&wrong_a, &wrong_b]],
        Reason::OtherPredecessor,
    );
    set_records(cases, suite, &a);
}

/// Key sets whose records are wrong.
fn set_records(cases: &mut Cases, suite: Suite, set: &Encoded) {
    const MIC: i64 = -65537;
    let claims = claims_of(set);
    let list = find(&claims, &[MIC, 34]);
    let mut push = |id: &str, note: &str, list: Vec<Value>, reason| {
        let claims = with(&claims, &[MIC, 34], Some(Value::Array(list)));
        let token = sign("mic-k", &claims, signer(suite, "root-1").as_ref());
        let input = json!({ "type": "mic-k", "token": hex::encode(token) });
        cases.push(id, note, input, Some(reason));
    };
    let records = list.as_array().unwrap().clone();
    let changed = |key: i64, value: Option<Value>| {
        let mut records = records.clone();
        records[0] = with(&records[0], &[key], value);
        records
    };
    let mut swapped = records.clone();
    swapped.swap(0, 1);
    push(
        "key-record-order",
        "records out of order",
        swapped,
        Reason::ListOrder,
    );
    let twice = vec![records[0].clone(), records[0].clone()];
    push(
        "key-record-twice",
        "one key twice",
        twice,
        Reason::ListOrder,
    );
    push(
        "key-record-id",
        "another id than the key has",
        changed(1, Some(Value::Bytes(vec![0; 8]))),
        Reason::BadKeyRecord,
    );
    push(
        "key-record-alg",
        "an unknown algorithm",
        changed(2, Some((-8).into())),
        Reason::UnknownAlgorithm,
    );
    push(
        "key-record-point",
        "a key that is no point",
        changed(3, Some(Value::Bytes(vec![9; 64]))),
        Reason::BadKeyRecord,
    );
    push(
        "key-record-short",
        "a key of 63 bytes",
        changed(3, Some(Value::Bytes(vec![9; 63]))),
        Reason::BadKeyRecord,
    );
    if suite == Suite::Sm2Sm3 {
        push(
            "key-record-no-distid",
            "an SM2 key without its id",
            changed(4, None),
            Reason::BadKeyRecord,
        );
    } else {
        push(
            "key-record-distid",
            "a distinguishing id of a key that has none",
            changed(4, Some(Value::Bytes(b"1234567812345678".to_vec()))),
            Reason::BadKeyRecord,
        );
    }
    push(
        "key-record-no-role",
        "no role",
        changed(5, Some(0.into())),
        Reason::UnknownListValue,
    );
    push(
        "key-record-roles",
        "a key that requests and grants",
        changed(5, Some(3.into())),
        Reason::BadKeyRecord,
    );
    push(
        "key-record-role-unknown",
        "a role that does not exist",
        changed(5, Some(256.into())),
        Reason::UnknownListValue,
    );
    push(
        "key-record-validity",
        "an end before the beginning",
        changed(9, Some(1.into())),
        Reason::BadKeyRecord,
    );
    push(
        "key-record-state",
        "active said in a second way",
        changed(10, Some(1.into())),
        Reason::UnknownListValue,
    );
    push(
        "key-record-since",
        "compromised, without since when",
        {
            let without: Vec<Value> = records
                .iter()
                .map(|record| {
                    match record
                        .as_map()
                        .unwrap()
                        .iter()
                        .any(|(key, _)| *key == 11.into())
                    {
                        true => with(record, &[11], None),
                        false => record.clone(),
                    }
                })
                .collect();
            without
        },
        Reason::MissingClaim,
    );
    push(
        "key-record-unknown",
        "an unknown entry",
        changed(12, Some(1.into())),
        Reason::UnexpectedKey,
    );
}
