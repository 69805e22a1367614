//! Withdrawal: at once where it was heard, cached or not; at the next list elsewhere; never rolled back.
#![cfg(all(feature = "gm", feature = "ed25519"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

extern crate alloc;

use common::*;
use mic_consent::*;

struct World {
    keys: Keys,
    status: Ed25519SigningKey,
    ring: KeyRing,
    policy: Policy,
}

impl World {
    fn new() -> Self {
        let keys = keys(Suite::Ed25519);
        let status = Ed25519SigningKey::from_secret_bytes(&[0x3a; 32]).unwrap();
        let mut ring = keys.ring();
        ring.insert(Self::record(&status)).unwrap();
        Self {
            keys,
            status,
            ring,
            policy: policy(),
        }
    }

    fn record(key: &Ed25519SigningKey) -> KeyRecord {
        KeyRecord::new(
            key.public_key().clone(),
            authority_code(),
            Role::Status,
            validity(),
        )
        .unwrap()
    }

    fn checker(&self) -> Checker<'_> {
        Checker::new(&self.ring, &self.policy)
    }

    fn list(&self, draft: StatusListDraft, at: i64) -> Live<StatusList> {
        let token = draft.sign(&self.status, after(at)).unwrap();
        let token = Encoded::document_from_bytes(token.as_bytes()).unwrap();
        let signed = token
            .untrusted::<StatusList>()
            .unwrap()
            .verify(&self.checker())
            .unwrap();
        signed.live(&self.checker(), after(at)).unwrap()
    }

    fn withdrawal(&self, grant: &Live<Grant>, effect: Effect, at: i64) -> Live<Withdrawal> {
        let token = WithdrawalDraft::of(grant.claims(), effect)
            .sign(self.keys.authority.as_ref(), after(at))
            .unwrap();
        let signed = token
            .untrusted::<Withdrawal>()
            .unwrap()
            .verify(&self.checker())
            .unwrap();
        signed.live(&self.checker(), after(at)).unwrap()
    }

    fn status(&self, book: &StatusBook, index: u32, at: i64) -> Status {
        let place = StatusRef::new(3, index);
        book.with_keys(&self.ring)
            .status(&self.keys.authority.key_id(), place, after(at))
    }
}

fn draft() -> StatusListDraft {
    StatusListDraft::new(realm(), authority_code(), 3, 100_000)
}

/// CST-97: a grant that is live in memory ends with the next permit, within the 60 seconds of its last check.
#[test]
fn err_withdrawn_between_two_fetches() {
    let world = World::new();
    let mut book = StatusBook::new(&world.policy);
    book.accept(world.list(draft(), 0)).unwrap();
    let grant = live_grant(&world.keys, grant(&world.keys, ct_scope()));
    let fetch = |book: &StatusBook, n: u8| {
        let source = book.with_keys(&world.ring);
        let checker = world.checker().with_status(&source);
        let proof = ProofDraft::list(&grant, index());
        let proof = proof
            .sign(
                world.keys.hospital.as_ref(),
                ProofId::from_bytes([n; 16]),
                after(5),
            )
            .unwrap();
        let (place, opening) = (index(), opening());
        grant
            .permit(
                &checker,
                after(5),
                Presented::new(&proof, &opening),
                &Use::list(&place, PERSON),
                &mut MemoryGuard::with_capacity(10),
            )
            .map(drop)
            .map_err(|denial| denial.reason())
    };
    assert_eq!(fetch(&book, 1), Ok(()));
    book.hear(&world.withdrawal(&grant, Effect::Suspended, 3))
        .unwrap();
    assert_eq!(fetch(&book, 2), Err(Reason::Suspended));
    book.hear(&world.withdrawal(&grant, Effect::Withdrawn, 4))
        .unwrap();
    assert_eq!(fetch(&book, 3), Err(Reason::Withdrawn));
    // A suspension heard later does not soften it.
    book.hear(&world.withdrawal(&grant, Effect::Suspended, 5))
        .unwrap();
    assert_eq!(fetch(&book, 4), Err(Reason::Withdrawn));
}

/// CST-98: what was heard lasts until a list says it, and a list from before does not undo it.
#[test]
fn ok_what_was_heard_lasts_until_a_list_says_it() {
    let world = World::new();
    let mut book = StatusBook::new(&world.policy);
    let grant = live_grant(&world.keys, grant(&world.keys, ct_scope()));
    book.hear(&world.withdrawal(&grant, Effect::Withdrawn, 3))
        .unwrap();
    book.accept(world.list(draft(), 0)).unwrap();
    assert_eq!(world.status(&book, 70_001, 5), Status::Withdrawn);
    assert_eq!(world.status(&book, 70_002, 5), Status::Valid);
    // A newer list that lacks it: the authority is late, the node remembers.
    book.accept(world.list(draft().with_version(2), 6)).unwrap();
    assert_eq!(world.status(&book, 70_001, 7), Status::Withdrawn);
    book.accept(world.list(draft().with_version(3).with_withdrawn([70_001]), 8))
        .unwrap();
    assert_eq!(world.status(&book, 70_001, 9), Status::Withdrawn);
}

/// CST-98: whoever kept the text of an old suspension cannot suspend the grant again with it.
#[test]
fn err_a_suspension_played_back() {
    let world = World::new();
    let mut book = StatusBook::new(&world.policy);
    let grant = live_grant(&world.keys, grant(&world.keys, ct_scope()));
    let [first, second] = [10, 30].map(|at| world.withdrawal(&grant, Effect::Suspended, at));
    book.hear(&first).unwrap();
    book.accept(world.list(draft(), 20)).unwrap();
    assert_eq!(world.status(&book, 70_001, 21), Status::Valid);
    book.hear(&first).unwrap();
    assert_eq!(world.status(&book, 70_001, 22), Status::Valid);
    // Nor does it make a newer suspension end with a list from between the two.
    book.hear(&second).unwrap();
    book.hear(&first).unwrap();
    book.accept(world.list(draft().with_version(2), 25))
        .unwrap();
    assert_eq!(world.status(&book, 70_001, 31), Status::Suspended);
    book.accept(world.list(draft().with_version(3), 31))
        .unwrap();
    assert_eq!(world.status(&book, 70_001, 32), Status::Valid);
}

/// CST-98: the newer of two suspensions stands whatever comes first, and one of the list's own second stands.
#[test]
fn ok_a_suspension_outlasts_a_list_of_the_same_second() {
    let world = World::new();
    let grant = live_grant(&world.keys, grant(&world.keys, ct_scope()));
    for order in [[10, 30], [30, 10]] {
        let mut book = StatusBook::new(&world.policy);
        for at in order {
            book.hear(&world.withdrawal(&grant, Effect::Suspended, at))
                .unwrap();
        }
        book.accept(world.list(draft(), 20)).unwrap();
        assert_eq!(world.status(&book, 70_001, 31), Status::Suspended);
        book.accept(world.list(draft().with_version(2), 30))
            .unwrap();
        assert_eq!(world.status(&book, 70_001, 31), Status::Suspended);
        book.accept(world.list(draft().with_version(3), 31))
            .unwrap();
        assert_eq!(world.status(&book, 70_001, 32), Status::Valid);
    }
}

/// CST-97: a clock that is behind serves a grant after its end, so it can be withdrawn as long.
#[test]
fn ok_a_grant_is_withdrawn_in_its_last_seconds() {
    let world = World::new();
    let grant = live_grant(&world.keys, grant(&world.keys, ct_scope()));
    for at in [7_199, 7_200, 7_259] {
        let mut book = StatusBook::new(&world.policy);
        book.accept(world.list(draft(), 7_100)).unwrap();
        book.hear(&world.withdrawal(&grant, Effect::Withdrawn, at))
            .unwrap();
        assert_eq!(world.status(&book, 70_001, 7_259), Status::Withdrawn);
    }
    let draft = WithdrawalDraft::of(grant.claims(), Effect::Withdrawn);
    let sign = |at| {
        draft
            .sign(world.keys.authority.as_ref(), after(at))
            .map(drop)
    };
    assert_eq!(sign(7_200 + 299), Ok(()));
    assert!(sign(7_200 + 300).is_err());
}

/// CST-99: one authority cannot take the room of the others, and what a withdrawn key filled is dropped.
#[test]
fn err_one_key_fills_the_book() {
    let world = World::new();
    let numbered = |number, version| {
        StatusListDraft::new(realm(), authority_code(), number, 100_000).with_version(version)
    };
    let mut book = StatusBook::new(&world.policy);
    for number in 1..=64 {
        book.accept(world.list(numbered(number, u32::MAX), 10))
            .unwrap();
    }
    let refused = book.accept(world.list(numbered(65, 1), 10)).unwrap_err();
    assert_eq!(refused.reason(), Reason::TooManyLists);
    assert_eq!(book.drop_untrusted(&world.ring), 0);

    let mut records: Vec<KeyRecord> = world.keys.ring().iter().cloned().collect();
    records.push(World::record(&world.status).with_state(KeyState::Revoked));
    assert_eq!(
        book.drop_untrusted(&KeyRing::from_records(records).unwrap()),
        64
    );
    assert_eq!(world.status(&book, 1, 11), Status::Unknown);
    // The owner begins anew; a list from before what was dropped does not come back.
    let old = book.accept(world.list(numbered(3, 2), 9)).unwrap_err();
    assert_eq!(old.reason(), Reason::OlderThanSeen);
    book.accept(world.list(numbered(3, 2), 10)).unwrap();
    assert_eq!(world.status(&book, 1, 11), Status::Valid);
}

/// CST-99: without room for a withdrawal no grant of that authority is served until a newer list comes.
#[test]
fn err_a_withdrawal_without_room() {
    let world = World::new();
    let mut book = StatusBook::new(&world.policy).with_room_for_issuer(1, 1);
    book.accept(world.list(draft(), 0)).unwrap();
    let [one, other] = [70_001, 70_002].map(|index| {
        let token = grant_draft(&world.keys, ct_scope())
            .with_status(StatusRef::new(3, index))
            .sign(
                world.keys.authority.as_ref(),
                GrantId::from_bytes([7; 16]),
                now(),
            )
            .unwrap();
        live_grant(&world.keys, token)
    });
    book.hear(&world.withdrawal(&one, Effect::Withdrawn, 3))
        .unwrap();
    let refused = book
        .hear(&world.withdrawal(&other, Effect::Withdrawn, 3))
        .unwrap_err();
    assert_eq!(refused.reason(), Reason::MemoryFull);
    assert_eq!(world.status(&book, 70_001, 4), Status::Withdrawn);
    assert_eq!(world.status(&book, 70_003, 4), Status::Unknown);
    let list = draft().with_version(2).with_withdrawn([70_001, 70_002]);
    book.accept(world.list(list, 5)).unwrap();
    assert_eq!(world.status(&book, 70_003, 6), Status::Valid);
}

/// CST-93: fresh by the policy, by its own end, by a trusted key, by a clock that does not run backwards.
#[test]
fn err_a_status_that_is_not_fresh_is_unknown() {
    let world = World::new();
    let mut book = StatusBook::new(&world.policy);
    assert_eq!(world.status(&book, 1, 0), Status::Unknown);
    book.accept(world.list(draft().with_life_s(86_400).with_withdrawn([7]), 0))
        .unwrap();
    assert_eq!(world.status(&book, 1, 3_660), Status::Valid);
    assert_eq!(world.status(&book, 1, 3_661), Status::Unknown);
    // Withdrawn needs no freshness: it never becomes valid again.
    assert_eq!(world.status(&book, 7, 3_661), Status::Withdrawn);
    assert_eq!(world.status(&book, 1, -60), Status::Valid);
    assert_eq!(world.status(&book, 1, -61), Status::Unknown);

    let short = world.list(
        draft().with_version(2).with_life_s(10).with_withdrawn([7]),
        1,
    );
    book.accept(short).unwrap();
    assert_eq!(world.status(&book, 1, 70), Status::Valid);
    assert_eq!(world.status(&book, 1, 71), Status::Unknown);

    let mut records: Vec<KeyRecord> = world.keys.ring().iter().cloned().collect();
    records.push(World::record(&world.status).with_state(KeyState::Revoked));
    let ring = KeyRing::from_records(records).unwrap();
    let place = StatusRef::new(3, 1);
    let found = book
        .with_keys(&ring)
        .status(&world.keys.authority.key_id(), place, after(5));
    assert_eq!(found, Status::Unknown);
}

/// CST-92: a list speaks for the grants of its own authority.
#[test]
fn err_the_list_of_another_authority_says_nothing() {
    let world = World::new();
    let mut book = StatusBook::new(&world.policy);
    book.accept(world.list(draft(), 0)).unwrap();
    let other = Ed25519SigningKey::from_secret_bytes(&[0x3b; 32]).unwrap();
    let owner = IssuerCode::new("CONSENT62").unwrap();
    let mut ring = world.ring.clone();
    ring.insert(
        KeyRecord::new(other.public_key().clone(), owner, Role::Grant, validity()).unwrap(),
    )
    .unwrap();
    let found = book
        .with_keys(&ring)
        .status(&other.key_id(), StatusRef::new(3, 1), after(1));
    assert_eq!(found, Status::Unknown);
}

/// CST-96: the mark of a version outlives the book.
#[test]
fn err_rolled_back_over_a_restart() {
    let world = World::new();
    let mut book = StatusBook::new(&world.policy);
    book.accept(world.list(draft().with_version(5), 0)).unwrap();
    let marks: Vec<StatusMark> = book.marks().collect();
    assert_eq!(marks.len(), 1);
    assert_eq!(
        (marks[0].issuer(), marks[0].list(), marks[0].version()),
        (&authority_code(), 3, 5)
    );
    let older = world.list(draft().with_version(4), 0);
    let refused = StatusBook::not_before(&older, &marks);
    assert_eq!(refused.unwrap_err().reason(), Reason::OlderThanSeen);
    let same = world.list(draft().with_version(5), 0);
    assert_eq!(StatusBook::not_before(&same, &marks), Ok(()));
}

/// Places as a made-up authority gives them out: random, by a fixed seed.
fn random_places(places: u32, count: usize) -> Vec<u32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut chosen = alloc::collections::BTreeSet::new();
    while chosen.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        chosen.insert(u32::try_from(state % u64::from(places)).unwrap());
    }
    chosen.into_iter().collect()
}

#[test]
fn ok_a_million_grants_with_one_in_a_hundred_withdrawn_fit_20_kilobytes() {
    let world = World::new();
    let places = random_places(1_000_000, 10_000);
    let list = StatusListDraft::new(realm(), authority_code(), 3, 1_000_000)
        .with_withdrawn(places.iter().copied());
    let token = list.sign(&world.status, now()).unwrap();
    println!(
        "a million grants, 10,000 withdrawn: {} bytes",
        token.as_bytes().len()
    );
    assert!(token.as_bytes().len() <= 20_000);
    let live = world.list(list, 0);
    assert_eq!(live.claims().withdrawn(), 10_000);
    assert!(
        places
            .iter()
            .all(|place| live.claims().status(*place) == Status::Withdrawn)
    );
    // Too large for a token: only a document is read so long.
    assert_eq!(
        Encoded::from_bytes(token.as_bytes()).unwrap_err().reason(),
        Reason::TokenTooLong
    );
}
