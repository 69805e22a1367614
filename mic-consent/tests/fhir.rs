//! Tokens as FHIR resources: the vectors, what is refused, and the models of another project
//! (CST-160 to CST-168).
//!
//! `MIC_CONSENT_WRITE_VECTORS=1 cargo test -p mic-consent --features fhir --test fhir` writes the vectors anew.
#![cfg(all(feature = "fhir", feature = "gm", feature = "ed25519"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

mod common;

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use common::*;
use mic_consent::{
    fhir::{Mapper, OtherGrant, PatientReference, PatientReferenceError, Release, Systems},
    *,
};
use serde_json::{Value as Json, json};

const RELEASES: [(Release, &str); 2] = [(Release::R4, "R4"), (Release::R5, "R5")];

fn patient() -> PatientReference {
    PatientReference::new("Patient/visit-2026-11-18-0007").unwrap()
}

/// Keys of every role that signs what is exported.
struct World {
    keys: Keys,
    log: Sm2SigningKey,
    emergency: Sm2SigningKey,
    ring: KeyRing,
    policy: Policy,
}

impl World {
    fn new() -> Self {
        let keys = keys(Suite::Sm2Sm3);
        let key = |byte: u8| Sm2SigningKey::from_secret_bytes(&[byte; 32]).unwrap();
        let (log, emergency) = (key(0x61), key(0x62));
        let mut ring = keys.ring();
        for (key, owner, role) in [
            (&log, *archive().node(), Role::Log),
            (&emergency, hospital_code().into(), Role::Emergency),
        ] {
            let record = KeyRecord::new(key.public_key().clone(), owner, role, validity());
            ring.insert(record.unwrap()).unwrap();
        }
        Self {
            keys,
            log,
            emergency,
            ring,
            policy: policy().with_emergency_access(),
        }
    }

    fn checker(&self) -> Checker<'_> {
        Checker::new(&self.ring, &self.policy)
    }

    fn request(&self, draft: RequestDraft) -> Live<Request> {
        let token = draft
            .sign(self.keys.hospital.as_ref(), nonce(), now())
            .unwrap();
        let signed = token
            .untrusted::<Request>()
            .unwrap()
            .verify(&self.checker());
        signed.unwrap().live(&self.checker(), now()).unwrap()
    }

    fn grant(&self, asked: RequestDraft, change: impl Fn(GrantDraft) -> GrantDraft) -> Live<Grant> {
        let draft = GrantDraft::answering(&self.request(asked))
            .with_issuer(authority_code())
            .with_subject(PERSON, &opening())
            .with_status(StatusRef::new(3, 70_001))
            .with_notice(notice(Suite::Sm2Sm3))
            .with_person_check(PersonCheck::Face)
            .with_separate_consent(SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER);
        let id = GrantId::from_bytes([0x77; 16]);
        let token = change(draft).sign(self.keys.authority.as_ref(), id, now());
        live_grant(&self.keys, token.unwrap())
    }

    fn withdrawal(&self, grant: &Live<Grant>, effect: Effect, at: i64) -> Signed<Withdrawal> {
        let token = WithdrawalDraft::of(grant.claims(), effect)
            .sign(self.keys.authority.as_ref(), after(at))
            .unwrap();
        let untrusted = token.untrusted::<Withdrawal>().unwrap();
        untrusted.verify(&self.checker()).unwrap()
    }

    fn refusal(&self, reason: RefusalReason) -> Signed<Refusal> {
        let request = self.request(request_draft(ct_scope()));
        let token = RefusalDraft::answering(&request, authority_code(), reason)
            .sign(self.keys.authority.as_ref(), now())
            .unwrap();
        let untrusted = token.untrusted::<Refusal>().unwrap();
        untrusted.verify(&self.checker()).unwrap()
    }

    fn taken(&self) -> Live<Emergency> {
        let doctor = |code: &str| DoctorCode::new(code).unwrap();
        let department = DepartmentCode::new("A20").unwrap();
        let token = EmergencyDraft::new(
            realm(),
            hospital_code(),
            EmergencyReason::LifeAtRisk,
            (department, doctor("D1"), StaffRole::Attending),
            doctor("D2"),
        )
        .with_holder(self.keys.hospital.key_id())
        .with_subject(PERSON, &opening())
        .sign(&self.emergency, GrantId::from_bytes([0x78; 16]), now())
        .unwrap();
        let signed = token
            .untrusted::<Emergency>()
            .unwrap()
            .verify(&self.checker());
        signed.unwrap().live(&self.checker(), now()).unwrap()
    }

    fn receipt(&self, permit: Permit<'_>) -> Signed<Receipt> {
        let token = permit
            .served()
            .sign(&self.log, *archive().node(), after(5))
            .unwrap();
        let untrusted = token.untrusted::<Receipt>().unwrap();
        untrusted.verify(&self.checker()).unwrap()
    }

    fn served(&self, grant: &Live<Grant>, record: Option<&[u8]>) -> Signed<Receipt> {
        let salts = opening();
        let draft = match record {
            None => ProofDraft::list(grant, archive()),
            Some(record) => ProofDraft::open(grant, archive(), record, &salts).unwrap(),
        };
        let id = ProofId::from_bytes([0x33; 16]);
        let proof = draft.sign(self.keys.hospital.as_ref(), id, now()).unwrap();
        let place = archive();
        let wanted = match record {
            None => Use::list(&place, PERSON),
            Some(record) => Use::open(&place, PERSON, record, facts()),
        };
        let mut guard = MemoryGuard::with_capacity(10);
        let presented = Presented::new(&proof, &salts);
        let permit = grant.permit(&self.checker(), now(), presented, &wanted, &mut guard);
        self.receipt(permit.unwrap())
    }

    fn served_in_emergency(&self, emergency: &Live<Emergency>) -> Signed<Receipt> {
        let salts = opening();
        let id = ProofId::from_bytes([0x34; 16]);
        let proof = emergency
            .prove_list(archive())
            .sign(self.keys.hospital.as_ref(), id, now())
            .unwrap();
        let place = archive();
        let mut guard = MemoryGuard::with_capacity(10);
        let presented = Presented::new(&proof, &salts);
        let wanted = Use::list(&place, PERSON);
        let permit = emergency.permit(&self.checker(), now(), presented, &wanted, &mut guard);
        self.receipt(permit.unwrap())
    }

    /// A grant with everything that has a place in FHIR.
    fn full(&self) -> Live<Grant> {
        let asked = request_draft(ct_scope())
            .with_department(DepartmentCode::new("A03.05").unwrap())
            .with_doctor(DoctorCode::new("D110105000001").unwrap());
        self.grant(asked, |draft| draft.with_records([RECORD, OTHER_RECORD]))
    }

    /// A guardian's grant, with everything that has none.
    fn guardians(&self) -> Live<Grant> {
        let filter = ScopeFilter::new()
            .with_provinces([Province::new(61).unwrap()])
            .unwrap()
            .with_body_parts([BodyPart::new("B08000000").unwrap()])
            .unwrap()
            .with_exam_types([ExamType::new(2).unwrap()])
            .unwrap();
        let asked = RequestDraft::new(
            realm(),
            hospital_code(),
            Purpose::AssistedReading,
            Rights::VIEW | Rights::REPORT | Rights::KEEP | Rights::DERIVE,
            Scope::filtered(filter).unwrap(),
        );
        let hidden = GuardianCommitment::new(Suite::Sm2Sm3, &opening(), b"TEST-GUARDIAN").unwrap();
        let guardian = Guardian::new(Relation::Parent, hidden, GuardianEvidence::Register);
        let ticked = SeparateConsent::SENSITIVE
            | SeparateConsent::HAND_OVER
            | SeparateConsent::MINOR
            | SeparateConsent::KEEPING;
        self.grant(asked, |draft| {
            draft
                .with_band(PatientBand::Under14)
                .with_guardian(guardian)
                .with_separate_consent(ticked)
                .with_studies_max(3)
        })
    }
}

/// One case for each kind of token and release.
fn made() -> Json {
    let world = World::new();
    let (full, guardians) = (world.full(), world.guardians());
    let listed = world.grant(
        RequestDraft::new(
            realm(),
            hospital_code(),
            Purpose::Referral,
            Rights::LIST,
            Scope::list_only(ScopeFilter::new()),
        ),
        |draft| draft,
    );
    let withdrawal = world.withdrawal(&full, Effect::Withdrawn, 600);
    let (opened, seen) = (
        world.served(&full, Some(RECORD)),
        world.served(&listed, None),
    );
    let emergency = world.taken();
    let overridden = world.served_in_emergency(&emergency);
    let mut cases = Vec::new();
    for (release, name) in RELEASES {
        let mapper = Mapper::new(release);
        let mut add = |id: &str, note: &str, tokens: &[&Encoded], resource: Json, left: Json| {
            let tokens: Vec<_> = tokens.iter().map(|token| token.to_text()).collect();
            cases.push(json!({
                "id": format!("{id}-{}", name.to_lowercase()),
                "note": note,
                "input": {"release": name, "tokens": tokens, "patient": patient().as_str()},
                "expect": {"resource": resource, "not_carried": left},
            }));
        };
        for (id, note, grant) in [
            (
                "grant-full",
                "CST-161: department, doctor, two chosen records",
                &full,
            ),
            (
                "grant-guardian",
                "CST-164: what has no element is told",
                &guardians,
            ),
            (
                "grant-list",
                "CST-164: a referral has no code of HL7's",
                &listed,
            ),
        ] {
            let (consent, left) = mapper.granted(grant.claims(), &patient());
            let left: Vec<_> = left.iter().map(|what| what.name()).collect();
            add(id, note, &[grant.encoded()], json!(consent), json!(left));
        }
        let tokens = [full.encoded(), withdrawal.encoded()];
        let withdrawn = mapper.withdrawn(full.claims(), withdrawal.claims(), &patient());
        let note = "CST-161: the same consent, inactive";
        add(
            "withdrawn",
            note,
            &tokens,
            json!(withdrawn.unwrap().0),
            json!([]),
        );
        for (id, note, reason) in [
            (
                "declined",
                "CST-162: the person said no",
                RefusalReason::Declined,
            ),
            (
                "no-answer",
                "CST-162: nobody decided",
                RefusalReason::NoAnswer,
            ),
        ] {
            let refusal = world.refusal(reason);
            let consent = mapper.refused(refusal.claims(), &patient());
            add(id, note, &[refusal.encoded()], json!(consent), json!([]));
        }
        for (id, note, receipt) in [
            ("opened", "CST-165: one record", &opened),
            ("listed", "CST-165: the list of exams", &seen),
            (
                "listed-emergency",
                "CST-166: a receipt under an emergency",
                &overridden,
            ),
        ] {
            let event = mapper.served(receipt.claims(), &patient());
            add(id, note, &[receipt.encoded()], json!(event), json!([]));
        }
        let event = mapper.emergency(emergency.claims(), &patient());
        let note = "CST-166: an emergency override";
        add(
            "emergency",
            note,
            &[emergency.encoded()],
            json!(event),
            json!([]),
        );
    }
    cases.extend(wrong());
    json!({
        "spec": "mic-consent/spec/fhir.md",
        "version": "draft 1",
        "note": "made by tests/fhir.rs from fixed keys; all persons, records and codes are made up",
        "cases": cases,
    })
}

/// References that name a person or are none (CST-163).
const NO_REFERENCES: [(&str, &str, &str); 22] = [
    (
        "person-code",
        "Patient/10000000000000000708463177",
        "LooksLikeAPerson",
    ),
    (
        "certificate",
        "Patient/110101199003070017",
        "LooksLikeAPerson",
    ),
    (
        "certificate-x",
        "Patient/11010119900307123X",
        "LooksLikeAPerson",
    ),
    (
        "certificate-15",
        "Patient/110101900307123",
        "LooksLikeAPerson",
    ),
    (
        "certificate-behind-text",
        "Patient/p-110101199003070017",
        "LooksLikeAPerson",
    ),
    (
        "certificate-before-text",
        "Patient/110101199003070017-1",
        "LooksLikeAPerson",
    ),
    ("empty", "", "Form"),
    ("no-id", "Patient/", "Form"),
    ("no-type", "visit-7", "Form"),
    ("other-type", "Person/visit-7", "Form"),
    ("lower-case", "patient/visit-7", "Form"),
    ("absolute", "https://example.org/fhir/Patient/7", "Form"),
    ("version", "Patient/7/_history/1", "Form"),
    ("search", "Patient?identifier=7", "Form"),
    ("name", "Patient/张三", "Form"),
    ("blank", "Patient/visit 7", "Form"),
    ("blank-before", " Patient/visit-7", "Form"),
    ("line-behind", "Patient/visit-7\n", "Form"),
    ("underscore", "Patient/visit_7", "Form"),
    ("fragment", "#visit-7", "Form"),
    (
        "urn",
        "urn:uuid:b254c732-6a87-489e-a570-dac36270a34f",
        "Form",
    ),
    (
        "too-long",
        "Patient/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "Form",
    ),
];

fn wrong() -> Vec<Json> {
    NO_REFERENCES
        .iter()
        .map(|(id, reference, error)| {
            json!({
                "id": format!("patient-{id}"),
                "note": "CST-163: no pseudonymous reference",
                "input": {"patient": reference},
                "expect": {"error": error},
            })
        })
        .collect()
}

fn file() -> String {
    format!("{}/vectors/fhir.json", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn ok_the_vectors_are_what_the_crate_writes() {
    let text = format!("{}\n", serde_json::to_string_pretty(&made()).unwrap());
    if std::env::var_os("MIC_CONSENT_WRITE_VECTORS").is_some() {
        fs::write(file(), &text).unwrap();
    }
    let kept = fs::read_to_string(file()).unwrap();
    assert!(
        kept == text,
        "vectors/fhir.json differs: write it anew and look at the difference"
    );
}

#[test]
fn err_references_that_name_a_person_or_are_none() {
    for (id, reference, error) in NO_REFERENCES {
        let expected = match error {
            "Form" => PatientReferenceError::Form,
            _ => PatientReferenceError::LooksLikeAPerson,
        };
        let found = PatientReference::new(reference).unwrap_err();
        assert_eq!(found, expected, "{id}");
        // The text is not repeated.
        let digits: String = found.to_string().matches(char::is_numeric).collect();
        assert!(digits.len() < 6, "{found}");
    }
    for good in [
        "Patient/7",
        "Patient/A.b-9",
        "Patient/b254c732-6a87-489e-a570-012345678901",
    ] {
        assert_eq!(PatientReference::new(good).unwrap().as_str(), good);
    }
    assert_eq!(format!("{:?}", patient()), "PatientReference(..)");
}

/// CST-161: a withdrawal of another grant, of another authority's list, and a suspension.
#[test]
fn err_withdrawals_of_other_grants_and_suspensions() {
    let world = World::new();
    let full = world.full();
    let other = world.grant(request_draft(ct_scope()), |draft| {
        draft.with_status(StatusRef::new(3, 7))
    });
    for (release, _) in RELEASES {
        let mapper = Mapper::new(release);
        let put = |withdrawal: &Signed<Withdrawal>| {
            let made = mapper.withdrawn(full.claims(), withdrawal.claims(), &patient());
            made.map(|(consent, _)| consent.status)
        };
        assert_eq!(
            put(&world.withdrawal(&full, Effect::Withdrawn, 1)),
            Ok("inactive")
        );
        assert_eq!(
            put(&world.withdrawal(&full, Effect::Suspended, 1)),
            Err(OtherGrant)
        );
        assert_eq!(
            put(&world.withdrawal(&other, Effect::Withdrawn, 1)),
            Err(OtherGrant)
        );
    }
}

/// CST-164: the codes of HL7 stand only beside purposes that say the same.
#[test]
fn ok_no_purpose_is_widened() {
    let world = World::new();
    let exact = [
        (Purpose::Treatment, Some("TREAT")),
        (Purpose::Emergency, Some("ETREAT")),
        (Purpose::Referral, None),
        (Purpose::InsurerAudit, None),
        (Purpose::Research, Some("HRESCH")),
        (Purpose::PatientsOwn, Some("PATRQT")),
        (Purpose::AssistedReading, None),
    ];
    assert_eq!(exact.len(), Purpose::ALL.len());
    for (purpose, code) in exact {
        let asked = RequestDraft::new(
            realm(),
            hospital_code(),
            purpose,
            Rights::LIST | Rights::VIEW,
            Scope::all(),
        );
        let grant = world.grant(asked, |draft| draft);
        let (consent, _) = Mapper::new(Release::R5).granted(grant.claims(), &patient());
        let codes: Vec<_> = consent.provision.first().purpose.iter().collect();
        let own = format!("purpose-{}", purpose.number());
        assert_eq!(codes.last().unwrap().code, own);
        let hl7 = (codes.len() == 2).then(|| codes[0].code.as_str());
        assert_eq!(hl7, code, "{purpose:?}");
    }
}

/// CST-168.
#[test]
fn ok_systems_are_the_callers() {
    let grant = World::new().full();
    let own = |name: &str| format!("https://example.org/{name}");
    let systems = Systems {
        grant: own("grant"),
        organisation: own("organisation"),
        staff: own("staff"),
        record: own("record"),
        guardian: own("guardian"),
        term: own("term"),
    };
    let mapper = Mapper::new(Release::R4).with_systems(systems);
    let (consent, _) = mapper.granted(grant.claims(), &patient());
    let text = serde_json::to_string(&consent).unwrap();
    assert!(!text.contains("urn:uuid"), "{text}");
    for name in ["grant", "organisation", "staff", "record", "term"] {
        assert!(text.contains(&own(name)), "{name}");
    }
}

/// The models of another project, which refuse names, types and required parts that are not FHIR's.
#[test]
fn models_of_others_take_every_resource() {
    const VALIDATE: &str = r"
import json, sys
from fhir.resources.R4B.auditevent import AuditEvent as R4AuditEvent
from fhir.resources.R4B.consent import Consent as R4Consent
from fhir.resources.auditevent import AuditEvent as R5AuditEvent
from fhir.resources.consent import Consent as R5Consent
models = {('R4', 'Consent'): R4Consent, ('R5', 'Consent'): R5Consent,
          ('R4', 'AuditEvent'): R4AuditEvent, ('R5', 'AuditEvent'): R5AuditEvent}
for line in sys.stdin:
    case = json.loads(line)
    written = case['expect']['resource']
    model = models[case['input']['release'], written['resourceType']]
    again = json.loads(model.model_validate(written).model_dump_json())
    def same(ours, theirs, path):
        if isinstance(ours, dict):
            assert set(ours) == set(theirs), (path, set(ours) ^ set(theirs))
            for key in ours:
                same(ours[key], theirs[key], path + '/' + key)
        elif isinstance(ours, list):
            assert len(ours) == len(theirs), path
            for n, pair in enumerate(zip(ours, theirs)):
                same(*pair, path + '/' + str(n))
        else:
            assert ours == theirs or str(ours)[:19] == str(theirs)[:19], (path, ours, theirs)
    same(written, again, case['id'])
    # And a model that is asked about something wrong says so.
    try:
        model.model_validate({**written, 'noSuchElement': 1})
    except ValueError:
        print(case['id'])
";
    let python =
        || Command::new(std::env::var_os("MIC_PYTHON").unwrap_or_else(|| "python3".into()));
    let there = python()
        .args(["-c", "import fhir.resources"])
        .stderr(Stdio::null())
        .status();
    if !there.is_ok_and(|status| status.success()) {
        assert!(
            std::env::var_os("MIC_PEERS").is_none(),
            "MIC_PEERS asks for every peer, and this one is missing"
        );
        eprintln!("SKIPPED: no python3 with fhir.resources; its models were not asked");
        return;
    }
    let mut process = python()
        .args(["-c", VALIDATE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let cases = made()["cases"].as_array().unwrap().clone();
    let written: Vec<_> = cases
        .iter()
        .filter(|case| !case["expect"]["resource"].is_null())
        .collect();
    for case in &written {
        writeln!(stdin, "{case}").unwrap();
    }
    drop(stdin);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), written.len());
    assert_eq!(written.len(), 20);
}
