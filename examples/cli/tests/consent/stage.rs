//! A folder with keys of everybody, a trust file, a person and two records; all of it made up.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

pub(crate) const PERSON: &str = "61012519900417123498765417";
pub(crate) const DAY: &str = "2026-11-18";

/// How one command ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// It did its work.
    #[track_caller]
    pub(crate) fn good(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    /// It ended with this code and said these words.
    #[track_caller]
    pub(crate) fn bad(self, code: i32, words: &str) -> Self {
        let said = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, code, "{said}");
        assert!(said.contains(words), "expected {words:?} in: {said}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let lines: Vec<_> = self.out.lines().collect();
        assert_eq!(lines.len(), 1, "one line of JSON: {}{}", self.out, self.err);
        let value: Value = serde_json::from_str(lines[0]).unwrap();
        for key in ["ok", "step", "code", "class", "reason"] {
            assert!(value.get(key).is_some(), "{key} is missing in {value}");
        }
        value
    }
}

pub(crate) struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    /// Keys of a suite, adopted; no token yet.
    pub(crate) fn new(suite: &str) -> Self {
        let stage = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for (owner, roles, name) in [
            ("ROOT00", "root", "root-1"),
            ("ROOT00", "root", "root-2"),
            ("H11010500001", "request", "hospital"),
            ("H11010500001", "emergency", "emergency"),
            ("H11010500001", "review", "review"),
            ("CONSENT01", "grant,status", "authority"),
            ("ARCHIVE61", "log", "archive"),
            ("INSURER11", "log", "insurer"),
        ] {
            let more = [
                "--suite", suite, "--owner", owner, "--role", roles, "--out", name,
            ];
            stage.at("00:00:00", "keygen", &more).good();
        }
        let others = [
            "hospital",
            "emergency",
            "review",
            "authority",
            "archive",
            "insurer",
        ];
        let records: Vec<_> = others
            .iter()
            .map(|name| format!("{name}.pub.json"))
            .collect();
        let mut sign = vec![
            "sign",
            "--root",
            "root-1.key",
            "--root",
            "root-2.key",
            "--out",
            "keyset.json",
        ];
        sign.extend(records.iter().map(String::as_str));
        stage.at("00:10:00", "keyset", &sign).good();
        let adopt = [
            "adopt",
            "--roots",
            "root-1.pub.json",
            "--roots",
            "root-2.pub.json",
            "--trust",
            "trust.json",
            "keyset.json",
        ];
        stage.at("00:10:00", "keyset", &adopt).good();
        stage.write("person.txt", &format!("{PERSON}\n"));
        stage.write("other-person.txt", "61012519850606432112345678\n");
        for n in 1..=2 {
            let record =
                format!("{PERSON}-20260309091{n}-000000000/1.2.826.0.1.3680043.10.543.{n}\n");
            stage.write(&format!("record-{n}.txt"), &record);
        }
        stage.write("notice.txt", "告知书（测试用，虚构）\n");
        stage
    }

    /// With a request, a grant of one record, a status list.
    pub(crate) fn granted(suite: &str) -> Self {
        let stage = Self::new(suite);
        stage.request().good();
        stage
            .at(
                "09:00:00",
                "status",
                &[
                    "issue",
                    "--key",
                    "authority.key",
                    "--trust",
                    "trust.json",
                    "--list",
                    "3",
                    "--out",
                    "list-1.mics",
                ],
            )
            .good();
        stage.grant(&["--records", "record-1.txt"]).good();
        stage
    }

    /// And a presentation of its use.
    pub(crate) fn presented(suite: &str) -> Self {
        let stage = Self::granted(suite);
        stage
            .present("presented.json", &["--record", "record-1.txt"])
            .good();
        stage
    }

    pub(crate) fn request(&self) -> Run {
        let more = [
            "--key",
            "hospital.key",
            "--purpose",
            "treatment",
            "--modality",
            "CT",
            "--out",
            "request.txt",
        ];
        self.at("09:00:00", "request", &more)
    }

    pub(crate) fn grant(&self, more: &[&str]) -> Run {
        let mut all = vec![
            "--key",
            "authority.key",
            "--trust",
            "trust.json",
            "--request",
            "request.txt",
        ];
        all.extend([
            "--person",
            "person.txt",
            "--notice",
            "notice.txt",
            "--check",
            "face",
        ]);
        all.extend([
            "--status",
            "3:70001",
            "--opening",
            "opening.txt",
            "--out",
            "grant.txt",
        ]);
        if !more.contains(&"--ticked") {
            all.extend(["--ticked", "sensitive,hand-over"]);
        }
        all.extend(more);
        self.at("09:00:30", "grant", &all)
    }

    pub(crate) fn present(&self, out: &str, more: &[&str]) -> Run {
        let mut all = vec![
            "--key",
            "hospital.key",
            "--trust",
            "trust.json",
            "--grant",
            "grant.txt",
        ];
        all.extend([
            "--opening",
            "opening.txt",
            "--place",
            "61:ARCHIVE61",
            "--out",
            out,
        ]);
        all.extend(more);
        self.at("09:01:00", "present", &all)
    }

    pub(crate) fn decide(&self, presented: &str, more: &[&str]) -> Run {
        let mut all = vec!["--trust", "trust.json", "--presented", presented];
        for (name, usual) in [
            ("--guard", "archive.guard"),
            ("--place", "61:ARCHIVE61"),
            ("--person", "person.txt"),
            ("--record", "record-1.txt"),
            ("--status", "list-1.mics"),
        ] {
            if !more.contains(&name) {
                all.extend([name, usual]);
            }
        }
        all.extend(["--day", "2026-03-09", "--modality", "CT"]);
        all.extend(more);
        self.at("09:01:10", "check", &all)
    }

    /// Runs `mic consent COMMAND` at a time of the day.
    pub(crate) fn at(&self, time: &str, command: &str, more: &[&str]) -> Run {
        let now = format!("{DAY}T{time}Z");
        let mut all = vec!["consent", command];
        all.extend(more);
        if !more.contains(&"--now") {
            all.extend(["--now", &now]);
        }
        self.mic(&all, None)
    }

    /// Runs `mic` in the folder.
    pub(crate) fn mic(&self, arguments: &[&str], input: Option<&str>) -> Run {
        use std::io::Write as _;
        let mut process = Command::new(env!("CARGO_BIN_EXE_mic"))
            .args(arguments)
            .current_dir(self.path())
            .env_remove("MIC_TEST_SEED")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = process.stdin.take().unwrap();
        // A command that reads nothing may be over already.
        let _ = stdin.write_all(input.unwrap_or_default().as_bytes());
        drop(stdin);
        let output = process.wait_with_output().unwrap();
        Run {
            code: output.status.code().expect("not killed"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).unwrap();
    }
}
