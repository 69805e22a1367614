//! What `mic transfer` says over, and to whom: plain TCP or TLS with certificates on both sides.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use mic_platform::problem::Problem;
use mic_transfer::adapter::line::Dial;
use mic_transfer::adapter::tcp::TcpDial;
use mic_transfer::adapter::tls::{
    ClientTls, Identity, KeyPin, ServerTls, TlsDial, TlsError, Trust,
};

/// TLS 1.3 where a certificate is given; plain TCP otherwise.
#[derive(Debug, Args)]
pub(crate) struct Tls {
    /// This side's certificate, then those that lead to its authority, in PEM; lines are TLS 1.3 then.
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Its private key in PEM.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Believe certificates of this authority (PEM).
    #[arg(
        long,
        value_name = "FILE",
        requires = "certificate",
        conflicts_with = "pin"
    )]
    authority: Option<PathBuf>,
    /// Believe exactly this key: the SHA-256 of a certificate's public key in hexadecimal; may be repeated.
    #[arg(long, value_name = "HEX", requires = "certificate")]
    pin: Vec<KeyPin>,
}

impl Tls {
    /// This side as the one that dials; a certificate of an authority must be of `name`, or of the address.
    pub(crate) fn client(
        &self,
        address: SocketAddr,
        name: Option<&str>,
    ) -> Result<Option<ClientTls>, Problem> {
        let Some((identity, trust)) = self.parts()? else {
            return Ok(None);
        };
        let address = address.ip().to_string();
        let tls = ClientTls::new(identity, &trust, name.unwrap_or(&address));
        tls.map(Some).map_err(unusable)
    }

    /// This side as the one that is dialled.
    pub(crate) fn server(&self) -> Result<Option<ServerTls>, Problem> {
        let Some((identity, trust)) = self.parts()? else {
            return Ok(None);
        };
        ServerTls::new(identity, &trust).map(Some).map_err(unusable)
    }

    /// What makes lines to this address.
    pub(crate) fn dial(
        &self,
        address: SocketAddr,
        name: Option<&str>,
    ) -> Result<Arc<dyn Dial>, Problem> {
        Ok(match self.client(address, name)? {
            Some(tls) => Arc::new(TlsDial::new(address, tls)),
            None => Arc::new(TcpDial::new(address)),
        })
    }

    /// Listens; without certificates on loopback only, since anybody who connects is served.
    pub(crate) fn listen(&self, address: SocketAddr) -> Result<TcpListener, Problem> {
        if self.certificate.is_none() && !address.ip().is_loopback() {
            return Err(Problem::usage(
                "transfer.listen",
                "expected a loopback address, or --certificate, --key and whom to believe",
            ));
        }
        Ok(TcpListener::bind(address)?)
    }

    fn parts(&self) -> Result<Option<(Identity, Trust)>, Problem> {
        let (Some(certificate), Some(key)) = (&self.certificate, &self.key) else {
            return Ok(None);
        };
        let identity = Identity::from_pem(&read(certificate)?, &read(key)?).map_err(unusable)?;
        let trust = match &self.authority {
            Some(authority) => Trust::authority(&read(authority)?).map_err(unusable)?,
            None if !self.pin.is_empty() => Trust::keys(self.pin.iter().copied()),
            None => {
                return Err(Problem::usage(
                    "transfer.trust",
                    "expected --authority or --pin: whom to believe",
                ));
            }
        };
        Ok(Some((identity, trust)))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|e| Problem::usage("transfer.tls", e).at(path.display()))
}

fn unusable(error: TlsError) -> Problem {
    Problem::usage("transfer.tls", error)
}
