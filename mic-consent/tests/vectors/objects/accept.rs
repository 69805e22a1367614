//! What is accepted, in every suite, and the tokens that the wrong ones are made from.

use mic_consent::*;
use serde_json::{Value as Json, json};

use super::{Cases, SUITES, key, log, order, ring, signer};
use crate::common::{raw::parts, *};

pub(super) fn hospital_request(suite: Suite) -> RequestDraft {
    let _ = suite;
    RequestDraft::new(
        realm(),
        hospital_code(),
        Purpose::Treatment,
        Rights::LIST | Rights::VIEW | Rights::REPORT,
        ct_scope(),
    )
}

pub(super) fn live_request(suite: Suite) -> Live<Request> {
    let (ring, policy) = (ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let token = hospital_request(suite)
        .sign(signer(suite, "hospital").as_ref(), nonce(), now())
        .unwrap();
    let signed = token
        .untrusted::<Request>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    signed.live(&checker, now()).unwrap()
}

pub(super) fn grant(suite: Suite) -> Encoded {
    GrantDraft::answering(&live_request(suite))
        .with_issuer(authority_code())
        .with_subject(PERSON, &opening())
        .with_status(StatusRef::new(3, 70_001))
        .with_notice(notice(suite))
        .with_person_check(PersonCheck::Face)
        .with_separate_consent(SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER)
        .sign(
            signer(suite, "authority").as_ref(),
            GrantId::from_bytes([0x77; 16]),
            now(),
        )
        .unwrap()
}

pub(super) fn live_grant(suite: Suite) -> Live<Grant> {
    let (ring, policy) = (ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let signed = grant(suite)
        .untrusted::<Grant>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    signed
        .live(&checker, now(), &Always(Status::Valid))
        .unwrap()
}

/// One study, one node, ten minutes, for the viewer's key.
pub(super) fn narrowed(suite: Suite) -> Encoded {
    let grant = live_grant(suite);
    NarrowDraft::of(&grant)
        .with_records([RECORD], &opening())
        .unwrap()
        .with_rights(Rights::LIST | Rights::VIEW)
        .with_place(archive())
        .with_studies_max(1)
        .with_doctor(DoctorCode::new("D110105000001").unwrap())
        .with_life_s(600)
        .with_holder(key(suite, "viewer").1.key_id())
        .sign(signer(suite, "hospital").as_ref(), now())
        .unwrap()
}

pub(super) fn chain(suite: Suite) -> NarrowedGrant {
    let (ring, policy) = (ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let link = narrowed(suite)
        .untrusted::<Narrowed>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    live_grant(suite)
        .narrowed_by(link, &checker, now())
        .unwrap()
}

/// The viewer cuts it down once more: to the list, for five minutes.
pub(super) fn narrowed_again(suite: Suite) -> Encoded {
    NarrowDraft::of_narrowed(&chain(suite))
        .with_rights(Rights::LIST)
        .with_life_s(300)
        .sign(signer(suite, "viewer").as_ref(), now())
        .unwrap()
}

pub(super) fn offer(suite: Suite) -> Encoded {
    OfferDraft::new(realm(), authority_code())
        .sign(
            signer(suite, "authority").as_ref(),
            OfferId::from_bytes([0x33; 16]),
            now(),
        )
        .unwrap()
}

pub(super) fn taking_up(suite: Suite) -> Encoded {
    let (ring, policy) = (ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let offer = offer(suite)
        .untrusted::<Offer>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    let offer = offer.live(&checker, now()).unwrap();
    hospital_request(suite)
        .taking_up(&offer)
        .sign(signer(suite, "hospital").as_ref(), nonce(), now())
        .unwrap()
}

pub(super) fn refusal(suite: Suite) -> Encoded {
    RefusalDraft::answering(
        &live_request(suite),
        authority_code(),
        RefusalReason::Declined,
    )
    .sign(signer(suite, "authority").as_ref(), now())
    .unwrap()
}

pub(super) fn withdrawal(suite: Suite, effect: Effect) -> Encoded {
    WithdrawalDraft::of(live_grant(suite).claims(), effect)
        .sign(signer(suite, "authority").as_ref(), now())
        .unwrap()
}

pub(super) fn emergency(suite: Suite) -> Encoded {
    let doctor = |code: &str| DoctorCode::new(code).unwrap();
    EmergencyDraft::new(
        realm(),
        hospital_code(),
        EmergencyReason::CannotAnswer,
        (
            DepartmentCode::new("A20").unwrap(),
            doctor("D110105000001"),
            StaffRole::Attending,
        ),
        doctor("D110105000002"),
    )
    .with_holder(key(suite, "hospital").1.key_id())
    .with_subject(PERSON, &opening())
    .sign(
        signer(suite, "emergency").as_ref(),
        GrantId::from_bytes([0x99; 16]),
        now(),
    )
    .unwrap()
}

pub(super) fn live_emergency(suite: Suite) -> Live<Emergency> {
    let (ring, policy) = (ring(), policy().with_emergency_access());
    let checker = Checker::new(&ring, &policy);
    let signed = emergency(suite)
        .untrusted::<Emergency>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    signed.live(&checker, now()).unwrap()
}

pub(super) fn order(suite: Suite) -> Encoded {
    let instrument =
        InstrumentDigest::new(suite, "（虚构）0001号", "调取证据通知书（虚构）".as_bytes());
    OrderDraft::new(
        realm(),
        IssuerCode::new("COURT01").unwrap(),
        hospital_code(),
        (
            StatutoryGround::Judicial,
            ArticleCode::new("PIPL.13.3").unwrap(),
        ),
        instrument.unwrap(),
    )
    .with_holder(key(suite, "hospital").1.key_id())
    .with_status(StatusRef::new(1, 7))
    .with_subject(PERSON, &opening())
    .sign(
        signer(suite, "court").as_ref(),
        GrantId::from_bytes([0xaa; 16]),
        now(),
    )
    .unwrap()
}

/// A receipt of the list under the order.
pub(super) fn under_order(suite: Suite) -> Encoded {
    let (ring, policy) = (ring(), policy().with_orders());
    let checker = Checker::new(&ring, &policy);
    let signed = order(suite).untrusted::<Order>().unwrap();
    let signed = signed.verify(&checker).unwrap();
    let live = signed
        .live(&checker, now(), &Always(Status::Valid))
        .unwrap();
    let proof = live
        .prove_list(archive())
        .sign(
            signer(suite, "hospital").as_ref(),
            ProofId::from_bytes([3; 16]),
            now(),
        )
        .unwrap();
    let (opening, place) = (opening(), archive());
    let permit = live
        .permit(
            &checker,
            now(),
            Presented::new(&proof, &opening),
            &Use::list(&place, PERSON),
            &mut MemoryGuard::with_capacity(10),
        )
        .unwrap();
    assert_eq!(permit.basis(), Basis::Statute);
    permit
        .served()
        .sign(signer(suite, "archive").as_ref(), *place.node(), now())
        .unwrap()
}

pub(super) fn review(suite: Suite) -> Encoded {
    let hospital = IssuerCode::from(hospital_code());
    ReviewDraft::of(live_emergency(suite).claims(), Verdict::Justified)
        .sign(signer(suite, "review").as_ref(), hospital, now())
        .unwrap()
}

/// A receipt of one record opened under the grant, and of the list under the emergency access.
pub(super) fn receipts(suite: Suite) -> [Encoded; 2] {
    let (ring, policy) = (ring(), policy().with_emergency_access());
    let checker = Checker::new(&ring, &policy);
    let mut guard = MemoryGuard::with_capacity(10);
    let opening = opening();
    let hospital = signer(suite, "hospital");
    let log = signer(suite, "archive");
    let node = *archive().node();

    let grant = live_grant(suite);
    let proof = ProofDraft::open(&grant, archive(), RECORD, &opening)
        .unwrap()
        .sign(hospital.as_ref(), ProofId::from_bytes([1; 16]), now())
        .unwrap();
    let place = archive();
    let wanted = Use::open(&place, PERSON, RECORD, facts());
    let permit = grant
        .permit(
            &checker,
            now(),
            Presented::new(&proof, &opening),
            &wanted,
            &mut guard,
        )
        .unwrap();
    let opened = permit.served().sign(log.as_ref(), node, now()).unwrap();

    let emergency = live_emergency(suite);
    let proof = emergency
        .prove_list(archive())
        .sign(hospital.as_ref(), ProofId::from_bytes([2; 16]), now())
        .unwrap();
    let wanted = Use::list(&place, PERSON);
    let permit = emergency
        .permit(
            &checker,
            now(),
            Presented::new(&proof, &opening),
            &wanted,
            &mut guard,
        )
        .unwrap();
    assert_eq!(permit.basis(), Basis::Emergency);
    let listed = permit.served().sign(log.as_ref(), node, now()).unwrap();
    [opened, listed]
}

pub(super) fn token(kind: &str, token: &Encoded) -> Json {
    json!({ "type": kind, "token": hex::encode(token.as_bytes()) })
}

pub(super) fn cases() -> Cases {
    let mut cases = Cases::default();
    for suite in SUITES {
        let name = suite.name().to_lowercase();
        let mut push = |id: &str, note: &str, input: Json| {
            cases.push(&format!("{name}-{id}"), note, input, None);
        };
        push(
            "offer",
            "a code on the patient's phone",
            token("mic-o", &offer(suite)),
        );
        push(
            "request-offer",
            "a request that takes up the offer",
            token("mic-q", &taking_up(suite)),
        );
        let mut refused = token("mic-d", &refusal(suite));
        refused["nonce"] = json!(nonce().to_string());
        push("refusal", "the person declined", refused);
        let withdrawn = withdrawal(suite, Effect::Withdrawn);
        push(
            "withdrawal",
            "the grant is withdrawn",
            token("mic-w", &withdrawn),
        );
        let suspended = withdrawal(suite, Effect::Suspended);
        push(
            "suspension",
            "the grant is suspended",
            token("mic-w", &suspended),
        );
        push(
            "emergency",
            "access without consent",
            token("mic-e", &emergency(suite)),
        );
        push(
            "order",
            "access by order of a court, without consent",
            token("mic-l", &order(suite)),
        );
        push(
            "receipt-order",
            "the list, by order",
            token("mic-r", &under_order(suite)),
        );
        push("review", "it was justified", token("mic-v", &review(suite)));
        let [opened, listed] = receipts(suite);
        push(
            "receipt-open",
            "one record, under the grant",
            token("mic-r", &opened),
        );
        push(
            "receipt-emergency",
            "the list, without consent",
            token("mic-r", &listed),
        );

        let mut once = token("mic-n", &narrowed(suite));
        once["grant"] = json!(hex::encode(grant(suite).as_bytes()));
        push(
            "narrowed",
            "one study, one node, ten minutes, another key",
            once.clone(),
        );
        once["then"] = json!([hex::encode(narrowed_again(suite).as_bytes())]);
        push(
            "narrowed-twice",
            "and then the list alone for five minutes",
            once,
        );
    }
    order::right(&mut cases);
    log::right(&mut cases);
    cases
}

/// The accepted objects are seeds of the fuzz targets as well.
pub(super) fn write_seeds(cases: &[Json]) {
    if std::env::var_os("MIC_CONSENT_WRITE_VECTORS").is_none() {
        return;
    }
    let write = |target: &str, id: &str, bytes: &[u8]| {
        let folder: std::path::PathBuf = [env!("CARGO_MANIFEST_DIR"), "fuzz", "corpus", target]
            .iter()
            .collect();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(id), bytes).unwrap();
    };
    for case in cases {
        let (id, input) = (case["id"].as_str().unwrap(), &case["input"]);
        if let Some(token) = input["token"].as_str() {
            let token = hex::decode(token).unwrap();
            write("documents", id, &token);
            // The type's letter before the claims: the target signs them as that type.
            let letter = input["type"].as_str().unwrap().as_bytes()[4];
            let payload = parts(&token).1;
            write("objects", id, &[&[letter], &payload[..]].concat());
        }
        if let Some(proof) = input["proof"].as_str() {
            write("log_proofs", id, &hex::decode(proof).unwrap());
        }
    }
}
