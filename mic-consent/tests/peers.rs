//! Beside others: what we write, `coset`, `ciborium` and `base45` read alike; what they wrongly accept, we
//! refuse. And with OpenSSL's command line, where it is installed.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]

mod common;

use common::{raw, *};
use coset::{CborSerializable as _, CoseSign1, TaggedCborSerializable as _};
use mic_consent::*;
use proptest::prelude::*;

fn tokens() -> Vec<(PublicKey, Encoded)> {
    let mut tokens = Vec::new();
    for &suite in Suite::ALL {
        let keys = keys(suite);
        tokens.push((keys.hospital_key.clone(), request(&keys, ct_scope())));
        tokens.push((keys.authority_key.clone(), grant(&keys, ct_scope())));
    }
    tokens
}

#[test]
fn ok_coset_reads_our_tokens_and_signs_over_the_same_bytes() {
    for (key, token) in tokens() {
        let sign1 = CoseSign1::from_tagged_slice(token.as_bytes()).unwrap();
        let signed = sign1.tbs_data(token.token_type().external().as_bytes());
        let signature = Signature::from_bytes(sign1.signature.clone().try_into().unwrap());
        key.verify(&signed, &signature).unwrap();
        // And writes them back as they were.
        assert_eq!(sign1.to_tagged_vec().unwrap(), token.as_bytes());
    }
}

#[test]
fn ok_ciborium_writes_our_claims_back_as_they_were() {
    for (_, token) in tokens() {
        let (_, payload, _) = raw::parts(token.as_bytes());
        assert_eq!(raw::bytes_of(&raw::value_of(&payload)), payload);
    }
}

#[test]
fn ok_base45_reads_our_texts() {
    for (_, token) in tokens() {
        let text = token.to_text();
        let (prefix, body) = text.split_at(6);
        assert_eq!(prefix, token.token_type().prefix());
        assert_eq!(base45::decode(body).unwrap(), token.as_bytes());
        assert_eq!(base45::encode(token.as_bytes()), body);
    }
}

/// Forms that `coset` takes for the same token. Each is another byte string for what was signed once.
#[test]
fn err_forms_that_coset_accepts_are_refused() {
    let (_, token) = tokens().remove(1);
    let whole = token.as_bytes();
    let at = |old: &[u8], new: &[u8]| {
        let at = whole
            .windows(old.len())
            .position(|window| window == old)
            .unwrap();
        [&whole[..at], new, &whole[at + old.len()..]].concat()
    };
    let (protected, payload, signature) = raw::parts(whole);
    let unprotected_alg = at(
        &[&protected[..], &[0xa0]].concat(),
        &[&protected[..], &[0xa1, 1, 0x32]].concat(),
    );
    let long_array = at(&[0xd2, 0x84], &[0xd2, 0x98, 4]);
    let indefinite = [&at(&[0xd2, 0x84], &[0xd2, 0x9f])[..], &[0xff]].concat();
    let Some((_, entries)) = protected.split_first() else {
        panic!("a map")
    };
    let crit = [
        &[0xa4],
        &entries[..16],
        &[0x02, 0x81, 0x61, b'x'],
        &entries[16..],
    ]
    .concat();
    let unsorted_crit = raw::assemble(&crit, &payload, &signature);
    let no_alg = raw::assemble(&[&[0xa2], &entries[6..]].concat(), &payload, &signature);
    for (name, bytes) in [
        ("a second alg in the unprotected header", unprotected_alg),
        ("a count that is not in its shortest form", long_array),
        ("an array of indefinite length", indefinite),
        ("an unknown crit", unsorted_crit),
        ("no alg", no_alg),
    ] {
        assert!(
            CoseSign1::from_tagged_slice(&bytes).is_ok(),
            "coset has become stricter on: {name}"
        );
        assert!(Encoded::from_bytes(&bytes).is_err(), "{name}");
    }
}

#[test]
fn err_a_claim_set_with_nan_as_expiry_which_coset_reads() {
    let nan = [0xa1, 0x04, 0xf9, 0x7e, 0x00];
    assert!(
        coset::cwt::ClaimsSet::from_slice(&nan).is_ok(),
        "coset has become stricter"
    );
    let keys = keys(Suite::Ed25519);
    let claims = raw::with(
        &raw::claims_of(&grant(&keys, ct_scope())),
        &[4],
        Some(ciborium::Value::Float(f64::NAN)),
    );
    let token = Encoded::from_bytes(&raw::sign("mic-g", &claims, keys.authority.as_ref())).unwrap();
    let (ring, policy) = (keys.ring(), policy());
    let denial = token
        .untrusted::<Grant>()
        .unwrap()
        .verify(&Checker::new(&ring, &policy))
        .unwrap_err();
    assert_eq!(
        (denial.reason(), denial.step()),
        (Reason::WrongItem, Step::Claims)
    );
}

#[test]
fn err_a_base45_pair_that_the_crate_cuts_to_eight_bits() {
    assert!(base45::decode("::").is_ok(), "base45 has become stricter");
    assert_eq!(
        Encoded::from_text("MICG1:::").unwrap_err().reason(),
        Reason::Base45Overflow
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever we accept, coset accepts; we are the stricter one.
    #[test]
    fn ok_what_we_accept_coset_accepts(which in 0..6_usize, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (_, token) = tokens().swap_remove(which);
        let mut bytes = token.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if Encoded::from_bytes(&bytes).is_ok() {
            prop_assert!(CoseSign1::from_tagged_slice(&bytes).is_ok());
        }
    }

    /// Our base45 refuses more than the crate and never reads otherwise.
    #[test]
    fn ok_what_we_read_as_base45_the_crate_reads_alike(text in "[0-9A-Z $%*+./:-]{0,40}") {
        let ours = Encoded::from_text(&format!("MICG1:{text}"));
        if let Err(denial) = &ours {
            if denial.step() == Step::Text {
                prop_assert!(base45::decode(&text).map_or(true, |bytes| base45::encode(&bytes) != text));
            } else {
                let bytes = base45::decode(&text).unwrap();
                prop_assert_eq!(base45::encode(&bytes), text);
            }
        }
    }
}

/// A picture drawn here is read back by another library, at 4 pixels to the module.
#[test]
fn ok_rqrr_reads_the_picture() {
    for (_, token) in tokens() {
        let text = token.to_text();
        let picture = QrPicture::from_text(&text).unwrap();
        let file = picture.png(4, QrPicture::QUIET_ZONE).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let side = info.width as usize;
        assert_eq!(side, (picture.modules() + 8) * 4);
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| pixels[y * side + x]);
        let (_, content) = image.detect_grids()[0].decode().unwrap();
        assert_eq!(content, text);
    }
}

#[test]
fn ok_svg_and_terminal_show_the_same_modules() {
    let (_, token) = tokens().remove(0);
    let picture = QrPicture::from_text(&token.to_text()).unwrap();
    let dark = (0..picture.modules())
        .flat_map(|row| (0..picture.modules()).map(move |column| (row, column)))
        .filter(|(row, column)| picture.is_dark(*row, *column))
        .count();
    assert_eq!(picture.svg(4).unwrap().matches("h1v1h-1z").count(), dark);
    let text = picture.terminal(2).unwrap();
    let side = picture.modules() + 4;
    assert!(text.lines().all(|line| line.chars().count() == side));
    assert_eq!(text.lines().count(), side.div_ceil(2));
    let light: usize = text
        .chars()
        .map(|half| match half {
            '█' => 2,
            '▀' | '▄' => 1,
            _ => 0,
        })
        .sum();
    assert_eq!(light, side * side - dark);
    assert_eq!(picture.png(0, 4).unwrap_err(), QrError::Size);
    assert_eq!(picture.svg(65).unwrap_err(), QrError::Size);
}
