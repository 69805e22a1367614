//! With OpenSSL's command line, in both directions: SM2 with the distinguishing id set, P-256 and Ed25519. Where
//! `openssl` is not installed, or knows no SM2, the test says so and proves nothing.
#![cfg(all(
    feature = "gm",
    feature = "ed25519",
    feature = "es256",
    feature = "std"
))]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot be set up should fail, or say why"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use mic_consent::*;

const MESSAGE: &[u8] = b"the bytes of a signing input";
/// DER before the 32 secret bytes: SEC 1 key with the curve 1.2.156.10197.1.301, and PKCS #8 with 1.3.101.112.
const SM2_SECRET: (&str, &str) = ("303102010104 20", "a00a06082a811ccf5501822d");
const P256_SECRET: (&str, &str) = ("303102010104 20", "a00a06082a8648ce3d030107");
const ED25519_SECRET: &str = "302e020100300506032b657004220420";
/// DER before the public key.
const SM2_PUBLIC: &str = "3059301306072a8648ce3d020106082a811ccf5501822d03420004";
const P256_PUBLIC: &str = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
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
        assert!(
            std::env::var_os("MIC_PEERS").is_none(),
            "MIC_PEERS asks for every peer, and this one is missing"
        );
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

/// A folder with a key of a curve, the message and our signature over it.
fn folder(
    name: &str,
    secret: (&str, &str),
    public: &str,
    number: [u8; 32],
    key: &dyn Signer,
    point: &[u8],
) -> PathBuf {
    let folder =
        std::env::temp_dir().join(format!("mic-consent-openssl-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let private = [bytes(secret.0), number.to_vec(), bytes(secret.1)].concat();
    fs::write(folder.join("key.der"), private).unwrap();
    fs::write(
        folder.join("public.der"),
        [bytes(public), point.to_vec()].concat(),
    )
    .unwrap();
    fs::write(folder.join("message"), MESSAGE).unwrap();
    let ours = key.sign(MESSAGE).unwrap();
    fs::write(folder.join("ours"), der(ours.as_bytes())).unwrap();
    folder
}

/// Whether openssl accepts `ours` in the folder.
fn accepts(folder: &Path, options: &[&str]) -> bool {
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
        "-rawin",
    ];
    openssl(folder, &[&arguments[..], options].concat()).unwrap()
}

/// What openssl signs in the folder, accepted by the key with and without its table.
fn theirs_is_accepted(folder: &Path, options: &[&str], key: &PublicKey) {
    let arguments = [
        "pkeyutl", "-sign", "-keyform", "DER", "-inkey", "key.der", "-in", "message", "-out",
        "theirs", "-rawin",
    ];
    assert_eq!(
        openssl(folder, &[&arguments[..], options].concat()),
        Some(true)
    );
    let theirs = Signature::from_bytes(raw(&fs::read(folder.join("theirs")).unwrap()));
    let prepared = PreparedKey::new(key.clone(), &mut BaseTables::new());
    key.verify(MESSAGE, &theirs).unwrap();
    prepared.verify(MESSAGE, &theirs).unwrap();
    assert!(key.verify(b"other bytes", &theirs).is_err());
    assert!(prepared.verify(b"other bytes", &theirs).is_err());
}

#[test]
fn ok_sm2_signatures_are_accepted_both_ways() {
    if !available() {
        return;
    }
    let secret = [0x22; 32];
    let key = Sm2SigningKey::from_secret_bytes(&secret).unwrap();
    let public = key.public_key();
    let folder = folder(
        "sm2",
        SM2_SECRET,
        SM2_PUBLIC,
        secret,
        &key,
        public.as_bytes(),
    );
    let id = ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"];
    assert!(accepts(&folder, &id), "openssl refuses our signature");
    let another = ["-digest", "sm3", "-pkeyopt", "distid:another"];
    assert!(!accepts(&folder, &another), "openssl accepts another id");
    theirs_is_accepted(&folder, &id, public);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn ok_p256_signatures_are_accepted_both_ways() {
    if !available() {
        return;
    }
    let secret = [0x42; 32];
    let key = Es256SigningKey::from_secret_bytes(&secret).unwrap();
    let public = key.public_key();
    let folder = folder(
        "p256",
        P256_SECRET,
        P256_PUBLIC,
        secret,
        &key,
        public.as_bytes(),
    );
    assert!(
        accepts(&folder, &["-digest", "sha256"]),
        "openssl refuses our signature"
    );
    assert!(
        !accepts(&folder, &["-digest", "sha384"]),
        "openssl accepts another hash"
    );
    // Half of what openssl signs has the higher s; several rounds meet both.
    for _ in 0..8 {
        theirs_is_accepted(&folder, &["-digest", "sha256"], public);
    }
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
