//! A day with honest accesses and one fault of each kind that wrong nodes can make. The keys are of the command's
//! making; the wrong receipts are made with the library, because the command refuses to make them. Every planted
//! fault is found, and nothing else.

use chrono::{DateTime, TimeDelta, Utc};
use mic_consent::*;
use serde_json::Value;

use crate::stage::{PERSON, Stage};

const RECORD: &[u8] = b"record-one/1.2.826.0.1.3680043.10.543.1";
const OTHER: &[u8] = b"record-two/1.2.826.0.1.3680043.10.543.2";

fn now() -> DateTime<Utc> {
    "2026-11-18T09:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

/// Says that every grant stands: a node that looks at nothing.
struct Blind;

impl StatusSource for Blind {
    fn status(&self, _: &KeyId, _: StatusRef, _: DateTime<Utc>) -> Status {
        Status::Valid
    }
}

struct Day<'a> {
    stage: &'a Stage,
    ring: KeyRing,
    policy: Policy,
    lines: Vec<String>,
    heard: Vec<String>,
}

fn salts() -> Opening {
    Opening::from_bytes([0x5a; 32])
}

fn archive() -> Place {
    Place::province(
        Province::new(61).unwrap(),
        IssuerCode::new("ARCHIVE61").unwrap(),
    )
}

impl<'a> Day<'a> {
    fn new(stage: &'a Stage) -> Self {
        let names = ["hospital", "emergency", "review", "authority", "archive"];
        let records = names.map(|name| {
            let text = stage.read(&format!("{name}.pub.json"));
            serde_json::from_str::<KeyRecord>(&text).unwrap()
        });
        let policy = Policy::new(Realm::new("mic.cn").unwrap(), AcceptedSuites::Both);
        Self {
            stage,
            ring: KeyRing::from_records(records).unwrap(),
            policy: policy.with_emergency_access().with_status_check_s(3_600),
            lines: Vec::new(),
            heard: Vec::new(),
        }
    }

    fn key(&self, name: &str) -> Ed25519SigningKey {
        let file: Value = serde_json::from_str(&self.stage.read(&format!("{name}.key"))).unwrap();
        let secret = hex::decode(file["secret"].as_str().unwrap()).unwrap();
        Ed25519SigningKey::from_secret_bytes(&secret.try_into().unwrap()).unwrap()
    }

    fn checker(&self) -> Checker<'_> {
        Checker::new(&self.ring, &self.policy)
    }

    fn grant(&self, id: u8, change: impl Fn(GrantDraft) -> GrantDraft) -> Live<Grant> {
        let hospital = InstitutionCode::new("H11010500001").unwrap();
        let rights = Rights::LIST | Rights::VIEW;
        let realm = *self.policy.realm();
        let asked = RequestDraft::new(realm, hospital, Purpose::Treatment, rights, Scope::all())
            .sign(
                &self.key("hospital"),
                RequestNonce::from_bytes([id; 16]),
                now(),
            )
            .unwrap();
        let asked = asked
            .untrusted::<Request>()
            .unwrap()
            .verify(&self.checker())
            .unwrap();
        let draft = GrantDraft::answering(&asked.live(&self.checker(), now()).unwrap())
            .with_issuer(IssuerCode::new("CONSENT01").unwrap())
            .with_subject(PERSON.as_bytes(), &salts())
            .with_status(StatusRef::new(3, id.into()))
            .with_notice(NoticeHash::new(Suite::Ed25519, "zh-CN", "告知书（虚构）").unwrap())
            .with_person_check(PersonCheck::Face)
            .with_separate_consent(SeparateConsent::needed(rights, PatientBand::Adult));
        let token = change(draft)
            .sign(&self.key("authority"), GrantId::from_bytes([id; 16]), now())
            .unwrap();
        let signed = token
            .untrusted::<Grant>()
            .unwrap()
            .verify(&self.checker())
            .unwrap();
        signed.live(&self.checker(), now(), &Blind).unwrap()
    }

    fn tell(&mut self, token: &Encoded) {
        self.lines.push(token.to_text());
    }

    /// Opens a record; the receipt may state another moment, as a wrong node's would.
    fn open(&self, grant: &Live<Grant>, record: &[u8], proof: u8, at: i64) -> Encoded {
        let salts = salts();
        let id = ProofId::from_bytes([proof; 16]);
        let shown = ProofDraft::open(grant, archive(), record, &salts).unwrap();
        let shown = shown.sign(&self.key("hospital"), id, now()).unwrap();
        let day = chrono::NaiveDate::from_ymd_opt(2026, 3, 9).unwrap();
        let facts = RecordFacts::new(day, Province::new(61).unwrap());
        let place = archive();
        let wanted = Use::open(&place, PERSON.as_bytes(), record, facts);
        // A node for itself: it remembers nothing of the others.
        let mut guard = MemoryGuard::with_capacity(10);
        let presented = Presented::new(&shown, &salts);
        let permit = grant.permit(&self.checker(), now(), presented, &wanted, &mut guard);
        self.receipt(permit.unwrap(), at)
    }

    fn receipt(&self, permit: Permit<'_>, at: i64) -> Encoded {
        let node = IssuerCode::new("ARCHIVE61").unwrap();
        permit
            .served()
            .sign(&self.key("archive"), node, after(at))
            .unwrap()
    }

    fn emergency(&mut self, id: u8, verdict: Option<(Verdict, i64)>) {
        let doctor = |code: &str| DoctorCode::new(code).unwrap();
        let hospital = InstitutionCode::new("H11010500001").unwrap();
        let acting = (
            DepartmentCode::new("A20").unwrap(),
            doctor("D1"),
            StaffRole::Attending,
        );
        let reason = EmergencyReason::LifeAtRisk;
        let draft =
            EmergencyDraft::new(*self.policy.realm(), hospital, reason, acting, doctor("D2"));
        let token = draft
            .with_holder(self.key("hospital").key_id())
            .with_subject(PERSON.as_bytes(), &salts())
            .sign(&self.key("emergency"), GrantId::from_bytes([id; 16]), now())
            .unwrap();
        self.tell(&token);
        let signed = token
            .untrusted::<Emergency>()
            .unwrap()
            .verify(&self.checker())
            .unwrap();
        let taken = signed.live(&self.checker(), now()).unwrap();
        let salts = salts();
        let proof = taken.prove_list(archive());
        let proof = proof
            .sign(&self.key("hospital"), ProofId::from_bytes([id; 16]), now())
            .unwrap();
        let place = archive();
        let wanted = Use::list(&place, PERSON.as_bytes());
        let mut guard = MemoryGuard::with_capacity(10);
        let presented = Presented::new(&proof, &salts);
        let permit = taken.permit(&self.checker(), now(), presented, &wanted, &mut guard);
        let receipt = self.receipt(permit.unwrap(), 5);
        self.tell(&receipt);
        if let Some((verdict, at)) = verdict {
            let review = ReviewDraft::of(taken.claims(), verdict);
            let review = review
                .sign(&self.key("review"), hospital.into(), after(at))
                .unwrap();
            self.tell(&review);
        }
    }
}

/// The planted faults, as the command names them, in the order of grants.
const PLANTED: [(u8, &str); 13] = [
    (3, "orphan"),
    (4, "late"),
    (5, "early"),
    (6, "proof-twice"),
    (7, "too-many-studies"),
    (8, "right-missing"),
    (8, "outside-scope"),
    (9, "after-withdrawal"),
    (10, "id-twice"),
    (11, "no-receipt"),
    (21, "not-reviewed"),
    (22, "unjustified"),
    (23, "not-reviewed"),
];

fn day(stage: &Stage) -> Day<'_> {
    let mut day = Day::new(stage);
    let whole = |draft: GrantDraft| draft;
    for (id, known, opened) in [
        (1, true, vec![(RECORD, 1, 5), (OTHER, 2, 6)]),
        (2, true, vec![]),
        (3, false, vec![(RECORD, 3, 5)]),
        (4, true, vec![(RECORD, 4, 7_200 + 61)]),
        (5, true, vec![(RECORD, 5, -100)]),
        (6, true, vec![(RECORD, 6, 5), (RECORD, 6, 9)]),
        (9, true, vec![(RECORD, 10, 5), (OTHER, 11, 50)]),
    ] {
        let grant = day.grant(id, whole);
        if known {
            day.tell(grant.encoded());
        }
        for (record, proof, at) in opened {
            let receipt = day.open(&grant, record, proof, at);
            day.tell(&receipt);
        }
        if id == 9 {
            let ended = WithdrawalDraft::of(grant.claims(), Effect::Withdrawn);
            let ended = ended.sign(&day.key("authority"), after(15)).unwrap();
            let at = after(20).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            day.heard
                .push(format!("ARCHIVE61 {at} {}", ended.to_text()));
        }
    }
    // Two nodes, each within its own count.
    let counted = day.grant(7, |draft| draft.with_studies_max(1));
    day.tell(counted.encoded());
    for (record, proof) in [(RECORD, 7), (OTHER, 8)] {
        let receipt = day.open(&counted, record, proof, 5);
        day.tell(&receipt);
    }
    // A node that held a wider grant of the same id.
    let (wide, narrow) = (
        day.grant(8, whole),
        day.grant(8, |draft| {
            draft.with_records([RECORD]).with_rights(Rights::VIEW)
        }),
    );
    day.tell(narrow.encoded());
    let receipt = day.open(&wide, OTHER, 9, 5);
    day.tell(&receipt);
    // Two contents under one id.
    for studies in [3, 4] {
        let twice = day.grant(10, |draft| draft.with_studies_max(studies));
        day.tell(twice.encoded());
    }
    // The hospital got a list, and no node has a receipt of it.
    let silent = day.grant(11, whole);
    day.tell(silent.encoded());
    let proof = ProofDraft::list(&silent, archive());
    let proof = proof.sign(&day.key("hospital"), ProofId::from_bytes([12; 16]), now());
    day.tell(&proof.unwrap());
    day.emergency(20, Some((Verdict::Justified, 3_600)));
    day.emergency(21, None);
    day.emergency(22, Some((Verdict::Unjustified, 3_600)));
    day.emergency(23, Some((Verdict::Justified, 259_201)));
    day
}

#[test]
fn ok_every_planted_fault_is_found_and_nothing_else() {
    let stage = Stage::new("ed25519");
    let day = day(&stage);
    stage.write("told.txt", &(day.lines.join("\n") + "\n"));
    stage.write("heard.txt", &(day.heard.join("\n") + "\n"));
    let more = [
        "--json",
        "--trust",
        "trust.json",
        "told.txt",
        "heard.txt",
        "--now",
        "2026-11-22T00:00:00Z",
    ];
    let run = stage.at("", "reconcile", &more);
    assert_eq!(run.code, 1);
    let line = run.json();
    let findings = line["findings"].as_array().unwrap();
    let found: Vec<(u8, String)> = findings
        .iter()
        .map(|finding| {
            let id = u8::from_str_radix(&finding["grant"].as_str().unwrap()[..2], 16).unwrap();
            (id, finding["finding"].as_str().unwrap().to_owned())
        })
        .collect();
    let planted: Vec<_> = PLANTED
        .iter()
        .map(|(id, name)| (*id, (*name).to_owned()))
        .collect();
    assert_eq!(found, planted);
    assert_eq!(line["accesses"], 16);
    assert_eq!(
        (&line["emergencies"], &line["refused"]),
        (&4.into(), &0.into())
    );

    // The same for people, and in any order.
    let mut turned = day.lines.clone();
    turned.reverse();
    stage.write("turned.txt", &(turned.join("\n") + "\n"));
    let more = [
        "--trust",
        "trust.json",
        "heard.txt",
        "turned.txt",
        "--now",
        "2026-11-22T00:00:00Z",
    ];
    let run = stage
        .at("", "reconcile", &more)
        .bad(1, "findings: 13; lines that do not hold: 0");
    for (_, name) in PLANTED {
        assert!(run.out.contains(name), "{name} in {}", run.out);
    }
    for words in ["撤回后仍调阅", "2 of 1", "30 s", "ARCHIVE61"] {
        assert!(run.out.contains(words), "{words} in {}", run.out);
    }
    if let Some(folder) = std::env::var_os("MIC_SHOW_REPORT") {
        std::fs::write(folder, &run.out).unwrap();
    }
}

#[test]
fn err_lines_that_do_not_hold_are_counted_and_named() {
    let stage = Stage::new("ed25519");
    let day = day(&stage);
    let receipt = day
        .lines
        .iter()
        .find(|line| line.starts_with("MICR1:"))
        .unwrap();
    let mut wrong = receipt.clone();
    let last = wrong.pop().unwrap();
    wrong.push(if last == '0' { '1' } else { '0' });
    let plain = day.heard[0].splitn(3, ' ').nth(2).unwrap().to_owned();
    let no_time = day.heard[0].replacen("ARCHIVE61 2026", "ARCHIVE61 soon", 1);
    let lines = [&day.lines[0], "nonsense", &wrong, "", &plain, &no_time].map(str::to_owned);
    stage.write("told.txt", &lines.join("\n"));
    let more = ["--json", "--trust", "trust.json", "told.txt"];
    let run = stage.at("20:00:00", "reconcile", &more);
    assert_eq!(run.code, 1);
    let line = run.json();
    let refused = line["refused_lines"].as_array().unwrap();
    let places: Vec<_> = refused
        .iter()
        .map(|one| one["line"].as_u64().unwrap())
        .collect();
    assert_eq!(places, [2, 3, 5, 6]);
    assert_eq!(refused[0]["why"]["reason"], "UnknownPrefix");
    assert_eq!(refused[2]["why"]["reason"], "consent.reconcile");
    let more = ["--trust", "trust.json", "told.txt"];
    stage
        .at("20:00:00", "reconcile", &more)
        .bad(1, "told.txt:3");
    stage
        .at(
            "20:00:00",
            "reconcile",
            &["--trust", "trust.json", "no-such.txt"],
        )
        .bad(2, "no-such.txt");
    stage
        .at("20:00:00", "reconcile", &["--trust", "trust.json"])
        .bad(2, "FILES");
}
