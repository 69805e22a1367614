//! HTTP/1.1 and HTTP/2, for hospitals whose proxies let nothing else through.
//!
//! A POST to `/v1/exchange` is a connection of the protocol in one exchange: the request's body is all
//! that the receiver says, the response's body all that the source answers. The source keeps nothing
//! between two of them, so any proxy or number of sources behind one address will do. [`HttpDial`] makes
//! of such exchanges a line like any other: the same receiver judges every byte, the same store keeps it.
//!
//! Beside it [`Server`] answers plain GETs for whoever wants a manifest or an instance without the
//! protocol, with ranges, entity tags and digests. Addresses name roots and digests, no person.
//! `spec/transfer.md` section 16 has the whole.

use alloc::string::String;
use core::net::SocketAddr;

mod dial;
mod files;
mod line;
mod server;

pub use dial::{HttpDial, HttpVersion};
pub use server::Server;

/// Where exchanges go.
pub(crate) const EXCHANGE_PATH: &str = "/v1/exchange";
/// Where studies are read.
pub(crate) const STUDIES_PATH: &str = "/v1/studies/";
/// The media type of both bodies of an exchange.
pub(crate) const EXCHANGE_TYPE: &str = "application/vnd.mic-transfer";
/// What is shown for the study in a GET, beside `Authorization` for the session.
pub(crate) const STUDY_AUTHORIZATION: &str = "mic-study-authorization";
/// The application's own reason of a refusal.
pub(crate) const REASON: &str = "mic-reason";
/// Most bytes of a request's body: the greeting and 16 studies with the largest authorisations.
pub(crate) const EXCHANGE_BYTES_MAX: usize = 1024 * 1024;

/// Where an HTTP source is: `http://host:port` or `https://host:port`, with a path before `/v1` where a
/// proxy has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAddress {
    /// Where to connect: the source or the proxy before it.
    connect: SocketAddr,
    /// The host and port asked for.
    authority: String,
    prefix: String,
}

impl HttpAddress {
    /// At this address, asked for as `authority` (host, or host and port), below `prefix` (empty, or
    /// `/archive`).
    #[must_use]
    pub fn new(
        connect: SocketAddr,
        authority: impl Into<String>,
        prefix: impl Into<String>,
    ) -> Self {
        Self {
            connect,
            authority: authority.into(),
            prefix: prefix.into(),
        }
    }
}
