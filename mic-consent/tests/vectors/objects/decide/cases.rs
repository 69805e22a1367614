//! The decisions, each with the outcome written down by hand.

use chrono::{DateTime, Utc};
use mic_consent::*;
use serde_json::{Value as Json, json};

use super::super::{
    Cases, SUITES,
    accept::{emergency, live_emergency, narrowed, offer, order, taking_up},
    log::{head, log},
    order::list,
    ring, signer,
};
use crate::{
    common::{
        raw::{claims_of, sign, with},
        *,
    },
    file::rfc3339,
};

const GRANT: GrantId = GrantId::from_bytes([0x77; 16]);
const OTHER_PERSON: &[u8] = b"TEST-PERSON-0009";

/// One use as it should go; each case changes one thing.
#[derive(Clone)]
struct One {
    proof_place: Place,
    proof_record: Option<&'static [u8]>,
    proof_opening: Opening,
    proof_id: u8,
    proof_time: DateTime<Utc>,
    doctor: Option<DoctorCode>,
    department: Option<DepartmentCode>,
    opening: Opening,
    place: Place,
    person: &'static [u8],
    record: Option<(&'static [u8], Json)>,
    clock: DateTime<Utc>,
}

/// A record as the node's index knows it.
fn known(day: &str, province: u8, modality: Option<&str>) -> Json {
    json!({ "day": day, "province": province, "modality": modality })
}

impl One {
    fn open() -> Self {
        Self {
            proof_place: archive(),
            proof_record: Some(RECORD),
            proof_opening: opening(),
            proof_id: 2,
            proof_time: after(10),
            doctor: None,
            department: None,
            opening: opening(),
            place: archive(),
            person: PERSON,
            record: Some((RECORD, known("2026-03-09", 61, Some("CT")))),
            clock: after(11),
        }
    }

    fn list() -> Self {
        Self {
            proof_place: index(),
            proof_record: None,
            place: index(),
            record: None,
            ..Self::open()
        }
    }

    fn of(day: &str, province: u8, modality: Option<&str>) -> Self {
        Self {
            record: Some((RECORD, known(day, province, modality))),
            ..Self::open()
        }
    }

    fn other_record(id: u8) -> Self {
        Self {
            proof_id: id,
            proof_record: Some(OTHER_RECORD),
            record: Some((OTHER_RECORD, known("2026-03-09", 61, Some("CT")))),
            ..Self::open()
        }
    }

    fn at(seconds: i64) -> Self {
        Self {
            proof_time: after(seconds),
            clock: after(seconds),
            ..Self::open()
        }
    }

    /// The proof, by the key `by`.
    fn proof(&self, held: &Held, by: &dyn Signer) -> Encoded {
        let (place, opening) = (self.proof_place, &self.proof_opening);
        let draft = match (held, self.proof_record) {
            (Held::Grant(held), None) => ProofDraft::list(held, place),
            (Held::Grant(held), Some(key)) => ProofDraft::open(held, place, key, opening).unwrap(),
            (Held::Narrowed(held), None) => held.prove_list(place),
            (Held::Narrowed(held), Some(key)) => held.prove_open(place, key, opening).unwrap(),
            (Held::Emergency(held), None) => held.prove_list(place),
            (Held::Emergency(held), Some(key)) => held.prove_open(place, key, opening).unwrap(),
            (Held::Order(held), None) => held.prove_list(place),
            (Held::Order(held), Some(key)) => held.prove_open(place, key, opening).unwrap(),
        };
        let draft = match self.doctor {
            Some(doctor) => draft.with_doctor(doctor),
            None => draft,
        };
        let draft = match self.department {
            Some(department) => draft.with_department(department),
            None => draft,
        };
        let id = ProofId::from_bytes([self.proof_id; 16]);
        draft.sign(by, id, self.proof_time).unwrap()
    }

    fn shown(&self, proof: &[u8]) -> Json {
        let mut place = json!({ "node": self.place.node().as_str() });
        place["province"] = json!(self.place.in_province().map(Province::get));
        let record = self.record.as_ref().map(|(key, facts)| {
            let mut record = facts.clone();
            record["key"] = json!(hex::encode(key));
            record
        });
        json!({
            "proof": hex::encode(proof),
            "opening": hex::encode(self.opening.to_bytes()),
            "place": place,
            "person": hex::encode(self.person),
            "record": record,
            "clock": rfc3339(self.clock),
        })
    }
}

enum Held {
    Grant(Live<Grant>),
    Narrowed(NarrowedGrant),
    Emergency(Live<Emergency>),
    Order(Live<Order>),
}

/// What is held, as tokens and checked, and the key that holds it.
struct Basis {
    suite: Suite,
    tokens: Json,
    held: Held,
    holder: &'static str,
}

impl Basis {
    /// Uses in turn, each with its own proof by the holder.
    fn uses(&self, uses: &[One]) -> Json {
        let holder = signer(self.suite, self.holder);
        let shown: Vec<Json> = uses
            .iter()
            .map(|one| one.shown(one.proof(&self.held, holder.as_ref()).as_bytes()))
            .collect();
        let mut input = self.tokens.clone();
        input["type"] = json!("permit");
        input["uses"] = json!(shown);
        input
    }

    /// One use whose proof has its claims changed along a path, signed by the key `by` as `kind`.
    fn forged(&self, one: &One, by: &str, path: &[i64], new: Option<ciborium::Value>) -> Json {
        let holder = signer(self.suite, self.holder);
        let mut claims = claims_of(&one.proof(&self.held, holder.as_ref()));
        if !path.is_empty() {
            claims = with(&claims, path, new);
        }
        let proof = sign("mic-p", &claims, signer(self.suite, by).as_ref());
        let mut input = self.uses(&[]);
        input["uses"] = json!([one.shown(&proof)]);
        input
    }
}

/// A grant in answer to a request for all exams.
fn granted(suite: Suite, draft: impl FnOnce(GrantDraft) -> GrantDraft) -> Basis {
    asked(suite, Scope::all(), |asked| asked, draft)
}

/// A grant in answer to a request with this scope.
fn asked(
    suite: Suite,
    scope: Scope,
    ask: impl FnOnce(RequestDraft) -> RequestDraft,
    draft: impl FnOnce(GrantDraft) -> GrantDraft,
) -> Basis {
    let (ring, policy) = (ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let request = ask(request_draft(scope))
        .sign(signer(suite, "hospital").as_ref(), nonce(), now())
        .unwrap();
    let request = request.untrusted::<Request>().unwrap();
    let request = request.verify(&checker).unwrap();
    let request = request.live(&checker, now()).unwrap();
    let boxes = SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER;
    let granted = GrantDraft::answering(&request)
        .with_issuer(authority_code())
        .with_subject(PERSON, &opening())
        .with_status(StatusRef::new(3, 70_001))
        .with_notice(notice(suite))
        .with_person_check(PersonCheck::Face)
        .with_separate_consent(boxes);
    let token = draft(granted)
        .sign(signer(suite, "authority").as_ref(), GRANT, now())
        .unwrap();
    let tokens = json!({ "token": hex::encode(token.as_bytes()) });
    let signed = token.untrusted::<Grant>().unwrap();
    let signed = signed.verify(&checker).unwrap();
    let status = Always(Status::Valid);
    let live = signed.live(&checker, after(10), &status).unwrap();
    Basis {
        suite,
        tokens,
        held: Held::Grant(live),
        holder: "hospital",
    }
}

fn usual(suite: Suite) -> Basis {
    asked(suite, ct_scope(), |asked| asked, |draft| draft)
}

/// The narrowed grant of the accepted vectors: one study at one node, for one doctor, held by the viewer.
fn cut_down(suite: Suite) -> Basis {
    let (grant, link) = (super::super::accept::grant(suite), narrowed(suite));
    Basis {
        suite,
        tokens: json!({
            "token": hex::encode(grant.as_bytes()),
            "link": hex::encode(link.as_bytes()),
        }),
        held: Held::Narrowed(super::super::accept::chain(suite)),
        holder: "viewer",
    }
}

fn in_emergency(suite: Suite) -> Basis {
    Basis {
        suite,
        tokens: json!({ "token": hex::encode(emergency(suite).as_bytes()) }),
        held: Held::Emergency(live_emergency(suite)),
        holder: "hospital",
    }
}

fn by_order(suite: Suite) -> Basis {
    let (ring, policy) = (ring(), policy().with_orders());
    let checker = Checker::new(&ring, &policy);
    let signed = order(suite).untrusted::<Order>().unwrap();
    let signed = signed.verify(&checker).unwrap();
    let status = Always(Status::Valid);
    Basis {
        suite,
        tokens: json!({ "token": hex::encode(order(suite).as_bytes()) }),
        held: Held::Order(signed.live(&checker, now(), &status).unwrap()),
        holder: "hospital",
    }
}

fn list_only(draft: GrantDraft) -> GrantDraft {
    draft
        .with_rights(Rights::LIST)
        .with_scope(Scope::list_only(ScopeFilter::new()))
}

fn other_opening() -> Opening {
    Opening::from_bytes([1; 32])
}

/// The half of the opening that hides the records is another one.
fn other_records() -> Opening {
    let mut bytes = opening().to_bytes();
    bytes[31] ^= 1;
    Opening::from_bytes(bytes)
}

fn doctor(code: &str) -> Option<DoctorCode> {
    Some(DoctorCode::new(code).unwrap())
}

/// A place in Gansu, and another node in Shaanxi.
fn other_places() -> [Place; 2] {
    let place = |province, node| {
        Place::province(
            Province::new(province).unwrap(),
            IssuerCode::new(node).unwrap(),
        )
    };
    [place(62, "ARCHIVE62"), place(61, "ARCHIVE99")]
}

/// Pushes cases under the name of one suite.
struct Push<'a> {
    cases: &'a mut Cases,
    suite: Suite,
}

impl Push<'_> {
    fn case(&mut self, id: &str, note: &str, input: Json, expected: Option<Reason>) {
        let id = format!("{}-{id}", self.suite.name().to_lowercase());
        self.cases.push(&id, note, input, expected);
    }

    fn ok(&mut self, id: &str, note: &str, input: Json) {
        self.case(id, note, input, None);
    }

    fn err(&mut self, id: &str, note: &str, input: Json, reason: Reason) {
        self.case(id, note, input, Some(reason));
    }
}

pub(in super::super) fn cases() -> Cases {
    let mut cases = Cases::default();
    for suite in SUITES {
        let mut push = Push {
            cases: &mut cases,
            suite,
        };
        permitted(&mut push);
        holder(&mut push);
        persons_and_rights(&mut push);
        scope(&mut push);
        replay(&mut push);
        time(&mut push);
        other_bases(&mut push);
        taken(&mut push);
        remembered(&mut push);
    }
    cases
}

fn permitted(push: &mut Push<'_>) {
    let basis = usual(push.suite);
    push.ok(
        "open",
        "one record, at the archive",
        basis.uses(&[One::open()]),
    );
    push.ok(
        "list",
        "the list, at the national index",
        basis.uses(&[One::list()]),
    );
    let twice = [
        One::open(),
        One {
            proof_id: 3,
            ..One::open()
        },
    ];
    push.ok(
        "open-twice",
        "again, with another proof",
        basis.uses(&twice),
    );
    let first = One::of("2025-01-01", 61, Some("CT"));
    push.ok(
        "first-day",
        "on the first day of the scope",
        basis.uses(&[first]),
    );
    let last = One::of("2026-11-18", 61, Some("MR"));
    push.ok(
        "last-day",
        "on the last day of the scope",
        basis.uses(&[last]),
    );
    let chosen = granted(push.suite, |draft| draft.with_records([RECORD]));
    push.ok(
        "open-chosen",
        "a chosen record",
        chosen.uses(&[One::open()]),
    );
    push.ok(
        "list-only",
        "the list, where nothing may be opened",
        granted(push.suite, list_only).uses(&[One::list()]),
    );
    let counted = granted(push.suite, |draft| draft.with_studies_max(1));
    push.ok(
        "counted-again",
        "a study opened again counts once",
        counted.uses(&twice),
    );
    push.ok(
        "check-60",
        "60 seconds after the check",
        basis.uses(&[One::at(70)]),
    );
}

fn holder(push: &mut Push<'_>) {
    let basis = usual(push.suite);
    let stolen = |by| basis.forged(&One::open(), by, &[], None);
    push.err(
        "stolen",
        "a proof by another hospital",
        stolen("other-hospital"),
        Reason::NotTheGrantee,
    );
    push.err(
        "other-key",
        "a proof by another key of the same hospital",
        stolen("viewer"),
        Reason::NotTheGrantee,
    );
    let foreign = Some("H61010200001".into());
    push.err(
        "other-owner",
        "a proof in another hospital's name",
        basis.forged(&One::open(), "hospital", &[1], foreign),
        Reason::IssuerNotKeyOwner,
    );
    let all = granted(push.suite, |draft| draft);
    let mut swapped = basis.uses(&[One::open()]);
    swapped["token"] = all.tokens["token"].clone();
    push.err(
        "other-grant",
        "a proof for another grant of the same id",
        swapped,
        Reason::OtherGrant,
    );
    let mut flipped = basis.uses(&[One::open()]);
    let proof = flipped["uses"][0]["proof"].as_str().unwrap();
    let mut proof = hex::decode(proof).unwrap();
    *proof.last_mut().unwrap() ^= 1;
    flipped["uses"][0]["proof"] = json!(hex::encode(proof));
    push.err(
        "proof-bit",
        "one bit of the proof's signature",
        flipped,
        Reason::BadSignature,
    );
    let mut grant_as_proof = basis.uses(&[One::open()]);
    grant_as_proof["uses"][0]["proof"] = basis.tokens["token"].clone();
    push.err(
        "grant-as-proof",
        "the grant shown as its own proof",
        grant_as_proof,
        Reason::OtherType,
    );
    push.err(
        "proof-realm",
        "a proof for another realm",
        basis.forged(&One::open(), "hospital", &[3], Some("test.mic.cn".into())),
        Reason::WrongRealm,
    );

    let [gansu, other_node] = other_places();
    let elsewhere = |proof_place, one| basis.uses(&[One { proof_place, ..one }]);
    push.err(
        "other-province",
        "a proof for another province",
        elsewhere(gansu, One::open()),
        Reason::OtherPlace,
    );
    push.err(
        "other-node",
        "a proof for another node of the province",
        elsewhere(other_node, One::open()),
        Reason::OtherPlace,
    );
    push.err(
        "other-level",
        "a proof for an archive, shown to the national index",
        elsewhere(archive(), One::list()),
        Reason::OtherPlace,
    );
    let action = |proof_record, one| {
        basis.uses(&[One {
            proof_record,
            ..one
        }])
    };
    push.err(
        "open-by-list-proof",
        "a proof for the list, to open a record",
        action(None, One::open()),
        Reason::OtherAction,
    );
    push.err(
        "list-by-open-proof",
        "a proof for a record, to see the list",
        action(Some(RECORD), One::list()),
        Reason::OtherAction,
    );
    push.err(
        "other-record",
        "a proof for another record",
        action(Some(OTHER_RECORD), One::open()),
        Reason::OtherAction,
    );

    let department = |code| Some(DepartmentCode::new(code).unwrap());
    let named = asked(
        push.suite,
        ct_scope(),
        |asked| {
            asked
                .with_department(department("A03.05").unwrap())
                .with_doctor(doctor("D110105000001").unwrap())
        },
        |draft| draft,
    );
    let by = |department, doctor| {
        named.uses(&[One {
            department,
            doctor,
            ..One::open()
        }])
    };
    let (own, own_doctor) = (department("A03.05"), doctor("D110105000001"));
    push.ok(
        "named-person",
        "the department and the doctor that the grant names",
        by(own, own_doctor),
    );
    push.err(
        "other-doctor",
        "another doctor",
        by(own, doctor("D110105000009")),
        Reason::OtherPerson,
    );
    push.err(
        "other-department",
        "another department",
        by(department("B01"), own_doctor),
        Reason::OtherPerson,
    );
}

fn persons_and_rights(push: &mut Push<'_>) {
    let basis = usual(push.suite);
    let of = |person, one| basis.uses(&[One { person, ..one }]);
    push.err(
        "other-subject",
        "the record of another person",
        of(OTHER_PERSON, One::open()),
        Reason::OtherSubject,
    );
    push.err(
        "other-subject-list",
        "the list of another person",
        of(OTHER_PERSON, One::list()),
        Reason::OtherSubject,
    );
    push.err(
        "no-subject",
        "a person of no bytes",
        of(b"", One::open()),
        Reason::OtherSubject,
    );
    let opening = other_opening();
    push.err(
        "other-opening-list",
        "another opening, for the list",
        basis.uses(&[One {
            opening: opening.clone(),
            ..One::list()
        }]),
        Reason::OtherSubject,
    );
    push.err(
        "other-opening-record",
        "another opening than the record was hidden with",
        basis.uses(&[One {
            opening,
            ..One::open()
        }]),
        Reason::OtherAction,
    );
    push.err(
        "other-record-salt",
        "another salt for the records, in proof and opening",
        basis.uses(&[One {
            proof_opening: other_records(),
            opening: other_records(),
            ..One::open()
        }]),
        Reason::OtherSubject,
    );

    push.err(
        "no-view",
        "a record, with the right to the list alone",
        granted(push.suite, list_only).uses(&[One::open()]),
        Reason::RightMissing,
    );
    let view_only = granted(push.suite, |draft| draft.with_rights(Rights::VIEW));
    push.err(
        "no-list",
        "the list, with the right to view alone",
        view_only.uses(&[One::list()]),
        Reason::RightMissing,
    );
}

fn scope(push: &mut Push<'_>) {
    let basis = usual(push.suite);
    for (id, note, one) in [
        (
            "day-before",
            "the day before the scope",
            One::of("2024-12-31", 61, Some("CT")),
        ),
        (
            "day-after",
            "the day after the scope",
            One::of("2026-11-19", 61, Some("CT")),
        ),
        (
            "modality",
            "another modality",
            One::of("2026-03-09", 61, Some("US")),
        ),
        (
            "modality-unknown",
            "a modality that is not known",
            One::of("2026-03-09", 61, None),
        ),
        (
            "stored-elsewhere",
            "a record that another province stores",
            One::of("2026-03-09", 62, Some("CT")),
        ),
    ] {
        push.err(id, note, basis.uses(&[one]), Reason::OutsideScope);
    }
    let chosen = granted(push.suite, |draft| draft.with_records([RECORD]));
    push.err(
        "not-chosen",
        "the same index code with another study",
        chosen.uses(&[One::other_record(2)]),
        Reason::OutsideScope,
    );
}

fn replay(push: &mut Push<'_>) {
    let basis = usual(push.suite);
    push.err(
        "replayed",
        "the same proof twice",
        basis.uses(&[One::open(), One::open()]),
        Reason::ProofReplayed,
    );
    let third = One {
        proof_id: 3,
        ..One::open()
    };
    let mut full = basis.uses(&[One::open(), third.clone()]);
    full["capacity"] = json!(1);
    push.err(
        "memory-full",
        "no room to remember a second proof",
        full,
        Reason::MemoryFull,
    );
    let counted = granted(push.suite, |draft| draft.with_studies_max(1));
    push.err(
        "used-up",
        "a second study where one is counted",
        counted.uses(&[One::open(), third, One::other_record(4)]),
        Reason::StudiesUsedUp,
    );
}

fn time(push: &mut Push<'_>) {
    let basis = usual(push.suite);
    let proof = |proof_time, clock| {
        basis.uses(&[One {
            proof_time,
            clock,
            ..One::open()
        }])
    };
    push.ok(
        "proof-119",
        "a proof in its last second and the skew",
        proof(after(-49), after(70)),
    );
    push.err(
        "proof-expired",
        "a proof after its minute and the skew",
        proof(after(-50), after(70)),
        Reason::Expired,
    );
    push.err(
        "proof-in-future",
        "a proof 61 seconds ahead of the node",
        proof(after(72), after(11)),
        Reason::IssuedInFuture,
    );
    push.err(
        "check-too-old",
        "61 seconds after the status was looked at",
        basis.uses(&[One::at(71)]),
        Reason::CheckTooOld,
    );
    let mut back = basis.uses(&[One::at(100)]);
    back["clock"] = json!(rfc3339(after(200)));
    push.err(
        "clock-back",
        "100 seconds before the status was looked at",
        back,
        Reason::ClockInvalid,
    );
    let mut early = basis.uses(&[One::open()]);
    early["clock"] = json!("1969-12-31T23:59:59Z");
    push.err(
        "clock-before-1970",
        "a clock before all time",
        early,
        Reason::ClockInvalid,
    );
    let mut short = basis.uses(&[One::open()]);
    short["grant_life_s"] = json!(3_600);
    push.err(
        "life-over-policy",
        "a grant of two hours at a node that takes one",
        short,
        Reason::LifeOverPolicy,
    );
    let hospital = IssuerCode::from(hospital_code());
    let token = super::super::accept::grant(push.suite);
    let own = with(&claims_of(&token), &[1], Some(hospital.as_str().into()));
    let own = sign("mic-g", &own, signer(push.suite, "own-authority").as_ref());
    push.err(
        "self-granted",
        "a hospital with a granting key grants to itself",
        json!({ "type": "mic-g", "token": hex::encode(own) }),
        Reason::SelfGranted,
    );
}

fn other_bases(push: &mut Push<'_>) {
    let narrowed = cut_down(push.suite);
    let right = One {
        doctor: doctor("D110105000001"),
        ..One::open()
    };
    push.ok(
        "narrowed-open",
        "under the narrowed grant, by whom it names",
        narrowed.uses(core::slice::from_ref(&right)),
    );
    push.err(
        "narrowed-no-doctor",
        "nobody, where a doctor is named",
        narrowed.forged(&right, "viewer", &[-65537, 14], None),
        Reason::OtherPerson,
    );
    let other = One {
        doctor: doctor("D110105000009"),
        ..right.clone()
    };
    push.err(
        "narrowed-other-doctor",
        "another doctor than it names",
        narrowed.uses(&[other]),
        Reason::OtherPerson,
    );
    let [_, other_node] = other_places();
    let elsewhere = One {
        proof_place: other_node,
        place: other_node,
        ..right.clone()
    };
    push.err(
        "narrowed-other-node",
        "at a node that it does not name",
        narrowed.uses(&[elsewhere]),
        Reason::OtherPlace,
    );
    let other = One {
        doctor: right.doctor,
        ..One::other_record(2)
    };
    push.err(
        "narrowed-other-record",
        "a record that was narrowed away",
        narrowed.uses(&[other]),
        Reason::OutsideScope,
    );
    push.err(
        "narrowed-by-holder-before",
        "a proof by the key that narrowed it",
        narrowed.forged(&right, "hospital", &[], None),
        Reason::NotTheGrantee,
    );

    let emergency = in_emergency(push.suite);
    let order = by_order(push.suite);
    let acting = One {
        doctor: doctor("D110105000001"),
        department: Some(DepartmentCode::new("A20").unwrap()),
        ..One::open()
    };
    for (id, basis, one) in [
        ("emergency", &emergency, acting),
        ("order", &order, One::open()),
    ] {
        push.ok(
            &format!("{id}-open"),
            "one record, without consent",
            basis.uses(core::slice::from_ref(&one)),
        );
        let opening = other_records();
        let unbound = One {
            proof_opening: opening.clone(),
            opening,
            ..one.clone()
        };
        push.err(
            &format!("{id}-other-opening"),
            "another opening than the signed one",
            basis.uses(&[unbound]),
            Reason::OtherOpening,
        );
        let stranger = One {
            person: OTHER_PERSON,
            ..one
        };
        push.err(
            &format!("{id}-other-subject"),
            "another person",
            basis.uses(&[stranger]),
            Reason::OtherSubject,
        );
    }
}

/// Step 15 at the authority: each request and each offer once.
fn taken(push: &mut Push<'_>) {
    let suite = push.suite;
    let hospital = signer(suite, "hospital");
    let plain = request_draft(ct_scope())
        .sign(
            hospital.as_ref(),
            RequestNonce::from_bytes([0x55; 16]),
            now(),
        )
        .unwrap();
    let (offer, taking) = (offer(suite), taking_up(suite));
    let (ring, policy) = (ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let signed = offer.clone().untrusted::<Offer>().unwrap();
    let signed = signed.verify(&checker).unwrap();
    let live = signed.live(&checker, now()).unwrap();
    let second = request_draft(ct_scope())
        .taking_up(&live)
        .sign(
            hospital.as_ref(),
            RequestNonce::from_bytes([0x22; 16]),
            now(),
        )
        .unwrap();
    let other_offer = OfferDraft::new(realm(), authority_code())
        .sign(
            signer(suite, "authority").as_ref(),
            OfferId::from_bytes([0x44; 16]),
            now(),
        )
        .unwrap();
    let step = |request: &Encoded, offer: Option<&Encoded>| {
        json!({
            "token": hex::encode(request.as_bytes()),
            "offer": offer.map(|offer| hex::encode(offer.as_bytes())),
            "clock": rfc3339(after(10)),
        })
    };
    let steps = |steps: &[Json]| json!({ "type": "take", "steps": steps });
    push.ok(
        "take",
        "two requests, one of them with its offer",
        steps(&[step(&plain, None), step(&taking, Some(&offer))]),
    );
    push.err(
        "request-replayed",
        "one request twice",
        steps(&[step(&plain, None), step(&plain, None)]),
        Reason::RequestReplayed,
    );
    let same_nonce = request_draft(Scope::all())
        .sign(
            hospital.as_ref(),
            RequestNonce::from_bytes([0x55; 16]),
            now(),
        )
        .unwrap();
    push.err(
        "request-nonce-twice",
        "another request under the same nonce",
        steps(&[step(&plain, None), step(&same_nonce, None)]),
        Reason::RequestReplayed,
    );
    push.err(
        "offer-taken",
        "a second request that takes up the same offer",
        steps(&[step(&taking, Some(&offer)), step(&second, Some(&offer))]),
        Reason::OfferTaken,
    );
    push.err(
        "other-offer",
        "a request that takes up another offer",
        steps(&[step(&taking, Some(&other_offer))]),
        Reason::OtherOffer,
    );
    push.err(
        "offer-not-shown",
        "a request that takes up an offer, taken without it",
        steps(&[step(&taking, None)]),
        Reason::OtherOffer,
    );
    push.err(
        "no-offer",
        "a request that takes up none, taken with one",
        steps(&[step(&plain, Some(&offer))]),
        Reason::OtherOffer,
    );
    let mut full = steps(&[step(&plain, None)]);
    full["capacity"] = json!(0);
    push.err(
        "request-memory-full",
        "no room to remember the request",
        full,
        Reason::MemoryFull,
    );
}

/// Steps 16 and 17: what a node has room for, can keep, and believes of a log.
fn remembered(push: &mut Push<'_>) {
    let suite = push.suite;
    let numbered = |number| {
        let draft = StatusListDraft::new(realm(), authority_code(), number, 1000);
        hex::encode(list(suite, draft, 0).as_bytes())
    };
    let book = |tokens: &[String], lists_max: u32, store: &str| {
        json!({
            "type": "lists in a small book",
            "tokens": tokens,
            "lists_max": lists_max,
            "store": store,
        })
    };
    push.ok(
        "lists-with-room",
        "two lists in a book with room for two",
        book(&[numbered(1), numbered(2)], 2, "keeps"),
    );
    push.err(
        "too-many-lists",
        "a second list of one authority with room for one",
        book(&[numbered(1), numbered(2)], 1, "keeps"),
        Reason::TooManyLists,
    );
    push.err(
        "not-kept",
        "a list that the store does not keep",
        book(&[numbered(1)], 1, "fails"),
        Reason::NotKept,
    );
    let withdrawn = super::super::accept::withdrawal(suite, Effect::Withdrawn);
    push.err(
        "withdrawal-not-kept",
        "a withdrawal that the store does not keep",
        book(&[hex::encode(withdrawn.as_bytes())], 1, "fails"),
        Reason::NotKept,
    );

    let own = hex::encode(head(suite, "archive", "ARCHIVE61").as_bytes());
    let countersigned = hex::encode(head(suite, "insurer", "INSURER61").as_bytes());
    let both = |head: &str, witness: &str| json!({ "type": "witnessed", "head": head, "witness": witness });
    push.ok(
        "witnessed",
        "one head by two organisations",
        both(&own, &countersigned),
    );
    push.err(
        "witnessed-by-itself",
        "the owner as its own witness",
        both(&own, &own),
        Reason::NotWitnessed,
    );
    let owner = *archive().node();
    let longer = CheckpointDraft::head_of(&log(suite, 9), owner, realm())
        .sign(signer(suite, "archive").as_ref(), owner, now())
        .unwrap();
    let longer = hex::encode(longer.as_bytes());
    push.err(
        "witnessed-other-head",
        "a witness of an older head",
        both(&longer, &countersigned),
        Reason::NotWitnessed,
    );
    let grew = hex::encode(log(suite, 9).consistency(7, 9).unwrap().to_bytes());
    let wrong = hex::encode(log(suite, 9).consistency(6, 9).unwrap().to_bytes());
    let steps = |steps: Json| json!({ "type": "witness", "steps": steps });
    push.ok(
        "witness-growth",
        "a head, and the next with the proof that it grew",
        steps(json!([{ "head": own }, { "head": longer, "proof": grew }])),
    );
    push.err(
        "witness-no-proof",
        "the next head without a proof",
        steps(json!([{ "head": own }, { "head": longer }])),
        Reason::LogRewritten,
    );
    push.err(
        "witness-other-proof",
        "the proof from another size",
        steps(json!([{ "head": own }, { "head": longer, "proof": wrong }])),
        Reason::LogProofShape,
    );
    push.err(
        "witness-shrunk",
        "an older head after a newer one",
        steps(json!([{ "head": longer }, { "head": own }])),
        Reason::OlderThanSeen,
    );
    push.err(
        "witness-not-the-owner",
        "a head that the log's owner did not sign",
        steps(json!([{ "head": countersigned }])),
        Reason::OtherLog,
    );
}
