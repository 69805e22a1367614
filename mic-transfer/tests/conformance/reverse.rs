//! Behind nginx, the reverse proxy that hospitals have (XFR-110, XFR-114), where `MIC_NGINX` names its program.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use mic_transfer::Auth;
use mic_transfer::adapter::http::{HttpAddress, HttpDial, HttpVersion};
use mic_transfer::adapter::pull::{Pull, PullEvent};
use mic_transfer::adapter::serve::AllowAll;
use mic_transfer::receiver::ReceiverConfig;

use crate::carriers::{Carrier, runtime};
use crate::cases::{STUDY, Scene, total};
use crate::data::{instance, noise, uid};
use crate::plain::ask;

struct Nginx(Child);

impl Nginx {
    /// Passes what is below `/archive` on to `source`, as it comes from Debian: answers are collected.
    fn start(program: &str, folder: &Path, listen: SocketAddr, source: SocketAddr) -> Self {
        let place = folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {place}/{kind};\n"))
            .concat();
        let text = format!(
            "daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log {place}/errors;\n\
             events {{}}\nhttp {{\naccess_log off;\n{temporary}\
             server {{\nlisten {listen};\nclient_max_body_size 2m;\n\
             location /archive/ {{\nproxy_pass http://{source}/;\nproxy_http_version 1.1;\n\
             }}\n}}\n}}\n"
        );
        let settings = folder.join("nginx.conf");
        std::fs::write(&settings, text).unwrap();
        let started = Self(
            Command::new(program)
                .arg("-p")
                .arg(folder)
                .arg("-c")
                .arg(&settings)
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        for _ in 0..500 {
            if TcpStream::connect(listen).is_ok() {
                return started;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let errors = std::fs::read_to_string(folder.join("errors"));
        panic!("nginx does not listen: {errors:?}");
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn ok_nginx_that_ends_in_the_middle_and_comes_back_loses_nothing() {
    let Ok(program) = std::env::var("MIC_NGINX") else {
        eprintln!("MIC_NGINX is not set: no reverse proxy was tried");
        return;
    };
    let lengths = [1_000_000; 6];
    let scene = Scene::of(STUDY, &lengths);
    let door = Carrier::Http1.open(&scene.archive, AllowAll);
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap();
    drop(free);
    let folder = tempfile::tempdir().unwrap();
    let start = || Nginx::start(&program, folder.path(), listen, door.address());
    let mut nginx = Some(start());
    let address = HttpAddress::new(listen, "archive.test", "/archive");
    let dial = HttpDial::new(runtime(), address, HttpVersion::Http1);
    let mut config = ReceiverConfig::default();
    config.window_bytes = 512 * 1024;
    let mut ended = false;
    let report = Pull::over(dial)
        .config(config)
        .connections(2)
        .study(uid(STUDY), Auth::none())
        .run(&scene.store, |event| match event {
            PullEvent::Progress(_, progress) if progress.bytes_done > 2_000_000 && !ended => {
                ended = true;
                drop(nginx.take());
                nginx = Some(start());
            }
            _ => {}
        })
        .unwrap();
    assert!(ended && report.is_complete(), "{report:?}");
    assert_eq!(report.fetched() + report.held(), total(&lengths));
    scene.check(STUDY);

    // A file that was cut is gone on with by whoever knows HTTP and no more.
    let digest = instance(&scene.archive.files, STUDY, 3);
    let ready = scene.archive.files.get(&uid(STUDY)).unwrap();
    let root = ready.signed().manifest().root();
    let line = format!("GET /archive/v1/studies/{root}/instances/{digest}");
    let part = ask(listen, &line, &[("Range", "bytes=600000-")], b"");
    assert_eq!(part.status, 206);
    assert!(part.body == noise(10, 1_000_000)[600_000..]);
}
