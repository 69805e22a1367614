//! The contestants: how each is started, what its client is, how its bytes are compared.

mod dcmtk;
mod http;
mod mic;
mod orthanc;
mod quic;
mod raw;
mod rsync;

use std::path::PathBuf;

pub use http::nginx;
pub use mic::{
    Carrier, Coding, Manner, archive, dial, give, manner, pull as mic_pull, serve as mic_serve,
};
pub use raw::{get as raw_get, serve as raw_serve, share};

use crate::lab::Side;
use crate::measure::Run;

/// A command on a host.
#[derive(Debug, Clone)]
pub struct Client {
    /// Where.
    pub side: Side,
    /// Program and arguments.
    pub words: Vec<String>,
    /// Variables of its environment.
    pub variables: Vec<(&'static str, &'static str)>,
}

impl Client {
    /// A command.
    pub fn new(side: Side, words: Vec<String>) -> Self {
        Self {
            side,
            words,
            variables: Vec::new(),
        }
    }
}

/// How the first complete instance is noticed.
#[derive(Debug, Clone, Default)]
pub enum First {
    /// It can't be.
    #[default]
    Unseen,
    /// A file of so many bytes is in the folder.
    File {
        /// The folder, any depth.
        folder: PathBuf,
        /// The bytes of an instance.
        bytes: u64,
    },
    /// The client says so on a line.
    Told,
}

/// What the run has left at the hospital.
#[derive(Debug, Clone, Default)]
pub enum Delivered {
    /// Nothing that can be compared.
    #[default]
    Nothing,
    /// DICOM files, as they were.
    Files(PathBuf),
    /// DICOM files whose meta group was written anew: the data sets are as they were.
    DataSets(PathBuf),
    /// A tar of the files.
    Tar(PathBuf),
    /// A multipart answer of whole files.
    Multipart(PathBuf),
    /// Shares of the plain copy.
    Shares {
        /// Their folder.
        folder: PathBuf,
        /// How many.
        count: usize,
    },
    /// A store of ours.
    Store(PathBuf),
}

/// What is run and looked at.
#[derive(Debug, Default)]
pub struct Plan {
    /// Started together; the time runs until all have ended.
    pub clients: Vec<Client>,
    /// How the first instance is noticed.
    pub first: First,
    /// What is compared.
    pub delivered: Delivered,
    /// After the clients: an address that answers with a number of instances, and the number to wait for. The time
    /// runs on.
    pub until: Option<(String, usize)>,
}

/// A contestant.
pub trait Peer {
    /// Its name in rows and on the command line.
    fn name(&self) -> String;
    /// What it is, for the table.
    fn what(&self) -> String;
    /// Programs that must be there.
    fn needs(&self) -> Vec<PathBuf> {
        Vec::new()
    }
    /// Starts its servers and prepares its sides; not timed.
    fn start(&self, run: &mut Run<'_>) -> anyhow::Result<Plan>;
}

/// All contestants, in the table's order.
pub fn all() -> Vec<Box<dyn Peer>> {
    let mut all: Vec<Box<dyn Peer>> = Vec::new();
    for count in [1, 4, 8] {
        all.push(Box::new(raw::Raw(count)));
    }
    all.extend(mic::all());
    all.extend(dcmtk::all());
    all.extend(orthanc::all());
    all.extend(http::all());
    all.extend(rsync::all());
    all.extend(quic::all());
    all
}

/// Words as they are owned.
pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
