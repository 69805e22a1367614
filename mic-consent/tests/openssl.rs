//! With OpenSSL's command line, in both directions: SM2 with the distinguishing id set, and Ed25519. Where
//! `openssl` is not installed, or knows no SM2, the test says so and proves nothing.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "std"))]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot be set up should fail, or say why"
)]

use std::{fs, path::Path, process::Command};

use mic_consent::*;

const MESSAGE: &[u8] = b"the bytes of a signing input";
/// DER before the 32 secret bytes: SEC 1 key with the curve 1.2.156.10197.1.301, and PKCS #8 with 1.3.101.112.
const SM2_SECRET: (&str, &str) = ("303102010104 20", "a00a06082a811ccf5501822d");
const ED25519_SECRET: &str = "302e020100300506032b657004220420";
/// DER before the public key.
const SM2_PUBLIC: &str = "3059301306072a8648ce3d020106082a811ccf5501822d03420004";
const ED25519_PUBLIC: &str = "302a300506032b6570032100";

fn openssl(folder: &Path, arguments: &[&str]) -> Option<bool> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .ok()?;
    if !output.status.success() {
        eprintln!(
            "openssl {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Some(output.status.success())
}

fn available() -> bool {
    let found = Command::new("openssl")
        .args(["ecparam", "-name", "SM2", "-noout"])
        .output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("SKIPPED: no openssl with SM2 on this machine; nothing was compared");
    }
    found
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal.replace(' ', "")).unwrap()
}

/// r and s as DER integers in a sequence.
fn der(signature: &[u8; 64]) -> Vec<u8> {
    let integer = |half: &[u8]| {
        let first = half.iter().position(|byte| *byte != 0).unwrap();
        let mut value = half[first..].to_vec();
        if value[0] >= 0x80 {
            value.insert(0, 0);
        }
        [&[2, u8::try_from(value.len()).unwrap()], &value[..]].concat()
    };
    let body = [integer(&signature[..32]), integer(&signature[32..])].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

/// The 64 bytes of a DER signature.
fn raw(der: &[u8]) -> [u8; 64] {
    let mut out = [0; 64];
    let mut rest = &der[2..];
    for half in out.chunks_mut(32) {
        let length = usize::from(rest[1]);
        let value = &rest[2..2 + length];
        let value = &value[value.len().saturating_sub(32)..];
        half[32 - value.len()..].copy_from_slice(value);
        rest = &rest[2 + length..];
    }
    out
}

#[test]
fn ok_sm2_signatures_are_accepted_both_ways() {
    if !available() {
        return;
    }
    let folder =
        std::env::temp_dir().join(format!("mic-consent-openssl-sm2-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let secret = [0x22; 32];
    let key = Sm2SigningKey::from_secret_bytes(&secret).unwrap();
    let private = [bytes(SM2_SECRET.0), secret.to_vec(), bytes(SM2_SECRET.1)].concat();
    fs::write(folder.join("key.der"), private).unwrap();
    fs::write(
        folder.join("public.der"),
        [bytes(SM2_PUBLIC), key.public_key().as_bytes().to_vec()].concat(),
    )
    .unwrap();
    fs::write(folder.join("message"), MESSAGE).unwrap();
    fs::write(
        folder.join("ours"),
        der(key.sign(MESSAGE).unwrap().as_bytes()),
    )
    .unwrap();

    let id = [
        "-rawin",
        "-digest",
        "sm3",
        "-pkeyopt",
        "distid:1234567812345678",
    ];
    let verify = |id: &[&str]| {
        let arguments = [
            "pkeyutl",
            "-verify",
            "-pubin",
            "-keyform",
            "DER",
            "-inkey",
            "public.der",
            "-in",
            "message",
            "-sigfile",
            "ours",
        ];
        openssl(&folder, &[&arguments[..], id].concat()).unwrap()
    };
    assert!(verify(&id), "openssl refuses our signature");
    assert!(
        !verify(&["-rawin", "-digest", "sm3", "-pkeyopt", "distid:another"]),
        "openssl accepts another id"
    );

    let sign = [
        "pkeyutl", "-sign", "-keyform", "DER", "-inkey", "key.der", "-in", "message", "-out",
        "theirs",
    ];
    assert_eq!(openssl(&folder, &[&sign[..], &id].concat()), Some(true));
    let theirs = Signature::from_bytes(raw(&fs::read(folder.join("theirs")).unwrap()));
    key.public_key().verify(MESSAGE, &theirs).unwrap();
    assert!(key.public_key().verify(b"other bytes", &theirs).is_err());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn ok_ed25519_signatures_are_accepted_both_ways() {
    if !available() {
        return;
    }
    let folder = std::env::temp_dir().join(format!(
        "mic-consent-openssl-ed25519-{}",
        std::process::id()
    ));
    fs::create_dir_all(&folder).unwrap();
    let secret = [0x32; 32];
    let key = Ed25519SigningKey::from_secret_bytes(&secret).unwrap();
    fs::write(
        folder.join("key.der"),
        [bytes(ED25519_SECRET), secret.to_vec()].concat(),
    )
    .unwrap();
    fs::write(
        folder.join("public.der"),
        [bytes(ED25519_PUBLIC), key.public_key().as_bytes().to_vec()].concat(),
    )
    .unwrap();
    fs::write(folder.join("message"), MESSAGE).unwrap();
    fs::write(folder.join("ours"), key.sign(MESSAGE).unwrap().as_bytes()).unwrap();
    let verify = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-keyform",
        "DER",
        "-inkey",
        "public.der",
        "-rawin",
        "-in",
        "message",
        "-sigfile",
        "ours",
    ];
    assert_eq!(openssl(&folder, &verify), Some(true));
    let sign = [
        "pkeyutl", "-sign", "-keyform", "DER", "-inkey", "key.der", "-rawin", "-in", "message",
        "-out", "theirs",
    ];
    assert_eq!(openssl(&folder, &sign), Some(true));
    // Deterministic: the very same bytes.
    assert_eq!(
        fs::read(folder.join("theirs")).unwrap(),
        key.sign(MESSAGE).unwrap().as_bytes()
    );
    fs::remove_dir_all(folder).unwrap();
}
