//! The HTTP side that all roles share: one runtime, blocking handlers, bounded bodies.

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::routing::get;
use axum::serve::ListenerExt;
use serde::de::DeserializeOwned;

use super::Context;
use crate::problem::Problem;
use crate::signature;
use crate::time;
use crate::trust::Caller;

/// The largest DICOM instance taken in. A whole enhanced multi-frame CT stays below.
pub(crate) const INSTANCE_BYTES_MAX: usize = 1 << 30;
/// The largest JSON body of a signed call: some ten thousand exam records.
const SIGNED_JSON_BYTES_MAX: usize = 16 << 20;
/// The largest JSON body of a call that nobody signed: a token and a person code.
const JSON_BYTES_MAX: usize = 64 << 10;

/// Serves `router` on `listener` until `stop` returns.
pub(crate) fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl FnOnce() + Send + 'static,
) -> Result<(), Problem> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    // Each extractor has a limit of its own.
    let router = router
        .route("/health", get(|| async { "ok\n" }))
        .layer(DefaultBodyLimit::disable());
    runtime.block_on(async {
        listener.set_nonblocking(true)?;
        // Small answers must not wait for the acknowledgement of the one before.
        let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let (stopped, wait) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            stop();
            let _ = stopped.send(());
        });
        tokio::select! {
            served = axum::serve(listener, router) => served?,
            _ = wait => {}
        }
        Ok::<(), std::io::Error>(())
    })?;
    runtime.shutdown_background();
    Ok(())
}

/// Runs a blocking piece of work (database, disk, a call to another node) off the runtime's threads.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Problem> + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Problem::system("node.task", e))?
}

/// A state that knows the node's keys and options.
pub(crate) trait HasContext: Send + Sync + 'static {
    fn context(&self) -> &Context;
}

/// A JSON body whose sender signed the call; who it was comes from its key.
pub(crate) struct Signed<T> {
    pub(crate) by: Caller,
    pub(crate) body: T,
}

/// Raw bytes whose sender signed the call.
pub(crate) struct SignedBytes {
    pub(crate) by: Caller,
    pub(crate) bytes: Bytes,
}

/// A JSON body from within the house or from the patient's app: not signed, and small.
pub(crate) struct Body<T>(pub(crate) T);

impl<T, S> FromRequest<Arc<S>> for Signed<T>
where
    T: DeserializeOwned,
    S: HasContext,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Arc<S>) -> Result<Self, Problem> {
        let (by, body) = open(request, state, SIGNED_JSON_BYTES_MAX).await?;
        Ok(Self {
            by,
            body: serde_json::from_slice(&body)?,
        })
    }
}

impl<S: HasContext> FromRequest<Arc<S>> for SignedBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Arc<S>) -> Result<Self, Problem> {
        let (by, bytes) = open(request, state, INSTANCE_BYTES_MAX).await?;
        Ok(Self { by, bytes })
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = read(request.into_body(), JSON_BYTES_MAX).await?;
        Ok(Self(serde_json::from_slice(&body)?))
    }
}

/// Checks the head of a signed call before a byte of its body is read.
async fn open<S: HasContext>(
    request: Request,
    state: &Arc<S>,
    bytes_max: usize,
) -> Result<(Caller, Bytes), Problem> {
    let (parts, body) = request.into_parts();
    let trust_state = Arc::clone(state);
    let (caller, signer) = blocking(move || {
        let trust = &trust_state.context().trust;
        let signer = signature::check(
            trust,
            parts.method.as_str(),
            parts.uri.path(),
            &parts.headers,
            time::now().to_utc(),
        )?;
        Ok((trust.caller(&signer.key)?, signer))
    })
    .await?;
    let body = read(body, bytes_max).await?;
    blocking(move || signer.fits(&body).map(|()| (caller, body))).await
}

async fn read(body: axum::body::Body, bytes_max: usize) -> Result<Bytes, Problem> {
    axum::body::to_bytes(body, bytes_max).await.map_err(|_| {
        Problem::data(
            "http.body",
            format!("expected a whole body of at most {bytes_max} bytes"),
        )
    })
}
