//! Consent from request to permit, checked offline: the hospital asks, the consent authority grants,
//! the hospital proves that the grant is its own, the archive permits one study. Then four tokens
//! that are refused, each with the number of the reason and the step it failed at.
//!
//! Type `cargo run -p mic-quickstart --bin grant_and_check`. It prints:
//!
//! ```text
//! asked      H11010500001 for treatment
//! granted    268 bytes, 408 characters
//! permitted  this study true, another study false
//! one bit changed   denied 601 at step 6 (Signature), fault Presenter: expected a valid signature · 无法确认授权来源
//! expired           denied 1002 at step 10 (Time), fault Presenter: expected a time before the end · 授权不在有效期内
//! withdrawn         denied 1201 at step 12 (Status), fault Presenter: expected a grant that is not withdrawn · 授权已撤回或已暂停
//! proof used twice  denied 1501 at step 15 (Replay), fault Presenter: expected a proof that was not used before · 授权不包含此项操作
//! ```
//!
//! All organisations, keys and the patient are made up; time and randomness are arguments, here fixed.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mic_consent::*;

const PATIENT: &[u8] = b"MADE-UP-PERSON-0001";
/// What the archive knows a record by: its index code and its StudyInstanceUID.
const RECORD: &[u8] = b"MADE-UP-INDEX-CODE/1.2.826.0.1.3680043.10.1.1";
const OTHER_RECORD: &[u8] = b"MADE-UP-INDEX-CODE/1.2.826.0.1.3680043.10.1.2";

/// The node's view of the status list: nothing, or all, is withdrawn.
struct List(Status);

impl StatusSource for List {
    fn status(&self, _issuer: &KeyId, _place: StatusRef, _now: DateTime<Utc>) -> Status {
        self.0
    }
}

fn main() -> anyhow::Result<()> {
    let now: DateTime<Utc> = "2026-11-18T09:06:40Z".parse()?;
    let hospital_key = Sm2SigningKey::from_secret_bytes(&[0x21; 32])?;
    let authority_key = Sm2SigningKey::from_secret_bytes(&[0x22; 32])?;
    let hospital = InstitutionCode::new("H11010500001")?;
    let authority = IssuerCode::new("CONSENT01")?;
    let realm = Realm::new("mic.cn")?;

    // What every checking node holds: two public keys, each in one role, and a policy.
    let validity = KeyValidity::new(now - TimeDelta::days(1), now + TimeDelta::days(365))?;
    let keys = KeyRing::from_records([
        KeyRecord::new(
            hospital_key.public_key().clone(),
            hospital.into(),
            Role::Request,
            validity,
        )?,
        KeyRecord::new(
            authority_key.public_key().clone(),
            authority,
            Role::Grant,
            validity,
        )?,
    ])?;
    let policy = Policy::new(realm, AcceptedSuites::GmOnly);
    let checker = Checker::new(&keys, &policy);

    // 1. The hospital asks, the patient's phone scans.
    let request = RequestDraft::new(
        realm,
        hospital,
        Purpose::Treatment,
        Rights::LIST | Rights::VIEW,
        Scope::all(),
    )
    .sign(&hospital_key, RequestNonce::from_bytes([0x11; 16]), now)?
    .to_text();
    let asked = Encoded::from_text(&request)?
        .untrusted::<Request>()?
        .verify(&checker)?
        .live(&checker, now)?;
    println!(
        "asked      {} for {}",
        asked.claims().organisation(),
        asked.claims().purpose().english()
    );

    // 2. The patient narrows it to one study and agrees, the authority grants.
    let opening = Opening::from_bytes([0x5a; 32]);
    let grant = GrantDraft::answering(&asked)
        .with_issuer(authority)
        .with_subject(PATIENT, &opening)
        .with_records([RECORD])
        .with_status(StatusRef::new(3, 70_001))
        .with_notice(NoticeHash::new(Suite::Sm2Sm3, "zh-CN", "告知书（虚构）")?)
        .with_person_check(PersonCheck::Face)
        .with_separate_consent(SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER)
        .sign(&authority_key, GrantId::from_bytes([0x77; 16]), now)?;
    println!(
        "granted    {} bytes, {} characters",
        grant.as_bytes().len(),
        grant.to_text().len()
    );

    // 3. A node checks it without asking anybody, at a time and with a status list of its own.
    let check = |token: &[u8], later: TimeDelta, list: Status| -> Result<Live<Grant>, Denial> {
        Encoded::from_bytes(token)?
            .untrusted::<Grant>()?
            .verify(&checker)?
            .live(&checker, now + later, &List(list))
    };
    let minute = TimeDelta::minutes(1);
    let held = check(grant.as_bytes(), minute, Status::Valid)?;

    // 4. The hospital proves possession, the archive in province 61 permits this one action.
    let archive = Place::province(Province::new(61)?, IssuerCode::new("ARCHIVE61")?);
    let proof = ProofDraft::open(&held, archive, RECORD, &opening)?.sign(
        &hospital_key,
        ProofId::from_bytes([2; 16]),
        now + minute,
    )?;
    let day = NaiveDate::from_ymd_opt(2026, 3, 9).ok_or_else(|| anyhow::anyhow!("no day"))?;
    let facts = RecordFacts::new(day, Province::new(61)?).with_modality(Modality::new("CT")?);
    let wanted = Use::open(&archive, PATIENT, RECORD, facts);
    let presented = Presented::new(&proof, &opening);
    let mut guard = MemoryGuard::with_capacity(1_000);
    let permit = held.permit(&checker, now + minute, presented, &wanted, &mut guard)?;
    println!(
        "permitted  this study {}, another study {}",
        permit.opens(RECORD),
        permit.opens(OTHER_RECORD)
    );

    // What is refused.
    let mut changed = grant.as_bytes().to_vec();
    if let Some(byte) = changed.get_mut(60) {
        *byte ^= 1;
    }
    denied(
        "one bit changed",
        check(&changed, minute, Status::Valid).err(),
    );
    denied(
        "expired",
        check(grant.as_bytes(), TimeDelta::hours(3), Status::Valid).err(),
    );
    denied(
        "withdrawn",
        check(grant.as_bytes(), minute, Status::Withdrawn).err(),
    );
    let again = held.permit(&checker, now + minute, presented, &wanted, &mut guard);
    denied("proof used twice", again.err());
    Ok(())
}

fn denied(what: &str, denial: Option<Denial>) {
    match denial {
        None => println!("{what}: accepted"),
        Some(denial) => println!(
            "{what:<17} denied {} at step {} ({:?}), fault {:?}: {} · {}",
            denial.number(),
            denial.step().number(),
            denial.step(),
            denial.fault(),
            denial.english(),
            denial.class().chinese(),
        ),
    }
}
