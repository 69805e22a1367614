//! Emergency access: closed unless the policy opens it, flagged in permit and receipt, never more than a look.
#![cfg(all(feature = "gm", feature = "ed25519"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use common::*;
use mic_consent::*;

struct World {
    keys: Keys,
    emergency: Sm2SigningKey,
    log: Sm2SigningKey,
    ring: KeyRing,
}

impl World {
    fn new() -> Self {
        let keys = keys(Suite::Sm2Sm3);
        let key = |byte: u8| Sm2SigningKey::from_secret_bytes(&[byte; 32]).unwrap();
        let (emergency, log) = (key(0x26), key(0x27));
        let record = |key: &Sm2SigningKey, owner: IssuerCode, role: Role| {
            KeyRecord::new(key.public_key().clone(), owner, role, validity()).unwrap()
        };
        let mut ring = keys.ring();
        ring.insert(record(&emergency, hospital_code().into(), Role::Emergency))
            .unwrap();
        ring.insert(record(&log, *archive().node(), Role::Log))
            .unwrap();
        Self {
            keys,
            emergency,
            log,
            ring,
        }
    }

    fn draft(&self) -> EmergencyDraft {
        let doctor = |code: &str| DoctorCode::new(code).unwrap();
        let acting = (
            DepartmentCode::new("A20").unwrap(),
            doctor("D1"),
            StaffRole::ChiefOnDuty,
        );
        EmergencyDraft::new(
            realm(),
            hospital_code(),
            EmergencyReason::LifeAtRisk,
            acting,
            doctor("D2"),
        )
        .with_holder(self.keys.hospital.key_id())
        .with_subject(PERSON, &opening())
    }

    fn live(&self, draft: &EmergencyDraft, policy: &Policy) -> Result<Live<Emergency>, Reason> {
        let token = draft
            .sign(&self.emergency, GrantId::from_bytes([8; 16]), now())
            .unwrap();
        let checker = Checker::new(&self.ring, policy);
        let signed = token
            .untrusted::<Emergency>()
            .unwrap()
            .verify(&checker)
            .unwrap();
        signed
            .live(&checker, now())
            .map_err(|denial| denial.reason())
    }
}

fn open_policy() -> Policy {
    policy().with_emergency_access()
}

#[test]
fn err_a_node_that_does_not_take_emergencies() {
    let world = World::new();
    let refused = world.live(&world.draft(), &policy()).map(drop);
    assert_eq!(refused, Err(Reason::EmergencyNotAccepted));
    // Nor once the policy closes again, with the access live in memory.
    let live = world.live(&world.draft(), &open_policy()).unwrap();
    let opening = opening();
    let proof = live
        .prove_list(archive())
        .sign(
            world.keys.hospital.as_ref(),
            ProofId::from_bytes([1; 16]),
            now(),
        )
        .unwrap();
    let (closed, place) = (policy(), archive());
    let checker = Checker::new(&world.ring, &closed);
    let mut guard = MemoryGuard::with_capacity(10);
    let refused = live.permit(
        &checker,
        now(),
        Presented::new(&proof, &opening),
        &Use::list(&place, PERSON),
        &mut guard,
    );
    assert_eq!(refused.unwrap_err().reason(), Reason::EmergencyNotAccepted);
}

/// CST-104, CST-105.
#[test]
fn ok_every_permit_and_receipt_says_that_it_was_an_emergency() {
    let world = World::new();
    let policy = open_policy();
    let checker = Checker::new(&world.ring, &policy);
    let live = world.live(&world.draft(), &policy).unwrap();
    let opening = opening();
    let proof = live.prove_open(archive(), RECORD, &opening).unwrap();
    let proof = proof
        .sign(
            world.keys.hospital.as_ref(),
            ProofId::from_bytes([1; 16]),
            now(),
        )
        .unwrap();
    let (place, mut guard) = (archive(), MemoryGuard::with_capacity(10));
    let wanted = Use::open(&place, PERSON, RECORD, facts());
    let presented = Presented::new(&proof, &opening);
    let permit = live
        .permit(&checker, now(), presented, &wanted, &mut guard)
        .unwrap();
    assert_eq!(permit.basis(), Basis::Emergency);
    assert!(permit.grant().is_none() && permit.emergency().is_some() && permit.opens(RECORD));
    let receipt = permit
        .served()
        .sign(&world.log, *place.node(), now())
        .unwrap();
    let receipt = receipt
        .untrusted::<Receipt>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    let claims = receipt.claims();
    assert_eq!(claims.basis(), Basis::Emergency);
    assert_eq!(claims.emergency().unwrap().1.as_str(), "D2");
    assert_eq!(claims.purpose(), None);
    // The proof is used up as any other.
    let again = live.permit(&checker, now(), presented, &wanted, &mut guard);
    assert_eq!(again.unwrap_err().reason(), Reason::ProofReplayed);
}

#[test]
fn err_another_doctor_person_or_key() {
    let world = World::new();
    let policy = open_policy();
    let checker = Checker::new(&world.ring, &policy);
    let live = world.live(&world.draft(), &policy).unwrap();
    let (opening, place) = (opening(), archive());
    let attempt = |draft: ProofDraft<'_>, person: &[u8], n: u8| {
        let proof = draft
            .sign(
                world.keys.hospital.as_ref(),
                ProofId::from_bytes([n; 16]),
                now(),
            )
            .unwrap();
        let presented = Presented::new(&proof, &opening);
        let mut guard = MemoryGuard::with_capacity(10);
        live.permit(
            &checker,
            now(),
            presented,
            &Use::list(&place, person),
            &mut guard,
        )
        .map(drop)
        .map_err(|denial| denial.reason())
    };
    assert_eq!(attempt(live.prove_list(place), PERSON, 1), Ok(()));
    let other = live
        .prove_list(place)
        .with_doctor(DoctorCode::new("D3").unwrap());
    assert_eq!(attempt(other, PERSON, 2), Err(Reason::OtherPerson));
    assert_eq!(
        attempt(live.prove_list(place), b"TEST-PERSON-0002", 3),
        Err(Reason::OtherSubject)
    );
    let stranger =
        live.prove_list(place)
            .sign(&world.emergency, ProofId::from_bytes([4; 16]), now());
    assert_eq!(stranger.unwrap_err(), IssueError::NotTheGrantee);
}

/// CST-101, CST-102: what would be refused is not signed.
#[test]
fn err_drafts_that_every_checker_would_refuse() {
    let world = World::new();
    let sign = |draft: EmergencyDraft| {
        draft
            .sign(&world.emergency, GrantId::from_bytes([8; 16]), now())
            .unwrap_err()
    };
    let rule = |reason| IssueError::Rule { reason };
    let draft = world.draft();
    assert_eq!(
        sign(draft.clone().with_rights(Rights::LIST | Rights::KEEP)),
        rule(Reason::EmergencyRights)
    );
    assert_eq!(
        sign(draft.clone().with_life_s(14_401)),
        rule(Reason::LifeTooLong)
    );
    assert_eq!(sign(draft.with_life_s(0)), rule(Reason::TimeOrder));
    let doctor = DoctorCode::new("D1").unwrap();
    let acting = (
        DepartmentCode::new("A20").unwrap(),
        doctor,
        StaffRole::Attending,
    );
    let alone = EmergencyDraft::new(
        realm(),
        hospital_code(),
        EmergencyReason::ManyInjured,
        acting,
        doctor,
    );
    assert_eq!(
        sign(alone.clone()),
        IssueError::Missing {
            missing: vec!["holder", "subject"]
        }
    );
    let alone = alone
        .with_holder(KeyId::from_bytes([1; 8]))
        .with_subject(PERSON, &opening());
    assert_eq!(sign(alone), rule(Reason::ReviewerSelf));
}

/// CST-100, CST-111: a key does not review what it takes, and a root does nothing else.
#[test]
fn err_keys_whose_roles_do_not_go_together() {
    let world = World::new();
    let key = || world.emergency.public_key().clone();
    let hospital = IssuerCode::from(hospital_code());
    let record = |owner: IssuerCode, roles: Roles| {
        KeyRecord::new(key(), owner, roles, validity()).unwrap_err()
    };
    let both = |one: Role, other: Role| Roles::from(one) | other.into();
    assert_eq!(
        record(hospital, both(Role::Emergency, Role::Review)),
        KeyError::RoleAlone
    );
    for role in [Role::Grant, Role::Status, Role::Log] {
        let refused = record(hospital, both(Role::Emergency, role));
        assert_eq!(refused, KeyError::RoleAlone);
    }
    let judge = both(Role::Log, Role::Review);
    assert_eq!(record(authority_code(), judge), KeyError::RoleAlone);
    assert_eq!(
        record(authority_code(), both(Role::Root, Role::Grant)),
        KeyError::RoleAlone
    );
    assert_eq!(
        record(authority_code(), Role::Emergency.into()),
        KeyError::RequesterNotInstitution
    );
    let roots = |records: Vec<KeyRecord>, threshold| {
        TrustedKeys::new(KeyRing::from_records(records).unwrap(), threshold).map(drop)
    };
    let root = || KeyRecord::new(key(), authority_code(), Role::Root, validity()).unwrap();
    assert_eq!(roots(vec![root()], 1), Ok(()));
    assert_eq!(roots(vec![], 1), Err(KeyError::Roots));
    assert_eq!(roots(vec![root()], 0), Err(KeyError::Roots));
    assert_eq!(roots(vec![root()], 2), Err(KeyError::Roots));
    assert_eq!(
        roots(vec![world.keys.authority_record()], 1),
        Err(KeyError::Roots)
    );
}

/// CST-103: the hospital draws the salts itself, and has signed which.
#[test]
fn err_another_opening_in_an_emergency() {
    let world = World::new();
    let policy = open_policy();
    let checker = Checker::new(&world.ring, &policy);
    let live = world.live(&world.draft(), &policy).unwrap();
    assert_eq!(
        OpeningDigest::new(Suite::Sm2Sm3, &opening()).as_ref(),
        Ok(live.claims().opening())
    );
    let mut bytes = opening().to_bytes();
    bytes[16] ^= 1;
    let other = Opening::from_bytes(bytes);
    let proof = live.prove_open(archive(), RECORD, &other).unwrap().sign(
        world.keys.hospital.as_ref(),
        ProofId::from_bytes([1; 16]),
        now(),
    );
    let (proof, place) = (proof.unwrap(), archive());
    let refused = live.permit(
        &checker,
        now(),
        Presented::new(&proof, &other),
        &Use::open(&place, PERSON, RECORD, facts()),
        &mut MemoryGuard::with_capacity(10),
    );
    assert_eq!(refused.unwrap_err().reason(), Reason::OtherOpening);
}

/// CST-106: the review is that of the organisation named.
#[test]
fn err_a_review_for_another_organisation() {
    let world = World::new();
    let commission = IssuerCode::new("REVIEW11").unwrap();
    let draft = world.draft().with_review_by(commission);
    let live = world.live(&draft, &open_policy()).unwrap();
    assert_eq!(*live.claims().reviewing(), commission);
    let review = ReviewDraft::of(live.claims(), Verdict::Justified);
    let by = |issuer: IssuerCode| review.sign(&world.log, issuer, now()).map(drop);
    assert_eq!(by(hospital_code().into()), Err(IssueError::NotTheReviewer));
    assert_eq!(by(commission), Ok(()));
}
