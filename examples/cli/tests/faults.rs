//! What goes wrong on the line and with consent: each fault is told, and nothing half-written is
//! listed.

#![expect(clippy::unwrap_used, reason = "a test's way to fail")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use mic_consent::{
    Checker, Encoded, Grant, IssuerCode, KeyId, Opening, Place, ProofDraft, ProofId, Request,
    Status, StatusRef, StatusSource,
};
use mic_platform::client::Client;
use mic_platform::consent;
use mic_platform::node::Role;
use mic_platform::phantom::Phantom;
use mic_platform::problem::{Fault, Problem};
use mic_platform::scene::{self, Cloud};
use mic_platform::time;
use mic_platform::trust::Trust;
use mic_platform::wire::{
    Asked, Collect, Collected, Decided, Decision, Doors, Exam, Hello, Intake, Job, Listed, Order,
    Presented, Proof, Pull, Register, Registered, Scanned, Sealed, Shown, SignedDocument, Withdraw,
};
use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::tcp::StudyOutcome;
use mic_transfer::{Auth, Uid};

const SLICES: u16 = 6;

/// A cloud with one made study that is taken in and indexed.
struct Stage {
    state: tempfile::TempDir,
    cloud: Cloud,
    study: String,
    exam: Exam,
}

impl Stage {
    fn set() -> Self {
        let state = tempfile::tempdir().unwrap();
        scene::provision(state.path()).unwrap();
        let cloud = Cloud::start(Path::new(env!("CARGO_BIN_EXE_mic")), state.path()).unwrap();
        let phantom = Phantom::new(5, SLICES);
        let trust = Trust::load(&state.path().join("source-hospital")).unwrap();
        let province = cloud.node(Role::Province).unwrap().url();
        let province = Client::new(province, Some(trust.key().clone()));
        for slice in 0..SLICES {
            let taken: Intake = province
                .post_bytes("/v1/instances", "application/dicom", &phantom.slice(slice))
                .unwrap();
            assert!(matches!(taken, Intake::Stored { .. }));
        }
        let order = Order {
            person: scene::PATIENT.into(),
            institution: scene::SOURCE_HOSPITAL.to_owned(),
            encounter: "MZ0001".to_owned(),
            visit: time::now(),
            studies: vec![phantom.study_uid()],
        };
        let sealed: Vec<Sealed> = province.post("/v1/seal", &order).unwrap();
        Self {
            state,
            cloud,
            study: phantom.study_uid(),
            exam: sealed[0].exam.clone(),
        }
    }

    fn client(&self, role: Role) -> Client {
        Client::new(self.cloud.node(role).unwrap().url(), None)
    }

    /// A client that signs with the key of the member in this folder.
    fn signed(&self, folder: &str, role: Role) -> Client {
        let trust = Trust::load(&self.state.path().join(folder)).unwrap();
        Client::new(
            self.cloud.node(role).unwrap().url(),
            Some(trust.key().clone()),
        )
    }

    fn ask(&self) -> (String, String) {
        let hospital = self.client(Role::Hospital);
        let person = scene::PATIENT.into();
        let registered: Registered = hospital
            .post("/v1/registrations", &Register { person })
            .unwrap();
        let path = format!("/v1/registrations/{}", registered.registration);
        let asked: Asked = hospital.post(&format!("{path}/ask"), &()).unwrap();
        (path, asked.text)
    }

    /// Registers, asks, agrees, collects and lists.
    fn consent(&self) -> (String, String) {
        let (path, text) = self.ask();
        let decision = Decision {
            text,
            person: scene::PATIENT.into(),
            agree: true,
        };
        let decided: Decided = self
            .client(Role::Authority)
            .post("/v1/decisions", &decision)
            .unwrap();
        let hospital = self.client(Role::Hospital);
        hospital
            .post::<()>(&format!("{path}/collect"), &())
            .unwrap();
        let listed: Vec<Listed> = hospital.post(&format!("{path}/list"), &()).unwrap();
        assert_eq!(listed.len(), 1);
        (path, decided.grant.unwrap())
    }

    fn pull(&self, path: &str) -> Job {
        let hospital = self.client(Role::Hospital);
        let path = format!("{path}/pull");
        let studies = vec![self.study.clone()];
        let mut job: Job = hospital.post(&path, &Pull { studies }).unwrap();
        while !job.ended {
            thread::sleep(Duration::from_millis(10));
            job = hospital.get(&path).unwrap();
        }
        job
    }

    fn proof(&self, path: &str) -> Result<Vec<Proof>, Problem> {
        self.client(Role::Hospital)
            .get(&format!("{path}/studies/{}/proof", self.study))
    }

    /// Lets the nation name another transfer door for the province.
    fn announce(&self, door: SocketAddr) {
        let doors = Doors {
            transfer: door.to_string(),
        };
        self.signed("province", Role::Nation)
            .post::<()>("/v1/doors", &doors)
            .unwrap();
    }

    fn door(&self) -> SocketAddr {
        self.cloud
            .node(Role::Province)
            .unwrap()
            .ready
            .transfer
            .unwrap()
    }
}

/// A line to `to` that spoils what comes back from byte `at` of all its connections on: flips bits, or cuts.
fn bad_line(to: SocketAddr, at: usize, cut: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen: Arc<AtomicUsize> = Arc::default();
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = TcpStream::connect(to).unwrap();
            let (mut from, mut into) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut into);
                let _ = into.shutdown(Shutdown::Write);
            });
            let seen = Arc::clone(&seen);
            thread::spawn(move || spoil(far, near, &seen, at, cut));
        }
    });
    address
}

fn spoil(mut far: TcpStream, mut near: TcpStream, seen: &AtomicUsize, at: usize, cut: bool) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = far.read(&mut buffer) {
        let before = seen.fetch_add(read, Ordering::Relaxed);
        let mut portion = read;
        if before + read > at {
            let good = at.saturating_sub(before);
            if cut {
                portion = good;
            } else {
                buffer[good] ^= 0x10;
            }
        }
        if near.write_all(&buffer[..portion]).is_err() || portion < read {
            break;
        }
    }
    let _ = near.shutdown(Shutdown::Both);
    let _ = far.shutdown(Shutdown::Both);
}

#[test]
fn err_a_corrupted_or_cut_line_leaves_no_study_and_a_good_line_resumes() {
    // What a pull takes on the line, coded or not as the program was built.
    let total = {
        let stage = Stage::set();
        let (path, _) = stage.consent();
        usize::try_from(stage.pull(&path).wire_bytes).unwrap()
    };
    let stage = Stage::set();
    // The cut comes first: no more than half is there behind it, so that the second line meets its fault as well.
    for (at, cut) in [(total / 2, true), (total / 6, false)] {
        stage.announce(bad_line(stage.door(), at, cut));
        let (path, _) = stage.consent();
        let job = stage.pull(&path);
        let problem = job.problem.expect("a bad line must not look good");
        assert_eq!(problem.fault, Fault::Data, "{problem:?}");
        assert!(problem.detail.starts_with("study "), "{problem:?}");
        let problem = stage.proof(&path).unwrap_err();
        assert_eq!(problem.code, "study.incomplete");
    }
    stage.announce(stage.door());
    let (path, _) = stage.consent();
    let job = stage.pull(&path);
    assert_eq!(job.problem, None);
    assert!(
        job.bytes_fetched < job.bytes,
        "what was verified is not fetched again: {job:?}"
    );
    assert_eq!(stage.proof(&path).unwrap().len(), usize::from(SLICES));
}

#[test]
fn err_a_request_changed_in_any_character_is_refused() {
    let stage = Stage::set();
    let (_, text) = stage.ask();
    let authority = stage.client(Role::Authority);
    let shown: Shown = authority
        .post("/v1/requests", &Scanned { text: text.clone() })
        .unwrap();
    assert_eq!(shown.minutes, 120);
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'7' { b'K' } else { b'7' };
        let text = String::from_utf8(bytes).unwrap();
        let refused = authority
            .post::<Shown>("/v1/requests", &Scanned { text })
            .unwrap_err();
        assert_eq!(refused.fault, Fault::Denied, "character {at}: {refused:?}");
        assert!(
            refused.code.starts_with("consent."),
            "character {at}: {refused:?}"
        );
    }
}

/// The status source of a test that withdraws nothing.
struct Standing;

impl StatusSource for Standing {
    fn status(&self, _: &KeyId, _: StatusRef, _: DateTime<Utc>) -> Status {
        Status::Valid
    }
}

#[test]
fn err_a_grant_of_one_patient_does_not_open_a_study_of_another() {
    let stage = Stage::set();
    // A second made-up patient consents; the hospital turns her grant on the first one's study.
    let other = "10000000000000000990000009";
    let hospital = stage.client(Role::Hospital);
    let register = Register {
        person: other.into(),
    };
    let registered: Registered = hospital.post("/v1/registrations", &register).unwrap();
    let path = format!("/v1/registrations/{}/ask", registered.registration);
    let asked: Asked = hospital.post(&path, &()).unwrap();
    let decision = Decision {
        text: asked.text.clone(),
        person: other.into(),
        agree: true,
    };
    let authority = stage.client(Role::Authority);
    authority
        .post::<Decided>("/v1/decisions", &decision)
        .unwrap();

    let trust = Trust::load(&stage.state.path().join("hospital")).unwrap();
    let policy = consent::policy().unwrap();
    let checker = Checker::new(trust.ring(), &policy);
    let request = Encoded::from_text(&asked.text)
        .unwrap()
        .untrusted::<Request>()
        .unwrap();
    let nonce = *request.verify(&checker).unwrap().claims().nonce();
    let collect = Collect {
        nonce: hex::encode(nonce.as_bytes()),
    };
    let collected: Collected = stage
        .signed("hospital", Role::Authority)
        .post("/v1/grants", &collect)
        .unwrap();
    let grant = Encoded::from_text(&collected.grant)
        .unwrap()
        .untrusted::<Grant>()
        .unwrap();
    let now = time::now().to_utc();
    let live = grant
        .verify(&checker)
        .unwrap()
        .live(&checker, now, &Standing)
        .unwrap();
    let salts = hex::decode(collected.salt.reveal()).unwrap();
    let opening = Opening::from_bytes(salts.try_into().unwrap());
    let keeper = IssuerCode::new(&stage.exam.keeper).unwrap();
    let place = Place::province(keeper.province().unwrap(), keeper);
    let key = consent::record_key(&stage.exam.code, &stage.study);
    for person in [other, scene::PATIENT] {
        let proof = ProofDraft::open(&live, place, &key, &opening)
            .unwrap()
            .sign(
                trust.key().signer(),
                ProofId::from_bytes(consent::random().unwrap()),
                now,
            )
            .unwrap();
        let presented = Presented {
            grant: collected.grant.clone(),
            proof: proof.to_text(),
            salt: collected.salt.clone(),
            person: person.into(),
        };
        let hello = SignedDocument::seal(trust.key(), &Hello::to(&stage.exam.keeper)).unwrap();
        let store = tempfile::tempdir().unwrap();
        let store = DiskStore::open(store.path()).unwrap();
        let auth = |bytes: Vec<u8>| Auth::new(bytes).unwrap();
        let report = mic_transfer::adapter::tcp::Pull::new(stage.door())
            .auth(auth(serde_json::to_vec(&hello).unwrap()))
            .study(
                Uid::new(&stage.study).unwrap(),
                auth(serde_json::to_vec(&presented).unwrap()),
            )
            .reconnects(0)
            .run(&store, |_| {})
            .unwrap();
        let StudyOutcome::Failed(error) = &report.studies[0].outcome else {
            panic!("another patient's study was given out");
        };
        assert_eq!(
            consent::transfer_problem(error).code,
            "consent.OtherSubject"
        );
        assert!(store.complete().is_empty() && store.partial().is_empty());
    }
}

#[test]
fn err_a_refusal_stays_and_is_told() {
    let stage = Stage::set();
    let (path, text) = stage.ask();
    let authority = stage.client(Role::Authority);
    let decide = |agree| {
        let (text, person) = (text.clone(), scene::PATIENT.into());
        authority.post::<Decided>(
            "/v1/decisions",
            &Decision {
                text,
                person,
                agree,
            },
        )
    };
    assert_eq!(decide(false).unwrap().grant, None);
    assert_eq!(decide(true).unwrap_err().code, "decision.repeated");
    let told = stage
        .client(Role::Hospital)
        .post::<()>(&format!("{path}/collect"), &());
    assert_eq!(told.unwrap_err().code, "grant.refused");
}

#[test]
fn err_another_hospital_neither_seals_nor_reads_the_code_of_a_study() {
    let stage = Stage::set();
    let order = Order {
        person: scene::PATIENT.into(),
        institution: "H11010899001".to_owned(),
        encounter: "MZ0002".to_owned(),
        visit: time::now(),
        studies: vec![stage.study.clone()],
    };
    let denied = stage
        .signed("hospital", Role::Province)
        .post::<Vec<Sealed>>("/v1/seal", &order);
    assert_eq!(denied.unwrap_err().code, "seal.owner");
}

#[test]
fn err_what_does_not_read_is_told_by_its_place_and_not_repeated() {
    let stage = Stage::set();
    let wrong = serde_json::json!({ "person": [scene::PATIENT] });
    let told = stage
        .client(Role::Hospital)
        .post::<Registered>("/v1/registrations", &wrong);
    let told = told.unwrap_err();
    assert_eq!((told.fault, told.code.as_str()), (Fault::Data, "json"));
    assert!(!told.detail.contains(scene::PATIENT), "{told:?}");
}

#[test]
fn err_a_state_that_is_in_use_is_not_shared() {
    let stage = Stage::set();
    let state = stage.state.path().join("authority");
    let (output, said) = mic(&["node", "authority", "--state", state.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("another process uses this state"), "{said}");
}

#[test]
fn err_without_consent_or_after_withdrawal_nothing_is_shown() {
    let stage = Stage::set();
    let hospital = stage.client(Role::Hospital);
    let (path, _) = stage.ask();
    let early = hospital
        .post::<Vec<Listed>>(&format!("{path}/list"), &())
        .unwrap_err();
    assert_eq!(
        (early.fault, early.code.as_str()),
        (Fault::Denied, "consent.none")
    );

    let (path, grant) = stage.consent();
    assert_eq!(stage.pull(&path).problem, None);
    assert!(stage.proof(&path).is_ok());
    stage
        .client(Role::Authority)
        .post::<()>("/v1/withdrawals", &Withdraw { grant })
        .unwrap();
    // A node goes by a view of the status list for five seconds at most.
    let mut last = None;
    for _ in 0..80 {
        match stage.proof(&path) {
            Ok(_) => thread::sleep(Duration::from_millis(100)),
            Err(problem) => {
                last = Some(problem);
                break;
            }
        }
    }
    let problem = last.expect("a withdrawal must be heard of");
    assert_eq!(
        (problem.fault, problem.code.as_str()),
        (Fault::Denied, "consent.Withdrawn")
    );
}

#[test]
fn err_calls_that_are_not_signed_by_the_right_node_are_denied() {
    let stage = Stage::set();
    let order = serde_json::json!({"transfer": "127.0.0.1:1"});
    let unsigned = stage
        .client(Role::Nation)
        .post::<()>("/v1/doors", &order)
        .unwrap_err();
    assert_eq!(
        (unsigned.fault, unsigned.code.as_str()),
        (Fault::Denied, "signature")
    );
    let other = stage
        .signed("hospital", Role::Nation)
        .post::<()>("/v1/doors", &order)
        .unwrap_err();
    assert_eq!(
        (other.fault, other.code.as_str()),
        (Fault::Denied, "signature.role")
    );
}

fn mic(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mic"))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, said)
}

#[test]
fn err_expired_and_foreign_requests_are_told_apart_on_the_command_line() {
    let stage = Stage::set();
    let (_, text) = stage.ask();
    let trust = stage.state.path().join("authority/trust.json");
    let trust = trust.to_str().unwrap();
    let (good, said) = mic(&["consent", "check", "--trust", trust, &text]);
    assert_eq!(good.status.code(), Some(0), "{said}");
    let (late, said) = mic(&[
        "consent",
        "check",
        "--trust",
        trust,
        "--at",
        "2099-01-01T00:00:00Z",
        &text,
    ]);
    assert_eq!(late.status.code(), Some(1));
    assert!(said.contains("Expired (number 1002"), "{said}");

    let foreign = tempfile::tempdir().unwrap();
    scene::provision(foreign.path()).unwrap();
    let trust = foreign.path().join("authority/trust.json");
    let (unknown, said) = mic(&[
        "consent",
        "check",
        "--trust",
        trust.to_str().unwrap(),
        &text,
    ]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(said.contains("UnknownKey"), "{said}");

    let (wrong, _) = mic(&["consent", "check", "--trust", "no-such-file", &text]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn err_a_wrong_code_is_told_with_part_and_place_and_never_whole() {
    let code = "10000000000000000708463177-202411221460-000000000-0000000000000-12350200426600791O";
    let (output, said) = mic(&["index", "parse", "--json", code]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let row: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let parts: Vec<_> = row["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["part"].clone())
        .collect();
    assert_eq!(parts, ["exam_time", "unit"]);
    assert!(!row.to_string().contains("10000000000000000708463177"));
    assert_eq!(mic(&["index", "parse"]).0.status.code(), Some(2));
    assert_eq!(mic(&["no-such-command"]).0.status.code(), Some(2));
}
