//! Plain reading (XFR-114, XFR-115): manifests and instances by their digests, for caches, scripts and other programs.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
use std::io;
use std::sync::PoisonError;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use sha2::Digest as _;
use tokio::sync::mpsc::channel;

use super::STUDY_AUTHORIZATION;
use super::server::{Answer, Parts, Server, plain, refused};
use crate::adapter::serve::{Authorizer, Peer};
use crate::limits::CHUNK_BYTES;
use crate::source::Source;
use crate::{Digest, Instance, Manifest, SignedManifest};

/// SHA-256 digests kept, of instances that were asked for: 4 MiB.
const KNOWN_MAX: usize = 65_536;
/// Most bytes of an instance that is hashed for `Repr-Digest`: longer ones go without.
const HASHED_BYTES_MAX: u64 = 256 * 1024 * 1024;
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
/// What a digest names does not change.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// SHA-256 by BLAKE3.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<[u8; 32], [u8; 32]>);

impl<S, A> Server<S, A>
where
    S: Source + Clone + Send + Sync + 'static,
    A: Authorizer + Clone + Send + Sync + 'static,
{
    /// `{root}` is the manifest, `{root}/instances/{digest}` an instance.
    pub(super) async fn read(self, rest: &str, request: &Request<Incoming>, peer: &Peer) -> Answer {
        let mut names = rest.split('/');
        let root = names.next().and_then(|text| text.parse::<Digest>().ok());
        let instance = match (names.next(), names.next(), names.next()) {
            (None, None, None) => Some(None),
            (Some("instances"), Some(digest), None) => digest.parse::<Digest>().ok().map(Some),
            _ => None,
        };
        let (Some(root), Some(instance)) = (root, instance) else {
            return plain(StatusCode::NOT_FOUND);
        };
        let (Some(session), Some(study)) = shown(request.headers()) else {
            return plain(StatusCode::BAD_REQUEST);
        };
        let (head, headers) = (request.method() == Method::HEAD, request.headers().clone());
        let peer = peer.clone();
        // Deciding and reading may block.
        let answering = tokio::task::spawn_blocking(move || {
            if let Err(refusal) = self.authorizer.session_of(&peer, &session) {
                return refused(StatusCode::UNAUTHORIZED, refusal);
            }
            let Some(signed) = self.source.manifest_of(&root) else {
                return plain(StatusCode::NOT_FOUND);
            };
            let uid = signed.manifest().study();
            if let Err(refusal) = self.authorizer.study_of(&peer, uid, &study) {
                return refused(StatusCode::FORBIDDEN, refusal);
            }
            match instance {
                None => manifest(&signed, &headers, head),
                Some(digest) => self.instance(&signed, &digest, &headers, head),
            }
        });
        answering
            .await
            .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn instance(
        &self,
        signed: &SignedManifest,
        digest: &Digest,
        headers: &HeaderMap,
        head: bool,
    ) -> Answer {
        let manifest = signed.manifest();
        let Some(number) = manifest.position(digest) else {
            return plain(StatusCode::NOT_FOUND);
        };
        let Some(instance) = manifest.instances().get(number as usize) else {
            return plain(StatusCode::NOT_FOUND);
        };
        let tag = format!("\"{digest}\"");
        if is_held(headers, &tag) {
            return tagged(StatusCode::NOT_MODIFIED, &tag, None);
        }
        let length = instance.length();
        let range = match range_of(headers, &tag, length) {
            Asked::Whole => 0..length,
            Asked::Part(range) => range,
            Asked::Beyond => {
                let mut answer = tagged(StatusCode::RANGE_NOT_SATISFIABLE, &tag, None);
                put(
                    &mut answer,
                    header::CONTENT_RANGE,
                    &format!("bytes */{length}"),
                );
                return answer;
            }
        };
        let Ok(sha256) = self.sha256_of(manifest, number, instance) else {
            return plain(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let part = range != (0..length);
        let status = if part {
            StatusCode::PARTIAL_CONTENT
        } else {
            StatusCode::OK
        };
        let mut answer = tagged(status, &tag, sha256);
        put(&mut answer, header::CONTENT_TYPE, "application/dicom");
        put(&mut answer, header::ACCEPT_RANGES, "bytes");
        if part {
            let last = range.end.saturating_sub(1);
            let text = format!("bytes {}-{last}/{length}", range.start);
            put(&mut answer, header::CONTENT_RANGE, &text);
        }
        let size = range.end.saturating_sub(range.start);
        if head {
            put(&mut answer, header::CONTENT_LENGTH, &format!("{size}"));
            return answer;
        }
        *answer.body_mut() = self.stream(manifest.clone(), number, range, size);
        answer
    }

    /// The bytes of an instance, read as the line takes them.
    fn stream(&self, manifest: Manifest, number: u32, range: Range<u64>, size: u64) -> Parts {
        let (parts, body) = channel(2);
        let source = self.source.clone();
        tokio::task::spawn_blocking(move || {
            let mut at = range.start;
            while at < range.end {
                let left = usize::try_from(range.end.saturating_sub(at)).unwrap_or(usize::MAX);
                let mut bytes = vec![0; left.min(CHUNK_BYTES)];
                let read = source.read(&manifest, number, at, &mut bytes);
                at = at.saturating_add(bytes.len() as u64);
                let part = match read {
                    Ok(()) => Ok(Bytes::from(bytes)),
                    Err(unreadable) => Err(io::Error::other(unreadable)),
                };
                let broken = part.is_err();
                if parts.blocking_send(part).is_err() || broken {
                    return;
                }
            }
        });
        Parts::Streamed(body, Some(size))
    }

    /// The SHA-256 of a whole instance, hashed once.
    fn sha256_of(
        &self,
        manifest: &Manifest,
        number: u32,
        instance: &Instance,
    ) -> io::Result<Option<[u8; 32]>> {
        if instance.length() > HASHED_BYTES_MAX {
            return Ok(None);
        }
        let name = *instance.digest().as_bytes();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sha256) = known.0.get(&name) {
            return Ok(Some(*sha256));
        }
        drop(known);
        let (mut sha256, mut at) = (sha2::Sha256::new(), 0);
        let mut buffer = vec![0; CHUNK_BYTES];
        while at < instance.length() {
            let left = usize::try_from(instance.length().saturating_sub(at)).unwrap_or(usize::MAX);
            let bytes = buffer.get_mut(..left.min(CHUNK_BYTES)).unwrap_or(&mut []);
            let read = self.source.read(manifest, number, at, bytes);
            read.map_err(io::Error::other)?;
            sha256.update(&*bytes);
            at = at.saturating_add(bytes.len() as u64);
        }
        let sha256: [u8; 32] = sha256.finalize().into();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0.len() >= KNOWN_MAX {
            known.0.pop_first();
        }
        known.0.insert(name, sha256);
        Ok(Some(sha256))
    }
}

fn manifest(signed: &SignedManifest, headers: &HeaderMap, head: bool) -> Answer {
    let manifest = signed.manifest();
    let tag = format!("\"{}\"", manifest.root());
    if is_held(headers, &tag) {
        return tagged(StatusCode::NOT_MODIFIED, &tag, None);
    }
    let bytes = manifest.encoded().to_vec();
    let sha256 = sha2::Sha256::digest(&bytes).into();
    let mut answer = tagged(StatusCode::OK, &tag, Some(sha256));
    put(
        &mut answer,
        header::CONTENT_TYPE,
        "application/vnd.mic-transfer-manifest",
    );
    if head {
        put(
            &mut answer,
            header::CONTENT_LENGTH,
            &format!("{}", bytes.len()),
        );
    } else {
        *answer.body_mut() = Parts::Whole(Full::new(Bytes::from(bytes)));
    }
    answer
}

/// What the session and the study are shown by: `None` where a header is malformed.
fn shown(headers: &HeaderMap) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    let session = match headers.get(header::AUTHORIZATION).map(HeaderValue::to_str) {
        None => Some(Vec::new()),
        Some(Ok(value)) => value.strip_prefix("Bearer ").and_then(decode),
        Some(Err(_)) => None,
    };
    let study = match headers.get(STUDY_AUTHORIZATION).map(HeaderValue::to_str) {
        None => Some(Vec::new()),
        Some(value) => value.ok().and_then(decode),
    };
    (session, study)
}

fn is_held(headers: &HeaderMap, tag: &str) -> bool {
    let held = headers.get_all(header::IF_NONE_MATCH).into_iter();
    held.filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| matches!(one.trim(), "*") || one.trim().trim_start_matches("W/") == tag)
}

enum Asked {
    Whole,
    Part(Range<u64>),
    Beyond,
}

/// One range of bytes; more than one, or what can't be read, is answered by the whole (RFC 9110, 14.2).
fn range_of(headers: &HeaderMap, tag: &str, length: u64) -> Asked {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(text) = value(header::RANGE).and_then(|text| text.strip_prefix("bytes=")) else {
        return Asked::Whole;
    };
    if value(header::IF_RANGE).is_some_and(|known| known != tag) {
        return Asked::Whole;
    }
    let Some((from, to)) = text.split_once('-') else {
        return Asked::Whole;
    };
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    let range = match (number(from), number(to)) {
        (Some(from), Some(to)) if to >= from => from..to.saturating_add(1).min(length),
        (Some(from), None) if to.is_empty() => from..length,
        (None, Some(last)) if from.is_empty() => length.saturating_sub(last)..length,
        _ => return Asked::Whole,
    };
    if range.start < range.end {
        Asked::Part(range)
    } else {
        Asked::Beyond
    }
}

fn tagged(status: StatusCode, tag: &str, sha256: Option<[u8; 32]>) -> Answer {
    let mut answer = Response::new(Parts::Whole(Full::default()));
    *answer.status_mut() = status;
    put(&mut answer, header::ETAG, tag);
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, IMMUTABLE);
    if let Some(sha256) = sha256 {
        let text: String = STANDARD.encode(sha256);
        put(&mut answer, REPR_DIGEST, &format!("sha-256=:{text}:"));
    }
    answer
}

fn put(answer: &mut Answer, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        answer.headers_mut().insert(name, value);
    }
}
