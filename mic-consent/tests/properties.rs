//! Laws: one text for one token, one token for one claim set, no panic on any bytes, narrower is an order.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use chrono::{Days, NaiveDate};
use common::*;
use mic_consent::*;
use proptest::{collection::vec, option, prelude::*};

fn day(n: u16) -> NaiveDate {
    NaiveDate::default()
        .checked_add_days(Days::new(n.into()))
        .unwrap()
}

/// Filters over a small lattice: three days, two modalities, two provinces, two types.
fn filter() -> impl Strategy<Value = ScopeFilter> {
    let days = option::of(
        (0..3_u16, 0..3_u16).prop_map(|(a, b)| (day(20_000 + a.min(b)), day(20_000 + a.max(b)))),
    );
    let modalities = option::of(prop::sample::subsequence(vec!["CT", "MR"], 1..=2));
    let provinces = option::of(prop::sample::subsequence(vec![11_u8, 61], 1..=2));
    let types = option::of(prop::sample::subsequence(vec![1_u8, 2], 1..=2));
    (days, modalities, provinces, types).prop_map(|(days, modalities, provinces, types)| {
        let mut filter = ScopeFilter::new();
        if let Some((first, last)) = days {
            filter = filter.with_days(first, last).unwrap();
        }
        if let Some(list) = modalities {
            filter = filter
                .with_modalities(list.into_iter().map(|name| Modality::new(name).unwrap()))
                .unwrap();
        }
        if let Some(list) = provinces {
            filter = filter
                .with_provinces(
                    list.into_iter()
                        .map(|number| Province::new(number).unwrap()),
                )
                .unwrap();
        }
        if let Some(list) = types {
            filter = filter
                .with_exam_types(
                    list.into_iter()
                        .map(|number| ExamType::new(number).unwrap()),
                )
                .unwrap();
        }
        filter
    })
}

fn records() -> [RecordCommitment; 3] {
    [1, 2, 3].map(|n| RecordCommitment::new(Suite::Ed25519, &opening(), &[n]).unwrap())
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        Just(Scope::all()),
        filter().prop_map(Scope::list_only),
        filter().prop_filter_map("a condition", |filter| Scope::filtered(filter).ok()),
        (
            prop::sample::subsequence(records().to_vec(), 1..=3),
            filter()
        )
            .prop_map(|(records, filter)| Scope::chosen(records, filter).unwrap()),
    ]
}

/// Scopes that a request can ask for.
fn asked() -> impl Strategy<Value = Scope> {
    scope().prop_filter("not chosen", |scope| scope.kind() != ScopeKind::Chosen)
}

fn draft(scope: Scope) -> RequestDraft {
    let rights = if scope.kind() == ScopeKind::ListOnly {
        Rights::LIST
    } else {
        Rights::LIST | Rights::VIEW
    };
    RequestDraft::new(realm(), hospital_code(), Purpose::Treatment, rights, scope)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// CST-12: whatever is read as a text is the text of its bytes.
    #[test]
    fn ok_a_text_that_is_read_is_the_only_one(text in "MIC[QGP]1:[0-9A-Z $%*+./:-]{0,60}") {
        if let Ok(token) = Encoded::from_text(&text) {
            prop_assert_eq!(token.to_text(), text);
        }
    }

    /// No panic, and nothing is read that would be written in another way.
    #[test]
    fn ok_any_bytes_are_read_as_they_are_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(token) = Encoded::from_bytes(&bytes) {
            prop_assert_eq!(token.as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn ok_a_request_says_what_its_draft_said(scope in asked(), period in 1..=86_400_u32, life in 1..=300_u32, random in any::<[u8; 16]>()) {
        let keys = keys(Suite::Ed25519);
        let (ring, policy) = (keys.ring(), policy());
        let checker = Checker::new(&ring, &policy);
        let nonce = RequestNonce::from_bytes(random);
        let token = draft(scope.clone()).with_period_s(period).with_life_s(life).sign(keys.hospital.as_ref(), nonce, now()).unwrap();
        let again = Encoded::from_text(&token.to_text()).unwrap();
        prop_assert_eq!(&again, &token);
        let signed = again.untrusted::<Request>().unwrap().verify(&checker).unwrap();
        prop_assert_eq!(signed.claims().scope(), &scope);
        prop_assert_eq!(signed.claims().nonce(), &nonce);
        prop_assert_eq!(signed.claims().period_s(), period);
        prop_assert_eq!(signed.claims().expires_at(), after(life.into()));
    }

    /// CST-44 from outside: what the authority signs is never wider than what was asked.
    #[test]
    fn ok_a_grant_is_within_its_request(wish in asked(), gift in scope()) {
        let keys = keys(Suite::Ed25519);
        let asked = draft(wish.clone()).sign(keys.hospital.as_ref(), nonce(), now()).unwrap();
        let (ring, policy) = (keys.ring(), policy());
        let checker = Checker::new(&ring, &policy);
        let live = asked.untrusted::<Request>().unwrap().verify(&checker).unwrap().live(&checker, now()).unwrap();
        let mut draft = GrantDraft::answering(&live)
            .with_issuer(authority_code())
            .with_subject(PERSON, &opening())
            .with_status(StatusRef::new(1, 2))
            .with_notice(notice(Suite::Ed25519))
            .with_person_check(PersonCheck::Face)
            .with_separate_consent(SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER)
            .with_scope(gift.clone());
        if gift.kind() == ScopeKind::ListOnly {
            draft = draft.with_rights(Rights::LIST);
        }
        let signed = draft.sign(keys.authority.as_ref(), GrantId::from_bytes([1; 16]), now());
        match signed {
            Ok(token) => {
                prop_assert!(gift.is_within(&wish));
                let signed = token.untrusted::<Grant>().unwrap().verify(&checker).unwrap();
                prop_assert_eq!(signed.claims().scope(), &gift);
            }
            Err(error) => {
                let wider = error == IssueError::WiderThanRequest { what: "the scope" };
                // All exams with the right to the list alone is within a list; its rights are not its scope's.
                prop_assert!(wider && !gift.is_within(&wish), "{}", error);
            }
        }
    }

    #[test]
    fn ok_within_is_a_partial_order_below_all(a in scope(), b in scope(), c in scope()) {
        prop_assert!(a.is_within(&a));
        prop_assert!(a.is_within(&Scope::all()));
        if a.is_within(&b) && b.is_within(&a) {
            prop_assert_eq!(&a, &b);
        }
        if a.is_within(&b) && b.is_within(&c) {
            prop_assert!(a.is_within(&c));
        }
    }

    /// The meaning of "within": whatever the narrower grant lets through at a node, the wider one does too.
    #[test]
    fn ok_what_is_within_opens_nothing_more(a in scope(), b in scope(), n in 0..3_usize, offset in 0..3_u16, ct in any::<bool>(), shaanxi in any::<bool>(), kind in 1..=2_u8) {
        prop_assume!(a.is_within(&b));
        let keys = keys(Suite::Ed25519);
        let modality = Modality::new(if ct { "CT" } else { "MR" }).unwrap();
        let province = Province::new(if shaanxi { 61 } else { 11 }).unwrap();
        let facts = RecordFacts::new(day(20_000 + offset), province).with_modality(modality).with_exam_type(ExamType::new(kind).unwrap());
        let record = [u8::try_from(n + 1).unwrap()];
        let opens = |scope: &Scope, id: u8| opens(&keys, scope, &record, facts, id);
        prop_assert!(!opens(&a, 1) || opens(&b, 2));
    }

    /// A token with a piece cut out, changed or put in is never accepted, unless it is the token again.
    #[test]
    fn err_spliced_tokens_are_never_accepted(sm2 in any::<bool>(), at in any::<prop::sample::Index>(), cut in 0..20_usize, new in vec(any::<u8>(), 0..20)) {
        let keys = keys(if sm2 { Suite::Sm2Sm3 } else { Suite::Ed25519 });
        let (ring, policy) = (keys.ring(), policy());
        let checker = Checker::new(&ring, &policy);
        let token = grant(&keys, ct_scope());
        let mut bytes = token.as_bytes().to_vec();
        let at = at.index(bytes.len());
        let end = bytes.len().min(at + cut);
        bytes.splice(at..end, new);
        let result = Encoded::from_bytes(&bytes).and_then(Encoded::untrusted::<Grant>).and_then(|token| token.verify(&checker));
        prop_assert_eq!(result.is_ok(), bytes == token.as_bytes());
    }

    #[test]
    fn ok_openings_go_both_ways(bytes in any::<[u8; 32]>()) {
        prop_assert_eq!(Opening::from_bytes(bytes).to_bytes(), bytes);
    }

    /// CST-33: no run of 18 digits, as a certificate number has, in any text of a token.
    #[test]
    fn ok_codes_cannot_hold_a_certificate_number(text in "[0-9]{17}[0-9X]") {
        prop_assert!(IssuerCode::new(&text).is_err());
        prop_assert!(InstitutionCode::new(&text).is_err());
        prop_assert!(DepartmentCode::new(&text).is_err());
        prop_assert!(DoctorCode::new(&text).is_err());
        prop_assert!(Realm::new(&text).is_err());
        prop_assert!(Modality::new(&text).is_err());
        prop_assert!(BodyPart::new(&text).is_err());
    }
}

fn opens(keys: &Keys, scope: &Scope, record: &[u8], facts: RecordFacts, id: u8) -> bool {
    let rights = if scope.kind() == ScopeKind::ListOnly {
        Rights::LIST
    } else {
        Rights::LIST | Rights::VIEW
    };
    let token = grant_draft(keys, Scope::all())
        .with_rights(rights)
        .with_scope(scope.clone())
        .sign(
            keys.authority.as_ref(),
            GrantId::from_bytes([id; 16]),
            now(),
        )
        .unwrap();
    let live = live_grant(keys, token);
    let place = Place::nation(IssuerCode::new("INDEX00").unwrap());
    let opening = opening();
    let proof = ProofDraft::open(&live, place, record, &opening).unwrap();
    let proof = proof
        .sign(keys.hospital.as_ref(), ProofId::from_bytes([id; 16]), now())
        .unwrap();
    let (ring, policy) = (keys.ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let wanted = Use::open(&place, PERSON, record, facts);
    let mut guard = MemoryGuard::with_capacity(2);
    live.permit(
        &checker,
        now(),
        Presented::new(&proof, &opening),
        &wanted,
        &mut guard,
    )
    .is_ok()
}
