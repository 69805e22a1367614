//! What each command does when all is well: files, rights, standard input and output, JSON, every suite.

use crate::stage::{PERSON, Stage};

#[test]
fn ok_one_access_in_every_suite() {
    for suite in ["sm2", "ed25519", "es256"] {
        let stage = Stage::presented(suite);
        let served = ["--key", "archive.key", "--receipt", "receipt.txt"];
        let run = stage.decide("presented.json", &served).good();
        assert!(run.out.contains("open one record"), "{}", run.out);
        let log = [
            "append",
            "--log",
            "a.log",
            "--trust",
            "trust.json",
            "receipt.txt",
        ];
        stage.at("09:02:00", "log", &log).good();
        let told = ["--trust", "trust.json", "grant.txt", "a.log"];
        let run = stage.at("20:00:00", "reconcile", &told).good();
        assert!(
            run.out.contains("every access has its grant"),
            "{suite}: {}",
            run.out
        );
    }
}

#[cfg(unix)]
#[test]
fn ok_secrets_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::presented("ed25519");
    stage.decide("presented.json", &[]).good();
    let rights = |name: &str| {
        let file = std::fs::metadata(stage.file(name)).unwrap();
        file.permissions().mode() & 0o777
    };
    for secret in [
        "hospital.key",
        "opening.txt",
        "presented.json",
        "archive.guard",
    ] {
        assert_eq!(rights(secret), 0o600, "{secret}");
    }
    assert_eq!(rights("hospital.pub.json") & 0o077, 0o044);
}

/// Two keys, ids or salts that are drawn are never the same.
#[test]
fn ok_what_is_drawn_is_new_each_time() {
    let stage = Stage::new("ed25519");
    let ask = || {
        let more = ["--key", "hospital.key", "--purpose", "treatment"];
        stage.at("09:00:00", "request", &more).good()
    };
    let (one, other) = (ask(), ask());
    assert_ne!(one.out, other.out);
    assert_eq!(one.err, "");
    assert!(!stage.read("hospital.key").contains("\"test\""));
}

#[test]
fn ok_tokens_go_through_pipes() {
    let stage = Stage::new("sm2");
    let now = ["--now", "2026-11-18T09:00:00Z"];
    let ask = [
        "consent",
        "request",
        "--key",
        "hospital.key",
        "--purpose",
        "treatment",
    ];
    let token = stage.mic(&[&ask[..], &now].concat(), None).good().out;
    assert!(
        token.starts_with("MICQ1:") && token.lines().count() == 1,
        "{token}"
    );
    let check = ["consent", "check", "--trust", "trust.json", "-"];
    let run = stage.mic(&[&check[..], &now].concat(), Some(&token)).good();
    assert!(
        run.out.contains("H11010500001") && run.out.contains("诊疗"),
        "{}",
        run.out
    );
    let qr = stage.mic(&["consent", "qr", "-"], Some(&token)).good();
    assert!(qr.out.contains('█') || qr.out.contains('▀'), "{}", qr.out);
    let seen = stage
        .mic(&["consent", "inspect", "-", "--json"], Some(&token))
        .good();
    let line = seen.json();
    assert_eq!(
        (&line["checked"], &line["type"]),
        (&false.into(), &"mic-q".into())
    );
    let seen = stage
        .mic(&["consent", "inspect", token.trim_end_matches('\n')], None)
        .good();
    assert!(seen.out.contains("UNCHECKED"), "{}", seen.out);
    assert!(
        !seen.out.contains("H11010500001"),
        "an unchecked claim was shown"
    );
}

/// The patient's code is read from standard input as well.
#[test]
fn ok_a_person_from_standard_input() {
    let stage = Stage::new("ed25519");
    stage.request().good();
    let grant = [
        "consent",
        "grant",
        "--key",
        "authority.key",
        "--trust",
        "trust.json",
        "--request",
        "request.txt",
    ];
    let what = [
        "--notice",
        "notice.txt",
        "--check",
        "in-person",
        "--ticked",
        "sensitive,hand-over",
    ];
    let rest = [
        "--person",
        "-",
        "--status",
        "3:1",
        "--opening",
        "o.txt",
        "--now",
        "2026-11-18T09:00:10Z",
    ];
    let run = stage
        .mic(&[&grant[..], &what, &rest].concat(), Some(PERSON))
        .good();
    assert!(run.out.starts_with("MICG1:"));
}

#[test]
fn ok_guardians_offers_and_refusals() {
    let stage = Stage::new("es256");
    stage
        .at(
            "09:00:00",
            "offer",
            &["--key", "authority.key", "--out", "offer.txt"],
        )
        .good();
    let ask = [
        "--key",
        "hospital.key",
        "--purpose",
        "referral",
        "--trust",
        "trust.json",
        "--offer",
        "offer.txt",
    ];
    stage
        .at(
            "09:00:20",
            "request",
            &[&ask[..], &["--out", "request.txt"]].concat(),
        )
        .good();
    let guardian = [
        "--guardian",
        "other-person.txt",
        "--relation",
        "parent",
        "--evidence",
        "family-account",
    ];
    let child = ["--band", "under14", "--ticked", "sensitive,hand-over,minor"];
    stage.grant(&[&guardian[..], &child].concat()).good();
    let refuse = [
        "--key",
        "authority.key",
        "--trust",
        "trust.json",
        "--request",
        "request.txt",
        "--reason",
        "guardian-needed",
    ];
    let refused = stage.at(
        "09:00:30",
        "refuse",
        &[&refuse[..], &["--out", "refusal.txt"]].concat(),
    );
    refused.good();
    let run = stage
        .at(
            "09:00:40",
            "check",
            &[
                "--trust",
                "trust.json",
                "--request",
                "request.txt",
                "refusal.txt",
            ],
        )
        .good();
    assert!(run.out.contains("需要监护人同意"), "{}", run.out);
}

/// A suspension ends with the next list; a withdrawal does not.
#[test]
fn ok_suspension_and_withdrawal_through_lists() {
    let stage = Stage::granted("ed25519");
    let end = |more: &[&str]| {
        let usual = [
            "--key",
            "authority.key",
            "--trust",
            "trust.json",
            "--grant",
            "grant.txt",
        ];
        stage
            .at("09:02:00", "withdraw", &[&usual[..], more].concat())
            .good();
    };
    end(&["--suspend", "--out", "suspension.txt"]);
    end(&["--out", "withdrawal.txt"]);
    let issue = |after: &str, out: &str, more: &[&str]| {
        let usual = [
            "issue",
            "--key",
            "authority.key",
            "--trust",
            "trust.json",
            "--after",
            after,
            "--out",
            out,
        ];
        stage
            .at("09:03:00", "status", &[&usual[..], more].concat())
            .good()
    };
    let of = |status: &str| {
        let usual = [
            "of",
            "--json",
            "--trust",
            "trust.json",
            "--status",
            status,
            "grant.txt",
        ];
        stage.at("09:04:00", "status", &usual).json()["status"].clone()
    };
    assert_eq!(of("list-1.mics"), "valid");
    assert_eq!(
        of("suspension.txt"),
        "unknown",
        "without a list nothing is known to stand"
    );
    issue(
        "list-1.mics",
        "list-2.mics",
        &["--withdrawal", "suspension.txt"],
    );
    assert_eq!(of("list-2.mics"), "suspended");
    issue("list-2.mics", "list-3.mics", &[]);
    assert_eq!(of("list-3.mics"), "valid");
    issue(
        "list-3.mics",
        "list-4.mics",
        &["--withdrawal", "withdrawal.txt"],
    );
    issue("list-4.mics", "list-5.mics", &[]);
    assert_eq!(of("list-5.mics"), "withdrawn");
}

/// A department's key of the same hospital uses what was narrowed for it, and the hospital's own does not.
#[test]
fn ok_a_narrowing_for_another_key() {
    let stage = Stage::granted("ed25519");
    let key = [
        "--suite",
        "ed25519",
        "--owner",
        "H11010500001",
        "--role",
        "request",
        "--out",
        "viewer",
    ];
    stage.at("00:00:00", "keygen", &key).good();
    let files =
        ["hospital", "viewer", "authority", "archive"].map(|name| format!("{name}.pub.json"));
    let sign = [
        "sign",
        "--root",
        "root-1.key",
        "--root",
        "root-2.key",
        "--after",
        "keyset.json",
        "--out",
        "two.json",
    ];
    let all: Vec<&str> = sign
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    stage.at("00:30:00", "keyset", &all).good();
    stage
        .at(
            "00:30:00",
            "keyset",
            &["adopt", "--trust", "trust.json", "two.json"],
        )
        .good();
    let usual = [
        "--key",
        "hospital.key",
        "--trust",
        "trust.json",
        "--grant",
        "grant.txt",
    ];
    let narrow = [
        "--holder",
        "viewer.pub.json",
        "--place",
        "61:ARCHIVE61",
        "--out",
        "link.txt",
    ];
    stage
        .at("09:01:00", "narrow", &[&usual[..], &narrow].concat())
        .good();
    let present = |key: &str, out: &str| {
        let usual = [
            "--key",
            key,
            "--trust",
            "trust.json",
            "--grant",
            "grant.txt",
            "--narrowed",
            "link.txt",
        ];
        let rest = [
            "--opening",
            "opening.txt",
            "--place",
            "61:ARCHIVE61",
            "--record",
            "record-1.txt",
            "--out",
            out,
        ];
        stage.at("09:01:00", "present", &[&usual[..], &rest].concat())
    };
    present("hospital.key", "h.json").bad(1, "the key that the grant names");
    present("viewer.key", "v.json").good();
    stage.decide("v.json", &[]).good();
}

/// The five keys, and what each command adds.
#[test]
fn ok_json_of_what_went_well() {
    let stage = Stage::presented("sm2");
    let line = stage.decide("presented.json", &["--json"]).good().json();
    assert_eq!(
        (&line["ok"], &line["basis"]),
        (&true.into(), &"consent".into())
    );
    assert!(line["step"].is_null() && line["reason"].is_null());
    let token = ["--json", "--key", "hospital.key", "--purpose", "treatment"];
    let line = stage.at("09:00:00", "request", &token).good().json();
    assert!(line["token"].as_str().unwrap().starts_with("MICQ1:"));
    assert_eq!(line["type"], "mic-q");
    let check = ["--json", "--trust", "trust.json", "grant.txt"];
    let line = stage.at("09:02:00", "check", &check).good().json();
    assert_eq!(line["status_checked"], false);
    let with = [&check[..], &["--status", "list-1.mics"]].concat();
    let line = stage.at("09:02:00", "check", &with).good().json();
    assert_eq!(line["status_checked"], true);
    let line = stage
        .at("09:00:00", "qr", &["--json", "grant.txt", "--svg", "g.svg"])
        .good()
        .json();
    assert!(line["version"].as_u64().unwrap() <= 13, "{line}");
    assert!(stage.read("g.svg").contains("<svg"));
    let shown = stage
        .at("09:00:00", "keyset", &["show", "--json", "trust.json"])
        .good()
        .json();
    assert_eq!(shown["keys"].as_array().unwrap().len(), 6);
}
