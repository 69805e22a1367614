//! Every accepted vector of every type and suite, with the keys that go with them.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet};
use std::fs;

use chrono::{DateTime, Utc};
use mic_consent::*;
use serde_json::Value as Json;

/// One accepted vector.
pub(crate) struct Accepted {
    pub(crate) id: String,
    pub(crate) token: Encoded,
}

/// The accepted vectors, each token once, and the ring that their keys make.
pub(crate) struct Every {
    pub(crate) ring: KeyRing,
    pub(crate) tokens: Vec<Accepted>,
    /// The signing key of each id.
    pub(crate) signers: BTreeMap<KeyId, Box<dyn Signer>>,
}

fn read(name: &str) -> Json {
    let path = format!("{}/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(text: &Json) -> Vec<u8> {
    hex::decode(text.as_str().unwrap()).unwrap()
}

impl Every {
    pub(crate) fn read() -> Self {
        let mut every = Self {
            ring: KeyRing::new(),
            tokens: Vec::new(),
            signers: BTreeMap::new(),
        };
        let mut seen = BTreeSet::new();
        for name in ["accept.json", "objects-accept.json"] {
            let file = read(name);
            for key in file["keys"].as_array().unwrap() {
                every.key(key);
            }
            for case in file["cases"].as_array().unwrap() {
                let input = &case["input"];
                let then = input["then"].as_array().into_iter().flatten();
                let own = Some(&input["token"]).filter(|token| token.is_string());
                for token in own.into_iter().chain(then) {
                    let token = Encoded::from_bytes(&bytes(token)).unwrap();
                    if seen.insert(token.as_bytes().to_vec()) {
                        let id = case["id"].as_str().unwrap().to_owned();
                        every.tokens.push(Accepted { id, token });
                    }
                }
            }
        }
        for suite in Suite::ALL {
            let types: BTreeSet<TokenType> =
                every.of(*suite).map(|one| one.token.token_type()).collect();
            assert!(types.iter().eq(TokenType::ALL), "all types in {suite}");
        }
        every
    }

    fn key(&mut self, key: &Json) {
        let secret: [u8; 32] = bytes(&key["test_secret"]).try_into().unwrap();
        let (signer, public): (Box<dyn Signer>, PublicKey) = match key["suite"].as_str().unwrap() {
            "SM2-SM3" => {
                let own = Sm2SigningKey::from_secret_bytes(&secret).unwrap();
                let public = own.public_key().clone();
                (Box::new(own), public)
            }
            "ESP256" => {
                let own = Es256SigningKey::from_secret_bytes(&secret).unwrap();
                let public = own.public_key().clone();
                (Box::new(own), public)
            }
            _ => {
                let own = Ed25519SigningKey::from_secret_bytes(&secret).unwrap();
                let public = own.public_key().clone();
                (Box::new(own), public)
            }
        };
        self.signers.insert(signer.key_id(), signer);
        if key["trusted"] == false {
            return;
        }
        let roles: Roles = (key["roles"].as_array().unwrap().iter())
            .map(|role| Role::from_name(role.as_str().unwrap()).unwrap())
            .collect();
        let owner = IssuerCode::new(key["organisation"].as_str().unwrap()).unwrap();
        let time = |name: &str| -> DateTime<Utc> { key[name].as_str().unwrap().parse().unwrap() };
        let validity = KeyValidity::new(time("valid_from"), time("valid_until")).unwrap();
        let record = KeyRecord::new(public, owner, roles, validity).unwrap();
        self.ring.insert(record).unwrap();
    }

    /// Those of one suite.
    pub(crate) fn of(&self, suite: Suite) -> impl Iterator<Item = &Accepted> {
        self.tokens
            .iter()
            .filter(move |one| one.token.suite() == suite)
    }

    /// One of each type in one suite.
    pub(crate) fn one_each(&self, suite: Suite) -> Vec<&Accepted> {
        let first: BTreeMap<TokenType, &Accepted> = self
            .of(suite)
            .map(|one| (one.token.token_type(), one))
            .collect();
        first.into_values().collect()
    }
}

/// Whether it would be taken as a token of this type, by its type alone.
pub(crate) fn taken_as(token: &Encoded, kind: TokenType) -> Result<(), Denial> {
    read_as(token, kind, None)
}

/// Steps 1 to 8 of whatever type it says it is.
pub(crate) fn verify(token: &[u8], checker: &Checker<'_>) -> Result<(), Denial> {
    let encoded = Encoded::from_bytes(token)?;
    read_as(&encoded, encoded.token_type(), Some(checker))
}

fn read_as(token: &Encoded, kind: TokenType, checker: Option<&Checker<'_>>) -> Result<(), Denial> {
    fn of<T: TokenKind>(token: &Encoded, checker: Option<&Checker<'_>>) -> Result<(), Denial> {
        let untrusted = token.clone().untrusted::<T>()?;
        match checker {
            Some(checker) => untrusted.verify(checker).map(drop),
            None => Ok(()),
        }
    }
    match kind {
        TokenType::Request => of::<Request>(token, checker),
        TokenType::Offer => of::<Offer>(token, checker),
        TokenType::Grant => of::<Grant>(token, checker),
        TokenType::Narrowed => of::<Narrowed>(token, checker),
        TokenType::Proof => of::<Proof>(token, checker),
        TokenType::Refusal => of::<Refusal>(token, checker),
        TokenType::Withdrawal => of::<Withdrawal>(token, checker),
        TokenType::Emergency => of::<Emergency>(token, checker),
        TokenType::Order => of::<Order>(token, checker),
        TokenType::StatusList => of::<StatusList>(token, checker),
        TokenType::KeySet => of::<KeySet>(token, checker),
        TokenType::Receipt => of::<Receipt>(token, checker),
        TokenType::Review => of::<Review>(token, checker),
        TokenType::Checkpoint => of::<Checkpoint>(token, checker),
        other => panic!("{other:?}"),
    }
}
