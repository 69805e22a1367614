//! `mic transfer` as a shell user sees it: several sources, certificates, pushing, and what is kept.

#![expect(clippy::unwrap_used, reason = "a test's way to fail")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use mic_platform::phantom::Phantom;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;

const SLICES: u16 = 4;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mic"));
    command.arg("transfer").args(arguments).stdin(Stdio::null());
    command
}

fn mic(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

#[track_caller]
fn ends(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn rows(text: &str) -> Vec<Value> {
    let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
    rows.collect()
}

/// A command that prints where it listens and goes on until the test ends.
struct Listening {
    child: Child,
    address: String,
    /// Kept: a command whose reader has gone ends.
    _out: BufReader<ChildStdout>,
}

impl Listening {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut address).unwrap();
        Self {
            child,
            address: address.trim().to_owned(),
            _out: out,
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with one made study; its StudyInstanceUID.
fn study(folder: &Path) -> String {
    let phantom = Phantom::new(5, SLICES);
    std::fs::create_dir_all(folder).unwrap();
    for slice in 0..SLICES {
        let path = folder.join(format!("{slice}.dcm"));
        std::fs::write(path, phantom.slice(slice)).unwrap();
    }
    phantom.study_uid()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Certificates of one authority for a source and a receiver, and a stranger's of another.
fn certificates(folder: &Path) {
    for (authority, names) in [
        ("site", &["source", "receiver"][..]),
        ("other", &["stranger"]),
    ] {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.join(format!("{authority}.pem")), issuer.pem()).unwrap();
        for name in names {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &issuer).unwrap();
            std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
            std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
    }
}

/// The arguments by which `name` shows its certificate and believes an authority.
fn shown(folder: &Path, name: &str) -> Vec<String> {
    let file = |name: String| text(&folder.join(name)).to_owned();
    vec![
        "--certificate".to_owned(),
        file(format!("{name}.pem")),
        "--key".to_owned(),
        file(format!("{name}.key")),
        "--authority".to_owned(),
        file("site.pem".to_owned()),
    ]
}

fn with<'a>(arguments: &[&'a str], more: &'a [String]) -> Vec<&'a str> {
    let more = more.iter().map(String::as_str);
    arguments.iter().copied().chain(more).collect()
}

#[test]
fn ok_two_sources_give_one_study_and_status_tells_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (images, store) = (folder.path().join("images"), folder.path().join("store"));
    let uid = study(&images);
    let sources = [0, 1].map(|_| Listening::start(&["serve", text(&images)]));
    let [one, two] = [&sources[0].address, &sources[1].address];
    let store = text(&store);
    let arguments = ["pull", one, &uid, "--from", two, "--store", store, "--json"];
    let pulled = rows(&ends(&mic(&arguments), 0));
    assert_eq!(pulled[0]["ok"], true, "{pulled:?}");
    let bytes = pulled[0]["fetched_bytes"].as_u64().unwrap();
    let sources: Vec<&str> = pulled[1..]
        .iter()
        .map(|row| row["source"].as_str().unwrap())
        .collect();
    assert_eq!(sources, [one, two]);
    let kept = rows(&ends(&mic(&["status", store, "--json"]), 0));
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0]["complete"], true);
    assert_eq!(kept[0]["bytes_done"], bytes);
    assert_eq!(kept[0]["instances"], SLICES);
    assert!(kept[0]["receipt"].is_string());
    let told = ends(&mic(&["status", store]), 0);
    assert!(told.contains("complete, with receipt"), "{told}");
    ends(&mic(&["verify", store]), 0);
    let again = rows(&ends(&mic(&arguments), 0));
    assert_eq!(again[0]["fetched_bytes"], 0);
    assert_eq!(again[0]["held_bytes"], bytes);
}

/// Megabytes under the curve of a plot, by its own axes.
fn under_the_curve(svg: &str) -> f64 {
    let polygon = svg
        .lines()
        .find(|line| line.starts_with("<polygon"))
        .unwrap();
    let attribute = |name: &str| {
        let (_, rest) = polygon.split_once(&format!(" {name}=\"")).unwrap();
        rest.split_once('"').unwrap().0
    };
    let number = |text: &str| text.parse::<f64>().unwrap();
    let points: Vec<(f64, f64)> = attribute("points")
        .split(' ')
        .map(|point| point.split_once(',').unwrap())
        .map(|(x, y)| (number(x), number(y)))
        .collect();
    // The first and the last stand on the axis; the marks say where the axes end.
    let low = points[0].1;
    let grid: Vec<&str> = svg
        .lines()
        .filter_map(|line| line.strip_prefix("<path d=\"M92 ")?.split_once('H'))
        .map(|(y, _)| y)
        .collect();
    assert_eq!(grid.len(), 7, "six marks and the mean");
    let (width, height) = (960.0 - 92.0 - 36.0, low - number(grid[5]));
    let area: f64 = points
        .windows(2)
        .map(|two| (two[1].0 - two[0].0) * (low - (two[0].1 + two[1].1) / 2.0))
        .sum();
    area / width / height * number(attribute("data-seconds")) * number(attribute("data-mb-s"))
}

#[test]
fn ok_the_bytes_under_a_plot_are_those_that_came() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| text(&folder.path().join(name)).to_owned();
    let (images, kept, taken) = (file("images"), file("kept"), file("taken"));
    let (pulled, pushed, received) = (file("pull.svg"), file("push.svg"), file("receive.svg"));
    let uid = study(Path::new(&images));
    let serving = Listening::start(&["serve", &images]);
    let pull = ["pull", &serving.address, &uid, "--store", &kept, "--json"];
    let rows = rows(&ends(&mic(&[&pull[..], &["--plot", &pulled]].concat()), 0));
    let megabytes = rows[0]["fetched_bytes"].as_u64().unwrap() as f64 / 1e6;
    let mut receiving = Listening::start(&["receive", &taken, "--once", "--plot", &received]);
    let push = [
        "push",
        &images,
        "--to",
        &receiving.address,
        "--plot",
        &pushed,
    ];
    ends(&mic(&push), 0);
    assert!(receiving.child.wait().unwrap().success());
    for plot in [&pulled, &pushed, &received] {
        let svg = std::fs::read_to_string(plot).unwrap();
        let under = under_the_curve(&svg);
        assert!(
            (under / megabytes - 1.0).abs() < 0.01,
            "{plot}: {under} of {megabytes} MB"
        );
        assert!(svg.contains("MB/s") && svg.contains("(s)"));
    }
    // Nothing comes again: an empty plot, as PNG.
    let picture = file("again.png");
    ends(&mic(&[&pull[..], &["--plot", &picture]].concat()), 0);
    assert!(std::fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    let wrong = mic(&[&pull[..], &["--plot", "rates.gif"]].concat());
    ends(&wrong, 2);
}

#[test]
fn ok_a_source_that_is_not_there_leaves_it_to_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (images, store) = (folder.path().join("images"), folder.path().join("store"));
    let uid = study(&images);
    let source = Listening::start(&["serve", text(&images)]);
    let gone = "127.0.0.1:1";
    let arguments = [
        "pull",
        gone,
        &uid,
        "--from",
        &source.address,
        "--store",
        text(&store),
        "--json",
    ];
    let pulled = rows(&ends(&mic(&arguments), 0));
    assert_eq!(pulled[0]["ok"], true, "{pulled:?}");
    assert_eq!(pulled[1]["connections"], 0);
    let nobody = mic(&["pull", gone, &uid, "--store", text(&store)]);
    ends(&nobody, 2);
}

#[test]
fn ok_what_is_pushed_becomes_durable_and_a_second_push_moves_no_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let (images, store) = (folder.path().join("images"), folder.path().join("store"));
    let uid = study(&images);
    let receiver = Listening::start(&["receive", text(&store)]);
    let arguments = ["push", text(&images), "--to", &receiver.address, "--json"];
    for _ in 0..2 {
        let pushed = rows(&ends(&mic(&arguments), 0));
        assert_eq!(pushed[0]["study"], uid.as_str());
        assert_eq!(pushed[0]["ok"], true, "{pushed:?}");
    }
    let told = mic(&["push", text(&images), "--to", &receiver.address]);
    assert!(ends(&told, 0).contains("durable at the receiver"));
    let said = String::from_utf8_lossy(&told.stderr);
    let sent: u64 = said
        .lines()
        .find_map(|line| line.strip_suffix(" bytes sent"))
        .unwrap()
        .parse()
        .unwrap();
    assert!(sent < 2000, "{said}");
    // One process at a time has the store.
    drop(receiver);
    let kept = rows(&ends(&mic(&["status", text(&store), "--json"]), 0));
    assert_eq!(kept[0]["complete"], true);
    ends(&mic(&["verify", text(&store)]), 0);
    let unknown = ["push", text(&images), "9.9", "--to", "127.0.0.1:1"];
    ends(&mic(&unknown), 2);
    let unreached = ["push", text(&images), "--to", "127.0.0.1:1"];
    ends(&mic(&unreached), 2);
}

#[test]
fn err_what_is_no_push_is_told_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    for (said, code) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], 1),
        (b"{\"push\":[\"\"]}\n", 1),
        (b"{\"push\":[\"1.2\"]", 1),
        // It names a study and then gives none.
        (b"{\"push\":[\"1.2\"]}\n", 1),
    ] {
        let mut receiver = Listening::start(&["receive", text(&store), "--once"]);
        let mut stream = TcpStream::connect(&receiver.address).unwrap();
        stream.write_all(said).unwrap();
        drop(stream);
        let ended = receiver.child.wait().unwrap();
        assert_eq!(
            ended.code(),
            Some(code),
            "{}",
            String::from_utf8_lossy(said)
        );
    }
}

#[test]
fn ok_certificates_open_lines_and_strangers_get_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (images, store) = (folder.path().join("images"), folder.path().join("store"));
    let (uid, store) = (study(&images), text(&store));
    certificates(folder.path());
    let [source, receiver, stranger] =
        ["source", "receiver", "stranger"].map(|name| shown(folder.path(), name));
    let serving = Listening::start(&with(&["serve", text(&images)], &source));
    let pull = ["pull", &serving.address, &uid, "--store", store, "--json"];
    // Neither without a certificate nor with another authority's.
    assert_ne!(mic(&pull).status.code(), Some(0));
    assert_ne!(mic(&with(&pull, &stranger)).status.code(), Some(0));
    assert_eq!(ends(&mic(&["status", store, "--json"]), 0), "");
    let pulled = rows(&ends(&mic(&with(&pull, &receiver)), 0));
    assert_eq!(pulled[0]["ok"], true, "{pulled:?}");
    let source_name = format!("tls://{}", serving.address);
    assert_eq!(pulled[1]["source"], source_name.as_str());
    // Its certificate is of its address and of no other name.
    let mut named = with(&pull, &receiver);
    named.extend(["--name", "another.test"]);
    assert_ne!(mic(&named).status.code(), Some(0));

    let other = folder.path().join("pushed");
    let receiving = Listening::start(&with(&["receive", text(&other)], &receiver));
    let push = ["push", text(&images), "--to", &receiving.address, "--json"];
    assert_ne!(mic(&push).status.code(), Some(0));
    assert_ne!(mic(&with(&push, &stranger)).status.code(), Some(0));
    let pushed = rows(&ends(&mic(&with(&push, &source)), 0));
    assert_eq!(pushed[0]["ok"], true, "{pushed:?}");
}

#[test]
fn err_half_a_certificate_and_open_doors_are_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    study(&images);
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (file("source.pem"), file("source.key"));
    let images = text(&images);
    for arguments in [
        &["serve", images, "--listen", "0.0.0.0:0"][..],
        &["receive", images, "--listen", "0.0.0.0:0"],
        &["serve", images, "--certificate", &certificate],
        &[
            "serve",
            images,
            "--certificate",
            &certificate,
            "--key",
            &key,
        ],
        &[
            "serve",
            images,
            "--certificate",
            &certificate,
            "--key",
            &key,
            "--pin",
            "abc",
        ],
        &[
            "serve",
            images,
            "--certificate",
            &key,
            "--key",
            &certificate,
            "--pin",
            "0000000000000000000000000000000000000000000000000000000000000000",
        ],
    ] {
        let output = mic(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
