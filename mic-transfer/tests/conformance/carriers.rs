//! Sources behind each adapter, and what dials them.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

#[cfg(feature = "http")]
use mic_transfer::adapter::http::HttpVersion;
use mic_transfer::adapter::line::Dial;
use mic_transfer::adapter::serve::Authorizer;
use mic_transfer::adapter::tcp::{TcpDial, serve_connection};
use mic_transfer::sender::SenderConfig;

use crate::data::Archive;
use crate::relay::{Damage, Relay};
#[cfg(feature = "tls")]
use crate::site::site;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Carrier {
    Tcp,
    #[cfg(feature = "tls")]
    Tls,
    #[cfg(feature = "tls")]
    TlsPinned,
    #[cfg(feature = "tokio")]
    TokioTcp,
    #[cfg(feature = "tokio-tls")]
    TokioTls,
    #[cfg(feature = "http")]
    Http1,
    #[cfg(feature = "http")]
    Http2,
    #[cfg(all(feature = "http", feature = "tokio-tls"))]
    Https1,
    #[cfg(all(feature = "http", feature = "tokio-tls"))]
    Https2,
    /// Through a proxy that is asked by CONNECT.
    #[cfg(feature = "http")]
    Http1Proxied,
    #[cfg(all(feature = "http", feature = "tokio-tls"))]
    Https2Proxied,
    #[cfg(feature = "quic")]
    Quic,
}

/// A source that serves until the test ends, behind a relay that can be cut.
#[derive(Clone)]
pub(crate) struct Door {
    dial: Arc<dyn Dial>,
    hurt: Hurt,
}

#[derive(Clone)]
enum Hurt {
    Relay(Relay),
    #[cfg(feature = "quic")]
    Endpoint(Arc<quic::Server>),
}

impl Door {
    pub(crate) fn dial(&self) -> Arc<dyn Dial> {
        Arc::clone(&self.dial)
    }

    /// Where a relay's listener is.
    #[cfg(any(feature = "http", feature = "tls"))]
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        match &self.hurt {
            Hurt::Relay(relay) => relay.address,
            #[cfg(feature = "quic")]
            Hurt::Endpoint(_) => unreachable!("it has no listener"),
        }
    }

    /// Ends the connections that stand; new ones are let in.
    pub(crate) fn cut(&self) {
        match &self.hurt {
            Hurt::Relay(relay) => relay.cut(),
            #[cfg(feature = "quic")]
            Hurt::Endpoint(server) => server.restart(),
        }
    }

    /// What will damage a byte on its way from the source.
    pub(crate) fn damage(&self) -> &Damage {
        match &self.hurt {
            Hurt::Relay(relay) => &relay.damage,
            #[cfg(feature = "quic")]
            Hurt::Endpoint(server) => server.damage(),
        }
    }

    /// Ends the source.
    pub(crate) fn kill(&self) {
        match &self.hurt {
            Hurt::Relay(relay) => relay.kill(),
            #[cfg(feature = "quic")]
            Hurt::Endpoint(server) => server.stop(),
        }
    }
}

pub(crate) trait Judge: Authorizer + Clone + Send + Sync + 'static {}

impl<A: Authorizer + Clone + Send + Sync + 'static> Judge for A {}

#[cfg(feature = "tokio")]
pub(crate) fn runtime() -> &'static tokio::runtime::Handle {
    static RUNTIME: std::sync::OnceLock<tokio::runtime::Runtime> = std::sync::OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap()
        })
        .handle()
}

impl Carrier {
    pub(crate) fn has_certificates(self) -> bool {
        match self {
            Self::Tcp => false,
            #[cfg(feature = "tokio")]
            Self::TokioTcp => false,
            #[cfg(feature = "http")]
            Self::Http1 | Self::Http2 | Self::Http1Proxied => false,
            #[cfg(feature = "tls")]
            _ => true,
        }
    }

    /// Whether an exchange that was cut before its answer is asked again without a word.
    pub(crate) const fn asks_again(self) -> bool {
        match self {
            #[cfg(feature = "http")]
            Self::Http1 | Self::Http2 | Self::Http1Proxied => true,
            #[cfg(all(feature = "http", feature = "tokio-tls"))]
            Self::Https1 | Self::Https2 | Self::Https2Proxied => true,
            _ => false,
        }
    }

    pub(crate) fn open(self, source: &Archive, judge: impl Judge) -> Door {
        self.open_with(source, judge, SenderConfig::default())
    }

    pub(crate) fn open_with(
        self,
        source: &Archive,
        judge: impl Judge,
        config: SenderConfig,
    ) -> Door {
        let source = source.clone();
        match self {
            Self::Tcp => blocking(
                move |stream| drop(serve_connection(stream, &source, &judge, config)),
                |relay| Arc::new(TcpDial::new(relay.address)),
            ),
            #[cfg(feature = "tls")]
            Self::Tls => blocking(
                move |stream| {
                    let tls = site().server();
                    drop(mic_transfer::adapter::tls::serve_tls(
                        stream, &tls, &source, &judge, config,
                    ));
                },
                |relay| tls_dial(relay, site().client()),
            ),
            #[cfg(feature = "tls")]
            Self::TlsPinned => blocking(
                move |stream| {
                    let tls = site().pinned_server();
                    drop(mic_transfer::adapter::tls::serve_tls(
                        stream, &tls, &source, &judge, config,
                    ));
                },
                |relay| tls_dial(relay, site().pinned_client()),
            ),
            #[cfg(feature = "tokio")]
            Self::TokioTcp => asynchronous::open(
                move |stream| {
                    use mic_transfer::adapter::{serve::Peer, tokio::serve};
                    let (source, judge) = (source.clone(), judge.clone());
                    async move {
                        let peer = Peer::new(stream.peer_addr().ok());
                        serve(stream, peer, source, judge, config).await;
                    }
                },
                Relay::to,
                |relay| {
                    let dial =
                        mic_transfer::adapter::tokio::AsyncDial::tcp(runtime(), relay.address);
                    Arc::new(dial)
                },
            ),
            #[cfg(feature = "tokio-tls")]
            Self::TokioTls => asynchronous::open(
                move |stream| {
                    let (source, judge) = (source.clone(), judge.clone());
                    async move {
                        let tls = site().server();
                        let served = mic_transfer::adapter::tokio::serve_tls(
                            stream, &tls, source, judge, config,
                        );
                        drop(served.await);
                    }
                },
                Relay::to,
                |relay| {
                    let (tls, to) = (site().client(), relay.address);
                    Arc::new(mic_transfer::adapter::tokio::AsyncDial::tls(
                        runtime(),
                        to,
                        &tls,
                    ))
                },
            ),
            #[cfg(feature = "http")]
            Self::Http1 => http::open(source, judge, config, http::direct(HttpVersion::Http1)),
            #[cfg(feature = "http")]
            Self::Http2 => http::open(source, judge, config, http::direct(HttpVersion::Http2)),
            #[cfg(feature = "http")]
            Self::Http1Proxied => {
                http::open(source, judge, config, http::proxied(HttpVersion::Http1))
            }
            #[cfg(all(feature = "http", feature = "tokio-tls"))]
            Self::Https1 => http::open_tls(source, judge, config, http::direct(HttpVersion::Http1)),
            #[cfg(all(feature = "http", feature = "tokio-tls"))]
            Self::Https2 => http::open_tls(source, judge, config, http::direct(HttpVersion::Http2)),
            #[cfg(all(feature = "http", feature = "tokio-tls"))]
            Self::Https2Proxied => {
                http::open_tls(source, judge, config, http::proxied(HttpVersion::Http2))
            }
            #[cfg(feature = "quic")]
            Self::Quic => quic::open(source, judge, config),
        }
    }
}

#[cfg(feature = "tls")]
fn tls_dial(relay: &Relay, tls: mic_transfer::adapter::tls::ClientTls) -> Arc<dyn Dial> {
    Arc::new(mic_transfer::adapter::tls::TlsDial::new(relay.address, tls))
}

fn blocking(
    serve: impl Fn(std::net::TcpStream) + Clone + Send + 'static,
    dial: impl Fn(&Relay) -> Arc<dyn Dial>,
) -> Door {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let relay = Relay::to(listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    Door {
        dial: dial(&relay),
        hurt: Hurt::Relay(relay),
    }
}

#[cfg(feature = "tokio")]
mod asynchronous {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use mic_transfer::adapter::line::Dial;

    use super::{Door, Hurt, runtime};
    use crate::relay::Relay;

    pub(super) fn open<Served: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(tokio::net::TcpStream) -> Served + Send + 'static,
        relay: impl Fn(SocketAddr) -> Relay,
        dial: impl Fn(&Relay) -> Arc<dyn Dial>,
    ) -> Door {
        let listener = runtime()
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let relay = relay(listener.local_addr().unwrap());
        runtime().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        Door {
            dial: dial(&relay),
            hurt: Hurt::Relay(relay),
        }
    }
}

#[cfg(feature = "http")]
mod http {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use mic_transfer::adapter::http::{HttpAddress, HttpDial, HttpVersion, Server};
    use mic_transfer::adapter::serve::Peer;
    use mic_transfer::sender::SenderConfig;

    use super::{Door, Judge, asynchronous, runtime};
    use crate::data::Archive;
    use crate::relay::Relay;

    /// How the source is reached.
    #[derive(Clone, Copy)]
    pub(super) struct Way {
        version: HttpVersion,
        relay: fn(SocketAddr) -> Relay,
        is_proxied: bool,
    }

    pub(super) fn direct(version: HttpVersion) -> Way {
        Way {
            version,
            relay: Relay::to,
            is_proxied: false,
        }
    }

    pub(super) fn proxied(version: HttpVersion) -> Way {
        Way {
            version,
            relay: Relay::proxy_to,
            is_proxied: true,
        }
    }

    impl Way {
        fn dial(self, relay: &Relay) -> HttpDial {
            let connect = if self.is_proxied {
                relay.far
            } else {
                relay.address
            };
            let address = HttpAddress::new(connect, connect.to_string(), "");
            let dial = HttpDial::new(runtime(), address, self.version);
            if self.is_proxied {
                dial.through_proxy(relay.address)
            } else {
                dial
            }
        }
    }

    pub(super) fn open(source: Archive, judge: impl Judge, config: SenderConfig, way: Way) -> Door {
        let server = Server::new(source, judge, config);
        asynchronous::open(
            move |stream| {
                let server = server.clone();
                async move {
                    let peer = Peer::new(stream.peer_addr().ok());
                    drop(server.serve(stream, peer, |_| {}).await);
                }
            },
            way.relay,
            |relay| Arc::new(way.dial(relay)),
        )
    }

    #[cfg(feature = "tokio-tls")]
    pub(super) fn open_tls(
        source: Archive,
        judge: impl Judge,
        config: SenderConfig,
        way: Way,
    ) -> Door {
        let server = Server::new(source, judge, config);
        asynchronous::open(
            move |stream| {
                let server = server.clone();
                let tls = crate::site::site().server();
                async move { drop(server.serve_tls(stream, &tls, |_| {}).await) }
            },
            way.relay,
            |relay| Arc::new(way.dial(relay).with_tls(&crate::site::site().client())),
        )
    }
}

#[cfg(feature = "quic")]
pub(crate) mod quic {
    use std::sync::{Arc, Mutex};

    use mic_transfer::adapter::quic::{Congestion, QuicDial, listen, serve_quic};
    use mic_transfer::sender::SenderConfig;
    use quinn::Endpoint;

    use super::{Door, Hurt, Judge, runtime};
    use crate::data::Archive;
    use crate::relay::{Damage, UdpRelay};
    use crate::site::site;

    pub(crate) struct Server {
        endpoint: Mutex<Endpoint>,
        relay: UdpRelay,
        serve: Box<dyn Fn(Endpoint) + Send + Sync>,
    }

    impl Server {
        pub(crate) fn damage(&self) -> &Damage {
            &self.relay.damage
        }

        pub(crate) fn stop(&self) {
            self.endpoint.lock().unwrap().close(0_u32.into(), b"");
        }

        /// Ends its connections; a new endpoint takes its place behind the relay.
        pub(crate) fn restart(&self) {
            let mut endpoint = self.endpoint.lock().unwrap();
            endpoint.close(0_u32.into(), b"");
            runtime().block_on(endpoint.wait_idle());
            *endpoint = bound();
            self.relay.lead_to(endpoint.local_addr().unwrap());
            (self.serve)(endpoint.clone());
        }
    }

    fn bound() -> Endpoint {
        let _inside = runtime().enter();
        let any = "127.0.0.1:0".parse().unwrap();
        listen(any, &site().server(), Congestion::Cubic).unwrap()
    }

    pub(super) fn open(source: Archive, judge: impl Judge, config: SenderConfig) -> Door {
        let serve = move |endpoint: Endpoint| {
            let (source, judge) = (source.clone(), judge.clone());
            runtime().spawn(async move {
                while let Some(incoming) = endpoint.accept().await {
                    let (source, judge) = (source.clone(), judge.clone());
                    tokio::spawn(serve_quic(incoming, source, judge, config, |_| {}));
                }
            });
        };
        let endpoint = bound();
        let relay = UdpRelay::to(endpoint.local_addr().unwrap());
        serve(endpoint.clone());
        let dial = QuicDial::new(
            runtime(),
            relay.address,
            &site().client(),
            Congestion::Cubic,
        )
        .unwrap();
        Door {
            dial: Arc::new(dial),
            hurt: Hurt::Endpoint(Arc::new(Server {
                endpoint: Mutex::new(endpoint),
                relay,
                serve: Box::new(serve),
            })),
        }
    }
}
