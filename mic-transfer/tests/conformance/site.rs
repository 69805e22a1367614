//! Certificates of an authority made for the run: a source and a receiver.

use std::sync::OnceLock;

use mic_transfer::adapter::tls::{ClientTls, Identity, KeyPin, ServerTls, Trust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

pub(crate) struct Site {
    authority: String,
    source: (String, String),
    receiver: (String, String),
}

/// The same for all tests of a run.
pub(crate) fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(Site::new)
}

impl Site {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let issue = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_string()).collect();
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(names).unwrap();
            let certificate = params.signed_by(&key, &authority).unwrap();
            (certificate.pem(), key.serialize_pem())
        };
        Self {
            source: issue(&["localhost", "127.0.0.1"]),
            receiver: issue(&["front-end.hospital.test"]),
            authority: authority.pem(),
        }
    }

    fn source(&self) -> Identity {
        Identity::from_pem(self.source.0.as_bytes(), self.source.1.as_bytes()).unwrap()
    }

    fn receiver(&self) -> Identity {
        Identity::from_pem(self.receiver.0.as_bytes(), self.receiver.1.as_bytes()).unwrap()
    }

    pub(crate) fn receiver_pin(&self) -> KeyPin {
        self.receiver().pin().unwrap()
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::authority(self.authority.as_bytes()).unwrap()
    }

    pub(crate) fn client(&self) -> ClientTls {
        self.client_for("localhost")
    }

    pub(crate) fn client_for(&self, name: &str) -> ClientTls {
        ClientTls::new(self.receiver(), &self.trust(), name).unwrap()
    }

    pub(crate) fn client_that_trusts(&self, trust: &Trust) -> ClientTls {
        ClientTls::new(self.receiver(), trust, "localhost").unwrap()
    }

    pub(crate) fn server(&self) -> ServerTls {
        ServerTls::new(self.source(), &self.trust()).unwrap()
    }

    /// By keys, whatever the certificates say.
    pub(crate) fn pinned_client(&self) -> ClientTls {
        let trust = Trust::keys([self.source().pin().unwrap()]);
        ClientTls::new(self.receiver(), &trust, "another.name.test").unwrap()
    }

    pub(crate) fn pinned_server(&self) -> ServerTls {
        ServerTls::new(self.source(), &Trust::keys([self.receiver_pin()])).unwrap()
    }
}
