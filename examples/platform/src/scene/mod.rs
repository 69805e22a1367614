//! The scene: a patient from Yan'an before a doctor in Beijing, played through the nodes' doors.
//!
//! Four processes run the roles; this module plays the people and systems around them (the examining
//! hospital's archive, the registration desk, the patient's phone, the doctor, the insurer's clerk)
//! and speaks to the nodes only over their sockets. All persons and institutions are made up.

use std::path::PathBuf;

mod cast;
mod folder;
mod launch;
mod phone;
mod play;
mod progress;
mod report;
mod source;
mod take_in;

pub use cast::{PATIENT, YANAN_HOSPITAL as SOURCE_HOSPITAL};
pub use folder::Folder;
pub use launch::{Cloud, Process};
pub use play::{play, provision};
pub use report::{Bill, Proven, Report, Step, Study};
pub use take_in::{PassedOver, TakenIn};

pub use crate::node::nation::desk::{LineText, Posted, VisitText};

/// The language of what people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Chinese (简体中文).
    Zh,
}

impl Lang {
    /// The language the environment asks for: Chinese if `LC_ALL`, `LC_MESSAGES` or `LANG` names it.
    #[must_use]
    pub fn of_environment() -> Self {
        let asked = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty());
        match asked {
            Some(value) if value.starts_with("zh") => Self::Zh,
            _ => Self::En,
        }
    }

    /// The text in this language.
    #[must_use]
    pub fn pick<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }
}

/// How a scene is played.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program that runs a node when called as `PROGRAM node ROLE …`.
    pub program: PathBuf,
    /// Where the nodes keep their state.
    pub state: PathBuf,
    /// Where the pictures go.
    pub pictures: PathBuf,
    /// Folder of DICOM files; without it the made head CT.
    pub studies: Option<PathBuf>,
    /// Slices of the made head CT.
    pub slices: u16,
    /// Seed of the made head CT.
    pub seed: u64,
    /// Language of titles and texts.
    pub lang: Lang,
    /// Whether to show progress and texts while it goes.
    pub talk: bool,
}
