//! With OpenSSL's command line, in both directions, over the COSE signing input of a grant: SM2 with the
//! distinguishing id set (the default, the empty one, another), P-256 and Ed25519. What OpenSSL signs is put into the
//! token, and the token passes. Where
//! `openssl` is not installed, or knows no SM2, the test says so and proves nothing.
#![cfg(all(
    feature = "gm",
    feature = "ed25519",
    feature = "es256",
    feature = "qr",
    feature = "std"
))]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot be set up should fail, or say why"
)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use common::{raw, *};
use mic_consent::*;

/// A grant as it is, and the bytes of it that are signed, made by another library.
struct Signing {
    keys: Keys,
    protected: Vec<u8>,
    payload: Vec<u8>,
    signature: [u8; 64],
    message: Vec<u8>,
}

impl Signing {
    fn of(suite: Suite) -> Self {
        let keys = keys(suite);
        let token = grant(&keys, ct_scope());
        let (protected, payload, signature) = raw::parts(token.as_bytes());
        let external = TokenType::Grant.external();
        let message = raw::to_be_signed(&protected, external, &payload);
        Self {
            keys,
            protected,
            payload,
            signature: signature.try_into().unwrap(),
            message,
        }
    }

    /// The grant with this signature in place of its own passes all of the check.
    #[track_caller]
    fn passes_with(&self, signature: &[u8; 64]) {
        let token = raw::assemble(&self.protected, &self.payload, signature);
        let token = Encoded::from_bytes(&token).unwrap();
        let live = live_grant(&self.keys, token);
        assert_eq!(live.claims().id().as_bytes(), &[0x77; 16]);
    }
}

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
    point: &[u8],
    message: &[u8],
    ours: &[u8; 64],
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
    fs::write(folder.join("message"), message).unwrap();
    fs::write(folder.join("ours"), der(ours)).unwrap();
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
fn theirs_is_accepted(
    folder: &Path,
    options: &[&str],
    key: &PublicKey,
    message: &[u8],
) -> [u8; 64] {
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
    key.verify(message, &theirs).unwrap();
    prepared.verify(message, &theirs).unwrap();
    assert!(key.verify(b"other bytes", &theirs).is_err());
    assert!(prepared.verify(b"other bytes", &theirs).is_err());
    *theirs.as_bytes()
}

#[test]
fn ok_sm2_signatures_are_accepted_both_ways() {
    if !available() {
        return;
    }
    let signing = Signing::of(Suite::Sm2Sm3);
    let folder = folder(
        "sm2",
        SM2_SECRET,
        SM2_PUBLIC,
        [0x22; 32],
        signing.keys.authority_key.as_bytes(),
        &signing.message,
        &signing.signature,
    );
    let id = ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"];
    assert!(accepts(&folder, &id), "openssl refuses our signature");
    for other in ["distid:another", "distid:"] {
        let other = ["-digest", "sm3", "-pkeyopt", other];
        assert!(!accepts(&folder, &other), "openssl accepts another id");
    }
    let key = &signing.keys.authority_key;
    let theirs = theirs_is_accepted(&folder, &id, key, &signing.message);
    signing.passes_with(&theirs);
    fs::remove_dir_all(folder).unwrap();
}

/// The id is a field of the key record: what one id signs, no other accepts, on either side.
#[test]
fn ok_sm2_signatures_under_other_ids_are_accepted_both_ways() {
    if !available() {
        return;
    }
    let signing = Signing::of(Suite::Sm2Sm3);
    let secret = [0x22; 32];
    for id in ["", "another", "MIC-CONSENT@MIC.CN"] {
        let key = Sm2SigningKey::with_distid(&secret, id).unwrap();
        let public = key.public_key();
        let ours = key.sign(&signing.message).unwrap();
        let name = format!("sm2-id-{}", id.len());
        let folder = folder(
            &name,
            SM2_SECRET,
            SM2_PUBLIC,
            secret,
            public.as_bytes(),
            &signing.message,
            ours.as_bytes(),
        );
        let own = format!("distid:{id}");
        let own = ["-digest", "sm3", "-pkeyopt", own.as_str()];
        assert!(accepts(&folder, &own), "openssl refuses the id {id:?}");
        let default = ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"];
        assert!(!accepts(&folder, &default), "openssl accepts another id");
        let theirs = theirs_is_accepted(&folder, &own, public, &signing.message);
        let theirs = Signature::from_bytes(theirs);
        let with_default = &signing.keys.authority_key;
        assert!(with_default.verify(&signing.message, &theirs).is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn ok_p256_signatures_are_accepted_both_ways() {
    if !available() {
        return;
    }
    let signing = Signing::of(Suite::Esp256);
    let public = &signing.keys.authority_key;
    let folder = folder(
        "p256",
        P256_SECRET,
        P256_PUBLIC,
        [0x42; 32],
        public.as_bytes(),
        &signing.message,
        &signing.signature,
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
        let theirs = theirs_is_accepted(&folder, &["-digest", "sha256"], public, &signing.message);
        signing.passes_with(&theirs);
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
    let signing = Signing::of(Suite::Ed25519);
    let public = signing.keys.authority_key.as_bytes();
    fs::write(
        folder.join("key.der"),
        [bytes(ED25519_SECRET), secret.to_vec()].concat(),
    )
    .unwrap();
    fs::write(
        folder.join("public.der"),
        [bytes(ED25519_PUBLIC), public.to_vec()].concat(),
    )
    .unwrap();
    fs::write(folder.join("message"), &signing.message).unwrap();
    fs::write(folder.join("ours"), signing.signature).unwrap();
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
    assert_eq!(fs::read(folder.join("theirs")).unwrap(), signing.signature);
    fs::remove_dir_all(folder).unwrap();
}
