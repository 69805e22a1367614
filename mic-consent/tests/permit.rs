//! A permit is given for exactly what the grant, the proof and the node agree on, and for nothing else.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use chrono::{DateTime, NaiveDate, Utc};
use common::*;
use mic_consent::*;

/// One attempt, as it should go; each test changes one thing.
struct Attempt {
    keys: Keys,
    draft: Box<dyn Fn(&Keys) -> Encoded>,
    proof_place: Place,
    proof_record: Option<&'static [u8]>,
    proof_id: [u8; 16],
    proof_time: DateTime<Utc>,
    opening: Opening,
    place: Place,
    person: &'static [u8],
    record: Option<(&'static [u8], RecordFacts)>,
    clock: DateTime<Utc>,
    department: Option<DepartmentCode>,
}

impl Attempt {
    fn open() -> Self {
        Self {
            keys: keys(Suite::Ed25519),
            draft: Box::new(|keys| grant(keys, ct_scope())),
            proof_place: archive(),
            proof_record: Some(RECORD),
            proof_id: [2; 16],
            proof_time: now(),
            opening: opening(),
            place: archive(),
            person: PERSON,
            record: Some((RECORD, facts())),
            clock: after(1),
            department: None,
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

    fn granting(mut self, draft: impl Fn(GrantDraft) -> GrantDraft + 'static) -> Self {
        self.draft = Box::new(move |keys| {
            let id = GrantId::from_bytes([0x77; 16]);
            draft(grant_draft(keys, Scope::all()))
                .sign(keys.authority.as_ref(), id, now())
                .unwrap()
        });
        self
    }

    fn run(&self, guard: &mut MemoryGuard) -> Result<(), Reason> {
        let live = live_grant(&self.keys, (self.draft)(&self.keys));
        let draft = match self.proof_record {
            None => ProofDraft::list(&live, self.proof_place),
            Some(record) => ProofDraft::open(&live, self.proof_place, record, &opening()).unwrap(),
        };
        let draft = match self.department {
            Some(department) => draft.with_department(department),
            None => draft,
        };
        let id = ProofId::from_bytes(self.proof_id);
        let proof = draft
            .sign(self.keys.hospital.as_ref(), id, self.proof_time)
            .unwrap();
        self.present(&live, &proof, guard)
    }

    fn present(
        &self,
        live: &Live<Grant>,
        proof: &Encoded,
        guard: &mut MemoryGuard,
    ) -> Result<(), Reason> {
        let (ring, policy) = (self.keys.ring(), policy());
        let checker = Checker::new(&ring, &policy);
        let wanted = match self.record {
            None => Use::list(&self.place, self.person),
            Some((record, facts)) => Use::open(&self.place, self.person, record, facts),
        };
        let presented = Presented::new(proof, &self.opening);
        live.permit(&checker, self.clock, presented, &wanted, guard)
            .map(|_| ())
            .map_err(|denial| denial.reason())
    }

    #[track_caller]
    fn expect(&self, expected: Result<(), Reason>) {
        assert_eq!(self.run(&mut MemoryGuard::with_capacity(10)), expected);
    }
}

#[test]
fn ok_as_it_should_be() {
    Attempt::open().expect(Ok(()));
    Attempt::list().expect(Ok(()));
}

#[test]
fn err_a_proof_for_another_place_action_or_record() {
    let gansu = Place::province(
        Province::new(62).unwrap(),
        IssuerCode::new("ARCHIVE62").unwrap(),
    );
    Attempt {
        proof_place: gansu,
        ..Attempt::open()
    }
    .expect(Err(Reason::OtherPlace));
    let other_node = Place::province(
        Province::new(61).unwrap(),
        IssuerCode::new("ARCHIVE99").unwrap(),
    );
    Attempt {
        proof_place: other_node,
        ..Attempt::open()
    }
    .expect(Err(Reason::OtherPlace));
    Attempt {
        proof_place: archive(),
        ..Attempt::list()
    }
    .expect(Err(Reason::OtherPlace));
    Attempt {
        proof_record: None,
        ..Attempt::open()
    }
    .expect(Err(Reason::OtherAction));
    Attempt {
        proof_record: Some(RECORD),
        ..Attempt::list()
    }
    .expect(Err(Reason::OtherAction));
    Attempt {
        proof_record: Some(OTHER_RECORD),
        ..Attempt::open()
    }
    .expect(Err(Reason::OtherAction));
    Attempt {
        opening: Opening::from_bytes([1; 32]),
        ..Attempt::open()
    }
    .expect(Err(Reason::OtherAction));
}

#[test]
fn err_another_person() {
    Attempt {
        person: b"TEST-PERSON-0009",
        ..Attempt::open()
    }
    .expect(Err(Reason::OtherSubject));
    Attempt {
        person: b"",
        ..Attempt::open()
    }
    .expect(Err(Reason::OtherSubject));
    Attempt {
        person: b"TEST-PERSON-0009",
        ..Attempt::list()
    }
    .expect(Err(Reason::OtherSubject));
    Attempt {
        opening: Opening::from_bytes([1; 32]),
        ..Attempt::list()
    }
    .expect(Err(Reason::OtherSubject));
}

#[test]
fn err_a_right_that_was_not_given() {
    let list_only = |draft: GrantDraft| {
        draft
            .with_rights(Rights::LIST)
            .with_scope(Scope::list_only(ScopeFilter::new()))
    };
    Attempt::open()
        .granting(list_only)
        .expect(Err(Reason::RightMissing));
    Attempt::list().granting(list_only).expect(Ok(()));
    let view_only = |draft: GrantDraft| draft.with_rights(Rights::VIEW);
    Attempt::open().granting(view_only).expect(Ok(()));
    Attempt::list()
        .granting(view_only)
        .expect(Err(Reason::RightMissing));
}

#[test]
fn err_a_record_outside_the_scope() {
    let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
    let ct = Modality::new("CT").unwrap();
    let shaanxi = Province::new(61).unwrap();
    let with = |facts: RecordFacts| Attempt {
        record: Some((RECORD, facts)),
        ..Attempt::open()
    };
    with(RecordFacts::new(day(2025, 1, 1), shaanxi).with_modality(ct)).expect(Ok(()));
    with(RecordFacts::new(day(2024, 12, 31), shaanxi).with_modality(ct))
        .expect(Err(Reason::OutsideScope));
    with(RecordFacts::new(day(2026, 11, 18), shaanxi).with_modality(ct)).expect(Ok(()));
    with(RecordFacts::new(day(2026, 11, 19), shaanxi).with_modality(ct))
        .expect(Err(Reason::OutsideScope));
    let ultrasound = Modality::new("US").unwrap();
    with(RecordFacts::new(day(2026, 1, 1), shaanxi).with_modality(ultrasound))
        .expect(Err(Reason::OutsideScope));
    // What is not known is not within a condition.
    with(RecordFacts::new(day(2026, 1, 1), shaanxi)).expect(Err(Reason::OutsideScope));
    // A province serves what it stores itself.
    let elsewhere = RecordFacts::new(day(2026, 1, 1), Province::new(62).unwrap()).with_modality(ct);
    with(elsewhere).expect(Err(Reason::OutsideScope));
}

#[test]
fn err_a_collided_study_is_not_opened_along() {
    let chosen = |draft: GrantDraft| draft.with_records([RECORD]);
    Attempt::open().granting(chosen).expect(Ok(()));
    // The same index code with another StudyInstanceUID.
    let other = Attempt {
        proof_record: Some(OTHER_RECORD),
        record: Some((OTHER_RECORD, facts())),
        ..Attempt::open()
    };
    other.granting(chosen).expect(Err(Reason::OutsideScope));
}

#[test]
fn err_a_stolen_grant_without_the_key() {
    let attempt = Attempt::open();
    let live = live_grant(&attempt.keys, grant(&attempt.keys, ct_scope()));
    // The thief is a hospital of its own, known and trusted, yet not the holder.
    let thief = Ed25519SigningKey::from_secret_bytes(&[0x66; 32]).unwrap();
    let error = ProofDraft::list(&live, index())
        .sign(&thief, ProofId::from_bytes([1; 16]), now())
        .unwrap_err();
    assert_eq!(error, IssueError::NotTheGrantee);
    let proof = ProofDraft::open(&live, archive(), RECORD, &opening()).unwrap();
    let proof = proof
        .sign(
            attempt.keys.hospital.as_ref(),
            ProofId::from_bytes([1; 16]),
            now(),
        )
        .unwrap();
    let forged = raw::sign("mic-p", &raw::claims_of(&proof), &thief);
    let forged = Encoded::from_bytes(&forged).unwrap();
    let mut guard = MemoryGuard::with_capacity(10);
    assert_eq!(
        attempt.present(&live, &forged, &mut guard),
        Err(Reason::NotTheGrantee)
    );
    assert!(guard.is_empty());
}

#[test]
fn err_a_proof_for_another_grant_of_the_same_id() {
    let attempt = Attempt::open();
    let one = live_grant(&attempt.keys, grant(&attempt.keys, ct_scope()));
    let two = live_grant(&attempt.keys, grant(&attempt.keys, Scope::all()));
    assert_eq!(one.claims().id(), two.claims().id());
    let proof = ProofDraft::open(&one, archive(), RECORD, &opening()).unwrap();
    let proof = proof
        .sign(
            attempt.keys.hospital.as_ref(),
            ProofId::from_bytes([1; 16]),
            now(),
        )
        .unwrap();
    let mut guard = MemoryGuard::with_capacity(10);
    assert_eq!(
        attempt.present(&two, &proof, &mut guard),
        Err(Reason::OtherGrant)
    );
    assert_eq!(attempt.present(&one, &proof, &mut guard), Ok(()));
}

#[test]
fn err_the_same_proof_twice_and_a_full_guard() {
    let mut guard = MemoryGuard::with_capacity(1);
    let attempt = Attempt::open();
    assert_eq!(attempt.run(&mut guard), Ok(()));
    assert_eq!(attempt.run(&mut guard), Err(Reason::ProofReplayed));
    let other = Attempt {
        proof_id: [3; 16],
        ..Attempt::open()
    };
    assert_eq!(other.run(&mut guard), Err(Reason::MemoryFull));
}

#[test]
fn err_a_refused_attempt_is_not_remembered() {
    let mut guard = MemoryGuard::with_capacity(10);
    let wrong = Attempt {
        person: b"TEST-PERSON-0009",
        ..Attempt::open()
    };
    assert_eq!(wrong.run(&mut guard), Err(Reason::OtherSubject));
    assert!(guard.is_empty());
}

#[test]
fn err_more_studies_than_counted() {
    let counted = |draft: GrantDraft| draft.with_studies_max(1);
    let mut guard = MemoryGuard::with_capacity(10);
    assert_eq!(Attempt::open().granting(counted).run(&mut guard), Ok(()));
    let again = Attempt {
        proof_id: [3; 16],
        ..Attempt::open()
    };
    assert_eq!(again.granting(counted).run(&mut guard), Ok(()));
    let other = Attempt {
        proof_id: [4; 16],
        proof_record: Some(OTHER_RECORD),
        record: Some((OTHER_RECORD, facts())),
        ..Attempt::open()
    };
    assert_eq!(
        other.granting(counted).run(&mut guard),
        Err(Reason::StudiesUsedUp)
    );
}

#[test]
fn err_a_proof_refused_by_the_count_is_not_used_up() {
    let counted = |draft: GrantDraft| draft.with_studies_max(1);
    let mut guard = MemoryGuard::with_capacity(10);
    assert_eq!(Attempt::open().granting(counted).run(&mut guard), Ok(()));
    let remembered = guard.len();
    let other = Attempt {
        proof_id: [4; 16],
        proof_record: Some(OTHER_RECORD),
        record: Some((OTHER_RECORD, facts())),
        ..Attempt::open()
    };
    let other = other.granting(counted);
    // The true reason, as often as it is tried, and nothing kept of it.
    for _ in 0..2 {
        assert_eq!(other.run(&mut guard), Err(Reason::StudiesUsedUp));
        assert_eq!(guard.len(), remembered);
    }
}

#[test]
fn err_no_room_for_the_proof_leaves_the_study_counted_once() {
    let counted = |draft: GrantDraft| draft.with_studies_max(1);
    let attempt = Attempt::open().granting(counted);
    // Room for the study, none for the proof: each try is refused and takes no more.
    let mut guard = MemoryGuard::with_capacity(1);
    for _ in 0..2 {
        assert_eq!(attempt.run(&mut guard), Err(Reason::MemoryFull));
        assert_eq!(guard.len(), 1);
    }
    // A replay of a counted study is a replay, and counts nothing.
    let mut guard = MemoryGuard::with_capacity(2);
    assert_eq!(attempt.run(&mut guard), Ok(()));
    assert_eq!(attempt.run(&mut guard), Err(Reason::ProofReplayed));
    assert_eq!(guard.len(), 2);
}

#[test]
fn err_a_proof_outside_its_sixty_seconds() {
    Attempt {
        proof_time: after(-59),
        clock: after(60),
        ..Attempt::open()
    }
    .expect(Ok(()));
    Attempt {
        proof_time: after(-60),
        clock: after(60),
        ..Attempt::open()
    }
    .expect(Err(Reason::Expired));
    Attempt {
        proof_time: after(61),
        clock: after(1),
        ..Attempt::open()
    }
    .expect(Ok(()));
    Attempt {
        proof_time: after(62),
        clock: after(1),
        ..Attempt::open()
    }
    .expect(Err(Reason::IssuedInFuture));
}

#[test]
fn err_a_status_check_that_has_aged() {
    let late = |clock| Attempt {
        clock,
        proof_time: clock,
        ..Attempt::open()
    };
    late(after(60)).expect(Ok(()));
    late(after(61)).expect(Err(Reason::CheckTooOld));
    late(after(-60)).expect(Ok(()));
    // Before the check by more than the skew: the clock went back; the grant itself says so first.
    late(after(-61)).expect(Err(Reason::IssuedInFuture));
}

#[test]
fn err_another_department_or_doctor() {
    let department = DepartmentCode::new("A03.05").unwrap();
    let draft = move |keys: &Keys| {
        let asked = request_draft(Scope::all()).with_department(department);
        let asked = asked.sign(keys.hospital.as_ref(), nonce(), now()).unwrap();
        let (ring, policy) = (keys.ring(), policy());
        let checker = Checker::new(&ring, &policy);
        let asked = asked
            .untrusted::<Request>()
            .unwrap()
            .verify(&checker)
            .unwrap()
            .live(&checker, now())
            .unwrap();
        GrantDraft::answering(&asked)
            .with_issuer(authority_code())
            .with_subject(PERSON, &opening())
            .with_status(StatusRef::new(1, 1))
            .with_notice(notice(Suite::Ed25519))
            .with_person_check(PersonCheck::InPerson)
            .with_separate_consent(SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER)
            .sign(keys.authority.as_ref(), GrantId::from_bytes([1; 16]), now())
            .unwrap()
    };
    Attempt {
        draft: Box::new(draft),
        ..Attempt::open()
    }
    .expect(Ok(()));
    let other = Some(DepartmentCode::new("B01").unwrap());
    Attempt {
        draft: Box::new(draft),
        department: other,
        ..Attempt::open()
    }
    .expect(Err(Reason::OtherPerson));
}

#[test]
fn err_a_grant_cannot_give_more_than_the_request() {
    let keys = keys(Suite::Ed25519);
    let sign = |draft: GrantDraft| {
        draft
            .sign(keys.authority.as_ref(), GrantId::from_bytes([1; 16]), now())
            .unwrap_err()
    };
    let wider = |what| IssueError::WiderThanRequest { what };
    assert_eq!(
        sign(grant_draft(&keys, ct_scope()).with_scope(Scope::all())),
        wider("the scope")
    );
    assert_eq!(
        sign(grant_draft(&keys, ct_scope()).with_rights(Rights::KEEP)),
        wider("rights")
    );
    assert_eq!(
        sign(grant_draft(&keys, ct_scope()).with_life_s(7_201)),
        wider("the life")
    );
    let unticked = grant_draft(&keys, ct_scope()).with_separate_consent(SeparateConsent::SENSITIVE);
    assert_eq!(
        sign(unticked),
        IssueError::Rule {
            reason: Reason::SeparateConsentMissing
        }
    );
    let child = grant_draft(&keys, ct_scope()).with_band(PatientBand::WithoutCapacity);
    assert_eq!(
        sign(child),
        IssueError::Rule {
            reason: Reason::GuardianMissing
        }
    );
}

#[test]
fn err_records_chosen_from_a_request_for_the_list_alone() {
    let keys = keys(Suite::Ed25519);
    let asked = RequestDraft::new(
        realm(),
        hospital_code(),
        Purpose::Treatment,
        Rights::LIST,
        Scope::list_only(ScopeFilter::new()),
    )
    .sign(keys.hospital.as_ref(), nonce(), now())
    .unwrap();
    let (ring, policy) = (keys.ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let asked = asked
        .untrusted::<Request>()
        .unwrap()
        .verify(&checker)
        .unwrap()
        .live(&checker, now())
        .unwrap();
    let draft = GrantDraft::answering(&asked)
        .with_issuer(authority_code())
        .with_subject(PERSON, &opening())
        .with_status(StatusRef::new(1, 1))
        .with_notice(notice(Suite::Ed25519))
        .with_person_check(PersonCheck::InPerson)
        .with_separate_consent(SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER);
    let id = GrantId::from_bytes([1; 16]);
    draft.sign(keys.authority.as_ref(), id, now()).unwrap();
    // The scope it starts from is within the request, the one that would be signed is not.
    let error = draft
        .with_records([RECORD])
        .sign(keys.authority.as_ref(), id, now())
        .unwrap_err();
    assert_eq!(error, IssueError::WiderThanRequest { what: "the scope" });
}

#[test]
fn err_a_grant_in_answer_to_a_request_that_is_over() {
    let keys = keys(Suite::Ed25519);
    let draft = grant_draft(&keys, ct_scope());
    let id = GrantId::from_bytes([1; 16]);
    let sign = |seconds| {
        draft
            .sign(keys.authority.as_ref(), id, after(seconds))
            .map(|_| ())
    };
    // It lives 120 seconds; the skew is 60, as for whoever checks it.
    assert_eq!(sign(179), Ok(()));
    assert_eq!(sign(180), Err(IssueError::RequestOver));

    let (ring, policy) = (keys.ring(), policy().with_skew_s(0));
    let checker = Checker::new(&ring, &policy);
    let asked = request(&keys, ct_scope())
        .untrusted::<Request>()
        .unwrap()
        .verify(&checker)
        .unwrap()
        .live(&checker, after(119))
        .unwrap();
    let strict = GrantDraft::answering(&asked)
        .with_issuer(authority_code())
        .with_subject(PERSON, &opening())
        .with_status(StatusRef::new(1, 1))
        .with_notice(notice(Suite::Ed25519))
        .with_person_check(PersonCheck::InPerson)
        .with_separate_consent(SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER);
    let sign = |seconds| {
        strict
            .sign(keys.authority.as_ref(), id, after(seconds))
            .map(|_| ())
    };
    assert_eq!(sign(119), Ok(()));
    assert_eq!(sign(120), Err(IssueError::RequestOver));
}

#[test]
fn err_a_failing_signer_issues_nothing() {
    struct Away(KeyId);
    impl Signer for Away {
        fn key_id(&self) -> KeyId {
            self.0
        }
        fn suite(&self) -> Suite {
            Suite::Sm2Sm3
        }
        fn sign(&self, _: &[u8]) -> Result<Signature, SignError> {
            Err(SignError::Unavailable)
        }
    }
    let error = request_draft(Scope::all())
        .sign(&Away(KeyId::from_bytes([0; 8])), nonce(), now())
        .unwrap_err();
    assert_eq!(error, IssueError::Sign(SignError::Unavailable));
}

#[test]
fn err_a_module_that_refuses_is_believed() {
    struct Refuses;
    impl RawVerify for Refuses {
        fn verify(&self, _: &PublicKey, _: &[u8], _: &Signature) -> Result<(), BadSignature> {
            Err(BadSignature)
        }
    }
    let keys = keys(Suite::Sm2Sm3);
    let (ring, policy) = (keys.ring(), policy());
    let checker = Checker::new(&ring, &policy).with_module(&Refuses);
    let denial = grant(&keys, ct_scope())
        .untrusted::<Grant>()
        .unwrap()
        .verify(&checker)
        .unwrap_err();
    assert_eq!(denial.reason(), Reason::BadSignature);
}

#[test]
fn ok_two_grants_of_one_person_share_only_public_fields() {
    let keys = keys(Suite::Sm2Sm3);
    let make = |byte: u8| {
        let opening = Opening::from_bytes([byte; 32]);
        let draft = grant_draft(&keys, Scope::all())
            .with_subject(PERSON, &opening)
            .with_records([RECORD])
            .with_status(StatusRef::new(u32::from(byte), 1));
        live_grant(
            &keys,
            draft
                .sign(
                    keys.authority.as_ref(),
                    GrantId::from_bytes([byte; 16]),
                    now(),
                )
                .unwrap(),
        )
    };
    let (one, two) = (make(1), make(2));
    assert_ne!(one.claims().subject(), two.claims().subject());
    assert_ne!(
        one.claims().scope().records(),
        two.claims().scope().records()
    );
    assert_ne!(one.claims().id(), two.claims().id());
}

#[test]
fn ok_debug_shows_no_person_no_record_and_no_secret() {
    let attempt = Attempt::open();
    let live = live_grant(&attempt.keys, grant(&attempt.keys, ct_scope()));
    let sm2 = Sm2SigningKey::from_secret_bytes(&[0x41; 32]).unwrap();
    let shown = format!(
        "{live:?} {:?} {sm2:?} {:?} {:?}",
        opening(),
        Use::open(&archive(), PERSON, RECORD, facts()),
        grant_draft(&attempt.keys, ct_scope()),
    );
    for hidden in [
        "TEST-PERSON",
        "TEST-INDEX",
        "5a5a",
        "90, 90",
        "4141",
        "65, 65",
        "AAAA",
    ] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
}

/// CST-56: a hospital does not grant to itself, whatever keys it has.
#[test]
fn err_a_hospital_that_grants_to_itself() {
    let keys = keys(Suite::Ed25519);
    let hospital = IssuerCode::from(hospital_code());
    let id = GrantId::from_bytes([0x77; 16]);
    let draft = grant_draft(&keys, ct_scope()).with_issuer(hospital);
    let refused = draft.sign(keys.authority.as_ref(), id, now()).unwrap_err();
    let reason = Reason::SelfGranted;
    assert_eq!(refused, IssueError::Rule { reason });

    let honest = raw::claims_of(&grant(&keys, ct_scope()));
    let own = raw::with(&honest, &[1], Some(hospital.as_str().into()));
    let token = raw::sign("mic-g", &own, keys.authority.as_ref());
    let key = keys.authority_key.clone();
    let record = KeyRecord::new(key, hospital, Role::Grant, validity()).unwrap();
    let ring = KeyRing::from_records([keys.hospital_record(), record]).unwrap();
    let (policy, token) = (policy(), Encoded::from_bytes(&token).unwrap());
    let refused = token
        .untrusted::<Grant>()
        .unwrap()
        .verify(&Checker::new(&ring, &policy))
        .unwrap_err();
    assert_eq!(refused.reason(), Reason::SelfGranted);
}

/// CST-35: a hospital that shows another salt for the records, with a proof made under it, has another person: so it
/// cannot choose what an audit can open, whatever the kind of scope.
#[test]
fn err_another_salt_for_the_records() {
    let mut bytes = opening().to_bytes();
    bytes[31] ^= 1;
    let other = Opening::from_bytes(bytes);
    for kind in [Scope::all(), ct_scope()] {
        for record in [None, Some(RECORD)] {
            let keys = keys(Suite::Ed25519);
            let live = live_grant(&keys, grant(&keys, kind.clone()));
            let draft = match record {
                None => ProofDraft::list(&live, archive()),
                Some(record) => ProofDraft::open(&live, archive(), record, &other).unwrap(),
            };
            let proof = draft
                .sign(keys.hospital.as_ref(), ProofId::from_bytes([9; 16]), now())
                .unwrap();
            let attempt = Attempt {
                opening: other.clone(),
                record: record.map(|record| (record, facts())),
                ..Attempt::open()
            };
            let mut guard = MemoryGuard::with_capacity(10);
            let refused = attempt.present(&live, &proof, &mut guard);
            assert_eq!(refused, Err(Reason::OtherSubject));
            assert!(guard.is_empty());
        }
    }
}

/// CST-35: what a receipt names is what the authority opens with the salts that it drew.
#[test]
fn ok_a_receipt_opens_with_the_opening_of_the_authority() {
    let hidden = HiddenRecord::new(Suite::Ed25519, &opening(), RECORD).unwrap();
    let keys = keys(Suite::Ed25519);
    let live = live_grant(&keys, grant(&keys, Scope::all()));
    let opening = opening();
    let proof = ProofDraft::open(&live, archive(), RECORD, &opening).unwrap();
    let proof = proof
        .sign(keys.hospital.as_ref(), ProofId::from_bytes([9; 16]), now())
        .unwrap();
    let (ring, policy) = (keys.ring(), policy());
    let place = archive();
    let permit = live
        .permit(
            &Checker::new(&ring, &policy),
            now(),
            Presented::new(&proof, &opening),
            &Use::open(&place, PERSON, RECORD, facts()),
            &mut MemoryGuard::with_capacity(10),
        )
        .unwrap();
    assert_eq!(*permit.action(), Action::OpenRecord(hidden));
}
