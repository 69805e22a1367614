//! What a phone sees: synthetic shots of the codes that people scan, read by zbarimg and by `rxing`, the Rust port of
//! ZXing that many apps scan with.
//!
//! Each code is drawn at 4 pixels a module and shot 30 times: turned by up to 12 degrees, seen from up to 10 degrees
//! to the side and above, lit unevenly, blurred by 0.8 pixel, with noise. All of it follows from `SEED`. Real phones
//! were not measured.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::float_arithmetic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail, or say why"
)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use common::*;
use mic_consent::*;
use rxing::Reader as _;

/// Of every shot.
const SEED: u64 = 20_261_118;
/// Shots of each code.
const SHOTS: u64 = 30;
/// Pixels a module: what a phone's camera has of a code that fills most of its frame.
const SCALE: u32 = 4;
/// How much smaller the far edge of a code is than its middle, seen from 10 degrees aside: half its width over the
/// distance, times the sine. The distance is where a code fills three fifths of a frame 50 degrees wide.
const AWAY_MAX: f64 = 0.05;
/// Of the codes that patients and hospitals show.
const VERSION_MAX: usize = 13;
/// Share of the shots that one of the readers must read.
const READ_PER_CENT: u64 = 95;

/// The generator of Steele, Lea and Flood (2014): small, and the same everywhere.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [-1, 1).
    fn signed(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// About normal, of deviation 1: the sum of twelve.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.signed()).sum::<f64>() / 2.0
    }
}

/// Grey values, row by row.
#[derive(Clone)]
struct Picture {
    side: usize,
    grey: Vec<f64>,
}

impl Picture {
    /// The code with its quiet zone and a margin of the paper or screen around it.
    fn drawn(code: &QrPicture) -> Self {
        let scale = usize::try_from(SCALE).unwrap();
        let quiet = usize::try_from(QrPicture::QUIET_ZONE).unwrap();
        let modules = code.modules() + 2 * quiet;
        let side = modules * scale;
        let dark = |pixel: usize| (pixel / scale).checked_sub(quiet);
        let grey = (0..side * side)
            .map(|n| match (dark(n / side), dark(n % side)) {
                (Some(row), Some(column)) if code.is_dark(row, column) => 0.0,
                _ => 255.0,
            })
            .collect();
        Self { side, grey }
    }

    fn at(&self, x: f64, y: f64) -> f64 {
        let (left, top) = (x.floor(), y.floor());
        let pixel = |x: f64, y: f64| {
            let inside = |v: f64| v >= 0.0 && v < self.side as f64;
            match inside(x) && inside(y) {
                true => self.grey[y as usize * self.side + x as usize],
                false => 255.0,
            }
        };
        let (right, down) = (x - left, y - top);
        let upper = pixel(left, top) * (1.0 - right) + pixel(left + 1.0, top) * right;
        let lower = pixel(left, top + 1.0) * (1.0 - right) + pixel(left + 1.0, top + 1.0) * right;
        upper * (1.0 - down) + lower * down
    }

    /// One shot.
    fn shot(&self, random: &mut SplitMix) -> Self {
        let (sin, cos) = (12.0_f64.to_radians() * random.signed()).sin_cos();
        let (tilt_x, tilt_y) = (AWAY_MAX * random.signed(), AWAY_MAX * random.signed());
        let (light_x, light_y) = (40.0 * random.signed(), 40.0 * random.signed());
        let side = self.side * 13 / 10;
        let (middle, half) = (side as f64 / 2.0, self.side as f64 / 2.0);
        let mut grey = Vec::with_capacity(side * side);
        for n in 0..side * side {
            let (x, y) = ((n % side) as f64 - middle, (n / side) as f64 - middle);
            // From the side: what is farther is smaller.
            let away = 1.0 + (tilt_x * x + tilt_y * y) / middle;
            let (x_flat, y_flat) = (x * away, y * away);
            let (from_x, from_y) = (cos * x_flat + sin * y_flat, cos * y_flat - sin * x_flat);
            let light = (light_x * x + light_y * y) / middle;
            grey.push(0.8 * self.at(from_x + half, from_y + half) + 25.0 + light);
        }
        let mut shot = Self { side, grey }.blurred(0.8);
        for grey in &mut shot.grey {
            *grey = (*grey + 6.0 * random.normal()).clamp(0.0, 255.0);
        }
        shot
    }

    /// A Gaussian of this deviation, in both directions.
    fn blurred(&self, deviation: f64) -> Self {
        let weights: Vec<f64> = (-3..=3)
            .map(|n| (-f64::from(n * n) / (2.0 * deviation * deviation)).exp())
            .collect();
        let sum: f64 = weights.iter().sum();
        let pass = |from: &[f64], step: usize, along: &dyn Fn(usize) -> usize| -> Vec<f64> {
            let one = |n: usize| {
                let at = along(n);
                let spread = weights.iter().zip(0..).map(|(weight, k)| {
                    let there = (at + k).saturating_sub(3).min(self.side - 1);
                    weight * from[n - at * step + there * step]
                });
                spread.sum::<f64>() / sum
            };
            (0..from.len()).map(one).collect()
        };
        let rows = pass(&self.grey, 1, &|n| n % self.side);
        let grey = pass(&rows, self.side, &|n| n / self.side);
        Self {
            side: self.side,
            grey,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.grey.iter().map(|grey| grey.round() as u8).collect()
    }

    fn save(&self, path: &Path) {
        let mut file = format!("P5 {0} {0} 255\n", self.side).into_bytes();
        file.extend(self.bytes());
        fs::write(path, file).unwrap();
    }
}

fn by_rxing(picture: &Picture) -> Option<String> {
    let side = u32::try_from(picture.side).unwrap();
    let source = rxing::Luma8LuminanceSource::new(picture.bytes(), side, side).unwrap();
    let mut image = rxing::BinaryBitmap::new(rxing::common::HybridBinarizer::new(source));
    let hints = rxing::DecodeHints {
        TryHarder: Some(true),
        ..Default::default()
    };
    let found = rxing::qrcode::QRCodeReader.decode_with_hints(&mut image, &hints);
    Some(found.ok()?.getText().to_owned())
}

fn zbarimg_is_there() -> bool {
    let there = Command::new("zbarimg")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if there.is_ok_and(|status| status.success()) {
        return true;
    }
    assert!(
        std::env::var_os("MIC_PEERS").is_none(),
        "MIC_PEERS asks for every peer, and zbarimg is missing"
    );
    eprintln!("SKIPPED: no zbarimg on this machine; rxing alone was asked");
    false
}

/// What zbarimg read of each file, in one run of it.
fn by_zbarimg(files: &[PathBuf]) -> Vec<Option<String>> {
    let output = Command::new("zbarimg")
        .args(["--quiet", "--xml", "-Sdisable", "-Sqrcode.enable"])
        .args(files)
        .output()
        .unwrap();
    let xml = String::from_utf8_lossy(&output.stdout).into_owned();
    let read = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_str().unwrap();
        let own = xml.split("<source ").find(|part| part.contains(name))?;
        let text = own.split_once("<data><![CDATA[")?.1;
        Some(text.split_once("]]></data>")?.0.to_owned())
    };
    files.iter().map(read).collect()
}

const SUITES: [Suite; 3] = [Suite::Sm2Sm3, Suite::Ed25519, Suite::Esp256];

/// What is shown to be scanned, in these suites.
fn shown(suites: &[Suite]) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    for &suite in suites {
        let keys = keys(suite);
        let records: Vec<Vec<u8>> = (1..=5)
            .map(|n| format!("TEST-INDEX-CODE-{n:04}/1.2.826.0.1.3680043.10.1.{n}").into_bytes())
            .collect();
        let chosen = |count: usize| {
            let draft = grant_draft(&keys, Scope::all());
            let draft = draft.with_records(records[..count].iter().map(Vec::as_slice));
            let id = GrantId::from_bytes([0x77; 16]);
            draft.sign(keys.authority.as_ref(), id, now()).unwrap()
        };
        let offer = OfferDraft::new(realm(), authority_code());
        let id = OfferId::from_bytes([0x55; 16]);
        let offer = offer.sign(keys.authority.as_ref(), id, now()).unwrap();
        let doctor = DoctorCode::new("D110105000001").unwrap();
        let asked = request_draft(ct_scope())
            .with_department(DepartmentCode::new("A03.05").unwrap())
            .with_doctor(doctor)
            .sign(keys.hospital.as_ref(), nonce(), now())
            .unwrap();
        for (name, token) in [
            ("request", asked),
            ("offer", offer),
            ("grant of 1", chosen(1)),
            ("grant of 5", chosen(5)),
        ] {
            shown.push((format!("{name}, {suite}"), token.to_text()));
        }
    }
    shown
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mic-consent-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The codes of SM2, which are the longest by a few characters.
#[test]
fn ok_what_people_scan_is_read() {
    let folder = folder("shots");
    let zbar = zbarimg_is_there();
    eprintln!("seed {SEED}, {SHOTS} shots of each code, {SCALE} pixels a module, zbarimg {zbar}");
    let mut random = SplitMix(SEED);
    let (mut all, mut either) = (0, 0);
    for (name, text) in shown(&SUITES[..1]) {
        let code = QrPicture::from_text(&text).unwrap();
        let clean = Picture::drawn(&code);
        let shots: Vec<Picture> = (0..SHOTS).map(|_| clean.shot(&mut random)).collect();
        let read_rxing: Vec<bool> = shots
            .iter()
            .map(|shot| by_rxing(shot).as_deref() == Some(text.as_str()))
            .collect();
        let mut read_zbar = vec![false; shots.len()];
        if zbar {
            let path = |n: usize| folder.join(format!("shot-{n:02}.pgm"));
            let files: Vec<_> = (0..shots.len()).map(path).collect();
            for (shot, file) in shots.iter().zip(&files) {
                shot.save(file);
            }
            for (seen, read) in read_zbar.iter_mut().zip(by_zbarimg(&files)) {
                // Read wrongly would be worse than not read.
                assert!(read.as_deref().is_none_or(|read| read == text), "{name}");
                *seen = read.is_some();
            }
        }
        let count = |list: &[bool]| list.iter().filter(|read| **read).count() as u64;
        let by_either: Vec<bool> = read_rxing
            .iter()
            .zip(&read_zbar)
            .map(|(one, other)| *one || *other)
            .collect();
        eprintln!(
            "{name:22} version {:2}-M, {:3} characters: rxing {:2}, zbarimg {:2}, either {:2} of {SHOTS}",
            code.version(),
            text.len(),
            count(&read_rxing),
            count(&read_zbar),
            count(&by_either),
        );
        if !zbar {
            continue;
        }
        all += SHOTS;
        either += count(&by_either);
        assert!(
            count(&by_either) * 100 >= SHOTS * READ_PER_CENT,
            "{name}: {} of {SHOTS} shots read",
            count(&by_either)
        );
    }
    eprintln!("in all {either} of {all}");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn ok_what_people_scan_is_small_enough_and_clean_ones_are_read_by_both() {
    let folder = folder("clean");
    let zbar = zbarimg_is_there();
    for (n, (name, text)) in shown(&SUITES).into_iter().enumerate() {
        let code = QrPicture::from_text(&text).unwrap();
        let version = code.version();
        assert!(version <= VERSION_MAX, "{name}: version {version}");
        let clean = Picture::drawn(&code);
        assert_eq!(by_rxing(&clean).as_deref(), Some(&*text), "{name}, rxing");
        if zbar {
            // The very file that is shown.
            let file = folder.join(format!("code-{n:02}.png"));
            fs::write(&file, code.png(SCALE, QrPicture::QUIET_ZONE).unwrap()).unwrap();
            let read = by_zbarimg(&[file]).remove(0);
            assert_eq!(read.as_deref(), Some(&*text), "{name}, zbarimg");
        }
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// A test that cannot fail proves nothing: shots far beyond what is promised are not read.
#[test]
fn err_a_shot_that_is_too_small_is_not_read() {
    let (_, text) = shown(&SUITES[..1]).remove(0);
    let code = QrPicture::from_text(&text).unwrap();
    let clean = Picture::drawn(&code);
    assert_eq!(by_rxing(&clean.blurred(6.0)), None);
}

/// The same facts as a JWT (RFC 7519) by a careful hand: short names, numbers for lists, bytes as base64url. Only
/// its length is wanted, so its bytes are all the same.
fn jwt_characters(records: usize) -> usize {
    let base64 = |bytes: usize| (bytes * 4).div_ceil(3);
    let bytes = |count: usize| "A".repeat(base64(count));
    let scope = match records {
        0 => serde_json::json!({"kind": 2, "days": [20_089, 20_775], "mod": ["CT", "MR"]}),
        _ => serde_json::json!({"kind": 3, "ix": vec![bytes(10); records]}),
    };
    let claims = serde_json::json!({
        "iss": "CONSENT01", "sub": bytes(16), "aud": "mic.cn", "exp": 1_795_000_000,
        "iat": 1_794_992_800, "jti": bytes(16), "cnf": {"kid": bytes(8)}, "nonce": bytes(16), "ver": 1,
        "org": "H11010500001", "purp": 1, "rights": 3, "scope": scope, "notice": bytes(16),
        "status": [3, 70_001], "sep": 3, "check": 1,
    });
    let header = serde_json::json!({"alg": "ES256", "kid": bytes(8), "typ": "JWT"});
    base64(header.to_string().len()) + 1 + base64(claims.to_string().len()) + 1 + base64(64)
}

#[test]
fn ok_a_grant_has_at_most_0_70_of_a_jwts_characters() {
    for suite in SUITES {
        let keys = keys(suite);
        let five: Vec<Vec<u8>> = (0..5).map(|n| format!("record {n}").into_bytes()).collect();
        let draft = grant_draft(&keys, Scope::all()).with_records(five.iter().map(Vec::as_slice));
        let id = GrantId::from_bytes([0x77; 16]);
        let chosen = draft.sign(keys.authority.as_ref(), id, now()).unwrap();
        for (name, token, records) in [
            ("filter", grant(&keys, ct_scope()), 0),
            ("5 chosen", chosen, 5),
        ] {
            let (own, other) = (token.to_text().len(), jwt_characters(records));
            eprintln!(
                "{name}, {suite}: {own} characters, as a JWT {other}: {:.2}",
                own as f64 / other as f64
            );
            assert!(own * 100 <= other * 70, "{name}, {suite}: {own} of {other}");
        }
    }
}
