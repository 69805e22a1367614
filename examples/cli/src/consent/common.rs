//! What all commands of `mic consent` share: the clock, the realm, randomness.

use chrono::{DateTime, Utc};
use clap::Args;
use mic_consent::{AcceptedSuites, Policy, Realm};
use mic_platform::consent;
use mic_platform::problem::Problem;
use sha2::{Digest as _, Sha256};

/// Set to any text, it makes every key, id and salt follow from it and the command's words: for trials
/// whose output must repeat, never in earnest.
const TEST_SEED: &str = "MIC_TEST_SEED";

/// Which suites are accepted.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Accepted {
    /// SM2 with SM3 alone.
    Gm,
    /// Ed25519 and ESP256 alone.
    Intl,
    /// All of them.
    Both,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// One line of JSON with ok, step, code, class and reason.
    #[arg(long)]
    pub(crate) json: bool,
    /// The moment to work at (RFC 3339); by default the machine's clock.
    #[arg(long, alias = "at", value_name = "TIME")]
    now: Option<DateTime<Utc>>,
    /// The realm of all tokens.
    #[arg(long, default_value = consent::REALM)]
    pub(crate) realm: Realm,
    /// The suites that are accepted.
    #[arg(long, value_enum, default_value_t = Accepted::Both)]
    suites: Accepted,
}

impl Common {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now.unwrap_or_else(Utc::now)
    }

    pub(crate) fn policy(&self) -> Policy {
        let suites = match self.suites {
            Accepted::Gm => AcceptedSuites::GmOnly,
            Accepted::Intl => AcceptedSuites::InternationalOnly,
            Accepted::Both => AcceptedSuites::Both,
        };
        Policy::new(self.realm, suites)
    }
}

/// Fresh random bytes.
pub(crate) struct Dice {
    seed: Option<String>,
    drawn: u8,
}

impl Dice {
    pub(crate) fn new() -> Self {
        let seed = std::env::var(TEST_SEED).ok();
        if seed.is_some() {
            eprintln!(
                "mic: {TEST_SEED} is set: keys, ids and salts can be guessed; for trials only"
            );
        }
        Self { seed, drawn: 0 }
    }

    /// Whether what is drawn can be guessed.
    pub(crate) fn are_loaded(&self) -> bool {
        self.seed.is_some()
    }

    /// At most 32 bytes.
    pub(crate) fn draw<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        const { assert!(N <= 32) };
        let Some(seed) = &self.seed else {
            return consent::random();
        };
        let mut hash = Sha256::new();
        hash.update(seed);
        for argument in std::env::args().skip(1) {
            hash.update([0]);
            hash.update(argument);
        }
        hash.update([0, self.drawn]);
        self.drawn = self.drawn.wrapping_add(1);
        let digest = hash.finalize();
        let mut bytes = [0; N];
        for (to, from) in bytes.iter_mut().zip(digest) {
            *to = from;
        }
        Ok(bytes)
    }
}

/// A moment as it is shown everywhere.
pub(crate) fn time(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
