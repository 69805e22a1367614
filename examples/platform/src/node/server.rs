//! The HTTP side that all roles share: one runtime, blocking handlers, bounded bodies.

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::routing::get;
use axum::serve::ListenerExt;
use chrono::Utc;
use serde::de::DeserializeOwned;

use super::Context;
use crate::problem::Problem;
use crate::signature;
use crate::trust::Caller;

/// The largest body a door takes: one DICOM instance. A whole enhanced multi-frame CT stays below.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 30;

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
    let router = router
        .route("/health", get(|| async { "ok\n" }))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
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
pub(crate) struct SignedBytes(pub(crate) Bytes);

impl<T, S> FromRequest<Arc<S>> for Signed<T>
where
    T: DeserializeOwned,
    S: HasContext,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Arc<S>) -> Result<Self, Problem> {
        let (by, body) = open(request, state).await?;
        Ok(Self {
            by,
            body: serde_json::from_slice(&body)?,
        })
    }
}

impl<S: HasContext> FromRequest<Arc<S>> for SignedBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Arc<S>) -> Result<Self, Problem> {
        Ok(Self(open(request, state).await?.1))
    }
}

async fn open<S: HasContext>(request: Request, state: &Arc<S>) -> Result<(Caller, Bytes), Problem> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|e| Problem::data("http.body", e))?;
    let trust = &state.context().trust;
    let key = signature::check(
        trust,
        parts.method.as_str(),
        parts.uri.path(),
        &parts.headers,
        &body,
        Utc::now(),
    )?;
    Ok((trust.caller(&key)?, body))
}
