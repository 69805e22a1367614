//! Reconciliation: every planted fault is found, nothing else, in any order.
#![cfg(all(feature = "gm", feature = "ed25519"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use chrono::{DateTime, Utc};
use common::*;
use mic_consent::*;
use proptest::prelude::*;

struct World {
    keys: Keys,
    log: Ed25519SigningKey,
    emergency: Ed25519SigningKey,
    review: Ed25519SigningKey,
    ring: KeyRing,
    policy: Policy,
}

impl World {
    fn new() -> Self {
        let keys = keys(Suite::Ed25519);
        let key = |byte: u8| Ed25519SigningKey::from_secret_bytes(&[byte; 32]).unwrap();
        let (log, emergency, review) = (key(0x61), key(0x62), key(0x63));
        let mut ring = keys.ring();
        let hospital = IssuerCode::from(hospital_code());
        for (key, owner, role) in [
            (&log, *archive().node(), Role::Log),
            (&emergency, hospital, Role::Emergency),
            (&review, hospital, Role::Review),
        ] {
            let record = KeyRecord::new(key.public_key().clone(), owner, role, validity());
            ring.insert(record.unwrap()).unwrap();
        }
        let policy = policy().with_emergency_access().with_status_check_s(3_600);
        Self {
            keys,
            log,
            emergency,
            review,
            ring,
            policy,
        }
    }

    fn checker(&self) -> Checker<'_> {
        Checker::new(&self.ring, &self.policy)
    }

    fn grant(&self, id: u8, change: impl Fn(GrantDraft) -> GrantDraft) -> Live<Grant> {
        let token = change(grant_draft(&self.keys, Scope::all()))
            .sign(
                self.keys.authority.as_ref(),
                GrantId::from_bytes([id; 16]),
                now(),
            )
            .unwrap();
        live_grant(&self.keys, token)
    }

    fn taken(&self, id: u8) -> Live<Emergency> {
        self.taken_reviewed_by(id, "D2")
    }

    fn taken_reviewed_by(&self, id: u8, reviewer: &str) -> Live<Emergency> {
        let doctor = |code: &str| DoctorCode::new(code).unwrap();
        let acting = (
            DepartmentCode::new("A20").unwrap(),
            doctor("D1"),
            StaffRole::Attending,
        );
        let token = EmergencyDraft::new(
            realm(),
            hospital_code(),
            EmergencyReason::LifeAtRisk,
            acting,
            doctor(reviewer),
        )
        .with_holder(self.keys.hospital.key_id())
        .with_subject(PERSON, &opening())
        .sign(&self.emergency, GrantId::from_bytes([id; 16]), now())
        .unwrap();
        let signed = token
            .untrusted::<Emergency>()
            .unwrap()
            .verify(&self.checker())
            .unwrap();
        signed.live(&self.checker(), now()).unwrap()
    }

    fn receipt(&self, permit: Permit<'_>, at: DateTime<Utc>) -> ReceiptClaims {
        let token = permit
            .served()
            .sign(&self.log, *archive().node(), at)
            .unwrap();
        let signed = token
            .untrusted::<Receipt>()
            .unwrap()
            .verify(&self.checker())
            .unwrap();
        signed.claims().clone()
    }

    /// Opens a record under a grant; the receipt may state another moment, as a wrong node's would.
    fn open(
        &self,
        grant: &Live<Grant>,
        record: &[u8],
        proof: u8,
        stated: DateTime<Utc>,
    ) -> ReceiptClaims {
        let opening = opening();
        let token = ProofDraft::open(grant, archive(), record, &opening)
            .unwrap()
            .sign(
                self.keys.hospital.as_ref(),
                ProofId::from_bytes([proof; 16]),
                now(),
            )
            .unwrap();
        let place = archive();
        let wanted = Use::open(&place, PERSON, record, facts());
        // A node for itself: it remembers nothing of the others.
        let mut guard = MemoryGuard::with_capacity(10);
        let presented = Presented::new(&token, &opening);
        let permit = grant
            .permit(&self.checker(), now(), presented, &wanted, &mut guard)
            .unwrap();
        self.receipt(permit, stated)
    }

    fn list_in_emergency(&self, emergency: &Live<Emergency>, proof: u8) -> ReceiptClaims {
        let opening = opening();
        let token = emergency
            .prove_list(archive())
            .sign(
                self.keys.hospital.as_ref(),
                ProofId::from_bytes([proof; 16]),
                now(),
            )
            .unwrap();
        let place = archive();
        let mut guard = MemoryGuard::with_capacity(10);
        let presented = Presented::new(&token, &opening);
        let permit = emergency
            .permit(
                &self.checker(),
                now(),
                presented,
                &Use::list(&place, PERSON),
                &mut guard,
            )
            .unwrap();
        self.receipt(permit, now())
    }

    fn judged(&self, emergency: &Live<Emergency>, verdict: Verdict, at: i64) -> ReviewClaims {
        let hospital = IssuerCode::from(hospital_code());
        let token = ReviewDraft::of(emergency.claims(), verdict)
            .sign(&self.review, hospital, after(at))
            .unwrap();
        let signed = token
            .untrusted::<Review>()
            .unwrap()
            .verify(&self.checker())
            .unwrap();
        signed.claims().clone()
    }
}

/// CST-120: a node signs for itself, and a key of one province for places of that province.
#[test]
fn err_a_receipt_in_the_name_of_another_node() {
    let world = World::new();
    let grant = world.grant(1, |draft| draft);
    let opening = opening();
    let token = ProofDraft::list(&grant, archive());
    let token = token
        .sign(
            world.keys.hospital.as_ref(),
            ProofId::from_bytes([1; 16]),
            now(),
        )
        .unwrap();
    let place = archive();
    let served = grant
        .permit(
            &world.checker(),
            now(),
            Presented::new(&token, &opening),
            &Use::list(&place, PERSON),
            &mut MemoryGuard::with_capacity(10),
        )
        .unwrap()
        .served();
    let other = IssuerCode::new("ARCHIVE62").unwrap();
    let refused = served.sign(&world.log, other, now()).unwrap_err();
    let reason = Reason::OtherNode;
    assert_eq!(refused, IssueError::Rule { reason });

    let receipt = served.sign(&world.log, *archive().node(), now()).unwrap();
    let verify = |province| {
        let key = world.log.public_key().clone();
        let record = KeyRecord::new(key, *archive().node(), Role::Log, validity()).unwrap();
        let record = record
            .with_province(Province::new(province).unwrap())
            .unwrap();
        let ring = KeyRing::from_records([record]).unwrap();
        let signed = receipt.clone().untrusted::<Receipt>().unwrap();
        let signed = signed.verify(&Checker::new(&ring, &world.policy));
        signed.map(drop).map_err(|denial| denial.reason())
    };
    assert_eq!(verify(61), Ok(()));
    assert_eq!(verify(62), Err(Reason::OutsideProvince));
}

/// CST-132: neither of two contents of one id hides the other, whatever comes first.
#[test]
fn err_two_grants_under_one_id() {
    let world = World::new();
    let wide = world.grant(1, |draft| draft);
    let narrow = world.grant(1, |draft| draft.with_rights(Rights::LIST));
    let receipt = world.open(&wide, RECORD, 1, after(5));
    let emergency = world.taken(1);
    let report = |order: &[u8]| {
        let mut reconciliation = Reconciliation::new();
        for event in order {
            match event {
                0 => reconciliation.granted(wide.claims()),
                1 => reconciliation.granted(narrow.claims()),
                2 => reconciliation.served(&receipt),
                _ => reconciliation.emergency(emergency.claims()),
            }
        }
        reconciliation.report(after(300_000))
    };
    let kinds = |order: &[u8]| -> Vec<FindingKind> {
        report(order).findings().iter().map(Finding::kind).collect()
    };
    assert_eq!(kinds(&[0, 0, 2]), []);
    assert_eq!(
        kinds(&[0, 1, 2]),
        [FindingKind::RightMissing, FindingKind::IdTwice]
    );
    assert_eq!(report(&[0, 1, 2]), report(&[2, 1, 0]));
    assert_eq!(report(&[0, 1, 2]), report(&[1, 0, 2, 0]));
    let all = report(&[0, 3, 2]);
    assert_eq!((all.grants(), all.emergencies(), all.unused()), (1, 1, 0));
    assert_eq!(
        kinds(&[3, 2, 0]),
        [
            FindingKind::OtherBasis,
            FindingKind::OtherPerson,
            FindingKind::NotReviewed,
            FindingKind::IdTwice
        ]
    );
    assert_eq!(all, report(&[3, 2, 0]));
}

/// CST-132, CST-133: under one id a node served another purpose, another hospital, and another organisation judged.
#[test]
fn err_another_purpose_another_hospital_another_reviewer() {
    let mut world = World::new();
    let other_key = Ed25519SigningKey::from_secret_bytes(&[0x64; 32]).unwrap();
    let other = InstitutionCode::new("H61010500001").unwrap();
    let roles: Roles = [Role::Request].into_iter().collect();
    let public = other_key.public_key().clone();
    let record = KeyRecord::new(public, other.into(), roles, validity()).unwrap();
    world.ring.insert(record).unwrap();

    let told = world.grant(1, |draft| draft);
    let served = |hospital: InstitutionCode, purpose: Purpose, key: &dyn Signer, proof: u8| {
        let rights = Rights::LIST | Rights::VIEW;
        let request = RequestDraft::new(realm(), hospital, purpose, rights, Scope::all());
        let request = request.sign(key, nonce(), now()).unwrap();
        let request = request.untrusted::<Request>().unwrap();
        let request = request.verify(&world.checker()).unwrap();
        let request = request.live(&world.checker(), now()).unwrap();
        let authority = world.keys.authority.as_ref();
        let grant = GrantDraft::answering(&request)
            .with_issuer(authority_code())
            .with_subject(PERSON, &opening())
            .with_status(StatusRef::new(3, 70_001))
            .with_notice(notice(authority.suite()))
            .with_person_check(PersonCheck::Face)
            .with_separate_consent(SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER)
            .sign(authority, GrantId::from_bytes([1; 16]), now())
            .unwrap();
        let grant = grant.untrusted::<Grant>().unwrap();
        let grant = grant.verify(&world.checker()).unwrap();
        let grant = grant.live(&world.checker(), now(), &Always(Status::Valid));
        let grant = grant.unwrap();
        let token = ProofDraft::list(&grant, archive());
        let token = token.sign(key, ProofId::from_bytes([proof; 16]), now());
        let (token, opening, place) = (token.unwrap(), opening(), archive());
        let mut guard = MemoryGuard::with_capacity(1);
        let presented = Presented::new(&token, &opening);
        let wanted = Use::list(&place, PERSON);
        let permit = grant.permit(&world.checker(), now(), presented, &wanted, &mut guard);
        world.receipt(permit.unwrap(), after(5))
    };
    let kinds = |receipt: &ReceiptClaims| -> Vec<FindingKind> {
        let mut reconciliation = Reconciliation::new();
        reconciliation.granted(told.claims());
        reconciliation.served(receipt);
        let report = reconciliation.report(after(100));
        report.findings().iter().map(Finding::kind).collect()
    };
    let own = world.keys.hospital.as_ref();
    let (treatment, referral) = (Purpose::Treatment, Purpose::Referral);
    assert_eq!(kinds(&served(hospital_code(), treatment, own, 1)), []);
    assert_eq!(
        kinds(&served(hospital_code(), referral, own, 2)),
        [FindingKind::OtherPurpose]
    );
    assert_eq!(
        kinds(&served(other, treatment, &other_key, 3)),
        [FindingKind::OtherHospital]
    );

    // Another emergency access of the same id had another reviewer, who judged.
    let emergency = world.taken(20);
    let other = world.taken_reviewed_by(20, "D3");
    let mut reconciliation = Reconciliation::new();
    reconciliation.emergency(emergency.claims());
    reconciliation.served(&world.list_in_emergency(&emergency, 20));
    reconciliation.reviewed(&world.judged(&emergency, Verdict::Justified, 50));
    assert_eq!(reconciliation.report(after(100)).findings(), []);
    reconciliation.reviewed(&world.judged(&other, Verdict::Justified, 60));
    let report = reconciliation.report(after(100));
    let found: Vec<FindingKind> = report.findings().iter().map(Finding::kind).collect();
    assert_eq!(found, [FindingKind::ReviewedByAnother]);
}

/// CST-132: nodes whose clocks may differ by more are not blamed for it.
#[test]
fn ok_early_and_late_by_the_skew_of_the_policy() {
    let world = World::new();
    let grant = world.grant(1, |draft| draft);
    let receipt = world.open(&grant, RECORD, 1, after(-100));
    let findings = |skew_s| {
        let mut reconciliation = Reconciliation::new().with_skew_s(skew_s);
        reconciliation.granted(grant.claims());
        reconciliation.served(&receipt);
        reconciliation.report(after(300_000)).findings().len()
    };
    assert_eq!((findings(60), findings(100)), (1, 0));
}

#[derive(Clone)]
enum Event {
    Granted(GrantClaims),
    Taken(EmergencyClaims),
    Served(ReceiptClaims),
    Withdrawn(GrantId, DateTime<Utc>),
    Reviewed(ReviewClaims),
}

/// A day with honest accesses and one fault of each kind, and what is to be found.
fn day() -> (Vec<Event>, Vec<(u8, FindingKind)>) {
    let world = World::new();
    let mut events = Vec::new();
    let whole = |draft: GrantDraft| draft;
    let mut served = |grant: &Live<Grant>, receipts: Vec<ReceiptClaims>, known: bool| {
        if known {
            events.push(Event::Granted(grant.claims().clone()));
        }
        events.extend(receipts.into_iter().map(Event::Served));
    };

    let honest = world.grant(1, whole);
    served(
        &honest,
        vec![
            world.open(&honest, RECORD, 1, after(5)),
            world.open(&honest, OTHER_RECORD, 2, after(6)),
        ],
        true,
    );
    let unused = world.grant(2, whole);
    served(&unused, vec![], true);
    let orphan = world.grant(3, whole);
    served(
        &orphan,
        vec![world.open(&orphan, RECORD, 3, after(5))],
        false,
    );
    let late = world.grant(4, whole);
    served(
        &late,
        vec![world.open(&late, RECORD, 4, after(7_200 + 61))],
        true,
    );
    let early = world.grant(5, whole);
    served(
        &early,
        vec![world.open(&early, RECORD, 5, after(-100))],
        true,
    );
    let twice = world.grant(6, whole);
    served(
        &twice,
        vec![
            world.open(&twice, RECORD, 6, after(5)),
            world.open(&twice, RECORD, 6, after(9)),
        ],
        true,
    );
    // Two nodes, each within its own count.
    let counted = world.grant(7, |draft| draft.with_studies_max(1));
    served(
        &counted,
        vec![
            world.open(&counted, RECORD, 7, after(5)),
            world.open(&counted, OTHER_RECORD, 8, after(6)),
        ],
        true,
    );
    // Served under the whole grant by a node that held a wider one of the same id.
    let wide = world.grant(8, whole);
    let narrow = world.grant(8, |draft| {
        draft.with_records([RECORD]).with_rights(Rights::VIEW)
    });
    served(
        &narrow,
        vec![world.open(&wide, OTHER_RECORD, 9, after(5))],
        true,
    );
    let gone = world.grant(9, whole);
    served(
        &gone,
        vec![
            world.open(&gone, RECORD, 10, after(5)),
            world.open(&gone, OTHER_RECORD, 11, after(50)),
        ],
        true,
    );
    events.push(Event::Withdrawn(GrantId::from_bytes([9; 16]), after(20)));

    for (id, verdict, at, proof) in [
        (20, Some(Verdict::Justified), 3_600, 20),
        (21, None, 0, 21),
        (22, Some(Verdict::Unjustified), 3_600, 22),
        (23, Some(Verdict::Justified), 259_201, 23),
    ] {
        let emergency = world.taken(id);
        events.push(Event::Taken(emergency.claims().clone()));
        events.push(Event::Served(world.list_in_emergency(&emergency, proof)));
        if let Some(verdict) = verdict {
            events.push(Event::Reviewed(world.judged(&emergency, verdict, at)));
        }
    }
    let expected = vec![
        (3, FindingKind::Orphan),
        (4, FindingKind::Late { by_s: 61 }),
        (5, FindingKind::Early { by_s: 100 }),
        (6, FindingKind::ProofTwice),
        (
            7,
            FindingKind::TooManyStudies {
                allowed: 1,
                found: 2,
            },
        ),
        (8, FindingKind::RightMissing),
        (8, FindingKind::OutsideScope),
        (9, FindingKind::AfterWithdrawal { by_s: 30 }),
        (21, FindingKind::NotReviewed),
        (22, FindingKind::Unjustified),
        (23, FindingKind::NotReviewed),
    ];
    (events, expected)
}

fn reconcile(events: &[Event]) -> ReconciliationReport {
    let mut reconciliation = Reconciliation::new();
    for event in events {
        match event {
            Event::Granted(claims) => reconciliation.granted(claims),
            Event::Taken(claims) => reconciliation.emergency(claims),
            Event::Served(claims) => reconciliation.served(claims),
            Event::Withdrawn(grant, at) => reconciliation.withdrawn(grant, *archive().node(), *at),
            Event::Reviewed(claims) => reconciliation.reviewed(claims),
        }
    }
    reconciliation.report(after(300_000))
}

/// CST-132 to CST-134.
#[test]
fn ok_every_planted_fault_is_found_and_nothing_else() {
    let (events, expected) = day();
    let report = reconcile(&events);
    let found: Vec<(u8, FindingKind)> = report
        .findings()
        .iter()
        .map(|finding| (finding.grant().as_bytes()[0], finding.kind()))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(
        (report.grants(), report.emergencies(), report.unused()),
        (8, 4, 1)
    );
    assert_eq!(report.accesses(), 16);
    assert!(
        report
            .findings()
            .iter()
            .all(|finding| !finding.kind().chinese().is_empty())
    );
    // Nobody is late with a review before the time is over.
    let mut young = Reconciliation::new();
    for event in &events {
        if let Event::Taken(claims) = event {
            young.emergency(claims);
        }
        if let Event::Served(claims) = event {
            young.served(claims);
        }
    }
    let early = young.report(after(259_200));
    assert!(
        early
            .findings()
            .iter()
            .all(|finding| finding.kind() != FindingKind::NotReviewed)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// CST-135.
    #[test]
    fn ok_the_order_does_not_matter(order in Just((0..day().0.len()).collect::<Vec<_>>()).prop_shuffle()) {
        let (events, _) = day();
        let shuffled: Vec<Event> = order.iter().map(|at| events[*at].clone()).collect();
        prop_assert_eq!(reconcile(&shuffled), reconcile(&events));
    }
}
