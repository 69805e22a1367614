//! Nothing that the command prints or writes for others has the person, a record or a salt in it: not as text, not
//! as hexadecimal, not inside a token's bytes, not in a QR code (which is drawn from the token's text). Files that
//! the command was given, and the two that carry salts on purpose, are for their owner alone.

use std::collections::HashSet;

use crate::stage::{PERSON, Run, Stage};

/// What was said and written.
struct Emitted<'a> {
    stage: &'a Stage,
    said: Vec<Vec<u8>>,
}

impl Emitted<'_> {
    fn hear(&mut self, run: Run) {
        self.said.push(run.out.into_bytes());
        self.said.push(run.err.into_bytes());
    }

    /// Every token in a text, as bytes.
    fn tokens(bytes: &[u8]) -> Vec<Vec<u8>> {
        let text = String::from_utf8_lossy(bytes);
        let ends = ['\n', '"'];
        let found = text.split(ends).filter_map(|part| {
            let start = part
                .find("MIC")
                .filter(|at| part[*at..].get(5..6) == Some(":"))?;
            mic_consent::Encoded::from_text(&part[start..]).ok()
        });
        found.map(|token| token.as_bytes().to_vec()).collect()
    }
}

/// The same options behind each command.
struct WithMore<'a>(&'a [&'a str]);

impl<'a> WithMore<'a> {
    fn all<'b>(&self, parts: &[&[&'b str]]) -> Vec<&'b str>
    where
        'a: 'b,
    {
        [parts.concat(), self.0.to_vec()].concat()
    }
}

#[test]
fn ok_no_output_has_the_person_a_record_or_a_salt() {
    for suite in ["sm2", "ed25519"] {
        let stage = Stage::granted(suite);
        let given: HashSet<_> = [
            "person.txt",
            "other-person.txt",
            "record-1.txt",
            "record-2.txt",
        ]
        .into();
        let mut out = Emitted {
            stage: &stage,
            said: Vec::new(),
        };
        let say = |command: &str, more: &[&str]| stage.at("09:01:00", command, more);
        let hold = [
            "--key",
            "hospital.key",
            "--trust",
            "trust.json",
            "--grant",
            "grant.txt",
        ];
        let salts = ["--opening", "opening.txt", "--place", "61:ARCHIVE61"];
        for json in [&[][..], &["--json"]] {
            let n = json.len();
            let name = |what: &str| format!("{what}-{n}");
            let mut hear = |run: Run| {
                if !json.is_empty() {
                    run.json();
                }
                out.hear(run);
            };
            let with = WithMore(json);
            let narrow = ["--records", "record-1.txt", "--opening", "opening.txt"];
            hear(say("narrow", &with.all(&[&hold, &narrow])));
            let link = name("link.txt");
            hear(say(
                "narrow",
                &with.all(&[&hold, &narrow, &["--out", &link]]),
            ));
            let shown = name("presented.json");
            let present = [
                "--record",
                "record-1.txt",
                "--narrowed",
                &link,
                "--out",
                &shown,
            ];
            hear(say("present", &with.all(&[&hold, &salts, &present])));
            let receipt = name("receipt.txt");
            let served = ["--key", "archive.key", "--receipt", &receipt];
            hear(stage.decide(&shown, &with.all(&[&served])).good());
            // Refused, of every sort that has to do with the person or the record.
            for more in [
                &["--person", "other-person.txt"][..],
                &["--record", "record-2.txt"],
                &["--place", "62:ARCHIVE62"],
                &["--person", "no-such.txt"],
                &["--status", "person.txt"],
                &[],
            ] {
                hear(stage.decide(&shown, &with.all(&[more])));
            }
            hear(say(
                "check",
                &with.all(&[&["--trust", "trust.json", "person.txt"]]),
            ));
            hear(say(
                "check",
                &with.all(&[&["--trust", "person.txt", "grant.txt"]]),
            ));
            hear(stage.decide("record-1.txt", &with.all(&[&[]])));
            hear(say("inspect", &with.all(&[&["person.txt"]])));
            hear(say("inspect", &with.all(&[&["grant.txt"]])));
            hear(say(
                "reconcile",
                &with.all(&[&["--trust", "trust.json", "person.txt", "record-1.txt"]]),
            ));
            hear(say(
                "check",
                &with.all(&[&["--trust", "trust.json", "grant.txt"]]),
            ));
            for token in ["request.txt", "grant.txt"] {
                let picture = name(token);
                hear(say("qr", &with.all(&[&[token]])));
                hear(say(
                    "qr",
                    &with.all(&[&[token, "--svg", &format!("{picture}.svg")]]),
                ));
                hear(say(
                    "qr",
                    &with.all(&[&[token, "--png", &format!("{picture}.png")]]),
                ));
            }
            let log = ["--log", "a.log", "--trust", "trust.json"];
            hear(say("log", &with.all(&[&["append"], &log, &[&receipt]])));
            hear(say(
                "log",
                &with.all(&[&["head", "--key", "archive.key"], &log]),
            ));
            hear(say(
                "log",
                &with.all(&[&["prove", "--entry", "0", "--out", &name("p")], &log]),
            ));
            let end = ["--key", "authority.key", "--out", &name("withdrawal.txt")];
            let end = with.all(&[&end, &["--trust", "trust.json", "--grant", "grant.txt"]]);
            hear(say("withdraw", &end));
            let hear_it = [
                "hear",
                "--node",
                "ARCHIVE61",
                "--heard",
                "heard",
                "--trust",
                "trust.json",
            ];
            hear(say(
                "status",
                &with.all(&[&hear_it, &[&name("withdrawal.txt")]]),
            ));
            let issue = [
                "issue",
                "--after",
                "list-1.mics",
                "--key",
                "authority.key",
                "--trust",
                "trust.json",
            ];
            let list = [
                "--withdrawal",
                &name("withdrawal.txt"),
                "--out",
                &name("list.mics"),
            ];
            hear(say("status", &with.all(&[&issue, &list])));
            let refuse = [
                "--key",
                "authority.key",
                "--request",
                "request.txt",
                "--trust",
                "trust.json",
            ];
            hear(say(
                "refuse",
                &with.all(&[&refuse, &["--reason", "declined"]]),
            ));
            let take = [
                "--key",
                "emergency.key",
                "--holder",
                "hospital.pub.json",
                "--reason",
                "life-at-risk",
            ];
            let who = [
                "--department",
                "A20",
                "--doctor",
                "D1",
                "--staff",
                "attending",
                "--reviewer",
                "D2",
            ];
            let whom = ["--person", "person.txt", "--opening", &name("salts.txt")];
            let emergency = name("emergency.txt");
            hear(
                say(
                    "emergency",
                    &with.all(&[&take, &who, &whom, &["--out", &emergency]]),
                )
                .good(),
            );
            let review = [
                "--key",
                "review.key",
                "--trust",
                "trust.json",
                "--emergency",
                &emergency,
            ];
            hear(say("review", &with.all(&[&review, &["--verdict", "justified"]])).good());
            let all = ["grant.txt", "a.log", "heard", &emergency];
            hear(say(
                "reconcile",
                &with.all(&[&["--trust", "trust.json"], &all]),
            ));
        }
        out.check(&given);
    }
}

impl Emitted<'_> {
    fn check(&self, given: &HashSet<&str>) {
        let mut secrets = vec![("the person", PERSON.as_bytes().to_vec())];
        for n in 1..=2 {
            let record = self.stage.read(&format!("record-{n}.txt"));
            secrets.push(("a record", record.trim_end().as_bytes().to_vec()));
        }
        let mut outputs = self.said.clone();
        let mut files = 0;
        for file in std::fs::read_dir(self.stage.path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let bytes = std::fs::read(&path).unwrap();
            // On purpose: salts, for their owner alone. They have neither person nor record.
            let salts = name.starts_with("opening") || name.starts_with("salts");
            if salts {
                let salt = hex::decode(String::from_utf8(bytes).unwrap().trim_end()).unwrap();
                secrets.push(("a salt", salt));
            } else if name.starts_with("presented") {
                // The salts are in it; person and record must not be, so the rest is looked at.
                let mut value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                assert!(value["opening"].take().is_string());
                outputs.push(value.to_string().into_bytes());
                files += 1;
            } else if !given.contains(name.as_str()) {
                outputs.push(bytes);
                files += 1;
            }
        }
        let inside: Vec<_> = outputs
            .iter()
            .flat_map(|bytes| Self::tokens(bytes))
            .collect();
        assert!(files > 40, "{files} files");
        assert!(inside.len() > 25, "{} tokens", inside.len());
        outputs.extend(inside);
        let windows = |length| -> HashSet<&[u8]> {
            outputs
                .iter()
                .flat_map(|bytes| bytes.windows(length))
                .collect()
        };
        let (plain, hexadecimal) = (windows(8), windows(16));
        for (what, secret) in &secrets {
            for window in secret.windows(8) {
                assert!(!plain.contains(window), "{what} was given away");
                let text = hex::encode(window);
                assert!(
                    !hexadecimal.contains(text.as_bytes()),
                    "{what} was given away as {text}"
                );
            }
        }
    }
}

/// The scan finds what is there.
#[test]
#[should_panic(expected = "the person was given away")]
fn err_the_scan_finds_a_person() {
    let stage = Stage::granted("ed25519");
    let mut out = Emitted {
        stage: &stage,
        said: vec![b"patient 61012519900417123498765417".to_vec()],
    };
    for n in 0..50 {
        stage.write(&format!("f-{n}.txt"), "x");
        out.said.push(stage.read("grant.txt").into_bytes());
    }
    out.check(&HashSet::from([
        "person.txt",
        "other-person.txt",
        "record-1.txt",
        "record-2.txt",
    ]));
}
