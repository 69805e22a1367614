//! Any wishes for a narrowing of one grant: what is signed is within the grant, and a node accepts it; what is not
//! within it is not signed. A second narrowing is within the first.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mic_consent::*;
use mic_consent_fuzz::{cast_ring, hospital, now, policy, ring, signer_of};

static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let records = ring()
        .iter()
        .chain(cast_ring().iter())
        .cloned()
        .collect::<Vec<_>>();
    KeyRing::from_records(records).expect("all keys")
});
static POLICY: LazyLock<Policy> = LazyLock::new(policy);
const ACCEPTED: &str = include_str!("../../vectors/accept.json");

struct Valid;

impl StatusSource for Valid {
    fn status(&self, _: &KeyId, _: StatusRef, _: chrono::DateTime<chrono::Utc>) -> Status {
        Status::Valid
    }
}

/// The filtered Ed25519 grant of the vectors.
static GRANT: LazyLock<Encoded> = LazyLock::new(|| {
    let from = ACCEPTED
        .find("\"ed25519-grant-filtered\"")
        .expect("the case");
    let token = ACCEPTED[from..]
        .split("\"token\": \"")
        .nth(1)
        .expect("its token");
    let hex = token.split('"').next().expect("its end");
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    Encoded::from_bytes(&bytes).expect("a grant")
});

type Wish = (
    Option<u8>,
    Option<u32>,
    Option<u16>,
    Option<Vec<u8>>,
    bool,
    bool,
);

fn wished<'a>(
    mut draft: NarrowDraft<'a>,
    wish: &Wish,
    opening: &Opening,
) -> Option<NarrowDraft<'a>> {
    let (rights, life_s, studies, records, place, doctor) = wish;
    if let Some(rights) = rights {
        let pick = |bit: u8, right| (rights >> bit & 1 == 1).then_some(right);
        let rights = [
            pick(0, Rights::LIST),
            pick(1, Rights::VIEW),
            pick(2, Rights::KEEP),
        ];
        draft = draft.with_rights(rights.into_iter().flatten().reduce(|a, b| a | b)?);
    }
    if let Some(life_s) = life_s {
        draft = draft.with_life_s(*life_s);
    }
    if let Some(studies) = studies {
        draft = draft.with_studies_max(*studies);
    }
    if let Some(records) = records {
        draft = draft.with_records(records.chunks(3), opening).ok()?;
    }
    if *place {
        draft = draft.with_place(Place::nation(IssuerCode::new("INDEX00").ok()?));
    }
    if *doctor {
        draft = draft.with_doctor(DoctorCode::new("D1").ok()?);
    }
    Some(draft)
}

fuzz_target!(|wishes: (Wish, Wish)| {
    let checker = Checker::new(&RING, &POLICY);
    let opening = Opening::from_bytes([0x5a; 32]);
    let signed = GRANT
        .clone()
        .untrusted::<Grant>()
        .expect("a grant")
        .verify(&checker)
        .expect("signed");
    let grant = signed.live(&checker, now(), &Valid).expect("live");
    let viewer = signer_of(TokenType::Request);
    let Some(draft) = wished(
        NarrowDraft::of(&grant).with_holder(viewer.key_id()),
        &wishes.0,
        &opening,
    ) else {
        return;
    };
    let token = match draft.sign(&hospital(), now()) {
        Ok(token) => token,
        Err(error) => {
            assert!(
                matches!(
                    error,
                    IssueError::WiderThanGrant { .. } | IssueError::Rule { .. }
                ),
                "{error}"
            );
            return;
        }
    };
    let link = token
        .untrusted::<Narrowed>()
        .expect("its type")
        .verify(&checker)
        .expect("our own");
    assert!(link.claims().terms().is_within(&grant.claims().terms()));
    let narrowed = grant
        .narrowed_by(link, &checker, now())
        .expect("within the grant");
    let Some(draft) = wished(NarrowDraft::of_narrowed(&narrowed), &wishes.1, &opening) else {
        return;
    };
    if let Ok(token) = draft.sign(&viewer, now()) {
        let link = token
            .untrusted::<Narrowed>()
            .expect("its type")
            .verify(&checker)
            .expect("our own");
        assert!(link.claims().terms().is_within(&narrowed.terms()));
        assert!(
            link.claims()
                .terms()
                .is_within(&narrowed.grant().claims().terms())
        );
        narrowed
            .narrowed_by(link, &checker, now())
            .expect("within the narrowing");
    }
});
