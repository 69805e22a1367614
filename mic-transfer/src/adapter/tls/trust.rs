//! Whom to believe: one authority, or the very keys.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme,
};
use sha2::Digest as _;

use super::{TlsError, certificates};

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Whom a side of a TLS connection believes.
#[derive(Debug, Clone)]
pub struct Trust(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Authority(Arc<RootCertStore>),
    Keys(Arc<[KeyPin]>),
}

impl Trust {
    /// Certificates that lead to one of these, in PEM: an authority of the application's own, not the
    /// public ones. Names and times of certificates count.
    ///
    /// # Errors
    /// [`TlsError`] if there is none or one is malformed.
    pub fn authority(pem: &[u8]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots
                .add(certificate)
                .map_err(|error| TlsError::new("trust the authority's certificate", error))?;
        }
        Ok(Self(Kind::Authority(Arc::new(roots))))
    }

    /// Exactly these keys, whatever their certificates say of names and times.
    pub fn keys(pins: impl IntoIterator<Item = KeyPin>) -> Self {
        Self(Kind::Keys(pins.into_iter().collect()))
    }

    pub(super) fn server_verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        match &self.0 {
            Kind::Keys(keys) => Ok(Arc::new(Pinned::new(keys))),
            Kind::Authority(roots) => {
                let builder =
                    WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), provider());
                let built = builder.build();
                built
                    .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
                    .map_err(|error| TlsError::new("trust the authority", error))
            }
        }
    }

    pub(super) fn client_verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        match &self.0 {
            Kind::Keys(keys) => Ok(Arc::new(Pinned::new(keys))),
            Kind::Authority(roots) => {
                WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider())
                    .build()
                    .map_err(|error| TlsError::new("trust the authority", error))
            }
        }
    }
}

/// A public key by the SHA-256 of its SubjectPublicKeyInfo (RFC 7469 section 2.4 has the reason):
/// what `openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | sha256sum` prints.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPin([u8; 32]);

impl KeyPin {
    /// The key of a certificate in DER.
    ///
    /// # Errors
    /// [`TlsError`] if it is malformed.
    pub fn of_certificate(der: &[u8]) -> Result<Self, TlsError> {
        let certificate = CertificateDer::from(der);
        let parsed = ParsedCertificate::try_from(&certificate)
            .map_err(|error| TlsError::new("read a certificate", error))?;
        let digest = sha2::Sha256::digest(parsed.subject_public_key_info());
        Ok(Self(digest.into()))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for KeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPin({self})")
    }
}

impl FromStr for KeyPin {
    type Err = KeyPinError;

    /// 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, KeyPinError> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(KeyPinError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair: String = pair.iter().copied().map(char::from).collect();
            *byte = u8::from_str_radix(&pair, 16).map_err(|_| KeyPinError)?;
        }
        Ok(Self(bytes))
    }
}

/// The text is no pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits: the SHA-256 of a public key")]
#[expect(clippy::exhaustive_structs, reason = "it has nothing to hold")]
pub struct KeyPinError;

/// Accepts the keys it knows. That the other side holds the key is proven by its signature over the
/// handshake, as always.
#[derive(Debug)]
struct Pinned {
    keys: Arc<[KeyPin]>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Pinned {
    fn new(keys: &Arc<[KeyPin]>) -> Self {
        Self {
            keys: Arc::clone(keys),
            algorithms: ring::default_provider().signature_verification_algorithms,
        }
    }

    fn check(&self, certificate: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        let pin = KeyPin::of_certificate(certificate)
            .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
        if self.keys.contains(&pin) {
            Ok(())
        } else {
            Err(rustls::Error::General(format!(
                "the key {pin} is not pinned"
            )))
        }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.check(end_entity)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check(end_entity)
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
