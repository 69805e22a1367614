//! Verified, resumable transfer of whole DICOM studies between imaging archives and hospital
//! front-end machines (前置机).
//!
//! It is no DICOM toolkit (it is told identifiers, sizes and ranges), holds no keys (signatures are
//! the caller's), decides no access (authorisations are opaque bytes), and leaves encryption to its lines.
//!
//! # A transfer over loopback
//!
#![cfg_attr(feature = "std", doc = "```")]
#![cfg_attr(not(feature = "std"), doc = "```ignore")]
//! use mic_transfer::adapter::{disk::DiskStore, files::{FileSource, FileStudy, Labels}};
//! use mic_transfer::adapter::tcp::{AllowAll, Pull, PullEvent, ServeConfig, serve_connection};
//! use mic_transfer::{Auth, Uid};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("image.dcm");
//! # std::fs::write(&path, vec![7; 600_000])?;
//! let mut study = FileStudy::new(Uid::new("1.2.3")?);
//! study.add(&path, Labels::new(
//!     Uid::new("1.2.840.10008.5.1.4.1.1.2")?, Uid::new("1.2.3.1.1")?,
//!     Uid::new("1.2.3.1")?, Uid::new("1.2.840.10008.1.2.1")?,
//! ))?;
//! let source = FileSource::new();
//! source.insert(study.unsigned()?);
//! let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! std::thread::spawn(move || {
//!     let (stream, _) = listener.accept().unwrap();
//!     serve_connection(stream, &source, &AllowAll, ServeConfig::default())
//! });
//!
//! let store = DiskStore::open(folder.path().join("store"))?;
//! let mut images = 0;
//! let report = Pull::new(address)
//!     .study(Uid::new("1.2.3")?, Auth::none())
//!     .run(&store, |event| images += i32::from(matches!(event, PullEvent::Instance { .. })))?;
//! assert!(report.is_complete());
//! assert_eq!((report.fetched(), images), (600_000, 1));
//! let complete = store.complete();
//! let instance = &complete[0].signed().manifest().instances()[0];
//! assert_eq!(store.read_instance(instance.digest())?, std::fs::read(path)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The types to know
//!
//! - [`Manifest`] and [`SignedManifest`]: what a study holds, named by its root.
//! - [`sender::Sender`] and [`receiver::Receiver`]: the two sides, without sockets, files or clock.
//! - [`store::Store`]: what is durable, over any [`storage::Storage`].
//! - `adapter::pull::Pull`, `adapter::tcp::serve_connection`, `adapter::disk::DiskStore`: the same,
//!   over the operating system (feature `std`); `adapter::tls`, `tokio`, `quic` and `http` for other lines.
//!
//! # The contract
//!
//! After every call that may change something, drain `poll_output` until it answers `Wait`; do what
//! it says, in order; come back with what arrived, or at the time it named. The caller owns the time
//! (any clock that does not run backwards) and the bytes. Every limit is named in [`limits`].
//!
//! # Errors
//!
//! [`SessionError`] says what ended a connection or a study, [`ErrorCode::fault`] whose fault it is.
//! Whatever the error, verified chunks stay and the next pull resumes from them.
//!
//! # Features
//!
//! `std` (default): the adapters and hardware CRC (`crc32c`). `tls`, `tokio`, `tokio-tls`, `quic`, `http`:
//! lines of these kinds. `dicom`: `p10` and studies of a folder. `coding`: chunks in a shorter form on the
//! line and at rest (`zstd`, C code). `sm3`: SM3 digests. `serde`: the JSON exchange form of a manifest.
//! Without `std` the crate needs `core` and `alloc`. MSRV 1.85.
//!
//! The bytes are specified in `spec/transfer.md`; `vectors/` lets other implementations check
//! themselves; `DESIGN.md` says why.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "std")]
#[cfg_attr(docsrs, doc(cfg(feature = "std")))]
pub mod adapter;
#[cfg(feature = "coding")]
#[cfg_attr(docsrs, doc(cfg(feature = "coding")))]
pub mod coding;
mod crc;
mod error;
pub mod journal;
pub mod limits;
mod manifest;
pub mod p10;
mod range_set;
mod receipt;
pub mod receiver;
pub mod sender;
pub mod shape;
mod sign;
pub mod source;
pub mod storage;
pub mod store;
pub mod tree;
mod types;
pub mod wire;

pub use error::{Context, ErrorCode, Fault, SessionError};
pub use manifest::{
    Added, ChunkPlace, FirstImage, Instance, InstanceError, Manifest, ManifestBuilder,
    ManifestError, ManifestFault, ManifestFaultKind, ManifestHead, PieceHasher, Pieces,
    PiecesError, PixelRange, SignatureRefused, SignedHead, SignedManifest,
};
pub use range_set::{RangeSet, Run};
pub use receipt::{Receipt, ReceiptFault};
pub use sign::{SignFailed, Signature, SignatureError, Signer};
pub use types::{
    Auth, AuthError, Digest, DigestError, Instant, Sm3Digest, UID_CHARS_MAX, Uid, UidError,
};

#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
