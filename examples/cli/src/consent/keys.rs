//! `mic consent keygen`, and the key files that the signing commands read.

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use mic_consent::{
    Ed25519SigningKey, Es256SigningKey, IssuerCode, KeyError, KeyRecord, KeyValidity, Province,
    PublicKey, Role, Signer, Sm2SigningKey, Suite,
};
use mic_platform::problem::Problem;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::common::{Common, Dice, time};
use super::files::{self, Readers, Secret};
use super::outcome::{Done, Failure};
use super::words;

const FORMAT: &str = "mic-consent-key/1";
/// How much earlier a key is valid than it was made, for nodes whose clocks are behind.
const CLOCKS_APART: TimeDelta = TimeDelta::hours(1);

/// A new key.
#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// Whose key it is: the code of a hospital, authority, archive or root.
    #[arg(long)]
    owner: IssuerCode,
    /// What it may sign; repeat it or join with commas.
    #[arg(long, required = true, value_delimiter = ',', value_parser = words::role,
          value_name = "request|grant|status|emergency|log|root|review")]
    role: Vec<Role>,
    #[arg(long, default_value = "sm2", value_parser = words::suite, value_name = "sm2|ed25519|es256")]
    suite: Suite,
    /// Confines it to one province.
    #[arg(long, value_parser = words::province)]
    province: Option<Province>,
    /// For how many days it may sign.
    #[arg(long, default_value_t = 365)]
    days: u32,
    /// Writes NAME.key, which is secret, and NAME.pub.json, the record for others to trust.
    #[arg(long, value_name = "NAME")]
    out: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    format: String,
    /// Made under a test seed: anybody can make it again.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    test: bool,
    secret: Secret,
    record: KeyRecord,
}

/// A key to sign with.
pub(crate) struct OwnKey {
    pub(crate) signer: Box<dyn Signer>,
    pub(crate) record: KeyRecord,
}

impl OwnKey {
    pub(crate) fn owner(&self) -> IssuerCode {
        *self.record.organisation()
    }

    /// Reads a key file.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let odd = |e: &dyn core::fmt::Display| {
            Problem::usage("consent.key", format!("{}: {e}", path.display()))
        };
        let bytes = files::read(&path.display().to_string())?;
        // Not serde's own words: they may repeat what stands in the file.
        let file: KeyFile = serde_json::from_slice(&bytes)
            .map_err(|_| odd(&"expected a key file as keygen writes it"))?;
        let secret = file.secret.bytes();
        let secret = secret.ok_or_else(|| odd(&"expected a secret of 64 hexadecimal digits"))?;
        if file.format != FORMAT {
            return Err(odd(&format_args!("expected the format {FORMAT}")).into());
        }
        let known = file.record.public_key();
        let (signer, public) =
            signer(known.suite(), &secret, known.distid()).map_err(|e| odd(&e))?;
        if public != *known {
            return Err(odd(&"the secret is not that of the key in the record").into());
        }
        Ok(Self {
            signer,
            record: file.record,
        })
    }
}

fn signer(
    suite: Suite,
    secret: &[u8; 32],
    distid: Option<&str>,
) -> Result<(Box<dyn Signer>, PublicKey), KeyError> {
    Ok(match suite {
        Suite::Ed25519 => {
            let key = Ed25519SigningKey::from_secret_bytes(secret)?;
            let public = key.public_key().clone();
            (Box::new(key), public)
        }
        Suite::Esp256 => {
            let key = Es256SigningKey::from_secret_bytes(secret)?;
            let public = key.public_key().clone();
            (Box::new(key), public)
        }
        _ => {
            let key = match distid {
                Some(distid) => Sm2SigningKey::with_distid(secret, distid)?,
                None => Sm2SigningKey::from_secret_bytes(secret)?,
            };
            let public = key.public_key().clone();
            (Box::new(key), public)
        }
    })
}

pub(crate) fn keygen(keygen: &Keygen) -> Result<Done, Failure> {
    let odd = |e: &dyn core::fmt::Display| Problem::usage("consent.keygen", e);
    let mut dice = Dice::new();
    let secret = Zeroizing::new(dice.draw::<32>()?);
    let (_, public) = signer(keygen.suite, &secret, None).map_err(|e| odd(&e))?;
    let validity = validity(keygen.common.now(), keygen.days).map_err(|e| odd(&e))?;
    let roles: mic_consent::Roles = keygen.role.iter().copied().collect();
    let record = KeyRecord::new(public, keygen.owner, roles, validity).map_err(|e| odd(&e))?;
    let record = match keygen.province {
        Some(province) => record.with_province(province).map_err(|e| odd(&e))?,
        None => record,
    };
    let file = KeyFile {
        format: FORMAT.into(),
        test: dice.are_loaded(),
        secret: Secret::new(hex::encode(secret.as_slice())),
        record: record.clone(),
    };
    let (private, shared) = (with(&keygen.out, "key"), with(&keygen.out, "pub.json"));
    let text = Zeroizing::new(pretty(&file)?);
    files::write_new(&private, text.as_bytes(), Readers::Owner)?;
    files::write_new(&shared, pretty(&record)?.as_bytes(), Readers::Everybody)?;
    Ok(Done::new()
        .row("key", record.key_id().to_string())
        .row("suite", record.public_key().suite().name())
        .row("owner", record.organisation().as_str())
        .row("roles", role_names(&record))
        .row("until", time(record.validity().until()))
        .row(
            "secret",
            format!("{} (its owner alone can read it)", private.display()),
        )
        .row("record", shared.display().to_string()))
}

fn validity(now: DateTime<Utc>, days: u32) -> Result<KeyValidity, KeyError> {
    KeyValidity::new(now - CLOCKS_APART, now + TimeDelta::days(days.into()))
}

fn with(name: &Path, ending: &str) -> PathBuf {
    let mut name = name.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// JSON for a file that people look at as well.
pub(crate) fn pretty(value: &impl Serialize) -> Result<String, Problem> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// A key's roles in a few words.
pub(crate) fn role_names(record: &KeyRecord) -> String {
    let names: Vec<_> = record.roles().iter().map(Role::name).collect();
    names.join(", ")
}
