//! The audit: receipts that were kept back or logged late, accesses beyond a narrowing, accesses without a receipt,
//! withdrawals that nodes say they never heard, orders, and tokens of keys that were compromised since.
#![cfg(all(feature = "gm", feature = "ed25519"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use chrono::{DateTime, Utc};
use common::*;
use mic_consent::*;

struct World {
    keys: Keys,
    log: Ed25519SigningKey,
    insurer: Ed25519SigningKey,
    court: Ed25519SigningKey,
    ring: KeyRing,
    policy: Policy,
}

fn insurer() -> IssuerCode {
    IssuerCode::new("INSURER61").unwrap()
}

impl World {
    fn new() -> Self {
        let keys = keys(Suite::Ed25519);
        let key = |byte: u8| Ed25519SigningKey::from_secret_bytes(&[byte; 32]).unwrap();
        let (log, insurer_key, court) = (key(0x61), key(0x65), key(0x66));
        let mut ring = keys.ring();
        for (key, owner, role) in [
            (&log, *archive().node(), Role::Log),
            (&insurer_key, insurer(), Role::Log),
            (&court, IssuerCode::new("COURT01").unwrap(), Role::Order),
        ] {
            let record = KeyRecord::new(key.public_key().clone(), owner, role, validity());
            ring.insert(record.unwrap()).unwrap();
        }
        Self {
            keys,
            log,
            insurer: insurer_key,
            court,
            ring,
            policy: policy().with_orders().with_status_check_s(3_600),
        }
    }

    fn checker(&self) -> Checker<'_> {
        Checker::new(&self.ring, &self.policy)
    }

    fn grant(&self, id: u8) -> Live<Grant> {
        let token = grant_draft(&self.keys, Scope::all())
            .sign(
                self.keys.authority.as_ref(),
                GrantId::from_bytes([id; 16]),
                now(),
            )
            .unwrap();
        live_grant(&self.keys, token)
    }

    /// Opens a record under a grant; the receipt states `at`.
    fn open(
        &self,
        grant: &Live<Grant>,
        record: &[u8],
        proof: u8,
        at: DateTime<Utc>,
    ) -> Signed<Receipt> {
        let (opening, place) = (opening(), archive());
        let token = ProofDraft::open(grant, place, record, &opening)
            .unwrap()
            .sign(
                self.keys.hospital.as_ref(),
                ProofId::from_bytes([proof; 16]),
                now(),
            );
        let token = token.unwrap();
        let permit = grant.permit(
            &self.checker(),
            now(),
            Presented::new(&token, &opening),
            &Use::open(&place, PERSON, record, facts()),
            &mut MemoryGuard::with_capacity(2),
        );
        self.receipt(permit.unwrap(), at)
    }

    fn receipt(&self, permit: Permit<'_>, at: DateTime<Utc>) -> Signed<Receipt> {
        let token = permit
            .served()
            .sign(&self.log, *archive().node(), at)
            .unwrap();
        let token = token.untrusted::<Receipt>().unwrap();
        token.verify(&self.checker()).unwrap()
    }

    /// The head of a log and its witness's word, both of `at`.
    fn heads(&self, log: &MerkleLog, at: DateTime<Utc>) -> [Live<Checkpoint>; 2] {
        let draft = CheckpointDraft::head_of(log, *archive().node(), realm());
        let live = |token: Encoded| {
            let signed = token.untrusted::<Checkpoint>().unwrap();
            let signed = signed.verify(&self.checker()).unwrap();
            signed.live(&self.checker(), at).unwrap()
        };
        [
            live(draft.sign(&self.log, *archive().node(), at).unwrap()),
            live(draft.sign(&self.insurer, insurer(), at).unwrap()),
        ]
    }

    fn order(&self) -> Encoded {
        let instrument = InstrumentDigest::new(Suite::Ed25519, "0001", b"made-up instrument");
        OrderDraft::new(
            realm(),
            IssuerCode::new("COURT01").unwrap(),
            hospital_code(),
            (
                StatutoryGround::FundSupervision,
                ArticleCode::new("PIPL.13.3").unwrap(),
            ),
            instrument.unwrap(),
        )
        .with_holder(self.keys.hospital.key_id())
        .with_status(StatusRef::new(1, 7))
        .with_subject(PERSON, &opening())
        .sign(&self.court, GrantId::from_bytes([0x4f; 16]), now())
        .unwrap()
    }
}

fn kinds(report: &ReconciliationReport) -> Vec<FindingKind> {
    report.findings().iter().map(Finding::kind).collect()
}

/// CST-150, CST-151: gaps against the witnessed head, and receipts that an earlier head should have had.
#[test]
fn err_receipts_kept_back_or_logged_late() {
    let world = World::new();
    let grant = world.grant(1);
    let mut log = MerkleLog::new(Suite::Ed25519).unwrap();
    let mut receipts = Vec::new();
    for n in 0..6_u8 {
        // The last one is logged an hour after its date, behind the earlier head.
        let at = if n == 5 { after(5) } else { after(10) };
        let receipt = world.open(&grant, RECORD, n, at);
        if n == 5 {
            break;
        }
        log.append(receipt.entry()).unwrap();
        receipts.push(receipt);
    }
    let [early, early_witness] = world.heads(&log, after(3_600));
    let late = world.open(&grant, OTHER_RECORD, 9, after(5));
    log.append(late.entry()).unwrap();
    receipts.push(late);
    let [head, witness] = world.heads(&log, after(7_200));
    let grew = log.consistency(5, 6).unwrap();

    let alone = LogAudit::of(&head, &head).map(drop).unwrap_err();
    assert_eq!(alone.reason(), Reason::NotWitnessed);
    let mut audit = LogAudit::of(&head, &witness)
        .unwrap()
        .with_earlier(&early, &early_witness, &grew)
        .unwrap();
    // Not all in order, and 1, 2 and 4 not at all.
    for index in [5, 3, 0, 3] {
        let path = log.inclusion(index, 6).unwrap();
        let receipt = &receipts[usize::try_from(index).unwrap()];
        audit.entry(receipt, &path).unwrap();
    }
    let gaps: Vec<(u64, u64)> = audit
        .gaps()
        .iter()
        .map(|gap| (gap.first(), gap.count()))
        .collect();
    assert_eq!(gaps, [(1, 2), (4, 1)]);
    let wrong = audit.entry(&receipts[1], &log.inclusion(2, 6).unwrap());
    assert_eq!(wrong.unwrap_err().reason(), Reason::NotInLog);

    let mut reconciliation = Reconciliation::new();
    reconciliation.granted(grant.claims());
    for index in [0, 3, 5] {
        reconciliation.served(receipts[index].claims());
        reconciliation.served(receipts[index].claims());
    }
    reconciliation.audited(&audit);
    let report = reconciliation.report(after(8_000));
    assert_eq!(kinds(&report), [FindingKind::LoggedLate { by_s: 3_595 }]);
    assert_eq!(report.gaps(), audit.gaps());
    assert_eq!((report.accesses(), report.unlinked()), (3, 0));
    let all = report.scopes();
    assert_eq!(all.len(), 1);
    assert_eq!(
        (
            all[0].kind(),
            all[0].granted(),
            all[0].accesses(),
            all[0].studies()
        ),
        (ScopeKind::All, 1, 3, 2)
    );

    for index in [1, 2, 4] {
        let path = log.inclusion(index, 6).unwrap();
        let receipt = &receipts[usize::try_from(index).unwrap()];
        audit.entry(receipt, &path).unwrap();
    }
    assert!(audit.gaps().is_empty());
}

/// CST-152: an access whose receipt names a narrowing is compared with it.
#[test]
fn err_an_access_beyond_the_narrowing_it_names() {
    let world = World::new();
    let grant = world.grant(1);
    let opening = opening();
    let link = NarrowDraft::of(&grant)
        .with_records([RECORD], &opening)
        .unwrap()
        .with_life_s(600)
        .sign(world.keys.hospital.as_ref(), now())
        .unwrap();
    let link = link.untrusted::<Narrowed>().unwrap();
    let link = link.verify(&world.checker()).unwrap();
    let told = link.claims().clone();
    let narrowed = world
        .grant(1)
        .narrowed_by(link, &world.checker(), now())
        .unwrap();
    let serve = |proof: u8, at: DateTime<Utc>| {
        let place = archive();
        let token = narrowed.prove_open(place, RECORD, &opening).unwrap().sign(
            world.keys.hospital.as_ref(),
            ProofId::from_bytes([proof; 16]),
            now(),
        );
        let token = token.unwrap();
        let permit = narrowed.permit(
            &world.checker(),
            now(),
            Presented::new(&token, &opening),
            &Use::open(&place, PERSON, RECORD, facts()),
            &mut MemoryGuard::with_capacity(2),
        );
        world.receipt(permit.unwrap(), at).claims().clone()
    };
    let (good, late) = (serve(1, after(5)), serve(2, after(1_000)));
    let report = |with_link: bool| {
        let mut reconciliation = Reconciliation::new();
        reconciliation.granted(grant.claims());
        reconciliation.served(&good);
        reconciliation.served(&late);
        if with_link {
            reconciliation.narrowed(&told);
        }
        reconciliation.report(after(2_000))
    };
    assert_eq!(kinds(&report(true)), [FindingKind::BeyondNarrowing]);
    assert_eq!(report(true).unlinked(), 0);
    // Without the link it is within the grant, and the report says that two accesses name something unknown.
    assert_eq!(kinds(&report(false)), []);
    assert_eq!(report(false).unlinked(), 2);
}

/// CST-153: what the asking side got and no receipt has.
#[test]
fn err_an_access_without_a_receipt() {
    let world = World::new();
    let grant = world.grant(1);
    let proof = |id: u8| {
        let token = ProofDraft::list(&grant, archive()).sign(
            world.keys.hospital.as_ref(),
            ProofId::from_bytes([id; 16]),
            now(),
        );
        let token = token.unwrap().untrusted::<Proof>().unwrap();
        token.verify(&world.checker()).unwrap().claims().clone()
    };
    let mut reconciliation = Reconciliation::new();
    reconciliation.granted(grant.claims());
    reconciliation.served(world.open(&grant, RECORD, 1, after(5)).claims());
    reconciliation.obtained(&proof(1));
    assert_eq!(kinds(&reconciliation.report(after(9))), []);
    reconciliation.obtained(&proof(2));
    assert_eq!(
        kinds(&reconciliation.report(after(9))),
        [FindingKind::NoReceipt]
    );
}

/// CST-134: a node that says it never heard of a withdrawal must know it after the age of a status list.
#[test]
fn err_served_after_everybody_must_have_known_of_the_withdrawal() {
    let world = World::new();
    let grant = world.grant(1);
    let token = WithdrawalDraft::of(grant.claims(), Effect::Withdrawn)
        .sign(world.keys.authority.as_ref(), after(10))
        .unwrap();
    let signed = token.untrusted::<Withdrawal>().unwrap();
    let signed = signed.verify(&world.checker()).unwrap();
    let report = |at: i64| {
        let mut reconciliation = Reconciliation::new().with_status_list_age_s(600);
        reconciliation.granted(grant.claims());
        reconciliation.withdrawal(signed.claims());
        reconciliation.served(world.open(&grant, RECORD, 1, after(at)).claims());
        kinds(&reconciliation.report(after(2_000)))
    };
    assert_eq!(report(10 + 600 + 60), []);
    assert_eq!(
        report(10 + 600 + 61),
        [FindingKind::AfterWithdrawal { by_s: 1 }]
    );
}

/// CST-140 to CST-146: an order has its own basis in permit, receipt and report, ends with its status, and is not
/// served unless the policy says so.
#[test]
fn ok_an_order_is_served_as_an_order_and_reconciled() {
    let world = World::new();
    let signed = || {
        let token = world.order().untrusted::<Order>().unwrap();
        token.verify(&world.checker()).unwrap()
    };
    let closed = policy();
    let refused = signed().live(
        &Checker::new(&world.ring, &closed),
        now(),
        &Always(Status::Valid),
    );
    assert_eq!(refused.unwrap_err().reason(), Reason::OrderNotAccepted);
    let lifted = signed().live(&world.checker(), now(), &Always(Status::Withdrawn));
    assert_eq!(lifted.unwrap_err().reason(), Reason::Withdrawn);
    let live = signed()
        .live(&world.checker(), now(), &Always(Status::Valid))
        .unwrap();

    let (opening, place) = (opening(), archive());
    let proof = live.prove_open(place, RECORD, &opening).unwrap();
    let proof = proof
        .sign(
            world.keys.hospital.as_ref(),
            ProofId::from_bytes([1; 16]),
            now(),
        )
        .unwrap();
    let wanted = Use::open(&place, PERSON, RECORD, facts());
    let attempt = |checker: &Checker<'_>| {
        let mut guard = MemoryGuard::with_capacity(2);
        let presented = Presented::new(&proof, &opening);
        live.permit(checker, after(1), presented, &wanted, &mut guard)
            .map(|permit| world.receipt(permit, after(5)))
            .map_err(|denial| denial.reason())
    };
    // Lifted, or the policy closed, while it was live in memory.
    let gone = Always(Status::Withdrawn);
    let lifted = world.checker().with_status(&gone);
    assert_eq!(attempt(&lifted).map(drop), Err(Reason::Withdrawn));
    let closed = Checker::new(&world.ring, &closed);
    assert_eq!(attempt(&closed).map(drop), Err(Reason::OrderNotAccepted));

    let receipt = attempt(&world.checker()).unwrap();
    let claims = receipt.claims();
    assert_eq!((claims.basis(), claims.purpose()), (Basis::Statute, None));
    let (instrument, ground) = claims.order().unwrap();
    assert_eq!(instrument, live.claims().instrument());
    assert_eq!(*ground, StatutoryGround::FundSupervision);
    let mut reconciliation = Reconciliation::new();
    reconciliation.ordered(live.claims());
    reconciliation.served(claims);
    let report = reconciliation.report(after(10));
    assert_eq!(
        (report.orders(), report.grants(), kinds(&report)),
        (1, 0, vec![])
    );
}

/// CST-149: a receipt of a key that was compromised since is believed when another organisation's head from before
/// that moment has it; nothing else is.
#[test]
fn ok_a_receipt_from_before_the_compromise_stays_provable() {
    let world = World::new();
    let grant = world.grant(1);
    let mut log = MerkleLog::new(Suite::Ed25519).unwrap();
    let receipt = world.open(&grant, RECORD, 1, after(5));
    log.append(receipt.entry()).unwrap();
    let [own, witness] = world.heads(&log, after(600));
    let path = log.inclusion(0, 1).unwrap();

    let verify = |since: i64, head: &Live<Checkpoint>, path: &InclusionProof| {
        let mut ring = world.keys.ring();
        let record = KeyRecord::new(
            world.log.public_key().clone(),
            *archive().node(),
            Role::Log,
            validity(),
        );
        let since = after(since);
        let record = record.unwrap().with_state(KeyState::Compromised { since });
        ring.insert(record).unwrap();
        let key = world.insurer.public_key().clone();
        ring.insert(KeyRecord::new(key, insurer(), Role::Log, validity()).unwrap())
            .unwrap();
        let checker = Checker::new(&ring, &world.policy);
        let again = || receipt.encoded().clone().untrusted::<Receipt>().unwrap();
        let plain = again().verify(&checker).unwrap_err();
        assert_eq!(plain.reason(), Reason::KeyCompromised);
        again()
            .verify_witnessed(&checker, head, path)
            .map(|signed| signed.live(&checker, after(700)).unwrap_err().reason())
            .map_err(|denial| denial.reason())
    };
    // Provable, and never live.
    assert_eq!(verify(601, &witness, &path), Ok(Reason::KeyCompromised));
    // Seen by the witness only at the moment of the compromise.
    assert_eq!(verify(600, &witness, &path), Err(Reason::KeyCompromised));
    // The owner's own head is signed with the key that others have; it is not even trusted.
    assert_eq!(verify(601, &own, &path), Err(Reason::KeyCompromised));
    // A head that does not have it.
    let mut other = MerkleLog::new(Suite::Ed25519).unwrap();
    other.append(b"another entry").unwrap();
    let [_, stray] = world.heads(&other, after(600));
    assert_eq!(verify(601, &stray, &path), Err(Reason::NotInLog));
}
