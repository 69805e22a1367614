//! A node's own key, and the keys of the others it trusts.
//!
//! Two files in the node's state folder: `key.json` (secret, readable by its owner alone) and
//! `trust.json` (public records, the same at every node). [`provision`] plays the key ceremony that
//! in a real deployment is done by hand, with keys in certified modules.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Months, TimeDelta, Utc};
use mic_consent::{
    Ed25519SigningKey, IssuerCode, KeyRecord, KeyRing, KeyValidity, Role as KeyRole, Roles,
    Signature, Signer, Sm2SigningKey, Suite,
};
use serde::{Deserialize, Serialize};

use crate::node::Role;
use crate::problem::Problem;

const KEY_FILE: &str = "key.json";
const TRUST_FILE: &str = "trust.json";
/// How long a provisioned key is valid.
const KEY_MONTHS: Months = Months::new(12);
/// How much earlier a key is valid than it was made, for nodes whose clocks are behind.
const CLOCKS_APART: TimeDelta = TimeDelta::days(1);

/// A signing key with the name it is known by. Cheap to clone; never shows its secret.
#[derive(Clone)]
pub struct NodeKey {
    signer: Arc<dyn Signer + Send + Sync>,
}

impl core::fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("NodeKey").field(&self.id()).finish()
    }
}

impl NodeKey {
    /// The key's identifier, hexadecimal.
    #[must_use]
    pub fn id(&self) -> String {
        self.signer.key_id().to_string()
    }

    /// The signer behind it.
    #[must_use]
    pub fn signer(&self) -> &(dyn Signer + Send + Sync) {
        &*self.signer
    }

    /// Signs `message`.
    ///
    /// # Errors
    ///
    /// The signer failed; nothing must be sent.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], Problem> {
        self.signer
            .sign(message)
            .map(|signature| *signature.as_bytes())
            .map_err(|e| Problem::system("key.sign", e))
    }
}

impl NodeKey {
    /// Signs for `mic-transfer`, whose signature slot names suite and key.
    pub(crate) fn transfer_signature(
        &self,
        message: &[u8],
    ) -> Result<mic_transfer::Signature, mic_transfer::SignFailed> {
        let bytes = self.sign(message).map_err(|_| mic_transfer::SignFailed)?;
        let key = self.signer.key_id().as_bytes().to_vec();
        mic_transfer::Signature::new(self.signer.suite().name(), key, bytes.to_vec())
            .map_err(|_| mic_transfer::SignFailed)
    }
}

/// Who made a signed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// What kind of node it is.
    pub role: Role,
    /// Its organisation code.
    pub organisation: String,
}

impl Caller {
    /// Refuses callers of other roles.
    ///
    /// # Errors
    ///
    /// Denied, naming both roles.
    pub fn must_be(&self, role: Role) -> Result<(), Problem> {
        if self.role == role {
            return Ok(());
        }
        Err(Problem::denied(
            "signature.role",
            format!(
                "expected a call signed by a {role}, found one of a {}",
                self.role
            ),
        ))
    }
}

/// The node's own key and everyone's public records.
#[derive(Debug)]
pub struct Trust {
    key: NodeKey,
    own: KeyRecord,
    ring: KeyRing,
    callers: BTreeMap<String, (Caller, KeyRecord)>,
}

#[derive(Serialize, Deserialize)]
struct KeyFile {
    note: String,
    suite: String,
    secret: String,
    record: KeyRecord,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct TrustRow {
    role: Role,
    record: KeyRecord,
}

impl Trust {
    /// Loads the two files of a node's state folder.
    ///
    /// # Errors
    ///
    /// A file is missing, does not read, or holds keys that do not belong together.
    pub fn load(state: &Path) -> Result<Self, Problem> {
        let (key, own) = load_key(state)?;
        let rows: Vec<TrustRow> = read(&state.join(TRUST_FILE))?;
        let mut ring = KeyRing::new();
        let mut callers = BTreeMap::new();
        for row in rows {
            let caller = Caller {
                role: row.role,
                organisation: row.record.organisation().to_string(),
            };
            callers.insert(
                row.record.key_id().to_string(),
                (caller, row.record.clone()),
            );
            ring.insert(row.record)
                .map_err(|e| Problem::usage("trust.file", e).at(TRUST_FILE))?;
        }
        // Few authorities sign all grants: their tables make a node's checks several times as fast. A key
        // that finds no room is checked without one.
        ring.prepare_role(KeyRole::Grant);
        Ok(Self {
            key,
            own,
            ring,
            callers,
        })
    }

    /// The node's own key.
    #[must_use]
    pub fn key(&self) -> &NodeKey {
        &self.key
    }

    /// The public record of the node's own key.
    #[must_use]
    pub fn own(&self) -> &KeyRecord {
        &self.own
    }

    /// The organisation code of the node with this role, if the trust file names one.
    #[must_use]
    pub fn organisation(&self, role: Role) -> Option<IssuerCode> {
        self.callers
            .values()
            .find(|(caller, _)| caller.role == role)
            .map(|(_, record)| *record.organisation())
    }

    /// The keys that sign consent tokens.
    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// Checks a signature of the key named `id` over `message`.
    ///
    /// # Errors
    ///
    /// Denied: the key is not known, not valid now, or did not make this signature.
    pub fn verify(&self, id: &str, message: &[u8], signature: &[u8]) -> Result<(), Problem> {
        let denied = |detail: &str| Problem::denied("signature", detail);
        let (_, record) = self
            .callers
            .get(id)
            .ok_or_else(|| denied("the key is not in this node's trust file"))?;
        if !record.validity().contains(Utc::now()) {
            return Err(denied("the key is outside its validity"));
        }
        let signature: [u8; 64] = signature
            .try_into()
            .map_err(|_| denied("expected a signature of 64 bytes"))?;
        record
            .public_key()
            .verify(message, &Signature::from_bytes(signature))
            .map_err(|e| denied(&e.to_string()))
    }

    /// Whose key this is.
    ///
    /// # Errors
    ///
    /// Denied: the key is not known.
    pub fn caller(&self, id: &str) -> Result<Caller, Problem> {
        self.callers
            .get(id)
            .map(|(caller, _)| caller.clone())
            .ok_or_else(|| Problem::denied("signature", "the key is not in this node's trust file"))
    }
}

/// Who takes part in a deployment: where its state is, what it is, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// The folder below the deployment's state.
    pub folder: &'a str,
    /// What it is.
    pub role: Role,
    /// Its organisation code.
    pub organisation: &'a str,
}

/// Makes the keys that are missing and writes everyone's trust file.
///
/// # Errors
///
/// Files that cannot be written or read, or no randomness from the system.
pub fn provision(
    state: &Path,
    members: &[Member<'_>],
    suite: Suite,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let mut rows = Vec::new();
    for member in members {
        let folder = state.join(member.folder);
        fs::create_dir_all(&folder).map_err(|e| Problem::from(e).at(folder.display()))?;
        let key = folder.join(KEY_FILE);
        if key.exists() && !load_key(&folder)?.1.validity().contains(now) {
            // A demonstration that lay about for a year starts with new keys.
            fs::remove_file(&key)?;
        }
        if !key.exists() {
            make_key(&folder, member, suite, now)?;
        }
        rows.push(TrustRow {
            role: member.role,
            record: load_key(&folder)?.1,
        });
    }
    let text = serde_json::to_vec_pretty(&rows)?;
    for member in members {
        fs::write(state.join(member.folder).join(TRUST_FILE), &text)?;
    }
    Ok(())
}

/// What a node of this role may sign.
fn roles(role: Role) -> Roles {
    match role {
        Role::Hospital => KeyRole::Request.into(),
        Role::Authority => Roles::from(KeyRole::Grant) | KeyRole::Status.into(),
        Role::Province | Role::Nation => KeyRole::Log.into(),
    }
}

fn make_key(
    folder: &Path,
    member: &Member<'_>,
    suite: Suite,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|e| Problem::system("key.random", e))?;
    let fault = |e: &dyn core::fmt::Display| Problem::system("key.make", e);
    let public = match suite {
        Suite::Sm2Sm3 => {
            Sm2SigningKey::from_secret_bytes(&secret).map(|key| key.public_key().clone())
        }
        Suite::Ed25519 => {
            Ed25519SigningKey::from_secret_bytes(&secret).map(|key| key.public_key().clone())
        }
        other => return Err(fault(&format!("suite {other} is not offered"))),
    }
    .map_err(|e| fault(&e))?;
    let until = now.checked_add_months(KEY_MONTHS).unwrap_or(now);
    let record = KeyRecord::new(
        public,
        IssuerCode::new(member.organisation).map_err(|e| fault(&e))?,
        roles(member.role),
        KeyValidity::new(now - CLOCKS_APART, until).map_err(|e| fault(&e))?,
    )
    .map_err(|e| fault(&e))?;
    let file = KeyFile {
        note: "made for a demonstration; a real key stays in a certified module".to_owned(),
        suite: suite.to_string(),
        secret: hex::encode(secret),
        record,
    };
    write_secret(&folder.join(KEY_FILE), &serde_json::to_vec_pretty(&file)?)
}

fn load_key(state: &Path) -> Result<(NodeKey, KeyRecord), Problem> {
    let file: KeyFile = read(&state.join(KEY_FILE))?;
    let odd = |detail: &dyn core::fmt::Display| Problem::usage("key.file", detail).at(KEY_FILE);
    let secret: [u8; 32] = hex::decode(&file.secret)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| odd(&"expected a secret of 64 hexadecimal digits"))?;
    let signer: Arc<dyn Signer + Send + Sync> = match Suite::from_name(&file.suite) {
        Some(Suite::Sm2Sm3) => {
            Arc::new(Sm2SigningKey::from_secret_bytes(&secret).map_err(|e| odd(&e))?)
        }
        Some(Suite::Ed25519) => {
            Arc::new(Ed25519SigningKey::from_secret_bytes(&secret).map_err(|e| odd(&e))?)
        }
        _ => return Err(odd(&"expected the suite SM2-SM3 or Ed25519")),
    };
    if signer.key_id() != file.record.key_id() {
        return Err(odd(&"the secret does not belong to the public record"));
    }
    Ok((NodeKey { signer }, file.record))
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, Problem> {
    let text = fs::read(path).map_err(|e| {
        Problem::usage(
            "trust.file",
            format!("{}: {e}; was the node provisioned?", path.display()),
        )
    })?;
    serde_json::from_slice(&text).map_err(|e| Problem::usage("trust.file", e).at(path.display()))
}

pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(path)
        .map_err(|e| Problem::from(e).at(path.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}
