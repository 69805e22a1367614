//! nginx and curl: one tar, files in turn and eight at a time, HTTP/2 with TLS. Eight at a time is the honest
//! competitor.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::{Client, Delivered, First, Peer, Plan, words};
use crate::lab::Side;
use crate::measure::Run;

const PORT: u16 = 18_080;

pub(super) fn all() -> Vec<Box<dyn Peer>> {
    let http = |name, what, form| -> Box<dyn Peer> { Box::new(Http { name, what, form }) };
    vec![
        http(
            "http-tar",
            "nginx and curl, one tar",
            Form::Tar { tls: false },
        ),
        http(
            "https-tar",
            "nginx and curl, one tar with TLS",
            Form::Tar { tls: true },
        ),
        http(
            "http-files",
            "nginx and curl, files in turn",
            Form::Files {
                at_once: 1,
                http2: false,
            },
        ),
        http(
            "http-files-8",
            "nginx and curl, 8 files at a time",
            Form::Files {
                at_once: 8,
                http2: false,
            },
        ),
        http(
            "h2-files-32",
            "nginx and curl, HTTP/2 with TLS, 32 streams",
            Form::Files {
                at_once: 32,
                http2: true,
            },
        ),
    ]
}

#[derive(Clone, Copy)]
enum Form {
    Tar { tls: bool },
    Files { at_once: u32, http2: bool },
}

struct Http {
    name: &'static str,
    what: &'static str,
    form: Form,
}

impl Peer for Http {
    fn name(&self) -> String {
        self.name.into()
    }

    fn what(&self) -> String {
        self.what.into()
    }

    fn needs(&self) -> Vec<PathBuf> {
        vec!["nginx".into(), "curl".into(), "openssl".into()]
    }

    fn start(&self, run: &mut Run<'_>) -> anyhow::Result<Plan> {
        let first = First::File {
            folder: run.target().into(),
            bytes: run.study().first_bytes(),
        };
        let mut client = words(&["curl", "-sS", "--no-progress-meter", "--fail"]);
        let delivered = match self.form {
            Form::Tar { tls } => {
                let tar = run.study().tar()?;
                let folder = tar.parent().unwrap_or(&tar).to_path_buf();
                let base = nginx(run, &folder, tls)?;
                let output = run.target().join("study.tar");
                let name = tar
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                let to = output.to_string_lossy().into_owned();
                client.extend(words(&[
                    "-k",
                    "--http1.1",
                    "-C",
                    "-",
                    "-o",
                    &to,
                    &format!("{base}{name}"),
                ]));
                Delivered::Tar(output)
            }
            Form::Files { at_once, http2 } => {
                let base = nginx(run, &PathBuf::from(run.source()), http2)?;
                let mut list = String::new();
                for path in run.study().files() {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let to = run.target().join(&*name);
                    writeln!(list, "url={base}{name}\noutput={}", to.display())?;
                }
                let settings = run.state().join("urls");
                fs::write(&settings, list)?;
                client.extend(words(&["-k", if http2 { "--http2" } else { "--http1.1" }]));
                client.extend(words(&["-K", &settings.to_string_lossy()]));
                if at_once > 1 {
                    client.extend(words(&[
                        "--parallel",
                        "--parallel-max",
                        &at_once.to_string(),
                    ]));
                }
                Delivered::Files(run.target().into())
            }
        };
        Ok(Plan {
            clients: vec![Client::new(Side::Hospital, client)],
            first,
            delivered,
            ..Plan::default()
        })
    }
}

/// Starts nginx over a folder on the archive's host; its address with a slash.
pub fn nginx(run: &mut Run<'_>, root: &std::path::Path, tls: bool) -> anyhow::Result<String> {
    let state = run.state().to_string_lossy().into_owned();
    let host = run.address(Side::Archive);
    let certificate = if tls {
        let (key, certificate) = run.certificate("archive")?;
        format!(
            "ssl_certificate {}; ssl_certificate_key {};",
            certificate.display(),
            key.display()
        )
    } else {
        String::new()
    };
    let listen = if tls { "ssl http2" } else { "" };
    let root = root.display();
    let text = format!(
        "daemon off; pid {state}/nginx.pid; error_log {state}/nginx.log; worker_processes 2; user root;\n\
         events {{ worker_connections 256; }}\n\
         http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000; http2_max_concurrent_streams 128;\n\
         client_body_temp_path {state}/body; proxy_temp_path {state}/proxy; fastcgi_temp_path {state}/fast;\n\
         uwsgi_temp_path {state}/uwsgi; scgi_temp_path {state}/scgi;\n\
         server {{ listen {host}:{PORT} {listen}; {certificate} root {root}; }} }}\n"
    );
    let settings = run.state().join("nginx.conf");
    fs::write(&settings, text)?;
    let server = words(&["nginx", "-c", &settings.to_string_lossy()]);
    run.serve_port(Client::new(Side::Archive, server), PORT)?;
    Ok(format!(
        "http{}://{host}:{PORT}/",
        if tls { "s" } else { "" }
    ))
}
