//! What HTTP gives beside lines (XFR-113, XFR-114, XFR-115), asked for in plain words over a socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mic_transfer::adapter::http::{HttpAddress, HttpDial, HttpVersion};
use mic_transfer::adapter::pull::Pull;
use mic_transfer::adapter::serve::AllowAll;
use mic_transfer::{Digest, Manifest};
use sha2::Digest as _;

use crate::carriers::{Carrier, Door, runtime};
use crate::cases::{STUDY, Scene, Tokens};
use crate::data::{instance, noise, uid};
use crate::relay::Relay;

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let line = |line: &'_ str| line.to_ascii_lowercase().starts_with(&format!("{name}: "));
        let found = self.head.lines().find(|text| line(text))?;
        Some(&found[name.len() + 2..])
    }
}

pub(crate) fn ask(
    address: SocketAddr,
    line: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut question = format!("{line} HTTP/1.1\r\nHost: source.test\r\nConnection: close\r\n");
    for (name, value) in headers {
        question += &format!("{name}: {value}\r\n");
    }
    question += &format!("Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(question.as_bytes()).unwrap();
    // A source that has heard enough may have closed.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    Answer {
        status: head[9..12].parse().unwrap(),
        head,
        body: answer[end + 4..].to_vec(),
    }
}

fn open(scene: &Scene) -> (Door, Digest) {
    let door = Carrier::Http1.open(&scene.archive, AllowAll);
    (door, root(scene))
}

fn root(scene: &Scene) -> Digest {
    let ready = scene.archive.files.get(&uid(STUDY)).unwrap();
    *ready.signed().manifest().root()
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(sha2::Sha256::digest(bytes)))
}

#[test]
fn ok_manifests_and_instances_are_read_by_their_digests() {
    let scene = Scene::of(STUDY, &[1000, 600_000]);
    let (door, root) = open(&scene);
    let to = door.address();
    for before in ["", "/archive"] {
        let path = format!("GET {before}/v1/studies/{root}");
        let answer = ask(to, &path, &[], b"");
        assert_eq!(answer.status, 200);
        let manifest = Manifest::decode(&answer.body).unwrap();
        assert_eq!(*manifest.root(), root);
        let tag = format!("\"{root}\"");
        assert_eq!(answer.header("etag"), Some(&tag[..]));
        assert_eq!(
            answer.header("repr-digest"),
            Some(&sha256(&answer.body)[..])
        );
    }
    let bytes = noise(8, 600_000);
    let digest = instance(&scene.archive.files, STUDY, 1);
    assert_eq!(digest, Digest::of(&bytes));
    let path = format!("/v1/studies/{root}/instances/{digest}");
    let answer = ask(to, &format!("GET {path}"), &[], b"");
    assert!(answer.status == 200 && answer.body == bytes);
    assert_eq!(answer.header("content-type"), Some("application/dicom"));
    assert_eq!(answer.header("repr-digest"), Some(&sha256(&bytes)[..]));
    let head = ask(to, &format!("HEAD {path}"), &[], b"");
    assert!(head.status == 200 && head.body.is_empty());
    assert_eq!(head.header("content-length"), Some("600000"));
    let tag = format!("W/\"{digest}\", \"another\"");
    let held = ask(to, &format!("GET {path}"), &[("If-None-Match", &tag)], b"");
    assert!(held.status == 304 && held.body.is_empty());
}

#[test]
fn ok_a_range_goes_on_where_another_ended() {
    let scene = Scene::of(STUDY, &[300_000]);
    let (door, root) = open(&scene);
    let bytes = noise(7, 300_000);
    let digest = Digest::of(&bytes);
    let tag = format!("\"{digest}\"");
    let line = format!("GET /v1/studies/{root}/instances/{digest}");
    let get = |range: &str, known: Option<&str>| {
        let mut headers = vec![("Range", range)];
        headers.extend(known.map(|known| ("If-Range", known)));
        ask(door.address(), &line, &headers, b"")
    };
    for (range, from, to) in [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, 300_000),
        ("bytes=-5", 299_995, 300_000),
        ("bytes=299999-400000", 299_999, 300_000),
        ("bytes=262144-262144", 262_144, 262_145),
    ] {
        let answer = get(range, Some(&tag));
        assert!(
            answer.status == 206 && answer.body == bytes[from..to],
            "{range}"
        );
        let said = format!("bytes {from}-{}/300000", to - 1);
        assert_eq!(answer.header("content-range"), Some(&said[..]));
        // Of the whole, so that it can be judged when all parts are there.
        assert_eq!(answer.header("repr-digest"), Some(&sha256(&bytes)[..]));
    }
    for beyond in ["bytes=300000-", "bytes=999999-1000000", "bytes=-0"] {
        let answer = get(beyond, None);
        assert_eq!((answer.status, answer.body.len()), (416, 0), "{beyond}");
        assert_eq!(answer.header("content-range"), Some("bytes */300000"));
    }
    for whole in [
        "bytes=0-1,5-6",
        "bytes=9-2",
        "bytes=+1-2",
        "bytes=",
        "lines=1-2",
        "bytes=x-y",
    ] {
        let answer = get(whole, None);
        assert!(answer.status == 200 && answer.body == bytes, "{whole}");
    }
    let changed = get("bytes=100-", Some("\"another\""));
    assert!(changed.status == 200 && changed.body == bytes);
}

#[test]
fn err_who_may_not_what_is_not_and_what_is_malformed() {
    let scene = Scene::of(STUDY, &[1000]);
    let door = Carrier::Http1.open(&scene.archive, Tokens::default());
    let (to, root) = (door.address(), root(&scene));
    let (other, path) = (Digest::of(b"another"), format!("/v1/studies/{root}"));
    let bearer = |words: &[u8]| format!("Bearer {}", URL_SAFE_NO_PAD.encode(words));
    let (site, grant) = (bearer(b"site"), URL_SAFE_NO_PAD.encode(b"grant"));
    let shown = [
        ("Authorization", &site[..]),
        ("MIC-Study-Authorization", &grant[..]),
    ];
    assert_eq!(ask(to, &format!("GET {path}"), &shown, b"").status, 200);
    let refused = ask(to, &format!("GET {path}"), &[], b"");
    assert_eq!(
        (refused.status, refused.header("mic-reason")),
        (401, Some("1"))
    );
    let refused = ask(to, &format!("GET {path}"), &shown[..1], b"");
    assert_eq!(
        (refused.status, refused.header("mic-reason")),
        (403, Some("77"))
    );
    for (line, status) in [
        (format!("GET /v1/studies/{other}"), 404),
        (format!("GET {path}/instances/{other}"), 404),
        (format!("GET {path}/instances"), 404),
        (format!("GET {path}/instances/{other}/more"), 404),
        (format!("GET {path}/files/{other}"), 404),
        ("GET /v1/studies/..%2f..%2fetc".to_owned(), 404),
        ("GET /".to_owned(), 404),
        (format!("DELETE {path}"), 405),
        ("GET /v1/exchange".to_owned(), 405),
    ] {
        assert_eq!(ask(to, &line, &shown, b"").status, status, "{line}");
    }
    for header in [
        ("Authorization", "Basic c2l0ZQ"),
        ("Authorization", "Bearer %%%"),
        ("MIC-Study-Authorization", "=a="),
    ] {
        let answer = ask(to, &format!("GET {path}"), &[header], b"");
        assert_eq!(answer.status, 400, "{header:?}");
    }
}

#[test]
fn err_an_exchange_that_is_none_ends() {
    let scene = Scene::of(STUDY, &[1000]);
    let (door, _) = open(&scene);
    let post = |body: &[u8]| ask(door.address(), "POST /v1/exchange", &[], body);
    assert_eq!(post(&vec![0; 2 * 1024 * 1024]).status, 413);
    for body in [&b""[..], b"MICX", b"GET / HTTP/1.1\r\n\r\n", &[0xff; 5000]] {
        let answer = post(body);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        // The preface and an error at most.
        assert!(answer.body.len() < 500, "{}", answer.body.len());
    }
}

#[test]
fn err_a_proxy_that_refuses_is_told() {
    let scene = Scene::of(STUDY, &[1000]);
    let (door, _) = open(&scene);
    // It leads elsewhere.
    let proxy = Relay::proxy_to("127.0.0.1:1".parse().unwrap());
    let address = HttpAddress::new(door.address(), "source.test", "");
    let dial = HttpDial::new(runtime(), address, HttpVersion::Http1).through_proxy(proxy.address);
    let error = Pull::over(dial)
        .study(uid(STUDY), mic_transfer::Auth::none())
        .run(&scene.store, |_| {})
        .unwrap_err();
    assert_eq!(error.kind, std::io::ErrorKind::ConnectionRefused);
    assert!(error.detail.contains("proxy"), "{error}");
}
