//! Nothing that the crate can emit has the person, the record, a guardian or a salt in it: tokens, texts, QR codes,
//! lists, logs, `Debug`, errors (CST-33, CST-74, CST-121).
#![cfg(all(feature = "gm", feature = "ed25519", feature = "qr"))]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use std::collections::HashSet;

use common::*;
use mic_consent::*;

/// Person codes and record keys as they are in earnest: 26 digits, and an index code with a UID. Made up.
const PATIENT: &[u8] = b"61012519900417123498765417";
const GUARDIAN: &[u8] = b"61012519600823432156789325";
const STUDY: &[u8] =
    b"61012519900417123498765417202603090915B08172635CT00000000001H61010200001XXXXXX/1.2.826.0.1.3680043.10.543.7";

/// Everything that came out, as bytes.
#[derive(Default)]
struct Emitted(Vec<(String, Vec<u8>)>);

impl Emitted {
    fn bytes(&mut self, what: &str, bytes: &[u8]) {
        self.0.push((what.into(), bytes.to_vec()));
    }

    fn shown(&mut self, value: &dyn core::fmt::Debug) {
        let text = format!("{value:?} {value:#?}");
        self.bytes(&format!("Debug: {text}"), text.as_bytes());
    }

    fn token(&mut self, token: &Encoded) {
        let name = token.token_type().name();
        self.bytes(name, token.as_bytes());
        let text = token.to_text();
        self.bytes(name, text.as_bytes());
        if token.as_bytes().len() < 1500 {
            let picture = QrPicture::from_text(&text).unwrap();
            self.bytes(name, picture.svg(4).unwrap().as_bytes());
            self.bytes(name, picture.terminal(4).unwrap().as_bytes());
            self.bytes(name, &picture.png(1, 4).unwrap());
        }
        self.shown(token);
    }

    #[cfg(feature = "fhir")]
    fn resource<T: core::fmt::Debug + serde::Serialize>(&mut self, resource: &T) {
        let text = serde_json::to_string(resource).unwrap();
        self.bytes("a FHIR resource", text.as_bytes());
        self.shown(resource);
    }

    fn has_none_of(&self, secrets: &[(&str, &[u8])]) {
        if let Some((name, what)) = self.given_away(secrets) {
            panic!("{name} is in {what:?}");
        }
    }

    /// Any eight bytes of a secret in a row, plain, as hexadecimal, as base64 or as decimal list, give it away: which
    /// secret, and in what.
    fn given_away<'a>(&self, secrets: &[(&'a str, &[u8])]) -> Option<(&'a str, Option<&str>)> {
        let plain: HashSet<&[u8]> = self
            .0
            .iter()
            .flat_map(|(_, bytes)| bytes.windows(8))
            .collect();
        let hexadecimal: HashSet<&[u8]> = self
            .0
            .iter()
            .flat_map(|(_, bytes)| bytes.windows(16))
            .collect();
        let shown: String = self
            .0
            .iter()
            .filter_map(|(_, bytes)| core::str::from_utf8(bytes).ok())
            .collect();
        for (name, secret) in secrets {
            for window in secret.windows(8) {
                let decimal = window
                    .iter()
                    .map(u8::to_string)
                    .collect::<Vec<_>>()
                    .join(", ");
                let given_away = plain.contains(window)
                    || hexadecimal.contains(hex::encode(window).as_bytes())
                    || hexadecimal.contains(hex::encode_upper(window).as_bytes())
                    || plain.contains(base64(window).as_bytes())
                    || shown.contains(&decimal);
                if given_away {
                    let text = hex::encode(window);
                    let has = |part: &[u8], bytes: &[u8]| {
                        bytes.windows(part.len()).any(|found| found == part)
                    };
                    let what = self
                        .0
                        .iter()
                        .find(|(_, bytes)| has(window, bytes) || has(text.as_bytes(), bytes));
                    return Some((name, what.map(|(what, _)| what.as_str())));
                }
            }
        }
        None
    }
}

/// The eight characters that six bytes make when they begin at a group; a longer secret has such six in each of its
/// windows of eight, at one of three places, which the windows pass through.
fn base64(window: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = window.chunks_exact(3).flat_map(|group| {
        let bits = group
            .iter()
            .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|at| char::from(ALPHABET[bits >> at & 63]))
    });
    groups.collect()
}

/// The scan finds what is planted, in each of its forms.
#[test]
fn err_a_planted_secret_is_found() {
    let part = &PATIENT[3..17];
    let forms: [Vec<u8>; 6] = [
        part.to_vec(),
        [b"abc".as_slice(), part].concat(),
        hex::encode(part).into(),
        hex::encode_upper(part).into(),
        base64(&PATIENT[6..18]).into(),
        format!("{part:?}").into(),
    ];
    for form in forms {
        let mut out = Emitted::default();
        out.bytes("clean", b"MICQ1: nothing of the kind");
        let secrets = [("the person", PATIENT)];
        assert_eq!(out.given_away(&secrets), None);
        out.bytes("planted", &form);
        let found = out.given_away(&secrets).map(|(name, _)| name);
        assert_eq!(found, Some("the person"), "{form:02x?}");
    }
}

/// Keeps what a guard and a book write.
#[derive(Default)]
struct Disk(Vec<u8>);

impl GuardStore for Disk {
    fn append(&mut self, record: &[u8; GUARD_RECORD_BYTES]) -> Result<(), GuardStoreError> {
        self.0.extend_from_slice(record);
        Ok(())
    }

    fn replace(
        &mut self,
        records: &mut dyn Iterator<Item = [u8; GUARD_RECORD_BYTES]>,
    ) -> Result<(), GuardStoreError> {
        self.0.extend(records.flatten());
        Ok(())
    }
}

fn salts() -> Opening {
    let mut bytes = [0; 32];
    for (n, byte) in (0..).zip(&mut bytes) {
        *byte = n * 7 + 3;
    }
    Opening::from_bytes(bytes)
}

#[test]
fn ok_nothing_that_is_emitted_has_the_person_or_the_record() {
    for &suite in Suite::ALL {
        let mut out = Emitted::default();
        emit(suite, &mut out);
        assert!(out.0.len() > 60, "{} outputs", out.0.len());
        let salts = salts().to_bytes();
        out.has_none_of(&[
            ("the person", PATIENT),
            ("the guardian", GUARDIAN),
            ("the record", STUDY),
            ("the salts", &salts),
        ]);
    }
}

fn emit(suite: Suite, out: &mut Emitted) {
    let keys = keys(suite);
    let extra = |byte: u8| -> (Box<dyn Signer>, PublicKey) {
        match suite {
            Suite::Sm2Sm3 => {
                let key = Sm2SigningKey::from_secret_bytes(&[byte; 32]).unwrap();
                let public = key.public_key().clone();
                (Box::new(key), public)
            }
            Suite::Ed25519 => {
                let key = Ed25519SigningKey::from_secret_bytes(&[byte; 32]).unwrap();
                let public = key.public_key().clone();
                (Box::new(key), public)
            }
            _ => {
                let key = Es256SigningKey::from_secret_bytes(&[byte; 32]).unwrap();
                let public = key.public_key().clone();
                (Box::new(key), public)
            }
        }
    };
    let (other, other_public) = extra(0x5a);
    let roles = [Role::Status, Role::Log].into_iter().collect::<Roles>();
    let archive_code = *archive().node();
    let mut ring = keys.ring();
    ring.insert(KeyRecord::new(other_public, archive_code, roles, validity()).unwrap())
        .unwrap();
    let (emergency_key, emergency_public) = extra(0x5b);
    let hospital = IssuerCode::from(hospital_code());
    ring.insert(KeyRecord::new(emergency_public, hospital, Role::Emergency, validity()).unwrap())
        .unwrap();
    let (review_key, review_public) = extra(0x5c);
    ring.insert(KeyRecord::new(review_public, hospital, Role::Review, validity()).unwrap())
        .unwrap();
    let policy = policy().with_emergency_access();
    let checker = Checker::new(&ring, &policy);
    out.shown(&ring);
    out.shown(&checker);

    let request = live_request(&keys, ct_scope());
    out.token(request.encoded());
    out.shown(&request);
    let opening = salts();
    out.shown(&opening);
    let guardian = GuardianCommitment::new(suite, &opening, GUARDIAN).unwrap();
    let boxes = SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER | SeparateConsent::MINOR;
    let draft = GrantDraft::answering(&request)
        .with_issuer(authority_code())
        .with_subject(PATIENT, &opening)
        .with_records([STUDY])
        .with_status(StatusRef::new(3, 70_001))
        .with_notice(notice(suite))
        .with_person_check(PersonCheck::Face)
        .with_band(PatientBand::Under14)
        .with_guardian(Guardian::new(
            Relation::Parent,
            guardian,
            GuardianEvidence::Register,
        ))
        .with_separate_consent(boxes);
    out.shown(&draft);
    let token = draft
        .sign(
            keys.authority.as_ref(),
            GrantId::from_bytes([0x77; 16]),
            now(),
        )
        .unwrap();
    out.token(&token);
    let untrusted = token.untrusted::<Grant>().unwrap();
    out.shown(&untrusted);
    let signed = untrusted.verify(&checker).unwrap();
    out.shown(&signed);
    let grant = signed
        .live(&checker, now(), &Always(Status::Valid))
        .unwrap();
    out.shown(&grant);

    let narrow = NarrowDraft::of(&grant)
        .with_records([STUDY], &opening)
        .unwrap()
        .with_life_s(60);
    out.shown(&narrow);
    let link = narrow.sign(keys.hospital.as_ref(), now()).unwrap();
    out.token(&link);
    let link = link
        .untrusted::<Narrowed>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    let narrowed = grant.narrowed_by(link, &checker, now()).unwrap();
    out.shown(&narrowed);

    let draft = narrowed.prove_open(archive(), STUDY, &opening).unwrap();
    out.shown(&draft);
    let proof = draft
        .sign(keys.hospital.as_ref(), ProofId::from_bytes([1; 16]), now())
        .unwrap();
    out.token(&proof);
    let presented = Presented::new(&proof, &opening);
    out.shown(&presented);
    let place = archive();
    let wanted = Use::open(&place, PATIENT, STUDY, facts());
    out.shown(&wanted);
    let mut guard = MemoryGuard::with_capacity(10);
    let permit = narrowed
        .permit(&checker, now(), presented, &wanted, &mut guard)
        .unwrap();
    out.shown(&permit);
    let receipt = permit.served();
    out.shown(&receipt);
    let receipt = receipt.sign(other.as_ref(), archive_code, now()).unwrap();
    out.token(&receipt);
    out.shown(&guard);
    let mut kept = KeptGuard::open(10, &[], Disk::default(), now()).unwrap();
    let presented_again = Presented::new(&proof, &opening);
    let permit = narrowed.permit(&checker, now(), presented_again, &wanted, &mut kept);
    drop(permit.unwrap());
    assert!(kept.store_mut().0.len() >= GUARD_RECORD_BYTES);
    let records = kept.store_mut().0.clone();
    out.bytes("the records of a guard", &records);
    let denial = narrowed
        .permit(&checker, now(), presented, &wanted, &mut guard)
        .unwrap_err();
    out.shown(&denial);
    out.bytes("a denial", denial.to_string().as_bytes());
    let other_person = Use::open(&place, GUARDIAN, STUDY, facts());
    let denial = narrowed
        .permit(&checker, now(), presented, &other_person, &mut guard)
        .unwrap_err();
    out.bytes("a denial", denial.to_string().as_bytes());
    let long = HiddenRecord::new(suite, &opening, &STUDY.repeat(4)).unwrap_err();
    out.shown(&long);
    out.bytes("an error", long.to_string().as_bytes());

    let receipt = receipt
        .untrusted::<Receipt>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    out.shown(&receipt);
    let mut reconciliation = Reconciliation::new();
    reconciliation.served(receipt.claims());
    let report = reconciliation.report(now());
    assert_eq!(report.findings().len(), 1);
    out.shown(&report);
    let mut log = MerkleLog::new(suite).unwrap();
    log.append(receipt.entry()).unwrap();
    log.append(b"another").unwrap();
    out.shown(&log);
    out.bytes("a log proof", &log.inclusion(0, 2).unwrap().to_bytes());
    out.bytes("a log proof", &log.consistency(1, 2).unwrap().to_bytes());
    let head = CheckpointDraft::head_of(&log, archive_code, realm());
    out.token(&head.sign(other.as_ref(), archive_code, now()).unwrap());

    let withdrawal = WithdrawalDraft::of(narrowed.grant().claims(), Effect::Withdrawn);
    out.token(&withdrawal.sign(keys.authority.as_ref(), now()).unwrap());
    #[cfg(feature = "fhir")]
    exported(&narrowed, &receipt, suite, out);
    let list = StatusListDraft::new(realm(), archive_code, 3, 100_000).with_withdrawn([70_001]);
    out.shown(&list);
    out.token(&list.sign(other.as_ref(), now()).unwrap());
    let refusal = RefusalDraft::answering(&request, authority_code(), RefusalReason::Declined);
    let refusal = refusal.sign(keys.authority.as_ref(), now()).unwrap();
    out.token(&refusal);
    #[cfg(feature = "fhir")]
    for mapper in mappers() {
        let refusal = refusal.clone().untrusted::<Refusal>().unwrap();
        let refusal = refusal.verify(&checker).unwrap();
        let consent = mapper.refused(refusal.claims(), &pseudonym());
        out.resource(&consent);
    }
    let offer = OfferDraft::new(realm(), authority_code());
    out.token(
        &offer
            .sign(keys.authority.as_ref(), OfferId::from_bytes([9; 16]), now())
            .unwrap(),
    );

    let doctor = |code: &str| DoctorCode::new(code).unwrap();
    let acting = (
        DepartmentCode::new("A20").unwrap(),
        doctor("D1"),
        StaffRole::Attending,
    );
    let emergency = EmergencyDraft::new(
        realm(),
        hospital_code(),
        EmergencyReason::LifeAtRisk,
        acting,
        doctor("D2"),
    )
    .with_holder(keys.hospital.key_id())
    .with_subject(PATIENT, &opening);
    out.shown(&emergency);
    let emergency = emergency
        .sign(emergency_key.as_ref(), GrantId::from_bytes([8; 16]), now())
        .unwrap();
    out.token(&emergency);
    let emergency = emergency
        .untrusted::<Emergency>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    out.shown(&emergency);
    #[cfg(feature = "fhir")]
    for mapper in mappers() {
        out.resource(&mapper.emergency(emergency.claims(), &pseudonym()));
    }
    let review = ReviewDraft::of(emergency.claims(), Verdict::Justified);
    out.token(&review.sign(review_key.as_ref(), hospital, now()).unwrap());

    let instrument = InstrumentDigest::new(suite, "0001", b"made-up instrument").unwrap();
    let order = OrderDraft::new(
        realm(),
        IssuerCode::new("COURT01").unwrap(),
        hospital_code(),
        (
            StatutoryGround::Judicial,
            ArticleCode::new("PIPL.13.3").unwrap(),
        ),
        instrument,
    )
    .with_holder(keys.hospital.key_id())
    .with_status(StatusRef::new(1, 7))
    .with_subject(PATIENT, &salts());
    out.shown(&order);
    let order = order.sign(review_key.as_ref(), GrantId::from_bytes([9; 16]), now());
    out.token(&order.unwrap());
}

#[cfg(feature = "fhir")]
fn mappers() -> [fhir::Mapper; 2] {
    [fhir::Release::R4, fhir::Release::R5].map(fhir::Mapper::new)
}

#[cfg(feature = "fhir")]
fn pseudonym() -> fhir::PatientReference {
    fhir::PatientReference::new("Patient/visit-0007").unwrap()
}

/// CST-163: what is exported of a grant, its withdrawal and a receipt.
#[cfg(feature = "fhir")]
fn exported(narrowed: &NarrowedGrant, receipt: &Signed<Receipt>, suite: Suite, out: &mut Emitted) {
    let keys = keys(suite);
    let (ring, policy) = (keys.ring(), policy());
    let grant = narrowed.grant().claims();
    let withdrawal = WithdrawalDraft::of(grant, Effect::Withdrawn)
        .sign(keys.authority.as_ref(), now())
        .unwrap();
    let untrusted = withdrawal.untrusted::<Withdrawal>().unwrap();
    let withdrawal = untrusted.verify(&Checker::new(&ring, &policy)).unwrap();
    for mapper in mappers() {
        out.shown(&mapper);
        out.resource(&mapper.granted(grant, &pseudonym()).0);
        let withdrawn = mapper.withdrawn(grant, withdrawal.claims(), &pseudonym());
        out.resource(&withdrawn.unwrap().0);
        out.resource(&mapper.served(receipt.claims(), &pseudonym()));
    }
    let person = core::str::from_utf8(PATIENT).unwrap();
    let denied = fhir::PatientReference::new(&format!("Patient/{person}")).unwrap_err();
    out.bytes("an error", denied.to_string().as_bytes());
    out.shown(&denied);
}
