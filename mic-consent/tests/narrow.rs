//! Narrowing: an order in each part, never wider, exhaustively on a small lattice; and what it permits.
#![cfg(all(feature = "gm", feature = "ed25519"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use chrono::{DateTime, Days, NaiveDate, Utc};
use common::*;
use mic_consent::*;

/// All scopes over two days, two modalities, two provinces and two records, some of each kind.
fn scopes() -> Vec<Scope> {
    let day = |n: u64| {
        NaiveDate::default()
            .checked_add_days(Days::new(20_000 + n))
            .unwrap()
    };
    let (ct, mr) = (Modality::new("CT").unwrap(), Modality::new("MR").unwrap());
    let days = [None, Some((0, 0)), Some((0, 1)), Some((1, 1))];
    let modalities: [&[Modality]; 3] = [&[], &[ct], &[ct, mr]];
    let provinces: [&[u8]; 3] = [&[], &[61], &[11, 61]];
    let records =
        [1_u8, 2].map(|n| RecordCommitment::new(Suite::Ed25519, &opening(), &[n]).unwrap());
    let mut scopes = vec![Scope::all()];
    for span in days {
        for modalities in modalities {
            for provinces in provinces {
                let mut filter = ScopeFilter::new();
                if let Some((first, last)) = span {
                    filter = filter.with_days(day(first), day(last)).unwrap();
                }
                if !modalities.is_empty() {
                    filter = filter.with_modalities(modalities.iter().copied()).unwrap();
                }
                if !provinces.is_empty() {
                    let list = provinces
                        .iter()
                        .map(|number| Province::new(*number).unwrap());
                    filter = filter.with_provinces(list).unwrap();
                }
                scopes.push(Scope::list_only(filter.clone()));
                scopes.extend(Scope::filtered(filter.clone()));
                for chosen in [&records[..1], &records[1..], &records[..]] {
                    scopes.push(Scope::chosen(chosen.iter().copied(), filter.clone()).unwrap());
                }
            }
        }
    }
    scopes
}

/// CST-44, CST-80: reflexive, antisymmetric and transitive, for every pair and triple of the lattice.
#[test]
fn ok_scopes_are_partially_ordered() {
    let scopes = scopes();
    let n = scopes.len();
    let within: Vec<Vec<bool>> = scopes
        .iter()
        .map(|one| scopes.iter().map(|other| one.is_within(other)).collect())
        .collect();
    for a in 0..n {
        assert!(within[a][a]);
        for b in 0..n {
            assert!(!(within[a][b] && within[b][a]) || scopes[a] == scopes[b]);
            let above = within[a].iter().zip(&within[b]);
            assert!(!within[a][b] || above.into_iter().all(|(of_a, of_b)| !of_b || *of_a));
        }
    }
}

/// Terms over a lattice of every part but the scope, of which three are taken.
fn terms() -> Vec<Part> {
    let mut all = Vec::new();
    let scopes = [
        Scope::all(),
        ct_scope(),
        Scope::list_only(ScopeFilter::new()),
    ];
    for rights in [Rights::LIST, Rights::LIST | Rights::VIEW] {
        for scope in &scopes {
            for (from, until) in [(0, 10), (0, 20), (5, 10)] {
                for place in [None, Some(archive()), Some(index())] {
                    for doctor in [None, Some("D1"), Some("D2")] {
                        for studies in [None, Some(1), Some(2)] {
                            all.push(Part {
                                rights,
                                scope: scope.clone(),
                                times: (after(from), after(until)),
                                place,
                                doctor: doctor.map(|code| DoctorCode::new(code).unwrap()),
                                studies,
                            });
                        }
                    }
                }
            }
        }
    }
    all
}

struct Part {
    rights: Rights,
    scope: Scope,
    times: (DateTime<Utc>, DateTime<Utc>),
    place: Option<Place>,
    doctor: Option<DoctorCode>,
    studies: Option<u16>,
}

impl Part {
    fn terms(&self) -> Terms<'_> {
        let mut terms = Terms::new(self.rights, &self.scope, self.times.0, self.times.1);
        if let Some(place) = &self.place {
            terms = terms.with_place(place);
        }
        if let Some(doctor) = &self.doctor {
            terms = terms.with_doctor(doctor);
        }
        if let Some(studies) = self.studies {
            terms = terms.with_studies_max(studies);
        }
        terms
    }
}

/// CST-80: the order of terms is the product of the orders of their parts, written down here a second time.
#[test]
fn ok_terms_are_ordered_part_by_part() {
    let all = terms();
    for a in &all {
        for b in &all {
            let one = |narrow: bool, any: bool| narrow || any;
            let parts = a.rights.is_within(b.rights)
                && a.scope.is_within(&b.scope)
                && b.times.0 <= a.times.0
                && a.times.1 <= b.times.1
                && one(a.place == b.place, b.place.is_none())
                && one(a.doctor == b.doctor, b.doctor.is_none())
                && match (a.studies, b.studies) {
                    (_, None) => true,
                    (None, Some(_)) => false,
                    (Some(a), Some(b)) => a <= b,
                };
            assert_eq!(a.terms().is_within(&b.terms()), parts);
        }
    }
}

struct World {
    keys: Keys,
    viewer: Ed25519SigningKey,
    ring: KeyRing,
    policy: Policy,
}

impl World {
    fn new() -> Self {
        let keys = keys(Suite::Ed25519);
        let viewer = Ed25519SigningKey::from_secret_bytes(&[0x39; 32]).unwrap();
        let owner = IssuerCode::from(hospital_code());
        let record = KeyRecord::new(
            viewer.public_key().clone(),
            owner,
            Role::Request,
            validity(),
        );
        let mut ring = keys.ring();
        ring.insert(record.unwrap()).unwrap();
        Self {
            keys,
            viewer,
            ring,
            policy: policy(),
        }
    }

    fn checker(&self) -> Checker<'_> {
        Checker::new(&self.ring, &self.policy)
    }

    fn narrow(&self, draft: impl Fn(NarrowDraft<'_>) -> NarrowDraft<'_>) -> NarrowedGrant {
        let grant = live_grant(&self.keys, grant(&self.keys, ct_scope()));
        let link = draft(NarrowDraft::of(&grant).with_holder(self.viewer.key_id()))
            .sign(self.keys.hospital.as_ref(), now())
            .unwrap();
        let link = link
            .untrusted::<Narrowed>()
            .unwrap()
            .verify(&self.checker())
            .unwrap();
        grant.narrowed_by(link, &self.checker(), now()).unwrap()
    }

    /// Opens a record as the viewer, or as whoever signs.
    fn open(
        &self,
        narrowed: &NarrowedGrant,
        by: &dyn Signer,
        place: Place,
        record: &[u8],
    ) -> Result<(), Reason> {
        let opening = opening();
        let draft = narrowed.prove_open(place, record, &opening).unwrap();
        let Ok(proof) = draft.sign(by, ProofId::from_bytes([4; 16]), now()) else {
            return Err(Reason::NotTheGrantee);
        };
        let presented = Presented::new(&proof, &opening);
        let wanted = Use::open(&place, PERSON, record, facts());
        let mut guard = MemoryGuard::with_capacity(10);
        narrowed
            .permit(&self.checker(), now(), presented, &wanted, &mut guard)
            .map(drop)
            .map_err(|denial| denial.reason())
    }
}

#[test]
fn ok_the_viewer_opens_what_was_left_and_the_hospital_no_longer() {
    let world = World::new();
    let narrowed = world.narrow(|draft| {
        draft
            .with_records([RECORD], &opening())
            .unwrap()
            .with_place(archive())
    });
    assert_eq!(
        world.open(&narrowed, &world.viewer, archive(), RECORD),
        Ok(())
    );
    assert_eq!(
        world.open(&narrowed, &world.viewer, archive(), OTHER_RECORD),
        Err(Reason::OutsideScope)
    );
    let elsewhere = Place::province(
        Province::new(61).unwrap(),
        IssuerCode::new("ARCHIVE99").unwrap(),
    );
    assert_eq!(
        world.open(&narrowed, &world.viewer, elsewhere, RECORD),
        Err(Reason::OtherPlace)
    );
    let hospital = world.keys.hospital.as_ref();
    assert_eq!(
        world.open(&narrowed, hospital, archive(), RECORD),
        Err(Reason::NotTheGrantee)
    );
}

/// A proof made under the grant is none under its narrowing, nor the other way round (CST-84).
#[test]
fn err_a_proof_for_the_grant_under_its_narrowing() {
    let world = World::new();
    let narrowed = world.narrow(|draft| draft.with_life_s(60));
    let opening = opening();
    let grant = live_grant(&world.keys, grant(&world.keys, ct_scope()));
    let proof = ProofDraft::open(&grant, archive(), RECORD, &opening).unwrap();
    let proof = proof
        .sign(
            world.keys.hospital.as_ref(),
            ProofId::from_bytes([4; 16]),
            now(),
        )
        .unwrap();
    let (place, mut guard) = (archive(), MemoryGuard::with_capacity(10));
    let wanted = Use::open(&place, PERSON, RECORD, facts());
    let presented = Presented::new(&proof, &opening);
    let refused = narrowed.permit(&world.checker(), now(), presented, &wanted, &mut guard);
    assert_eq!(refused.unwrap_err().reason(), Reason::NotTheGrantee);
    assert!(
        grant
            .permit(&world.checker(), now(), presented, &wanted, &mut guard)
            .is_ok()
    );
}

#[test]
fn err_a_narrowing_that_is_over_or_whose_grant_is_withdrawn() {
    let world = World::new();
    let narrowed = world.narrow(|draft| draft.with_life_s(30));
    let opening = opening();
    let proof = narrowed.prove_list(index());
    let later = after(55);
    let proof = proof
        .sign(&world.viewer, ProofId::from_bytes([4; 16]), later)
        .unwrap();
    let (place, mut guard) = (index(), MemoryGuard::with_capacity(10));
    let wanted = Use::list(&place, PERSON);
    let presented = Presented::new(&proof, &opening);
    // The end with the skew is at 90 seconds; the look at the status is good for 60.
    let source = Always(Status::Withdrawn);
    let hearing = world.checker().with_status(&source);
    let refused = narrowed.permit(&hearing, later, presented, &wanted, &mut guard);
    assert_eq!(refused.unwrap_err().reason(), Reason::Withdrawn);
    assert!(
        narrowed
            .permit(&world.checker(), later, presented, &wanted, &mut guard)
            .is_ok()
    );

    let over = world.narrow(|draft| draft.with_life_s(1));
    let policy = policy().with_skew_s(0);
    let strict = Checker::new(&world.ring, &policy);
    let proof = over
        .prove_list(index())
        .sign(&world.viewer, ProofId::from_bytes([5; 16]), after(5))
        .unwrap();
    let refused = over.permit(
        &strict,
        after(5),
        Presented::new(&proof, &opening),
        &wanted,
        &mut guard,
    );
    assert_eq!(refused.unwrap_err().reason(), Reason::Expired);
}

/// A key of the hospital that is suspended ends what was narrowed to it or by it.
#[test]
fn err_a_narrowing_by_a_key_that_was_suspended_since() {
    let world = World::new();
    let narrowed = world.narrow(|draft| draft);
    let suspended = world.keys.hospital_record().with_state(KeyState::Suspended);
    let owner = IssuerCode::from(hospital_code());
    let viewer = KeyRecord::new(
        world.viewer.public_key().clone(),
        owner,
        Role::Request,
        validity(),
    );
    let ring =
        KeyRing::from_records([suspended, world.keys.authority_record(), viewer.unwrap()]).unwrap();
    let checker = Checker::new(&ring, &world.policy);
    let opening = opening();
    let proof = narrowed
        .prove_list(index())
        .sign(&world.viewer, ProofId::from_bytes([4; 16]), now())
        .unwrap();
    let (place, mut guard) = (index(), MemoryGuard::with_capacity(10));
    let refused = narrowed.permit(
        &checker,
        now(),
        Presented::new(&proof, &opening),
        &Use::list(&place, PERSON),
        &mut guard,
    );
    assert_eq!(refused.unwrap_err().reason(), Reason::KeySuspended);
}

#[test]
fn err_a_draft_that_would_widen_is_not_signed() {
    let world = World::new();
    let grant = live_grant(&world.keys, grant(&world.keys, ct_scope()));
    let sign =
        |draft: NarrowDraft<'_>| draft.sign(world.keys.hospital.as_ref(), now()).unwrap_err();
    let wider = |what| IssueError::WiderThanGrant { what };
    assert_eq!(
        sign(NarrowDraft::of(&grant).with_rights(Rights::KEEP)),
        wider("the rights")
    );
    assert_eq!(
        sign(NarrowDraft::of(&grant).with_scope(Scope::all())),
        wider("the scope")
    );
    assert_eq!(
        sign(NarrowDraft::of(&grant).with_life_s(86_400)),
        wider("the time")
    );
    // Found by fuzzing: a count that every node would refuse.
    for studies in [0, 10_001] {
        let reason = Reason::TooMany;
        let refused = sign(NarrowDraft::of(&grant).with_studies_max(studies));
        assert_eq!(refused, IssueError::Rule { reason });
    }
    let stranger = NarrowDraft::of(&grant).sign(&world.viewer, now());
    assert_eq!(stranger.unwrap_err(), IssueError::NotTheGrantee);
}

/// CST-85: narrowing does not multiply the count; studies are counted under the grant.
#[test]
fn err_two_narrowings_share_one_count() {
    let world = World::new();
    let one = world.narrow(|draft| draft.with_studies_max(1));
    let other = world.narrow(|draft| draft.with_studies_max(1).with_life_s(300));
    let opening = opening();
    let (place, mut guard) = (archive(), MemoryGuard::with_capacity(10));
    for (n, narrowed, record, expected) in [
        (1, &one, RECORD, None),
        (2, &other, OTHER_RECORD, Some(Reason::StudiesUsedUp)),
        (3, &one, OTHER_RECORD, Some(Reason::StudiesUsedUp)),
        (4, &other, RECORD, None),
    ] {
        let proof = narrowed.prove_open(archive(), record, &opening).unwrap();
        let proof = proof
            .sign(&world.viewer, ProofId::from_bytes([n; 16]), now())
            .unwrap();
        let wanted = Use::open(&place, PERSON, record, facts());
        let result = narrowed.permit(
            &world.checker(),
            now(),
            Presented::new(&proof, &opening),
            &wanted,
            &mut guard,
        );
        assert_eq!(result.err().map(|denial| denial.reason()), expected);
    }
}
