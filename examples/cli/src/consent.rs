//! `mic consent`: look into tokens, check them, draw them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use mic_consent::{
    Checker, Denial, Encoded, Grant, KeyId, KeyRecord, KeyRing, Proof, QrPicture, Reason, Request,
    Status, StatusRef, StatusSource, TokenType,
};
use mic_platform::consent;
use mic_platform::problem::Problem;
use serde::{Deserialize, Serialize};

use crate::output::{self, say};

/// What to do with consent tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show a token's outer form. Nothing of it is checked.
    Inspect(Token),
    /// Check a token's signature, issuer and times against trusted keys.
    Check(Check),
    /// Draw a token as a QR code.
    Qr(Qr),
}

/// A token in its text form.
#[derive(Debug, Args)]
pub(crate) struct Token {
    /// The text, `MICQ1:…`, `MICG1:…` or `MICP1:…`; `-` reads standard input.
    token: String,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

/// A token and what to check it against.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    token: Token,
    /// The trust file: key records as `mic node` uses them.
    #[arg(long)]
    trust: PathBuf,
    /// The moment of the check (RFC 3339); by default now.
    #[arg(long)]
    at: Option<DateTime<Utc>>,
}

/// A token and where to draw it.
#[derive(Debug, Args)]
pub(crate) struct Qr {
    /// The text; `-` reads standard input.
    token: String,
    /// Write a PNG file instead of drawing on the terminal.
    #[arg(long)]
    png: Option<PathBuf>,
    /// Pixels a module in the PNG file.
    #[arg(long, default_value_t = 6)]
    scale: u32,
}

pub(crate) fn run(command: Command) -> Result<ExitCode, Problem> {
    match command {
        Command::Inspect(token) => inspect(&token),
        Command::Check(check) => verdict(&check),
        Command::Qr(qr) => draw(&qr),
    }
}

#[derive(Serialize)]
struct Outer {
    checked: bool,
    r#type: &'static str,
    suite: &'static str,
    key_id: String,
    bytes: usize,
    characters: usize,
}

fn inspect(token: &Token) -> Result<ExitCode, Problem> {
    let encoded = decode(&token.token)?;
    let outer = Outer {
        checked: false,
        r#type: encoded.token_type().name(),
        suite: encoded.suite().name(),
        key_id: encoded.key_id().to_string(),
        bytes: encoded.as_bytes().len(),
        characters: encoded.to_text().len(),
    };
    if token.json {
        output::json_line(&outer)?;
    } else {
        say!("UNCHECKED: anyone can have written this token")?;
        say!("type      {}", outer.r#type)?;
        say!("suite     {}", outer.suite)?;
        say!("key       {}", outer.key_id)?;
        say!(
            "size      {} bytes, {} characters",
            outer.bytes,
            outer.characters
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Verdict {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    message: String,
}

fn verdict(check: &Check) -> Result<ExitCode, Problem> {
    let ring = ring(&check.trust)?;
    let policy = consent::policy()?;
    let checker = Checker::new(&ring, &policy);
    let at = check.at.unwrap_or_else(Utc::now);
    let verdict = match judge(&check.token.token, &checker, at) {
        Ok(message) => Verdict {
            ok: true,
            step: None,
            code: None,
            reason: None,
            message,
        },
        Err(denial) => Verdict {
            ok: false,
            step: Some(denial.step().number()),
            code: Some(denial.number()),
            reason: Some(denial.reason().name()),
            message: format!(
                "{} (number {}, step {}): {}",
                denial.reason().name(),
                denial.number(),
                denial.step().number(),
                denial.english()
            ),
        },
    };
    if check.token.json {
        output::json_line(&verdict)?;
    } else if verdict.ok {
        say!("{}", verdict.message)?;
    } else {
        eprintln!("mic: {}", verdict.message);
    }
    Ok(ExitCode::from(u8::from(!verdict.ok)))
}

fn judge(text: &str, checker: &Checker<'_>, at: DateTime<Utc>) -> Result<String, Denial> {
    let encoded = Encoded::from_text(&read(text).unwrap_or_default())?;
    match encoded.token_type() {
        TokenType::Grant => {
            let grant = encoded.untrusted::<Grant>()?.verify(checker)?;
            let live = grant.live(checker, at, &NotAsked)?;
            let claims = live.claims();
            Ok(format!(
                "grant to {} until {}: holds; withdrawal was not asked for (the command is offline)",
                claims.organisation(),
                claims.expires_at().to_rfc3339()
            ))
        }
        TokenType::Proof => {
            let proof = encoded.untrusted::<Proof>()?.verify(checker)?;
            Ok(format!(
                "proof of use by {}: signature holds",
                proof.claims().organisation()
            ))
        }
        TokenType::Request => {
            let request = encoded.untrusted::<Request>()?.verify(checker)?;
            let live = request.live(checker, at)?;
            let claims = live.claims();
            Ok(format!(
                "request of {} for {} until {}: holds",
                claims.organisation(),
                claims.purpose().english(),
                claims.expires_at().to_rfc3339()
            ))
        }
        // The others say nothing about one consented access by themselves.
        _ => Err(encoded
            .untrusted::<Request>()
            .map_or_else(|denial| denial, |_| Reason::OtherType.into())),
    }
}

/// The command has no line to an authority; its answer says so.
struct NotAsked;

impl StatusSource for NotAsked {
    fn status(&self, _: &KeyId, _: StatusRef, _: DateTime<Utc>) -> Status {
        Status::Valid
    }
}

fn draw(qr: &Qr) -> Result<ExitCode, Problem> {
    let odd = |e: &dyn core::fmt::Display| Problem::data("consent.qr", e);
    let encoded = decode(&qr.token)?;
    let picture = QrPicture::from_text(&encoded.to_text()).map_err(|e| odd(&e))?;
    match &qr.png {
        Some(path) => {
            let png = picture
                .png(qr.scale, QrPicture::QUIET_ZONE)
                .map_err(|e| odd(&e))?;
            std::fs::write(path, png)
                .map_err(|e| Problem::usage("consent.png", format!("{}: {e}", path.display())))?;
            say!("{}: version {}-M", path.display(), picture.version())?;
        }
        None => say!(
            "{}",
            picture
                .terminal(QrPicture::QUIET_ZONE)
                .map_err(|e| odd(&e))?
        )?,
    }
    Ok(ExitCode::SUCCESS)
}

fn decode(text: &str) -> Result<Encoded, Problem> {
    Encoded::from_text(&read(text)?).map_err(|denial| consent::problem(&denial))
}

fn read(text: &str) -> Result<String, Problem> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    Ok(std::io::read_to_string(std::io::stdin())?
        .trim_end()
        .to_owned())
}

#[derive(Deserialize)]
struct TrustRow {
    record: KeyRecord,
}

fn ring(path: &Path) -> Result<KeyRing, Problem> {
    let odd = |e: &dyn core::fmt::Display| {
        Problem::usage("consent.trust", format!("{}: {e}", path.display()))
    };
    let text = std::fs::read(path).map_err(|e| odd(&e))?;
    let rows: Vec<TrustRow> = serde_json::from_slice(&text).map_err(|e| odd(&e))?;
    KeyRing::from_records(rows.into_iter().map(|row| row.record)).map_err(|e| odd(&e))
}
