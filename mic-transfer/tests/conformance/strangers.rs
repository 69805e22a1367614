//! Who is not believed gets nothing, on either side (XFR-103).

use std::io::{Read, Write};
use std::net::TcpStream;

use mic_transfer::adapter::pull::Pull;
use mic_transfer::adapter::tls::{ClientTls, KeyPin, TlsDial, Trust};
use mic_transfer::{Auth, adapter::line::Dial};

use crate::carriers::Carrier;
use crate::cases::{STUDY, Scene, Tokens};
use crate::data::uid;
use crate::site::{Site, site};

/// Nothing arrives, and nobody was asked whether it may.
fn gets_nothing(tls: ClientTls) {
    for carrier in [Carrier::Tls, Carrier::TlsPinned] {
        let scene = Scene::of(STUDY, &[1000]);
        let tokens = Tokens::default();
        let door = carrier.open(&scene.archive, tokens.clone());
        let run = Pull::over(TlsDial::new(door.address(), tls.clone()))
            .reconnects(1)
            .study(uid(STUDY), Auth::none())
            .run(&scene.store, |_| {});
        assert!(run.is_err() || run.is_ok_and(|report| !report.is_complete()));
        assert!(scene.store.complete().is_empty() && scene.store.partial().is_empty());
        assert!(tokens.peers().is_empty());
    }
}

#[test]
fn err_a_receiver_of_another_authority_gets_nothing() {
    // It believes the source, which does not believe it.
    gets_nothing(Site::new().client_that_trusts(&site().trust()));
}

#[test]
fn err_a_source_of_another_authority_is_not_asked() {
    let stranger = Site::new();
    gets_nothing(site().client_that_trusts(&stranger.trust()));
    let pin = KeyPin::of_certificate(b"no certificate");
    assert!(pin.is_err());
    let pin = stranger.receiver_pin();
    assert_eq!(pin.to_string().parse::<KeyPin>().unwrap(), pin);
    gets_nothing(site().client_that_trusts(&Trust::keys([pin])));
}

#[test]
fn err_a_certificate_of_another_name_is_not_believed() {
    let scene = Scene::of(STUDY, &[1000]);
    let door = Carrier::Tls.open(&scene.archive, Tokens::default());
    let dial = TlsDial::new(door.address(), site().client_for("archive.elsewhere.test"));
    let Err(error) = dial.dial() else {
        panic!("the name was not compared");
    };
    assert!(error.to_string().contains("not valid for name"), "{error}");
}

#[test]
fn err_plain_bytes_and_silence_are_no_handshake() {
    let scene = Scene::of(STUDY, &[1000]);
    let tokens = Tokens::default();
    let door = Carrier::Tls.open(&scene.archive, tokens.clone());
    let mut stream = TcpStream::connect(door.address()).unwrap();
    stream.write_all(&mic_transfer::wire::PREFACE).unwrap();
    stream.write_all(&[0; 64]).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    // An alert at most.
    assert!(answer.len() < 16, "{answer:?}");
    assert!(tokens.peers().is_empty());
}
