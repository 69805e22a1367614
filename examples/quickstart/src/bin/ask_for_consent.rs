//! A hospital asks for consent (扫码授权): the signed request as text, as QR code in the terminal, and
//! as PNG.
//!
//! Type `cargo run -p mic-quickstart --bin ask_for_consent`, or with a folder for the picture behind
//! `--`. It prints:
//!
//! ```text
//! signed by  0b4ee445b99df052 in SM2-SM3
//! size       186 bytes, 285 characters
//! QR code    version 10-M, 57 modules a side
//! picture    …mic-ask-for-consent.png
//! █████████████████████████████████████████████████████████████
//! ██ ▄▄▄▄▄ ███▀▄▀██ █▄█▄█▄ █▄ ▄█ █▀█▄▄▄█▀▄  ▄▄▄██ ▄ ██ ▄▄▄▄▄ ██
//! ██ █   █ ██   █ ▀█▄ ▄▀▀▀▀▀▄▄▀▀█ ▄ █▀▀▄ ▀▄▄█▀▄██▄▄ ██ █   █ ██
//! ██ █▄▄▄█ █▀▄█▀▀▄█▄▄█▀▄▀ █▄▀▀ ▄▄▄ ▀  █▀▀ █ ▀▀▄  ▄▀▄██ █▄▄▄█ ██
//! ██▄▄▄▄▄▄▄█▄▀▄▀▄▀ ▀▄█▄█▄█ █ ▀ █▄█ █ █▄▀ █▄▀ █▄▀▄▀ ▀▄█▄▄▄▄▄▄▄██
//! …
//! ██▄▄▄▄▄▄▄█▄████▄█▄█▄█▄▄█▄▄▄▄████▄█▄██▄▄▄███▄▄███▄▄█▄▄▄███████
//! ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀
//! ```
//!
//! Hospital and keys are made up. A real key stays in a certified module behind the trait `Signer`, and
//! a real nonce comes from the system's random source; here both are fixed, so that every run is alike.

use std::{env, fs, path::PathBuf};

use chrono::{DateTime, NaiveDate};
use mic_consent::{
    InstitutionCode, Modality, Purpose, QrPicture, Realm, RequestDraft, RequestNonce, Rights,
    Scope, ScopeFilter, Signer, Sm2SigningKey,
};

fn main() -> anyhow::Result<()> {
    let hospital_key = Sm2SigningKey::from_secret_bytes(&[0x21; 32])?;
    let now: DateTime<chrono::Utc> = "2026-11-18T09:06:40Z".parse()?;

    // CT and MR of the last two years, to look at them for treatment.
    let day = |year| NaiveDate::from_ymd_opt(year, 11, 18).ok_or_else(|| anyhow::anyhow!("no day"));
    let filter = ScopeFilter::new()
        .with_days(day(2024)?, day(2026)?)?
        .with_modalities([Modality::new("CT")?, Modality::new("MR")?])?;
    let draft = RequestDraft::new(
        Realm::new("mic.cn")?,
        InstitutionCode::new("H11010500001")?,
        Purpose::Treatment,
        Rights::LIST | Rights::VIEW,
        Scope::filtered(filter)?,
    );
    let request = draft.sign(&hospital_key, RequestNonce::from_bytes([0x11; 16]), now)?;

    let text = request.to_text();
    println!(
        "signed by  {} in {}",
        hospital_key.key_id(),
        hospital_key.suite()
    );
    println!(
        "size       {} bytes, {} characters",
        request.as_bytes().len(),
        text.len()
    );

    let picture = QrPicture::from_text(&text)?;
    println!(
        "QR code    version {}-M, {} modules a side",
        picture.version(),
        picture.modules()
    );
    let png = picture.png(4, QrPicture::QUIET_ZONE)?;
    let folder = env::args_os()
        .nth(1)
        .map_or_else(env::temp_dir, PathBuf::from);
    let path = folder.join("mic-ask-for-consent.png");
    fs::write(&path, &png)?;
    println!("picture    {}", path.display());
    print!("{}", picture.terminal(2)?);
    Ok(())
}
