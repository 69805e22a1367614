//! What goes wrong on the line and with consent: each fault is told, and nothing half-written is
//! listed.

#![expect(clippy::unwrap_used, reason = "a test's way to fail")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use mic_platform::client::Client;
use mic_platform::node::Role;
use mic_platform::phantom::Phantom;
use mic_platform::problem::{Fault, Problem};
use mic_platform::scene::{self, Cloud};
use mic_platform::time;
use mic_platform::trust::Trust;
use mic_platform::wire::{
    Asked, Decided, Decision, Doors, Intake, Job, Listed, Order, Proof, Pull, Register, Registered,
    Scanned, Sealed, Shown, Withdraw,
};

const SLICES: u16 = 6;

/// A cloud with one made study that is taken in and indexed.
struct Stage {
    state: tempfile::TempDir,
    cloud: Cloud,
    study: String,
}

impl Stage {
    fn set() -> Self {
        let state = tempfile::tempdir().unwrap();
        scene::provision(state.path()).unwrap();
        let cloud = Cloud::start(Path::new(env!("CARGO_BIN_EXE_mic")), state.path()).unwrap();
        let phantom = Phantom::new(5, SLICES);
        let mut stage = Self {
            state,
            cloud,
            study: phantom.study_uid(),
        };
        let province = stage.signed("source-hospital", Role::Province);
        for slice in 0..SLICES {
            let taken: Intake = province
                .post_bytes("/v1/instances", "application/dicom", &phantom.slice(slice))
                .unwrap();
            assert!(matches!(taken, Intake::Stored { .. }));
        }
        let order = Order {
            person: scene::PATIENT.to_owned(),
            institution: scene::SOURCE_HOSPITAL.to_owned(),
            encounter: "MZ0001".to_owned(),
            visit: time::now(),
            studies: vec![stage.study.clone()],
        };
        let sealed: Vec<Sealed> = province.post("/v1/seal", &order).unwrap();
        stage.study = sealed[0].exam.study.clone();
        stage
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
        let person = scene::PATIENT.to_owned();
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
            person: scene::PATIENT.to_owned(),
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

/// A line to `to` that spoils what comes back at byte `at`: flips a bit, or cuts.
fn bad_line(to: SocketAddr, at: usize, cut: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = TcpStream::connect(to).unwrap();
            let (mut from, mut into) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut into);
                let _ = into.shutdown(Shutdown::Write);
            });
            thread::spawn(move || spoil(far, near, at, cut));
        }
    });
    address
}

fn spoil(mut far: TcpStream, mut near: TcpStream, at: usize, cut: bool) {
    let (mut seen, mut buffer) = (0, vec![0; 16 * 1024]);
    while let Ok(read @ 1..) = far.read(&mut buffer) {
        let mut portion = read;
        if (seen..seen + read).contains(&at) {
            if cut {
                portion = at - seen;
            } else {
                buffer[at - seen] ^= 0x10;
            }
        }
        seen += read;
        if near.write_all(&buffer[..portion]).is_err() || portion < read {
            break;
        }
    }
    let _ = near.shutdown(Shutdown::Both);
    let _ = far.shutdown(Shutdown::Both);
}

#[test]
fn err_a_corrupted_or_cut_line_leaves_no_study_and_a_good_line_resumes() {
    let stage = Stage::set();
    let total = 6 * 525_000;
    for (at, cut) in [(total / 3, false), (total / 2, true)] {
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
