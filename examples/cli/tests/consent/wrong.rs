//! What is wrong with each command: exit code 1 where the data are at fault, 2 for wrong use, and the words.

use crate::stage::{PERSON, Stage};

#[test]
fn err_keygen() {
    let stage = Stage::new("ed25519");
    let keygen = |more: &[&str]| stage.at("00:00:00", "keygen", more);
    let usual = ["--owner", "CONSENT01", "--out", "new", "--role"];
    let with = |role: &'static str| -> Vec<&'static str> { [&usual[..], &[role]].concat() };
    keygen(&with("request")).bad(2, "[consent.keygen]");
    keygen(&[
        "--owner",
        "H11010500001",
        "--out",
        "new",
        "--role",
        "request,grant",
    ])
    .bad(2, "[consent.keygen]");
    keygen(&with("king")).bad(2, "expected one of request, grant, status");
    keygen(&["--owner", "consent01", "--out", "new", "--role", "grant"]).bad(2, "0-9 A-Z");
    keygen(&[
        "--owner",
        "CONSENT01",
        "--role",
        "grant",
        "--suite",
        "rsa",
        "--out",
        "new",
    ])
    .bad(2, "expected one of sm2, ed25519, es256");
    assert!(!stage.file("new.key").exists());
    let secret = stage.read("hospital.key");
    keygen(&[
        "--owner",
        "H11010500001",
        "--role",
        "request",
        "--out",
        "hospital",
    ])
    .bad(2, "is there already and is not overwritten");
    assert_eq!(stage.read("hospital.key"), secret);
}

#[test]
fn err_key_files() {
    let stage = Stage::new("ed25519");
    let ask = |key: &str| {
        stage.at(
            "09:00:00",
            "request",
            &["--key", key, "--purpose", "treatment"],
        )
    };
    ask("no-such.key").bad(2, "no-such.key: ");
    // A public record is no key, and what stands in a file is not repeated.
    ask("hospital.pub.json").bad(2, "expected a key file as keygen writes it");
    let text = stage.read("hospital.key");
    let secret = text.split('"').find(|part| part.len() == 64).unwrap();
    for (wrong, words) in [
        (
            secret.replace(|_| true, "x"),
            "expected a secret of 64 hexadecimal digits",
        ),
        (
            "11".repeat(32),
            "the secret is not that of the key in the record",
        ),
    ] {
        stage.write("wrong.key", &text.replacen(secret, &wrong, 1));
        let run = ask("wrong.key").bad(2, words);
        assert!(!run.err.contains(&wrong[..16]), "{}", run.err);
    }
    // An archive cannot ask: its code is no institution's.
    ask("archive.key").bad(2, "an institution code of 12 characters");
    ask("insurer.key").bad(2, "[consent.key]");
}

#[test]
fn err_key_sets() {
    let stage = Stage::new("ed25519");
    let keyset = |more: &[&str]| stage.at("00:20:00", "keyset", more);
    let sign = |more: &[&str], out: &str| {
        let all = [&["sign", "--out", out, "hospital.pub.json"], more].concat();
        keyset(&all)
    };
    sign(&["--root", "root-1.key"], "one-root.json").good();
    let adopt = |set: &str| keyset(&["adopt", "--trust", "trust.json", set]);
    adopt("one-root.json").bad(1, "TooFewRoots (number 1605");
    // Another content of the version held.
    sign(
        &["--root", "root-1.key", "--root", "root-2.key"],
        "forked.json",
    )
    .good();
    adopt("forked.json").bad(1, "ForkedVersion (number 1602");
    let both = [
        "--root",
        "root-1.key",
        "--root",
        "root-2.key",
        "--after",
        "keyset.json",
    ];
    sign(&both, "second.json").good();
    adopt("second.json").good();
    adopt("keyset.json").bad(1, "OlderThanSeen (number 1601");
    // The third must name the second.
    let forked = [
        "--root",
        "root-1.key",
        "--root",
        "root-2.key",
        "--after",
        "forked.json",
    ];
    sign(&forked, "not-after.json").good();
    adopt("not-after.json").bad(1, "ForkedVersion");
    // Signed by a key that is no root.
    let pin = [
        "adopt",
        "--trust",
        "new.json",
        "--roots",
        "hospital.pub.json",
        "keyset.json",
    ];
    keyset(&pin).bad(2, "[consent.keyset]");
    keyset(&["adopt", "--trust", "new.json", "keyset.json"]).bad(2, "expected --roots");
    keyset(&[
        "adopt",
        "--trust",
        "trust.json",
        "--roots",
        "root-1.pub.json",
        "keyset.json",
    ])
    .bad(2, "the roots of a trust file are pinned");
    assert!(!stage.file("new.json").exists());
    // Over: no key is trusted, and the set that went before does not come back.
    stage
        .at(
            "09:00:00",
            "keyset",
            &["show", "trust.json", "--now", "2027-06-01T00:00:00Z"],
        )
        .bad(1, "Expired (number 1002");
    keyset(&["show", "keyset.json"]).bad(2, "expected a trust file");
    stage.write("garbage.json", "{");
    adopt("garbage.json").bad(2, "garbage.json");
}

#[test]
fn err_requests_and_offers() {
    let stage = Stage::new("ed25519");
    let ask = |more: &[&str]| {
        let all = [&["--key", "hospital.key", "--purpose", "treatment"], more].concat();
        stage.at("09:00:00", "request", &all)
    };
    ask(&["--from", "2026-02-01", "--until", "2026-01-01"]).bad(2, "[consent.scope]");
    ask(&["--from", "2026-02-01"]).bad(2, "--until");
    ask(&["--modality", "ct"]).bad(2, "a modality of 2 to 16 characters");
    ask(&["--province", "99"]).bad(2, "expected a province as two digits");
    ask(&["--rights", "list,print"]).bad(2, "expected one of list, view, keep");
    ask(&["--life", "301"]).bad(1, "LifeTooLong (number 713");
    ask(&["--period", "86401"]).bad(1, "LifeTooLong");
    ask(&["--realm", "MIC"]).bad(2, "a realm of 1 to 16 characters");
    ask(&["--now", "noon"]).bad(2, "--now");
    let purpose = ["--key", "hospital.key", "--purpose", "curiosity"];
    stage
        .at("09:00:00", "request", &purpose)
        .bad(2, "expected one of treatment");
    stage
        .at("09:00:00", "request", &["--key", "hospital.key"])
        .bad(2, "--purpose");
    let offer = ["--key", "authority.key", "--life", "91"];
    stage.at("09:00:00", "offer", &offer).bad(1, "LifeTooLong");
    // An offer of the hospital's own making, and one that is over.
    stage
        .at(
            "09:00:00",
            "offer",
            &["--key", "hospital.key", "--out", "own.txt"],
        )
        .good();
    ask(&["--trust", "trust.json", "--offer", "own.txt"]).bad(1, "RoleMissing (number 504");
    stage
        .at(
            "09:00:00",
            "offer",
            &["--key", "authority.key", "--out", "offer.txt"],
        )
        .good();
    ask(&["--trust", "trust.json", "--offer", "offer.txt"]).good();
    ask(&[
        "--trust",
        "trust.json",
        "--offer",
        "offer.txt",
        "--now",
        "2026-11-18T09:05:00Z",
    ])
    .bad(1, "Expired");
    ask(&["--offer", "offer.txt"]).bad(2, "--trust");
}

#[test]
fn err_grants() {
    let stage = Stage::new("sm2");
    stage.request().good();
    stage.write("empty.txt", "");
    stage.write("two.txt", "1\n2\n");
    let grant = |more: &[&str]| stage.grant(more);
    grant(&["--ticked", "sensitive"]).bad(1, "SeparateConsentMissing (number 709");
    grant(&["--ticked", "everything"]).bad(2, "expected one of sensitive");
    grant(&["--band", "under14"]).bad(1, "number 7");
    grant(&["--guardian", "other-person.txt"]).bad(2, "--relation");
    let guardian = [
        "--guardian",
        "other-person.txt",
        "--relation",
        "parent",
        "--evidence",
        "register",
    ];
    grant(&guardian).bad(1, "GuardianForbidden (number 711");
    grant(&["--rights", "list,keep"]).bad(1, "expected rights within the request");
    grant(&["--modality", "MR"]).bad(1, "expected the scope within the request");
    grant(&["--life", "7201"]).bad(1, "expected the life within the request");
    grant(&["--records", "empty.txt"]).bad(1, "found an empty file");
    grant(&["--studies-max", "0"]).bad(1, "TooMany");
    grant(&["--now", "2026-11-18T09:10:00Z"]).bad(1, "Expired (number 1002");
    let answer = |more: &[&str]| {
        let usual = [
            "--trust",
            "trust.json",
            "--request",
            "request.txt",
            "--notice",
            "notice.txt",
            "--check",
            "face",
        ];
        let rest = ["--ticked", "sensitive,hand-over", "--opening", "o.txt"];
        stage.at("09:00:30", "grant", &[&usual[..], &rest, more].concat())
    };
    let by = ["--key", "authority.key", "--status", "3:70001"];
    for (person, words) in [
        ("empty.txt", "empty file"),
        ("two.txt", "expected one line"),
    ] {
        answer(&[&by[..], &["--person", person]].concat()).bad(1, words);
    }
    answer(&[
        "--key",
        "authority.key",
        "--person",
        "person.txt",
        "--status",
        "70001",
    ])
    .bad(2, "expected a list and an index");
    // Nobody grants to itself.
    answer(&[
        "--key",
        "hospital.key",
        "--person",
        "person.txt",
        "--status",
        "3:7",
    ])
    .bad(1, "SelfGranted (number 806");
    // Nothing is left of what went wrong, and nothing is overwritten.
    assert!(!stage.file("opening.txt").exists() && !stage.file("o.txt").exists());
    grant(&[]).good();
    let kept = stage.read("opening.txt");
    grant(&[]).bad(2, "is not overwritten");
    assert_eq!(stage.read("opening.txt"), kept);
    let refuse = [
        "--key",
        "authority.key",
        "--trust",
        "trust.json",
        "--request",
        "request.txt",
    ];
    let why = [&refuse[..], &["--reason", "rude"]].concat();
    stage
        .at("09:00:30", "refuse", &why)
        .bad(2, "expected one of declined");
}

#[test]
fn err_narrowing_and_presenting() {
    let stage = Stage::granted("ed25519");
    let narrow = |more: &[&str]| {
        let usual = [
            "--key",
            "hospital.key",
            "--trust",
            "trust.json",
            "--grant",
            "grant.txt",
        ];
        stage.at("09:01:00", "narrow", &[&usual[..], more].concat())
    };
    narrow(&["--rights", "list,keep"]).bad(1, "expected the rights within the grant");
    narrow(&["--records", "record-2.txt", "--opening", "opening.txt"]).bad(1, "within the grant");
    narrow(&["--records", "record-1.txt"]).bad(2, "--opening");
    narrow(&["--place", "61:archive"]).bad(2, "an owner code");
    let strange = [
        "--key",
        "archive.key",
        "--trust",
        "trust.json",
        "--grant",
        "grant.txt",
    ];
    stage
        .at("09:01:00", "narrow", &strange)
        .bad(1, "the key that the grant names");
    narrow(&["--now", "2026-11-18T12:00:00Z"]).bad(1, "Expired");
    narrow(&["--status", "grant.txt"]).bad(1, "OtherType");
    let present = |more: &[&str]| stage.present("p.json", more);
    present(&["--record", "person.txt", "--narrowed", "grant.txt"]).bad(1, "OtherType");
    present(&["--record", "no-such.txt"]).bad(2, "no-such.txt");
    stage.write("short.txt", "abcd\n");
    let salts = [
        "--key",
        "hospital.key",
        "--trust",
        "trust.json",
        "--grant",
        "grant.txt",
    ];
    let salts = [
        &salts[..],
        &[
            "--opening",
            "short.txt",
            "--place",
            "INDEX00",
            "--out",
            "p.json",
        ],
    ];
    stage
        .at("09:01:00", "present", &salts.concat())
        .bad(1, "expected salts of 64 hexadecimal digits");
    assert!(!stage.file("p.json").exists());
}

#[test]
fn err_decisions_of_a_node() {
    let stage = Stage::presented("sm2");
    let decide = |more: &[&str]| stage.decide("presented.json", more);
    decide(&["--place", "62:ARCHIVE62"]).bad(1, "OtherPlace (number 1303");
    decide(&["--place", "61:ARCHIVE62"]).bad(1, "OtherPlace");
    decide(&["--person", "other-person.txt"]).bad(1, "OtherSubject (number 1401");
    decide(&["--record", "record-2.txt"]).bad(1, "number 1");
    // A guard that has seen a later time refuses an earlier one.
    let late = ["--guard", "late.guard", "--now", "2026-11-18T09:05:00Z"];
    decide(&late).bad(1, "Expired (number 1002");
    decide(&["--guard", "late.guard"]).bad(2, "expected a clock not 230 seconds before");
    decide(&["--guard", "early.guard", "--now", "2026-11-18T08:00:00Z"]).bad(1, "number 100");
    decide(&["--suites", "intl"]).bad(1, "SuiteNotAccepted (number 501");
    decide(&["--realm", "test.cn"]).bad(1, "WrongRealm (number 901");
    decide(&["--status", "grant.txt"]).bad(1, "OtherType");
    // Without a list nobody knows whether it was withdrawn.
    stage.write("none.txt", "");
    decide(&["--status", "none.txt"]).bad(1, "StatusUnknown (number 1203");
    decide(&["--key", "archive.key"]).bad(2, "--receipt");
    let receipt = ["--key", "hospital.key", "--receipt", "r.txt"];
    decide(&receipt).bad(1, "OtherNode (number 805");
    // The proof does not count as used by what was refused.
    decide(&[]).good();
    decide(&[]).bad(1, "ProofReplayed (number 1501");
    std::fs::write(stage.file("archive.guard"), [9; 48]).unwrap();
    decide(&[]).bad(2, "expected records as they were kept");
    stage.write("garbage.json", "{\"grant\": 7}");
    stage
        .decide("garbage.json", &[])
        .bad(1, "expected what `mic consent present` writes");
    stage.decide("no-such.json", &[]).bad(2, "no-such.json");
    let alone = ["--trust", "trust.json", "--presented", "presented.json"];
    stage.at("09:01:10", "check", &alone).bad(2, "--guard");
    stage
        .at("09:01:10", "check", &["--trust", "trust.json"])
        .bad(2, "required");
    stage
        .at("09:01:10", "check", &["grant.txt"])
        .bad(2, "--trust");
}

#[test]
fn err_tokens_that_are_none() {
    let stage = Stage::granted("ed25519");
    let check = |token: &str| stage.at("09:01:00", "check", &["--trust", "trust.json", token]);
    check("MICX1:AB").bad(1, "UnknownPrefix (number 201");
    check("MICG1:????").bad(1, "NotBase45 (number 202");
    check("no-such.txt").bad(2, "no-such.txt: ");
    check("list-1.mics").bad(1, "OtherType (number 404");
    let grant = stage.read("grant.txt");
    let cut = &grant[..grant.len() - 4];
    assert_eq!(check(cut).code, 1);
    // One character changed anywhere never holds.
    for at in (6..grant.len() - 1).step_by(23) {
        let mut wrong = grant.trim_end_matches('\n').to_owned();
        let other = if &wrong[at..=at] == "0" { "1" } else { "0" };
        wrong.replace_range(at..=at, other);
        assert_eq!(check(&wrong).code, 1, "{at}");
    }
    // The last characters may be blanks, which belong to the text.
    check(&format!("{} ", grant.trim_end_matches('\n'))).bad(1, "number 203");
    stage.write("foreign.json", "[]");
    stage
        .at(
            "09:01:00",
            "check",
            &["--trust", "foreign.json", "grant.txt"],
        )
        .bad(1, "UnknownKey (number 502");
    stage
        .at("09:01:00", "check", &["--trust", "grant.txt", "grant.txt"])
        .bad(2, "expected a trust file");
    stage
        .at("12:00:00", "check", &["--trust", "trust.json", "grant.txt"])
        .bad(1, "Expired (number 1002, step 10)");
    let huge = "MICG1:".to_owned() + &"0".repeat(5_000);
    check(&huge).bad(1, "TextTooLong (number 101");
}

#[test]
fn err_withdrawal_and_status() {
    let stage = Stage::granted("es256");
    let withdraw = |key: &str| {
        let usual = [
            "--trust",
            "trust.json",
            "--grant",
            "grant.txt",
            "--key",
            key,
        ];
        stage.at("09:02:00", "withdraw", &usual)
    };
    withdraw("hospital.key").bad(1, "IssuerNotKeyOwner (number 801");
    let text = withdraw("authority.key").good().out;
    stage.write("withdrawal.txt", &text);
    let issue = |more: &[&str]| {
        let usual = [
            "issue",
            "--trust",
            "trust.json",
            "--out",
            "new.mics",
            "--key",
            "authority.key",
        ];
        stage.at("09:03:00", "status", &[&usual[..], more].concat())
    };
    issue(&[]).bad(2, "--list");
    issue(&["--list", "4", "--withdrawal", "withdrawal.txt"]).bad(1, "found one of list 3");
    issue(&["--list", "3", "--places", "0"]).bad(1, "TooMany");
    issue(&[
        "--list",
        "3",
        "--places",
        "100",
        "--withdrawal",
        "withdrawal.txt",
    ])
    .bad(1, "TooMany");
    issue(&["--list", "3", "--life", "604801"]).bad(1, "LifeTooLong");
    issue(&["--list", "3", "--withdrawal", "grant.txt"]).bad(1, "OtherType");
    assert!(!stage.file("new.mics").exists());
    let of = |status: &str| {
        stage.at(
            "09:03:00",
            "status",
            &[
                "of",
                "--trust",
                "trust.json",
                "--status",
                status,
                "grant.txt",
            ],
        )
    };
    of("withdrawal.txt").bad(1, "withdrawn");
    of("grant.txt").bad(1, "OtherType");
    stage
        .at(
            "11:00:00",
            "status",
            &[
                "of",
                "--trust",
                "trust.json",
                "--status",
                "list-1.mics",
                "grant.txt",
            ],
        )
        .bad(1, "Expired");
    let hear = [
        "hear",
        "--trust",
        "trust.json",
        "--node",
        "ARCHIVE61",
        "--heard",
        "heard",
        "grant.txt",
    ];
    stage.at("09:03:00", "status", &hear).bad(1, "OtherType");
    assert!(!stage.file("heard").exists());
}

#[test]
fn err_emergencies() {
    let stage = Stage::granted("sm2");
    let take = |key: &str, reviewer: &str, more: &[&str]| {
        let usual = [
            "--holder",
            "hospital.pub.json",
            "--reason",
            "life-at-risk",
            "--department",
            "A20",
        ];
        let who = [
            "--doctor",
            "D1",
            "--staff",
            "attending",
            "--person",
            "person.txt",
        ];
        let rest = [
            "--opening",
            "salts.txt",
            "--key",
            key,
            "--reviewer",
            reviewer,
        ];
        let all = [&usual[..], &who, &rest, more].concat();
        stage.at("09:00:00", "emergency", &all)
    };
    take("emergency.key", "D1", &[]).bad(1, "ReviewerSelf (number 717");
    take("emergency.key", "D2", &["--life", "14401"]).bad(1, "LifeTooLong");
    take("archive.key", "D2", &[]).bad(2, "an institution code");
    take("emergency.key", "D2", &["--out", "emergency.txt"]).good();
    let list = ["--record", "record-1.txt"];
    let present = [
        "--key",
        "hospital.key",
        "--trust",
        "trust.json",
        "--grant",
        "emergency.txt",
    ];
    let there = [
        "--opening",
        "salts.txt",
        "--place",
        "61:ARCHIVE61",
        "--out",
        "e.json",
    ];
    stage
        .at(
            "09:01:00",
            "present",
            &[&present[..], &there, &list].concat(),
        )
        .good();
    // A node takes it only when it has said so.
    stage
        .decide("e.json", &[])
        .bad(1, "EmergencyNotAccepted (number 1102");
    stage.decide("e.json", &["--take-emergencies"]).good();
    let narrow = [&present[..], &["--life", "60"]].concat();
    stage
        .at("09:01:00", "narrow", &narrow)
        .bad(2, "an emergency access cannot be narrowed");
    let review = |verdict: &str| {
        let usual = [
            "--key",
            "review.key",
            "--trust",
            "trust.json",
            "--emergency",
            "emergency.txt",
        ];
        stage.at(
            "10:00:00",
            "review",
            &[&usual[..], &["--verdict", verdict]].concat(),
        )
    };
    review("fine").bad(2, "expected one of justified, unjustified");
    let wrong = [
        "--key",
        "review.key",
        "--trust",
        "trust.json",
        "--emergency",
        "grant.txt",
        "--verdict",
        "justified",
    ];
    stage.at("10:00:00", "review", &wrong).bad(1, "OtherType");
}

#[test]
fn err_logs() {
    let stage = Stage::presented("ed25519");
    let served = ["--key", "archive.key", "--receipt", "receipt-1.txt"];
    stage.decide("presented.json", &served).good();
    stage
        .present("again.json", &["--record", "record-1.txt"])
        .good();
    stage
        .decide(
            "again.json",
            &["--key", "archive.key", "--receipt", "receipt-2.txt"],
        )
        .good();
    let log = |more: &[&str]| {
        let name = more[0];
        let usual = [name, "--log", "a.log", "--trust", "trust.json"];
        stage.at("09:02:00", "log", &[&usual[..], &more[1..]].concat())
    };
    log(&["head", "--key", "archive.key"]).bad(1, "at least one receipt");
    log(&["append", "grant.txt"]).bad(1, "OtherType");
    assert!(!stage.file("a.log").exists());
    log(&["append", "receipt-1.txt"]).good();
    log(&["append", "receipt-1.txt"]).bad(1, "in the log already, as entry 0");
    // All or none.
    log(&["append", "receipt-2.txt", "receipt-2.txt"]).bad(1, "as entry 1");
    assert_eq!(stage.read("a.log").lines().count(), 1);
    log(&["append", "receipt-2.txt"]).good();
    log(&["prove", "--out", "p", "--entry", "2"]).bad(1, "NotInLog");
    log(&["prove", "--out", "p", "--grew-from", "3"]).bad(1, "NotInLog");
    log(&["prove", "--out", "p"]).bad(2, "--entry");
    log(&["prove", "--out", "p", "--entry", "0"]).good();
    log(&["prove", "--out", "p", "--entry", "0"]).bad(2, "is not overwritten");
    log(&["prove", "--out", "g", "--grew-from", "1"]).good();
    log(&["head", "--key", "archive.key", "--out", "head.txt"]).good();
    log(&["head", "--key", "insurer.key", "--out", "not-own.txt"]).good();
    let verify = |more: &[&str]| {
        let usual = ["verify", "--trust", "trust.json"];
        stage.at("09:02:00", "log", &[&usual[..], more].concat())
    };
    let good = [
        "--head",
        "head.txt",
        "--proof",
        "p",
        "--receipt",
        "receipt-1.txt",
    ];
    verify(&good).good();
    verify(&[
        "--head",
        "head.txt",
        "--proof",
        "p",
        "--receipt",
        "receipt-2.txt",
    ])
    .bad(1, "NotInLog (number 1701");
    verify(&[
        "--head",
        "not-own.txt",
        "--proof",
        "p",
        "--receipt",
        "receipt-1.txt",
    ])
    .bad(1, "OtherLog (number 1705");
    verify(&[
        "--head",
        "head.txt",
        "--proof",
        "g",
        "--receipt",
        "receipt-1.txt",
    ])
    .bad(1, "number ");
    verify(&[
        "--head",
        "head.txt",
        "--proof",
        "grant.txt",
        "--receipt",
        "receipt-1.txt",
    ])
    .bad(1, "expected a proof in hexadecimal");
    verify(&["--head", "head.txt", "--proof", "g", "--older", "head.txt"])
        .bad(1, "LogProofShape (number 1703");
    // A witness that is the log itself is none.
    verify(&[&good[..], &["--witness", "head.txt"]].concat()).bad(1, "NotWitnessed (number 1704");
    let witness = [
        "witness",
        "--trust",
        "trust.json",
        "--key",
        "insurer.key",
        "--head",
        "not-own.txt",
    ];
    stage.at("09:02:00", "log", &witness).bad(1, "OtherLog");
    // A line that was changed ends every use of the log.
    let wrong = stage.read("a.log").replacen("MICR1:", "MICR1:0", 1);
    stage.write("a.log", &wrong);
    assert_eq!(log(&["head", "--key", "archive.key"]).code, 1);
}

#[test]
fn err_looking_and_drawing() {
    let stage = Stage::granted("ed25519");
    stage
        .at("09:00:00", "qr", &["list-1.mics", "--png", "x.png"])
        .good();
    stage
        .at("09:00:00", "qr", &["list-1.mics", "--png", "x.png"])
        .bad(2, "is not overwritten");
    stage
        .at(
            "09:00:00",
            "qr",
            &["grant.txt", "--png", "y.png", "--scale", "65"],
        )
        .bad(1, "[consent.qr]");
    stage
        .at(
            "09:00:00",
            "qr",
            &["grant.txt", "--png", "y.png", "--svg", "y.svg"],
        )
        .bad(2, "--svg");
    stage
        .at("09:00:00", "inspect", &["notice.txt"])
        .bad(1, "UnknownPrefix");
    stage.at("09:00:00", "inspect", &[]).bad(2, "TOKEN");
}

/// What is wrong is told to programs as well, with the same five keys, and never with what was read.
#[test]
fn err_json_of_every_kind_of_fault() {
    let stage = Stage::granted("sm2");
    let check = |token: &str| {
        stage.at(
            "12:00:00",
            "check",
            &["--json", "--trust", "trust.json", token],
        )
    };
    let late = check("grant.txt");
    let line = late.json();
    assert_eq!(
        (late.code, &line["ok"], &line["step"]),
        (1, &false.into(), &10.into())
    );
    assert_eq!(
        (&line["code"], &line["reason"]),
        (&1002.into(), &"Expired".into())
    );
    assert_eq!(
        (&line["class"], &line["fault"]),
        (&"NotValidNow".into(), &"Presenter".into())
    );
    assert_eq!(line["public_zh"], "授权不在有效期内");
    let missing = check("no-such.txt");
    let line = missing.json();
    assert_eq!((missing.code, &line["class"]), (2, &"Use".into()));
    assert_eq!(
        (&line["step"], &line["reason"]),
        (&().into(), &"consent.file".into())
    );
    let wide = stage.grant(&["--json", "--life", "7201", "--out", "x", "--opening", "y"]);
    // clap refuses an option that is given twice.
    assert_eq!(wide.code, 2);
    stage.write("garbage.json", &format!("{{\"grant\": \"{PERSON}\"}}"));
    let garbage = stage.decide("garbage.json", &["--json"]);
    assert_eq!(garbage.json()["class"], "Data");
    assert!(!garbage.out.contains(&PERSON[..8]));
}
