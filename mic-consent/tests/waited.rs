//! Modules that are waited for: every draft signs and every permit decides as with software, the futures go
//! from thread to thread, and what is heard during the wait counts (CST-27, CST-63).
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use core::{
    future::Future,
    pin::{Pin, pin},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    task::{Context, Poll, Waker},
};

use chrono::{DateTime, Utc};
use common::*;
use mic_consent::*;

/// A module somewhere else: its first answer is "not yet".
struct Remote(Sm2SigningKey);

/// Pending once, so that what is awaited is really left and entered again.
#[derive(Default)]
struct Later(bool);

impl Future for Later {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if core::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl AsyncSigner for Remote {
    fn key_id(&self) -> KeyId {
        self.0.key_id()
    }

    fn suite(&self) -> Suite {
        self.0.suite()
    }

    async fn sign(&self, to_be_signed: &[u8]) -> Result<Signature, SignError> {
        Later::default().await;
        self.0.sign(to_be_signed)
    }
}

/// Checks after a wait, during which something may happen.
struct Asks<F>(F);

impl<F: Fn() + Sync> AsyncRawVerify for Asks<F> {
    async fn verify(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        Later::default().await;
        (self.0)();
        key.verify(message, signature)
    }
}

/// The smallest runtime there is; it takes what may go to another thread.
fn wait<T>(future: impl Future<Output = T> + Send) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    let value = match future.as_mut().poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    };
    value.unwrap()
}

fn remote(secret: u8) -> Remote {
    Remote(Sm2SigningKey::from_secret_bytes(&[secret; 32]).unwrap())
}

fn record(key: &Remote, owner: IssuerCode, role: Role) -> KeyRecord {
    KeyRecord::new(key.0.public_key().clone(), owner, role, validity()).unwrap()
}

/// Keys, and a node that takes emergencies.
struct World {
    hospital: Remote,
    authority: Remote,
    emergency: Remote,
    ring: KeyRing,
    policy: Policy,
}

impl World {
    fn new() -> Self {
        // The hospital's and the authority's are those of `keys(Suite::Sm2Sm3)`.
        let (hospital, authority, emergency) = (remote(0x21), remote(0x22), remote(0x23));
        let ring = KeyRing::from_records([
            record(&hospital, hospital_code().into(), Role::Request),
            record(&authority, authority_code(), Role::Grant),
            record(&emergency, hospital_code().into(), Role::Emergency),
        ]);
        Self {
            hospital,
            authority,
            emergency,
            ring: ring.unwrap(),
            policy: policy().with_emergency_access(),
        }
    }

    fn checker(&self) -> Checker<'_> {
        Checker::new(&self.ring, &self.policy)
    }

    fn emergency_draft(&self) -> EmergencyDraft {
        let doctor = |code: &str| DoctorCode::new(code).unwrap();
        let department = DepartmentCode::new("A20").unwrap();
        EmergencyDraft::new(
            realm(),
            hospital_code(),
            EmergencyReason::LifeAtRisk,
            (department, doctor("D1"), StaffRole::Attending),
            doctor("D2"),
        )
        .with_holder(self.hospital.0.key_id())
        .with_subject(PERSON, &opening())
    }

    fn live_emergency(&self) -> Live<Emergency> {
        let token =
            self.emergency_draft()
                .sign(&self.emergency.0, GrantId::from_bytes([8; 16]), now());
        let signed = token
            .unwrap()
            .untrusted::<Emergency>()
            .unwrap()
            .verify(&self.checker());
        signed.unwrap().live(&self.checker(), now()).unwrap()
    }

    fn live_grant(&self) -> Live<Grant> {
        let keys = keys(Suite::Sm2Sm3);
        live_grant(&keys, grant(&keys, ct_scope()))
    }

    fn narrowed(&self) -> NarrowedGrant {
        let grant = self.live_grant();
        let link = NarrowDraft::of(&grant).sign(&self.hospital.0, now());
        let link = link.unwrap().untrusted::<Narrowed>().unwrap();
        let link = link.verify(&self.checker()).unwrap();
        grant.narrowed_by(link, &self.checker(), now()).unwrap()
    }
}

/// Both ways of signing give the same token.
macro_rules! alike {
    ($draft:expr, $key:expr $(, $argument:expr)*) => {{
        let (draft, key): (_, &Remote) = ($draft, $key);
        let plain = draft.sign(&key.0 $(, $argument)*).unwrap();
        assert_eq!(wait(draft.sign_async(key $(, $argument)*)).unwrap(), plain);
    }};
}

#[test]
fn ok_every_draft_is_signed_by_a_module_that_is_waited_for_as_by_software() {
    let world = World::new();
    let (hospital, authority) = (&world.hospital, &world.authority);
    let asked = live_request(&keys(Suite::Sm2Sm3), ct_scope());
    let grant = world.live_grant();
    let (owner, id) = (authority_code(), GrantId::from_bytes([8; 16]));

    alike!(
        OfferDraft::new(realm(), owner),
        authority,
        OfferId::from_bytes([3; 16]),
        now()
    );
    let declined = RefusalDraft::answering(&asked, owner, RefusalReason::Declined);
    alike!(declined, authority, now());
    let withdrawal = WithdrawalDraft::of(grant.claims(), Effect::Withdrawn);
    alike!(withdrawal, authority, now());
    alike!(NarrowDraft::of(&grant).with_life_s(60), hospital, now());
    alike!(world.emergency_draft(), &world.emergency, id, now());
    let emergency = world.live_emergency();
    let review = ReviewDraft::of(emergency.claims(), Verdict::Justified);
    alike!(review, hospital, hospital_code().into(), now());
    let list = StatusListDraft::new(realm(), owner, 3, 1000).with_withdrawn([7]);
    alike!(list, authority, now());
    let set = KeySetDraft::first(realm(), owner, world.ring.clone());
    alike!(set, authority, now());
    let mut log = MerkleLog::new(Suite::Sm2Sm3).unwrap();
    log.append(b"entry").unwrap();
    alike!(
        CheckpointDraft::head_of(&log, *archive().node(), realm()),
        authority,
        owner,
        now()
    );

    let (place, opening) = (archive(), opening());
    let proof =
        ProofDraft::list(&grant, place).sign(&hospital.0, ProofId::from_bytes([1; 16]), now());
    let proof = proof.unwrap();
    let permit = grant.permit(
        &world.checker(),
        now(),
        Presented::new(&proof, &opening),
        &Use::list(&place, PERSON),
        &mut MemoryGuard::with_capacity(8),
    );
    alike!(permit.unwrap().served(), authority, *place.node(), now());
}

#[test]
fn err_what_a_draft_refuses_never_reaches_the_module() {
    let world = World::new();
    let grant = world.live_grant();
    let draft = NarrowDraft::of(&grant);
    let mut other = pin!(draft.sign_async(&world.authority, now()));
    let mut context = Context::from_waker(Waker::noop());
    // Ready at once: the module was not asked.
    assert_eq!(
        other.as_mut().poll(&mut context),
        Poll::Ready(Err(IssueError::NotTheGrantee))
    );
}

/// Grant, narrowed grant and emergency: permitted once, and the proof is used up for both ways of checking.
macro_rules! permits {
    ($world:ident, $held:expr, $prove:expr, $basis:expr) => {{
        let (held, checker, place, opening) = ($held, $world.checker(), archive(), opening());
        let proof = $prove(&held, place)
            .sign(&$world.hospital.0, ProofId::from_bytes([1; 16]), now())
            .unwrap();
        let presented = Presented::new(&proof, &opening);
        let wanted = Use::list(&place, PERSON);
        let mut guard = MemoryGuard::with_capacity(8);
        let module = Asks(|| ());
        let permit = held.permit_async(&checker, &module, now(), presented, &wanted, &mut guard);
        let permit = wait(permit).unwrap();
        assert_eq!(permit.basis(), $basis);
        assert_eq!(permit.action(), &Action::ListExams);
        assert_eq!(permit.grant().is_some(), $basis == Basis::Consent);
        let again = held.permit_async(&checker, &module, now(), presented, &wanted, &mut guard);
        assert_eq!(wait(again).unwrap_err().reason(), Reason::ProofReplayed);
        let plain = held.permit(&checker, now(), presented, &wanted, &mut guard);
        assert_eq!(plain.unwrap_err().reason(), Reason::ProofReplayed);
    }};
}

#[test]
fn ok_a_permit_is_given_after_the_wait_and_its_proof_is_used_up() {
    let world = World::new();
    permits!(world, world.live_grant(), ProofDraft::list, Basis::Consent);
    permits!(
        world,
        world.narrowed(),
        NarrowedGrant::prove_list,
        Basis::Consent
    );
    permits!(
        world,
        world.live_emergency(),
        Live::<Emergency>::prove_list,
        Basis::Emergency
    );
}

/// Refuses every signature.
struct Never;

impl AsyncRawVerify for Never {
    async fn verify(&self, _: &PublicKey, _: &[u8], _: &Signature) -> Result<(), BadSignature> {
        Later::default().await;
        Err(BadSignature)
    }
}

/// Withdrawn as soon as it is told.
#[derive(Default)]
struct Heard(AtomicBool);

impl StatusSource for Heard {
    fn status(&self, _: &KeyId, _: StatusRef, _: DateTime<Utc>) -> Status {
        match self.0.load(Relaxed) {
            true => Status::Withdrawn,
            false => Status::Valid,
        }
    }
}

#[test]
fn err_a_bad_proof_or_a_withdrawal_during_the_wait_ends_it() {
    let world = World::new();
    let (grant, place, opening) = (world.live_grant(), archive(), opening());
    let proof = ProofDraft::list(&grant, place)
        .sign(&world.hospital.0, ProofId::from_bytes([1; 16]), now())
        .unwrap();
    let presented = Presented::new(&proof, &opening);
    let wanted = Use::list(&place, PERSON);
    let mut guard = MemoryGuard::with_capacity(8);

    let checker = world.checker();
    let refused = grant.permit_async(&checker, &Never, now(), presented, &wanted, &mut guard);
    assert_eq!(wait(refused).unwrap_err().reason(), Reason::BadSignature);

    let heard = Heard::default();
    let checker = world.checker().with_status(&heard);
    let module = Asks(|| heard.0.store(true, Relaxed));
    let ended = grant.permit_async(&checker, &module, now(), presented, &wanted, &mut guard);
    assert_eq!(wait(ended).unwrap_err().reason(), Reason::Withdrawn);

    // Neither used the proof up.
    let checker = world.checker();
    let permit = grant.permit(&checker, now(), presented, &wanted, &mut guard);
    assert!(permit.is_ok());
}

#[test]
fn ok_a_dropped_wait_leaves_the_proof_unused() {
    let world = World::new();
    let (grant, place, opening) = (world.live_grant(), archive(), opening());
    let proof = ProofDraft::list(&grant, place)
        .sign(&world.hospital.0, ProofId::from_bytes([1; 16]), now())
        .unwrap();
    let presented = Presented::new(&proof, &opening);
    let (wanted, checker) = (Use::list(&place, PERSON), world.checker());
    let mut guard = MemoryGuard::with_capacity(8);
    {
        let module = Asks(|| ());
        let future = grant.permit_async(&checker, &module, now(), presented, &wanted, &mut guard);
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    let permit = grant.permit(&checker, now(), presented, &wanted, &mut guard);
    assert!(permit.is_ok());
}
