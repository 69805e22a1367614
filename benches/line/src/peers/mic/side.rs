//! The programs of both sides: started by a run, each on its host.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use anyhow::Context;
use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, Folder};
use mic_transfer::adapter::http::{HttpAddress, HttpDial, HttpVersion, Server};
use mic_transfer::adapter::line::Dial;
use mic_transfer::adapter::quic::{self, Congestion, QuicDial};
use mic_transfer::adapter::rest::AtRest;
use mic_transfer::adapter::serve::ServeConfig;
use mic_transfer::adapter::tcp::{AllowAll, Pull, PullEvent, TcpDial, serve_connection};
use mic_transfer::adapter::tls::{
    ClientTls, Identity, KeyPin, ServerTls, TlsDial, Trust, serve_tls,
};
use mic_transfer::sender::{CoderPolicy, SenderConfig};
use mic_transfer::source::Source;
use mic_transfer::{Auth, Uid};
use tokio::runtime::{Handle, Runtime};

use super::{Carrier, Coding};
use crate::study;

/// How a side speaks.
#[derive(Debug, Clone, clap::Args)]
pub struct Manner {
    #[arg(long)]
    carrier: Carrier,
    #[arg(long)]
    coding: Coding,
    /// QUIC's congestion control, which is not the kernel's.
    #[arg(long)]
    bbr: bool,
    #[arg(long)]
    archive_key: Option<PathBuf>,
    #[arg(long)]
    archive_certificate: Option<PathBuf>,
    #[arg(long)]
    hospital_key: Option<PathBuf>,
    #[arg(long)]
    hospital_certificate: Option<PathBuf>,
}

impl Manner {
    fn archive(&self) -> anyhow::Result<Identity> {
        identity(&self.archive_certificate, &self.archive_key)
    }

    fn hospital(&self) -> anyhow::Result<Identity> {
        identity(&self.hospital_certificate, &self.hospital_key)
    }

    fn congestion(&self) -> Congestion {
        if self.bbr {
            Congestion::Bbr
        } else {
            Congestion::Cubic
        }
    }

    /// The archive: it believes the hospital's key alone.
    fn server(&self) -> anyhow::Result<ServerTls> {
        let pin: KeyPin = self.hospital()?.pin()?;
        Ok(ServerTls::new(self.archive()?, &Trust::keys([pin]))?)
    }

    /// The hospital: it believes the archive's key alone.
    fn client(&self) -> anyhow::Result<ClientTls> {
        let pin: KeyPin = self.archive()?.pin()?;
        Ok(ClientTls::new(
            self.hospital()?,
            &Trust::keys([pin]),
            "archive",
        )?)
    }
}

fn identity(certificate: &Option<PathBuf>, key: &Option<PathBuf>) -> anyhow::Result<Identity> {
    let read = |path: &Option<PathBuf>| -> anyhow::Result<Vec<u8>> {
        Ok(fs::read(path.as_ref().context("no certificate is named")?)?)
    };
    Ok(Identity::from_pem(&read(certificate)?, &read(key)?)?)
}

/// The study of a folder, hashed.
fn source_of(folder: &Path) -> anyhow::Result<FileSource> {
    let source = FileSource::new();
    for study in Folder::read(folder)?.into_studies().into_values() {
        source.insert(study.unsigned()?);
    }
    Ok(source)
}

/// Serves the study of a folder until ended; coded forms are kept in `rest`.
pub fn serve(manner: &Manner, at: SocketAddr, folder: &Path, rest: &Path) -> anyhow::Result<()> {
    let files = source_of(folder)?;
    let mut config = SenderConfig::default();
    config.coding = match manner.coding {
        Coding::Off => CoderPolicy::Off,
        Coding::Trial => CoderPolicy::Trial,
        Coding::AtRest => CoderPolicy::AtRest,
    };
    if manner.coding == Coding::AtRest {
        let kept = AtRest::open(files, rest)?;
        kept.keep(&Uid::new(&study::uid_of(folder)?)?)?
            .context("the study has no coded form")?;
        return give(manner, at, Arc::new(kept), config);
    }
    give(manner, at, files, config)
}

/// Serves a source until ended.
pub fn give<S>(
    manner: &Manner,
    at: SocketAddr,
    source: S,
    config: SenderConfig,
) -> anyhow::Result<()>
where
    S: Source + Clone + Send + Sync + 'static,
{
    let config = ServeConfig::from(config);
    match manner.carrier {
        Carrier::Tcp | Carrier::Tls => {
            let tls = (manner.carrier == Carrier::Tls)
                .then(|| manner.server())
                .transpose()?;
            let listener = TcpListener::bind(at)?;
            println!("ready");
            for stream in listener.incoming() {
                let (stream, source, tls) = (stream?, source.clone(), tls.clone());
                let config = config.clone();
                thread::spawn(move || match tls {
                    Some(tls) => serve_tls(stream, &tls, &source, &AllowAll, config),
                    None => serve_connection(stream, &source, &AllowAll, config),
                });
            }
            Ok(())
        }
        Carrier::Https | Carrier::H2 => Runtime::new()?.block_on(async {
            let tls = manner.server()?;
            let server = Server::new(source, AllowAll, config);
            let listener = tokio::net::TcpListener::bind(at).await?;
            println!("ready");
            loop {
                let (stream, _) = listener.accept().await?;
                mic_transfer::adapter::tokio::prepare(&stream)?;
                let (server, tls) = (server.clone(), tls.clone());
                tokio::spawn(async move { server.serve_tls(stream, &tls, |_| {}).await });
            }
        }),
        Carrier::Quic => Runtime::new()?.block_on(async {
            let endpoint = quic::listen(at, &manner.server()?, manner.congestion())?;
            println!("ready");
            while let Some(incoming) = endpoint.accept().await {
                let (source, config) = (source.clone(), config.clone());
                tokio::spawn(quic::serve_quic(incoming, source, AllowAll, config, |_| {}));
            }
            Ok(())
        }),
    }
}

/// What makes lines to an archive.
pub fn dial(manner: &Manner, handle: &Handle, at: SocketAddr) -> anyhow::Result<Arc<dyn Dial>> {
    let http = |version| -> anyhow::Result<HttpDial> {
        let address = HttpAddress::new(at, at.to_string(), "");
        Ok(HttpDial::new(handle, address, version).with_tls(&manner.client()?))
    };
    Ok(match manner.carrier {
        Carrier::Tcp => Arc::new(TcpDial::new(at)),
        Carrier::Tls => Arc::new(TlsDial::new(at, manner.client()?)),
        Carrier::Https => Arc::new(http(HttpVersion::Http1)?),
        Carrier::H2 => Arc::new(http(HttpVersion::Http2)?),
        Carrier::Quic => {
            let (tls, congestion) = (manner.client()?, manner.congestion());
            Arc::new(QuicDial::new(handle, at, &tls, congestion)?)
        }
    })
}

/// Pulls a study from one archive or several into a store, over as many connections as the pull makes by itself
/// where `connections` is 0.
pub fn pull(
    manner: &Manner,
    connections: u32,
    study: &str,
    store: &Path,
    from: &[SocketAddr],
) -> anyhow::Result<()> {
    let runtime = Runtime::new()?;
    let store = DiskStore::open(store)?;
    let (first_source, others) = from.split_first().context("no archive is named")?;
    let mut pull = Pull::over(dial(manner, runtime.handle(), *first_source)?);
    for other in others {
        pull = pull.and(dial(manner, runtime.handle(), *other)?);
    }
    let mut first = true;
    if connections > 0 {
        pull = pull.connections(connections);
    }
    let report = pull
        .verify_first_with(|_| Ok(()))
        .study(Uid::new(study)?, Auth::none())
        .run(&store, |event| {
            if first && matches!(event, PullEvent::First { .. } | PullEvent::Instance { .. }) {
                first = false;
                println!("first");
            }
        })?;
    anyhow::ensure!(report.is_complete(), "{report:?}");
    Ok(())
}
