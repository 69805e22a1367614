//! `mic consent inspect` and `qr`: to look at a token, and to draw it. Nothing is checked here.

use std::path::PathBuf;

use clap::Args;
use mic_consent::QrPicture;
use mic_platform::problem::Problem;

use super::common::Common;
use super::files::{self, Readers};
use super::outcome::{Done, Failure};

/// A token to look at.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The token: text, file or `-`.
    token: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A token and where to draw it.
#[derive(Debug, Args)]
pub(crate) struct Qr {
    /// The token: text, file or `-`.
    token: String,
    /// Write a PNG file instead of drawing on the terminal.
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Write an SVG file.
    #[arg(long, value_name = "FILE", conflicts_with = "png")]
    svg: Option<PathBuf>,
    /// Pixels a module in the PNG file.
    #[arg(long, default_value_t = 6)]
    scale: u32,
    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) fn inspect(inspect: &Inspect) -> Result<Done, Failure> {
    let token = files::token(&inspect.token)?;
    let kind = token.token_type();
    Ok(Done::new()
        .json("checked", false)
        .row("warning", "UNCHECKED: anyone can have written this token")
        .row("type", kind.name())
        .row("signed in role", kind.role().name())
        .row("suite", token.suite().name())
        .row("key id", token.key_id().to_string())
        .row("bytes", token.as_bytes().len())
        .row("characters", token.to_text().len())
        .note("what it claims can be read when its signature is checked (`mic consent check`)"))
}

pub(crate) fn qr(qr: &Qr) -> Result<Done, Failure> {
    let odd = |e: &dyn core::fmt::Display| Failure::from(Problem::data("consent.qr", e));
    let token = files::token(&qr.token)?;
    let text = token.to_text();
    let picture = QrPicture::from_text(&text).map_err(|e| odd(&e))?;
    let done = Done::new()
        .json("type", token.token_type().name())
        .json("characters", text.len())
        .json("modules", picture.modules());
    let (path, bytes) = match (&qr.png, &qr.svg) {
        (Some(path), _) => {
            let png = picture.png(qr.scale, QrPicture::QUIET_ZONE);
            (path, png.map_err(|e| odd(&e))?)
        }
        (None, Some(path)) => {
            let svg = picture.svg(QrPicture::QUIET_ZONE).map_err(|e| odd(&e))?;
            (path, svg.into_bytes())
        }
        (None, None) => {
            let drawn = picture.terminal(QrPicture::QUIET_ZONE);
            return Ok(done
                .json("version", picture.version())
                .json("level", "M")
                .note(drawn.map_err(|e| odd(&e))?));
        }
    };
    files::write_new(path, &bytes, Readers::Everybody)?;
    Ok(done
        .row("version", picture.version())
        .row("level", "M")
        .row("written", path.display().to_string()))
}
