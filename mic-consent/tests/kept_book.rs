//! What a node and an authority must not forget: withdrawals heard and versions seen over a restart, requests and
//! offers taken once, an organisation that is suspended.
#![cfg(all(feature = "gm", feature = "ed25519"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use common::*;
use mic_consent::*;

#[derive(Default, Clone)]
struct Store {
    bytes: Vec<u8>,
    broken: bool,
}

impl BookStore for Store {
    fn append(&mut self, record: &[u8; BOOK_RECORD_BYTES]) -> Result<(), BookStoreError> {
        if self.broken {
            return Err(BookStoreError::Unavailable);
        }
        self.bytes.extend_from_slice(record);
        Ok(())
    }

    fn replace(
        &mut self,
        records: &mut dyn Iterator<Item = [u8; BOOK_RECORD_BYTES]>,
    ) -> Result<(), BookStoreError> {
        if self.broken {
            return Err(BookStoreError::Unavailable);
        }
        self.bytes = records.flatten().collect();
        Ok(())
    }
}

struct World {
    keys: Keys,
    status: Ed25519SigningKey,
    ring: KeyRing,
    policy: Policy,
}

impl World {
    fn new() -> Self {
        let keys = keys(Suite::Ed25519);
        let status = Ed25519SigningKey::from_secret_bytes(&[0x64; 32]).unwrap();
        let mut ring = keys.ring();
        let key = status.public_key().clone();
        ring.insert(KeyRecord::new(key, authority_code(), Role::Status, validity()).unwrap())
            .unwrap();
        Self {
            keys,
            status,
            ring,
            policy: policy(),
        }
    }

    fn checker(&self) -> Checker<'_> {
        Checker::new(&self.ring, &self.policy)
    }

    fn book(&self) -> StatusBook {
        StatusBook::new(&self.policy)
    }

    fn list(&self, version: u32, withdrawn: &[u32], at: i64) -> Live<StatusList> {
        let draft = StatusListDraft::new(realm(), authority_code(), 3, 100_000)
            .with_version(version)
            .with_withdrawn(withdrawn.iter().copied());
        let list = draft.sign(&self.status, after(at)).unwrap();
        let list = Encoded::document_from_bytes(list.as_bytes()).unwrap();
        let signed = list.untrusted::<StatusList>().unwrap();
        let signed = signed.verify(&self.checker()).unwrap();
        signed.live(&self.checker(), after(at)).unwrap()
    }

    fn withdrawal(&self, effect: Effect, at: i64) -> Live<Withdrawal> {
        let grant = live_grant(&self.keys, grant(&self.keys, Scope::all()));
        let token = WithdrawalDraft::of(grant.claims(), effect)
            .sign(self.keys.authority.as_ref(), after(at))
            .unwrap();
        let signed = token.untrusted::<Withdrawal>().unwrap();
        let signed = signed.verify(&self.checker()).unwrap();
        signed.live(&self.checker(), after(at)).unwrap()
    }

    fn status(&self, book: &StatusBook, at: i64) -> Status {
        let issuer = self.keys.authority.key_id();
        let place = StatusRef::new(3, 70_001);
        book.with_keys(&self.ring).status(&issuer, place, after(at))
    }

    fn open(&self, bytes: &[u8]) -> Result<KeptBook<Store>, BookStoreError> {
        KeptBook::open(self.book(), bytes, Store::default(), after(20))
    }
}

/// CST-99, CST-147: what was heard is withdrawn from the first moment after a restart on.
#[test]
fn ok_a_withdrawal_heard_outlives_a_restart() {
    let world = World::new();
    let mut book = world.open(&[]).unwrap();
    book.accept(world.list(1, &[], 0)).unwrap();
    assert_eq!(world.status(book.book(), 5), Status::Valid);
    book.hear(&world.withdrawal(Effect::Withdrawn, 5)).unwrap();
    assert_eq!(world.status(book.book(), 6), Status::Withdrawn);
    let kept = book.into_store().bytes;

    let mut book = world.open(&kept).unwrap();
    assert_eq!(world.status(book.book(), 21), Status::Withdrawn);
    // Other grants are unknown until a list comes, and the list of the same version must be the same.
    book.accept(world.list(1, &[], 0)).unwrap();
    assert_eq!(world.status(book.book(), 21), Status::Withdrawn);
}

/// CST-93, CST-96: versions and contents seen before a restart bind as those seen since.
#[test]
fn err_lists_rolled_back_or_forked_over_a_restart() {
    let world = World::new();
    let mut book = world.open(&[]).unwrap();
    book.accept(world.list(2, &[7], 10)).unwrap();
    let kept = book.into_store().bytes;
    let mut book = world.open(&kept).unwrap();
    assert_eq!(world.status(book.book(), 21), Status::Unknown);
    let refused = |book: &mut KeptBook<Store>, list| book.accept(list).unwrap_err().reason();
    let older = world.list(1, &[7], 15);
    assert_eq!(refused(&mut book, older), Reason::OlderThanSeen);
    let forked = world.list(2, &[8], 10);
    assert_eq!(refused(&mut book, forked), Reason::ForkedVersion);
    book.accept(world.list(2, &[7], 10)).unwrap();
    let undone = world.list(3, &[8], 15);
    assert_eq!(refused(&mut book, undone), Reason::WithdrawalUndone);
    // A clock before what was seen knows nothing.
    assert_eq!(world.status(book.book(), -100), Status::Unknown);
}

/// CST-147: every changed byte is found, a torn end is dropped, a store that fails is told.
#[test]
fn err_a_store_that_is_damaged_or_fails() {
    let world = World::new();
    let mut book = world.open(&[]).unwrap();
    book.accept(world.list(1, &[7], 0)).unwrap();
    book.hear(&world.withdrawal(Effect::Suspended, 5)).unwrap();
    let kept = book.into_store().bytes;
    for at in 0..kept.len() {
        let mut changed = kept.clone();
        changed[at] ^= 1;
        let damaged = BookStoreError::Damaged {
            at: at / BOOK_RECORD_BYTES * BOOK_RECORD_BYTES,
        };
        assert_eq!(world.open(&changed).map(drop), Err(damaged), "{at}");
    }
    let torn = &kept[..kept.len() - 1];
    assert!(world.open(torn).is_ok());

    let mut book = world.open(&kept).unwrap();
    book.store_mut().broken = true;
    let refused = book
        .hear(&world.withdrawal(Effect::Withdrawn, 6))
        .unwrap_err();
    assert_eq!(refused.reason(), Reason::NotKept);
    assert_eq!(world.status(book.book(), 7), Status::Withdrawn);
}

/// CST-99: an authority without room is unknown after a restart as well.
#[test]
fn err_no_room_is_remembered() {
    let world = World::new();
    let small = || world.book().with_room_for_issuer(64, 0);
    let mut book = KeptBook::open(small(), &[], Store::default(), now()).unwrap();
    book.accept(world.list(1, &[], 0)).unwrap();
    let refused = book
        .hear(&world.withdrawal(Effect::Withdrawn, 5))
        .unwrap_err();
    assert_eq!(refused.reason(), Reason::MemoryFull);
    let kept = book.into_store().bytes;
    let mut book = world.open(&kept).unwrap();
    book.accept(world.list(1, &[], 0)).unwrap();
    assert_eq!(world.status(book.book(), 21), Status::Unknown);
    book.accept(world.list(2, &[70_001], 15)).unwrap();
    assert_eq!(world.status(book.book(), 21), Status::Withdrawn);
}

/// CST-114 to CST-116: content counts over a restart, not the version alone.
#[test]
fn err_a_key_set_of_the_same_version_with_another_content() {
    let owner = IssuerCode::new("ROOT00").unwrap();
    let root = Ed25519SigningKey::from_secret_bytes(&[0x71; 32]).unwrap();
    let record = KeyRecord::new(root.public_key().clone(), owner, Role::Root, validity());
    let roots = KeyRing::from_records([record.unwrap()]).unwrap();
    let policy = policy();
    let live = |draft: &KeySetDraft| {
        let checker = Checker::new(&roots, &policy);
        let set = draft.sign(&root, now()).unwrap();
        let set = Encoded::document_from_bytes(set.as_bytes()).unwrap();
        let signed = set.untrusted::<KeySet>().unwrap().verify(&checker).unwrap();
        signed.live(&checker, now()).unwrap()
    };
    let one = live(&KeySetDraft::first(realm(), owner, KeyRing::new()));
    let other = live(&KeySetDraft::first(
        realm(),
        owner,
        keys(Suite::Ed25519).ring(),
    ));
    let mut trusted = TrustedKeys::new(roots.clone(), 1).unwrap();
    trusted.adopt(core::slice::from_ref(&one)).unwrap();
    let mark = KeySetMark::from_bytes(trusted.mark().unwrap().to_bytes().unwrap());
    let after_restart = || TrustedKeys::new(roots.clone(), 1).unwrap().with_mark(mark);
    let adopt = |set: &Live<KeySet>| {
        let adopted = after_restart().adopt(core::slice::from_ref(set));
        adopted.map_err(|denial| denial.reason())
    };
    assert_eq!(adopt(&one), Ok(()));
    assert_eq!(adopt(&other), Err(Reason::ForkedVersion));
    let next = live(&KeySetDraft::after(&one, KeyRing::new()).unwrap());
    let stray = live(&KeySetDraft::after(&other, KeyRing::new()).unwrap());
    assert_eq!(adopt(&next), Ok(()));
    assert_eq!(adopt(&stray), Err(Reason::OtherPredecessor));
}

/// CST-89, CST-148.
#[test]
fn err_a_request_or_an_offer_taken_twice() {
    let world = World::new();
    let checker = world.checker();
    let mut guard = MemoryGuard::with_capacity(10);
    let plain = live_request(&world.keys, Scope::all());
    plain.take(&checker, after(1), &mut guard).unwrap();
    let again = plain.take(&checker, after(2), &mut guard).unwrap_err();
    assert_eq!(again.reason(), Reason::RequestReplayed);

    let offered = |byte: u8| {
        let offer = OfferDraft::new(realm(), authority_code())
            .sign(
                world.keys.authority.as_ref(),
                OfferId::from_bytes([byte; 16]),
                now(),
            )
            .unwrap();
        let signed = offer
            .untrusted::<Offer>()
            .unwrap()
            .verify(&checker)
            .unwrap();
        signed.live(&checker, now()).unwrap()
    };
    let asking = |offer: &Live<Offer>, nonce: u8| {
        let token = request_draft(Scope::all())
            .taking_up(offer)
            .sign(
                world.keys.hospital.as_ref(),
                RequestNonce::from_bytes([nonce; 16]),
                now(),
            )
            .unwrap();
        let signed = token
            .untrusted::<Request>()
            .unwrap()
            .verify(&checker)
            .unwrap();
        signed.live(&checker, now()).unwrap()
    };
    let (one, two) = (offered(1), offered(2));
    let first = asking(&one, 5);
    let reason = |result: Result<(), Denial>| result.map_err(|denial| denial.reason());
    let bare = first.take(&checker, after(1), &mut guard);
    assert_eq!(reason(bare), Err(Reason::OtherOffer));
    let other = first.take_with(&two, &checker, after(1), &mut guard);
    assert_eq!(reason(other), Err(Reason::OtherOffer));
    assert_eq!(
        reason(first.take_with(&one, &checker, after(1), &mut guard)),
        Ok(())
    );
    // Another hospital, or the same with another request, photographed the code.
    let second = asking(&one, 6);
    let taken = second.take_with(&one, &checker, after(2), &mut guard);
    assert_eq!(reason(taken), Err(Reason::OfferTaken));
    let mut full = MemoryGuard::with_capacity(0);
    let refused = plain.take(&checker, after(1), &mut full);
    assert_eq!(reason(refused), Err(Reason::MemoryFull));
}

/// CST-118: what was live in memory ends with the suspension of the organisation, and begins again when it is
/// lifted.
#[test]
fn err_an_organisation_suspended_as_a_whole() {
    let mut world = World::new();
    let live = live_grant(&world.keys, grant(&world.keys, Scope::all()));
    let (place, opening) = (index(), opening());
    let attempt = |world: &World| {
        let proof = ProofDraft::list(&live, place)
            .sign(
                world.keys.hospital.as_ref(),
                ProofId::from_bytes([1; 16]),
                now(),
            )
            .unwrap();
        let presented = Presented::new(&proof, &opening);
        let mut guard = MemoryGuard::with_capacity(1);
        live.permit(
            &world.checker(),
            after(2),
            presented,
            &Use::list(&place, PERSON),
            &mut guard,
        )
        .map(drop)
        .map_err(|denial| denial.reason())
    };
    assert_eq!(attempt(&world), Ok(()));
    for owner in [IssuerCode::from(hospital_code()), authority_code()] {
        world.ring.suspend(owner).unwrap();
        assert_eq!(attempt(&world), Err(Reason::OrganisationSuspended));
        assert!(world.ring.lift(&owner));
    }
    assert_eq!(attempt(&world), Ok(()));
    // Its lists say nothing either.
    let mut book = world.book();
    book.accept(world.list(1, &[], 0)).unwrap();
    assert_eq!(world.status(&book, 5), Status::Valid);
    world.ring.suspend(authority_code()).unwrap();
    assert_eq!(world.status(&book, 5), Status::Unknown);
}
