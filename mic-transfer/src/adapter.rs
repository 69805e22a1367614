//! Thin loops between the core and the operating system. They carry bytes and decide nothing.
//!
//! [`pull::Pull`] takes studies in, from one source or several, over lines of any kind: a line is
//! whatever [`line::Dial`] makes. [`serve`] gives studies out over any [`stream::ByteStream`].

mod coder;
pub mod disk;
pub mod files;
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub mod http;
pub mod line;
mod paths;
pub mod pull;
#[cfg(feature = "quic")]
#[cfg_attr(docsrs, doc(cfg(feature = "quic")))]
pub mod quic;
#[cfg(feature = "coding")]
#[cfg_attr(docsrs, doc(cfg(feature = "coding")))]
pub mod rest;
pub mod serve;
pub mod stream;
pub mod tcp;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub mod tls;
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub mod tokio;
