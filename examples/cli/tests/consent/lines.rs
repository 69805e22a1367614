//! `--json`: each command that the other tests do not run so ends with one line that has `ok`, `step`, `code`, `class`
//! and `reason`, when it did its work and when it did not.

use serde_json::Value;

use crate::stage::{Run, Stage};

/// It went well, and says so.
#[track_caller]
fn well(run: Run) -> Value {
    let line = run.good().json();
    assert_eq!(line["ok"], true, "{line}");
    for key in ["step", "code", "class", "reason"] {
        assert_eq!(line[key], Value::Null, "{key} in {line}");
    }
    line
}

/// It was refused, with a step, a number, a class and a reason.
#[track_caller]
fn refused(run: Run, reason: &str) {
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    let line = run.json();
    assert_eq!(line["ok"], false, "{line}");
    assert_eq!(line["reason"], reason, "{line}");
    assert!(line["step"].is_u64() && line["code"].is_u64(), "{line}");
    assert!(line["class"].is_string(), "{line}");
}

#[test]
fn ok_one_line_of_each_command() {
    let stage = Stage::presented("sm2");
    let at = |time: &str, command: &str, more: &str| {
        let mut all: Vec<&str> = more.split(' ').collect();
        all.push("--json");
        stage.at(time, command, &all)
    };
    let keygen = "--suite sm2 --owner ARCHIVE62 --role log --out archive-2";
    well(at("00:00:00", "keygen", keygen));
    let sign = "sign --root root-1.key --root root-2.key --after keyset.json --out keyset-2.json \
                hospital.pub.json emergency.pub.json review.pub.json authority.pub.json \
                archive.pub.json archive-2.pub.json insurer.pub.json";
    well(at("00:20:00", "keyset", sign));
    let adopt = "adopt --trust trust.json keyset-2.json";
    well(at("00:20:00", "keyset", adopt));
    let keys = "--key authority.key --trust trust.json";
    well(at(
        "09:00:00",
        "offer",
        "--key authority.key --out offer.txt",
    ));
    let ask = "--key hospital.key --purpose treatment --out request-2.txt";
    well(at("09:00:00", "request", ask));
    let grant = format!(
        "{keys} --request request-2.txt --person person.txt --notice notice.txt --check face \
         --status 3:7 --ticked sensitive,hand-over --opening opening-2.txt --out grant-2.txt"
    );
    well(at("09:00:30", "grant", &grant));
    let hold = "--key hospital.key --trust trust.json --grant grant-2.txt --opening opening-2.txt";
    let show = format!("{hold} --place 61:ARCHIVE61 --record record-2.txt --out shown.json");
    well(at("09:01:00", "present", &show));
    refused(at("12:01:00", "present", &show), "Expired");
    let served = ["--key", "archive.key", "--receipt", "receipt.txt"];
    stage.decide("presented.json", &served).good();
    let log = "--log a.log --trust trust.json";
    well(at("09:02:00", "log", &format!("append {log} receipt.txt")));
    let head = format!("head {log} --key archive.key --out head.txt");
    well(at("09:02:00", "log", &head));
    let witness = "witness --key insurer.key --trust trust.json --head head.txt --out witness.txt";
    well(at("09:02:10", "log", witness));
    let prove = format!("prove {log} --entry 0 --out in.proof");
    well(at("09:02:20", "log", &prove));
    let verify = "verify --trust trust.json --head head.txt --witness witness.txt \
                  --receipt receipt.txt --proof in.proof";
    well(at("09:02:30", "log", verify));
    stage.write("in.proof", "83010180");
    let run = at("09:02:30", "log", verify);
    assert_eq!(run.code, 1, "{}", run.out);
    assert_eq!(run.json()["ok"], false);
    let other = "--trust trust.json --request request.txt grant-2.txt";
    refused(at("09:01:00", "check", other), "OtherRequest");
}
