//! Decisions of a node and of an authority: what is held, what is shown, what the node is about to do, and when;
//! then the permit, or the very denial. Steps 11 and 13 to 15, and what a node remembers (steps 16 and 17).

pub(super) mod cases;

use chrono::{DateTime, NaiveDate, Utc};
use mic_consent::*;
use serde_json::{Value as Json, json};

use super::{bytes, clock, encoded, ring};
use crate::{common::*, run::time_of};

pub(super) fn run(kind: &str, input: &Json) -> Option<Result<Json, Denial>> {
    match kind {
        "permit" => Some(permit(input)),
        "take" => Some(take(input)),
        "mic-g" => Some(grant_alone(input)),
        "lists in a small book" => Some(small_book(input)),
        "witness" => Some(witness(input)),
        "witnessed" => Some(both_heads(input)),
        _ => None,
    }
}

fn policy_of(input: &Json) -> Policy {
    let policy = policy().with_emergency_access().with_orders();
    match input["grant_life_s"].as_u64() {
        Some(life_s) => policy.with_grant_life_s(u32::try_from(life_s).unwrap()),
        None => policy,
    }
}

fn guard_of(input: &Json) -> MemoryGuard {
    let capacity = input["capacity"].as_u64().unwrap_or(10);
    MemoryGuard::with_capacity(usize::try_from(capacity).unwrap())
}

fn grant_alone(input: &Json) -> Result<Json, Denial> {
    let (ring, policy) = (ring(), policy_of(input));
    let live = live_grant(input, "token", &Checker::new(&ring, &policy))?;
    Ok(json!({ "id": live.claims().id().to_string() }))
}

fn live_grant(input: &Json, key: &str, checker: &Checker<'_>) -> Result<Live<Grant>, Denial> {
    let signed = encoded(&bytes(input, key))?.untrusted::<Grant>()?;
    let status = Always(Status::Valid);
    signed.verify(checker)?.live(checker, clock(input), &status)
}

/// What a permit is asked under.
enum Held {
    Grant(Live<Grant>),
    Narrowed(NarrowedGrant),
    Emergency(Live<Emergency>),
    Order(Live<Order>),
}

impl Held {
    /// The token, made live at the input's clock, with its links.
    fn of(input: &Json, checker: &Checker<'_>) -> Result<Self, Denial> {
        let token = encoded(&bytes(input, "token"))?;
        let now = clock(input);
        match token.token_type() {
            TokenType::Emergency => {
                let signed = token.untrusted::<Emergency>()?.verify(checker)?;
                Ok(Self::Emergency(signed.live(checker, now)?))
            }
            TokenType::Order => {
                let signed = token.untrusted::<Order>()?.verify(checker)?;
                let status = Always(Status::Valid);
                Ok(Self::Order(signed.live(checker, now, &status)?))
            }
            _ => {
                let grant = live_grant(input, "token", checker)?;
                let Some(link) = input["link"].as_str() else {
                    return Ok(Self::Grant(grant));
                };
                let link = encoded(&hex::decode(link).unwrap())?;
                let link = link.untrusted::<Narrowed>()?.verify(checker)?;
                Ok(Self::Narrowed(grant.narrowed_by(link, checker, now)?))
            }
        }
    }

    fn permit<'a>(
        &'a self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        presented: Presented<'a>,
        wanted: &Use<'_>,
        guard: &mut MemoryGuard,
    ) -> Result<Permit<'a>, Denial> {
        match self {
            Self::Grant(held) => held.permit(checker, now, presented, wanted, guard),
            Self::Narrowed(held) => held.permit(checker, now, presented, wanted, guard),
            Self::Emergency(held) => held.permit(checker, now, presented, wanted, guard),
            Self::Order(held) => held.permit(checker, now, presented, wanted, guard),
        }
    }
}

fn place_of(place: &Json) -> Place {
    let node = IssuerCode::new(place["node"].as_str().unwrap()).unwrap();
    match place["province"].as_u64() {
        Some(province) => Place::province(province_of(province), node),
        None => Place::nation(node),
    }
}

fn province_of(number: u64) -> Province {
    Province::new(u8::try_from(number).unwrap()).unwrap()
}

fn facts_of(record: &Json) -> RecordFacts {
    let day: NaiveDate = record["day"].as_str().unwrap().parse().unwrap();
    let facts = RecordFacts::new(day, province_of(record["province"].as_u64().unwrap()));
    match record["modality"].as_str() {
        Some(modality) => facts.with_modality(Modality::new(modality).unwrap()),
        None => facts,
    }
}

/// Each use in turn with one memory; all but the last are permitted, and what comes of the last is the outcome.
fn permit(input: &Json) -> Result<Json, Denial> {
    let (ring, policy) = (ring(), policy_of(input));
    let checker = Checker::new(&ring, &policy);
    let held = Held::of(input, &checker)?;
    let mut guard = guard_of(input);
    let uses = input["uses"].as_array().unwrap();
    let mut outcome = Ok(Json::Null);
    for one in uses {
        assert!(outcome.is_ok(), "all but the last are permitted");
        outcome = permit_one(one, &held, &checker, &mut guard);
    }
    outcome
}

fn permit_one(
    one: &Json,
    held: &Held,
    checker: &Checker<'_>,
    guard: &mut MemoryGuard,
) -> Result<Json, Denial> {
    let proof = encoded(&bytes(one, "proof"))?;
    let opening = Opening::from_bytes(bytes(one, "opening").try_into().unwrap());
    let (place, person) = (place_of(&one["place"]), bytes(one, "person"));
    let record = &one["record"];
    let key = record["key"]
        .as_str()
        .map(|key| hex::decode(key).unwrap())
        .unwrap_or_default();
    let wanted = if record.is_null() {
        Use::list(&place, &person)
    } else {
        Use::open(&place, &person, &key, facts_of(record))
    };
    let presented = Presented::new(&proof, &opening);
    let permit = held.permit(checker, clock(one), presented, &wanted, guard)?;
    Ok(json!({
        "basis": permit.basis().number(),
        "id": permit.id().to_string(),
        "rights": permit.rights().bits(),
        "opens": matches!(permit.action(), Action::OpenRecord(_)),
    }))
}

/// Requests taken in turn by an authority with one memory, with the offer where one is named.
fn take(input: &Json) -> Result<Json, Denial> {
    let (ring, policy) = (ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let mut guard = guard_of(input);
    let steps = input["steps"].as_array().unwrap();
    for step in steps {
        let now = clock(step);
        let request = encoded(&bytes(step, "token"))?.untrusted::<Request>()?;
        let request = request.verify(&checker)?.live(&checker, now)?;
        match step["offer"].as_str() {
            None => request.take(&checker, now, &mut guard)?,
            Some(offer) => {
                let offer = encoded(&hex::decode(offer).unwrap())?.untrusted::<Offer>()?;
                let offer = offer.verify(&checker)?.live(&checker, now)?;
                request.take_with(&offer, &checker, now, &mut guard)?;
            }
        }
    }
    Ok(json!({ "taken": steps.len() }))
}

/// A store that keeps everything, or nothing any more.
struct Store {
    fails: bool,
}

impl BookStore for Store {
    fn append(&mut self, _: &[u8; BOOK_RECORD_BYTES]) -> Result<(), BookStoreError> {
        if self.fails {
            Err(BookStoreError::Unavailable)
        } else {
            Ok(())
        }
    }

    fn replace(
        &mut self,
        records: &mut dyn Iterator<Item = [u8; BOOK_RECORD_BYTES]>,
    ) -> Result<(), BookStoreError> {
        records.for_each(drop);
        Ok(())
    }
}

/// Lists and withdrawals told to a book with so much room, over a store.
fn small_book(input: &Json) -> Result<Json, Denial> {
    let (ring, policy) = (ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let now = clock(input);
    let room = usize::try_from(input["lists_max"].as_u64().unwrap()).unwrap();
    let book = StatusBook::new(&policy).with_room_for_issuer(room, 10);
    let store = Store {
        fails: input["store"] == "fails",
    };
    let mut book = KeptBook::open(book, &[], store, now).unwrap();
    let tokens = input["tokens"].as_array().unwrap();
    for token in tokens {
        let token = encoded(&hex::decode(token.as_str().unwrap()).unwrap())?;
        if token.token_type() == TokenType::Withdrawal {
            let heard = token.untrusted::<Withdrawal>()?.verify(&checker)?;
            book.hear(&heard.live(&checker, now)?)?;
        } else {
            let list = token.untrusted::<StatusList>()?.verify(&checker)?;
            book.accept(list.live(&checker, now)?)?;
        }
    }
    Ok(json!({ "taken": tokens.len() }))
}

fn head_of(text: &Json, now: DateTime<Utc>) -> Result<Live<Checkpoint>, Denial> {
    let (ring, policy) = (ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let head = encoded(&hex::decode(text.as_str().unwrap()).unwrap())?.untrusted::<Checkpoint>()?;
    head.verify(&checker)?.live(&checker, now)
}

/// Heads that a witness sees in turn, each with the proof that the log grew.
fn witness(input: &Json) -> Result<Json, Denial> {
    let mut witness = Witness::new();
    let steps = input["steps"].as_array().unwrap();
    for step in steps {
        let head = head_of(&step["head"], clock(input))?;
        let grew = match step["proof"].as_str() {
            Some(proof) => Some(ConsistencyProof::from_bytes(&hex::decode(proof).unwrap())?),
            None => None,
        };
        witness.agree(&head, grew.as_ref())?;
    }
    Ok(json!({ "agreed": steps.len() }))
}

fn both_heads(input: &Json) -> Result<Json, Denial> {
    let now = clock(input);
    let (head, other) = (
        head_of(&input["head"], now)?,
        head_of(&input["witness"], now)?,
    );
    witnessed(&head, &other)?;
    Ok(json!({ "log": head.claims().log().as_str(), "size": head.claims().size() }))
}

/// The clock of a case may be before 1970.
#[test]
fn ok_a_clock_before_1970_is_read() {
    assert_eq!(time_of(&json!("1969-12-31T23:59:59Z")).timestamp(), -1);
}
