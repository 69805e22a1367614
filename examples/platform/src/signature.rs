//! Signed calls between nodes: HTTP Message Signatures (RFC 9421) over method, path and body digest.
//!
//! Covered components are `"@method" "@path" "content-digest"` with `created` and `keyid`; the digest
//! is SHA-256 after RFC 9530. The algorithm is not named in the message: the key's own record fixes
//! it. A call is good for [`FRESH_SECONDS_MAX`] seconds, and whoever overhears one can repeat it in that
//! time: TLS on every line has to stand before these doors (see the platform's README).

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::problem::Problem;
use crate::trust::{NodeKey, Trust};

/// How far a call's `created` may lie from the receiver's clock: the design's clock skew.
pub const FRESH_SECONDS_MAX: i64 = 60;

const DIGEST: &str = "content-digest";
const INPUT: &str = "signature-input";
const SIGNATURE: &str = "signature";
const LABEL: &str = "mic=";
const COMPONENTS: &str = r#"("@method" "@path" "content-digest")"#;

/// The headers that sign one call.
///
/// # Errors
///
/// The signer failed; the call must not be made.
pub fn sign(
    key: &NodeKey,
    method: &str,
    path: &str,
    body: &[u8],
) -> Result<[(&'static str, String); 3], Problem> {
    let digest = content_digest(body);
    let created = Utc::now().timestamp();
    let parameters = format!(r#"{COMPONENTS};created={created};keyid="{}""#, key.id());
    let base = signature_base(method, path, &digest, &parameters);
    let signature = STANDARD.encode(key.sign(base.as_bytes())?);
    Ok([
        (DIGEST, digest),
        (INPUT, format!("{LABEL}{parameters}")),
        (SIGNATURE, format!("{LABEL}:{signature}:")),
    ])
}

/// Checks a call's head: who signed it, when, and for which body. The body itself is compared
/// afterwards with [`Signer::fits`], so that no byte of it is read for a stranger.
///
/// # Errors
///
/// Denied, with what was missing or did not hold.
pub fn check(
    trust: &Trust,
    method: &str,
    path: &str,
    headers: &HeaderMap,
    now: DateTime<Utc>,
) -> Result<Signer, Problem> {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .ok_or_else(|| denied(format!("the {name} header is missing")))
    };
    let digest = header(DIGEST)?;
    let parameters = header(INPUT)?
        .strip_prefix(LABEL)
        .ok_or_else(|| denied("expected a signature labelled mic"))?;
    let (created, key) = read_parameters(parameters)?;
    if (now.timestamp() - created).abs() > FRESH_SECONDS_MAX {
        return Err(denied(format!(
            "the call is more than {FRESH_SECONDS_MAX} s away from this node's clock"
        )));
    }
    let signature = header(SIGNATURE)?
        .strip_prefix(LABEL)
        .and_then(|text| text.strip_prefix(':')?.strip_suffix(':'))
        .and_then(|text| STANDARD.decode(text).ok())
        .ok_or_else(|| denied("expected a signature of the form mic=:base64:"))?;
    let base = signature_base(method, path, digest, parameters);
    trust.verify(key, base.as_bytes(), &signature)?;
    Ok(Signer {
        key: key.to_owned(),
        digest: digest.to_owned(),
    })
}

/// Who signed a call, and the digest of the body that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The identifier of the key.
    pub key: String,
    digest: String,
}

impl Signer {
    /// Whether this is the body that was signed.
    ///
    /// # Errors
    ///
    /// Denied: it is another one.
    pub fn fits(&self, body: &[u8]) -> Result<(), Problem> {
        if self.digest == content_digest(body) {
            return Ok(());
        }
        Err(denied("the body does not have the digest that was signed"))
    }
}

fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}

fn signature_base(method: &str, path: &str, digest: &str, parameters: &str) -> String {
    format!(
        "\"@method\": {method}\n\"@path\": {path}\n\"content-digest\": {digest}\n\
         \"@signature-params\": {parameters}"
    )
}

/// `("@method" "@path" "content-digest");created=N;keyid="ID"`, exactly in this form.
fn read_parameters(text: &str) -> Result<(i64, &str), Problem> {
    let read = || {
        let (created, key) = text
            .strip_prefix(COMPONENTS)?
            .strip_prefix(";created=")?
            .split_once(";keyid=")?;
        let key = key.strip_prefix('"')?.strip_suffix('"')?;
        Some((created.parse().ok()?, key))
    };
    read().ok_or_else(|| {
        denied(format!(
            "expected signature parameters of the form {COMPONENTS};created=N;keyid=\"ID\""
        ))
    })
}

fn denied(detail: impl ToString) -> Problem {
    Problem::denied("signature", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_parameters_are_read_back() {
        let text = format!(r#"{COMPONENTS};created=1700000000;keyid="00ff""#);
        assert_eq!(read_parameters(&text).unwrap(), (1_700_000_000, "00ff"));
    }

    #[test]
    fn err_other_components_are_denied() {
        for text in [
            "",
            r#"("@method");created=1;keyid="00""#,
            r#"("@method" "@path" "content-digest");keyid="0";created=1"#,
        ] {
            assert_eq!(read_parameters(text).unwrap_err().code, "signature");
        }
    }

    #[test]
    fn ok_the_signature_base_is_that_of_rfc_9421() {
        assert_eq!(
            signature_base("POST", "/v1/index", "sha-256=:x:", "p"),
            "\"@method\": POST\n\"@path\": /v1/index\n\"content-digest\": sha-256=:x:\n\"@signature-params\": p"
        );
    }
}
