//! Orthanc: REST and DICOMweb up and down, and its Transfers accelerator where the plugin is installed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;

use super::{Client, Delivered, First, Peer, Plan, words};
use crate::lab::Side;
use crate::measure::Run;

const HTTP_PORT: u16 = 18_042;
const PLUGINS: &str = "/usr/share/orthanc/plugins";
/// Where the Transfers accelerator is looked for, unless the variable says another place: Debian has no package.
const TRANSFERS: &str = "libOrthancTransfers.so";
const TRANSFERS_VARIABLE: &str = "ORTHANC_TRANSFERS";
const BOUNDARY: &str = "mic-line";

pub(super) fn all() -> Vec<Box<dyn Peer>> {
    let orthanc = |name, what, form| -> Box<dyn Peer> { Box::new(Orthanc { name, what, form }) };
    vec![
        orthanc(
            "orthanc-up",
            "Orthanc REST upload, in turn",
            Form::Upload(1),
        ),
        orthanc(
            "orthanc-up-8",
            "Orthanc REST upload, 8 at a time",
            Form::Upload(8),
        ),
        orthanc(
            "orthanc-down-8",
            "Orthanc REST download, 8 at a time",
            Form::Download(8),
        ),
        orthanc("stow", "Orthanc STOW-RS, one body", Form::Stow),
        orthanc("wado", "Orthanc WADO-RS, whole study", Form::Wado),
        orthanc(
            "transfers",
            "Orthanc Transfers accelerator, uncompressed",
            Form::Transfers,
        ),
    ]
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Upload(u32),
    Download(u32),
    Stow,
    Wado,
    Transfers,
}

struct Orthanc {
    name: &'static str,
    what: &'static str,
    form: Form,
}

fn transfers_plugin() -> PathBuf {
    std::env::var_os(TRANSFERS_VARIABLE)
        .map_or_else(|| Path::new(PLUGINS).join(TRANSFERS), PathBuf::from)
}

impl Peer for Orthanc {
    fn name(&self) -> String {
        self.name.into()
    }

    fn what(&self) -> String {
        self.what.into()
    }

    fn needs(&self) -> Vec<PathBuf> {
        let mut needs = vec!["Orthanc".into(), "curl".into()];
        match self.form {
            Form::Stow | Form::Wado => needs.push(Path::new(PLUGINS).join("libOrthancDicomWeb.so")),
            Form::Transfers => needs.push(transfers_plugin()),
            Form::Upload(_) | Form::Download(_) => {}
        }
        needs
    }

    fn start(&self, run: &mut Run<'_>) -> anyhow::Result<Plan> {
        match self.form {
            Form::Upload(at_once) => {
                let (base, folder) = server(run, Side::Hospital, None)?;
                let list = uploads(run, &base)?;
                plan(
                    run,
                    Side::Archive,
                    curl_list(&list, at_once),
                    Delivered::Files(folder),
                )
            }
            Form::Stow => {
                let (base, folder) = server(run, Side::Hospital, None)?;
                let body = multipart(run)?;
                let kind = format!(
                    "Content-Type: multipart/related; type=\"application/dicom\"; boundary={BOUNDARY}"
                );
                let mut client = curl();
                client.extend(words(&[
                    "-T",
                    &body.to_string_lossy(),
                    "-X",
                    "POST",
                    "-H",
                    "Expect:",
                    "-H",
                    &kind,
                ]));
                client.extend(words(&[
                    "-H",
                    "Accept: application/dicom+json",
                    "-o",
                    "/dev/null",
                ]));
                client.push(format!("{base}/dicom-web/studies"));
                plan(run, Side::Archive, client, Delivered::Files(folder))
            }
            Form::Download(at_once) => {
                let base = archive(run, None)?;
                let ids = run.get(Side::Archive, &format!("{base}/instances"))?;
                let ids: Vec<String> = serde_json::from_str(&ids)?;
                let mut list = String::new();
                for id in ids {
                    let to = run.target().join(&id);
                    writeln!(
                        list,
                        "url={base}/instances/{id}/file\noutput={}",
                        to.display()
                    )?;
                }
                let path = run.state().join("urls");
                fs::write(&path, list)?;
                let folder = run.target().to_path_buf();
                plan(
                    run,
                    Side::Hospital,
                    curl_list(&path, at_once),
                    Delivered::Files(folder),
                )
            }
            Form::Wado => {
                let base = archive(run, None)?;
                let study = study_of(run, &base)?;
                let uid = study["MainDicomTags"]["StudyInstanceUID"]
                    .as_str()
                    .context("a study without a UID")?;
                let output = run.target().join("study.multipart");
                let mut client = curl();
                let accept =
                    "Accept: multipart/related; type=\"application/dicom\"; transfer-syntax=*";
                client.extend(words(&["-H", accept, "-o", &output.to_string_lossy()]));
                client.push(format!("{base}/dicom-web/studies/{uid}"));
                plan(run, Side::Hospital, client, Delivered::Multipart(output))
            }
            Form::Transfers => {
                let (base, folder) = server(run, Side::Hospital, Some(""))?;
                let own = archive(run, Some(&base))?;
                let study = study_of(run, &own)?;
                let order = json!({
                    "Resources": [{ "Level": "Study", "ID": study["ID"] }],
                    "Compression": "none",
                    "Peer": "hospital",
                });
                let mut client = curl();
                client.extend(words(&[
                    "-o",
                    "/dev/null",
                    "-d",
                    &order.to_string(),
                    &format!("{own}/transfers/send"),
                ]));
                let count = run.study().files().len();
                let plan = plan(run, Side::Archive, client, Delivered::Files(folder))?;
                Ok(Plan {
                    until: Some((format!("{base}/statistics"), count)),
                    ..plan
                })
            }
        }
    }
}

fn plan(
    run: &Run<'_>,
    side: Side,
    client: Vec<String>,
    delivered: Delivered,
) -> anyhow::Result<Plan> {
    let folder = match &delivered {
        Delivered::Files(folder) => folder.clone(),
        _ => run.target().to_path_buf(),
    };
    let first = First::File {
        folder,
        bytes: run.study().first_bytes(),
    };
    Ok(Plan {
        clients: vec![Client::new(side, client)],
        first,
        delivered,
        ..Plan::default()
    })
}

fn curl() -> Vec<String> {
    words(&["curl", "-sS", "--no-progress-meter", "--fail"])
}

fn curl_list(list: &Path, at_once: u32) -> Vec<String> {
    let mut client = curl();
    client.extend(words(&["-K", &list.to_string_lossy()]));
    if at_once > 1 {
        client.extend(words(&[
            "--parallel",
            "--parallel-max",
            &at_once.to_string(),
        ]));
    }
    client
}

/// Starts a server on a host; its address and the folder where it keeps instances.
fn server(run: &mut Run<'_>, side: Side, peer: Option<&str>) -> anyhow::Result<(String, PathBuf)> {
    let (host, port) = (
        run.address(side),
        HTTP_PORT + u16::from(side == Side::Archive),
    );
    let folder = run.state().join(format!("orthanc-{port}"));
    fs::create_dir(&folder)?;
    let mut plugins = vec![PathBuf::from(PLUGINS).join("libOrthancDicomWeb.so")];
    plugins.extend(peer.map(|_| transfers_plugin()));
    let peers = match peer {
        Some(url) if !url.is_empty() => json!({ "hospital": { "Url": url } }),
        _ => json!({}),
    };
    let settings = json!({
        "StorageDirectory": folder.join("data"), "IndexDirectory": folder.join("data"), "HttpPort": port,
        "DicomServerEnabled": false, "RemoteAccessAllowed": true, "AuthenticationEnabled": false,
        "SyncStorageArea": false, "Plugins": plugins, "HttpBindAddresses": [host], "KeepAlive": true,
        "TcpNoDelay": true, "OverwriteInstances": true, "HttpTimeout": 600, "OrthancPeers": peers,
        "DicomWeb": { "Enable": true, "Root": "/dicom-web/" },
    });
    let path = folder.join("settings.json");
    fs::write(&path, settings.to_string())?;
    run.serve_port(
        Client::new(side, words(&["Orthanc", &path.to_string_lossy()])),
        port,
    )?;
    Ok((format!("http://{host}:{port}"), folder.join("data")))
}

/// A server on the archive's host that has the study; not timed.
fn archive(run: &mut Run<'_>, peer: Option<&str>) -> anyhow::Result<String> {
    let (base, _) = server(run, Side::Archive, peer)?;
    let list = uploads(run, &base)?;
    run.do_on(Side::Archive, &curl_list(&list, 2))?;
    Ok(base)
}

fn study_of(run: &Run<'_>, base: &str) -> anyhow::Result<serde_json::Value> {
    let studies: Vec<serde_json::Value> =
        serde_json::from_str(&run.get(Side::Archive, &format!("{base}/studies?expand"))?)?;
    studies
        .into_iter()
        .next()
        .context("the archive has no study")
}

fn uploads(run: &Run<'_>, base: &str) -> anyhow::Result<PathBuf> {
    let mut list = String::new();
    for (index, path) in run.study().files().iter().enumerate() {
        if index > 0 {
            list.push_str("next\n");
        }
        writeln!(
            list,
            "url={base}/instances\nupload-file={}\nrequest=POST\nheader=\"Expect:\"\noutput=/dev/null",
            path.display()
        )?;
    }
    let path = run.state().join("uploads");
    fs::write(&path, list)?;
    Ok(path)
}

/// The body of a STOW-RS request with all files.
fn multipart(run: &Run<'_>) -> anyhow::Result<PathBuf> {
    use std::io::Write as _;
    let path = run.state().join("stow.multipart");
    let mut body = std::io::BufWriter::new(fs::File::create(&path)?);
    for file in run.study().files() {
        write!(
            body,
            "--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n"
        )?;
        body.write_all(&fs::read(file)?)?;
        body.write_all(b"\r\n")?;
    }
    write!(body, "--{BOUNDARY}--\r\n")?;
    body.flush()?;
    Ok(path)
}
