//! Signs a hospital's request, checks it as the patient's app would, and refuses one that was changed.
//!
//! All keys and codes are made up. Ed25519, because SM2 needs a newer compiler than the declared minimum.

use std::error::Error;

use chrono::DateTime;
use mic_consent::{
    AcceptedSuites, Checker, Ed25519SigningKey, Encoded, InstitutionCode, KeyRecord, KeyRing,
    KeyValidity, Policy, Purpose, Realm, Request, RequestDraft, RequestNonce, Rights, Role, Scope,
};

fn main() -> Result<(), Box<dyn Error>> {
    let moment =
        |seconds: i64| DateTime::from_timestamp(1_794_992_800 + seconds, 0).ok_or("no such moment");
    let hospital = InstitutionCode::new("H11010500001")?;
    let key = Ed25519SigningKey::from_secret_bytes(&[0x31; 32])?;
    let record = KeyRecord::new(
        key.public_key().clone(),
        hospital.clone().into(),
        Role::Request,
        KeyValidity::new(moment(-86_400)?, moment(86_400)?)?,
    )?;
    let ring = KeyRing::from_records([record])?;
    let policy = Policy::new(Realm::new("mic.cn")?, AcceptedSuites::Both);
    let checker = Checker::new(&ring, &policy);

    let rights = Rights::LIST | Rights::VIEW;
    let text = RequestDraft::new(
        Realm::new("mic.cn")?,
        hospital,
        Purpose::Treatment,
        rights,
        Scope::all(),
    )
    .sign(&key, RequestNonce::from_bytes([0x11; 16]), moment(0)?)?
    .to_text();
    println!("the QR holds {} characters", text.len());

    let read = Encoded::from_text(&text)?;
    let request = read
        .clone()
        .untrusted::<Request>()?
        .verify(&checker)?
        .live(&checker, moment(5)?)?;
    println!(
        "{} asks for {}",
        request.claims().organisation(),
        request.claims().purpose().chinese()
    );

    let mut changed = read.as_bytes().to_vec();
    *changed.last_mut().ok_or("no bytes")? ^= 1;
    let denial = Encoded::from_bytes(&changed)?
        .untrusted::<Request>()?
        .verify(&checker);
    println!(
        "refused: {}",
        denial.err().ok_or("a changed signature was taken")?
    );

    let late = read
        .untrusted::<Request>()?
        .verify(&checker)?
        .live(&checker, moment(3_600)?);
    println!("refused: {}", late.err().ok_or("an old request was taken")?);
    Ok(())
}
