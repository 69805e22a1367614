//! The four roles of the platform as one program: hospital front-end machine (前置机), province,
//! nation and consent authority.
//!
//! A node is started with a role, a folder for its state and the addresses of the nodes it talks to.
//! It binds its doors to free ports unless told otherwise, prints one line of JSON when it is ready
//! ([`Ready`]), and stops when its standard input ends, so that it never outlives the program that
//! started it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mic_index::StorageUnitCode;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::trust::Trust;

pub mod authority;
pub mod hospital;
pub mod nation;
pub mod province;
pub(crate) mod server;
pub(crate) mod status;

/// What a node is in the imaging cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The front-end machine of the hospital in which the patient is seen (前置机).
    Hospital,
    /// The province that keeps and serves the images.
    Province,
    /// The national index of all exams, with the insurer's desk.
    Nation,
    /// The authority that records the patient's consent.
    Authority,
}

impl Role {
    /// All roles in the order in which a scene starts them.
    pub const ALL: [Self; 4] = [
        Self::Authority,
        Self::Nation,
        Self::Province,
        Self::Hospital,
    ];

    /// The role's name in lower case, as in the file system and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hospital => "hospital",
            Self::Province => "province",
            Self::Nation => "nation",
            Self::Authority => "authority",
        }
    }
}

impl core::fmt::Display for Role {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

impl core::str::FromStr for Role {
    type Err = Problem;

    fn from_str(name: &str) -> Result<Self, Problem> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or_else(|| {
                Problem::usage(
                    "node.role",
                    format!("expected hospital, province, nation or authority, found {name:?}"),
                )
            })
    }
}

/// How a node is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the node is.
    pub role: Role,
    /// Where it keeps its state; made if absent. Holds `key.json` and `trust.json`.
    pub state: PathBuf,
    /// Where its HTTP door listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where its transfer door listens (province only); port 0 takes a free one.
    pub listen_transfer: SocketAddr,
    /// 统一社会信用代码 of the unit that stores the images (province only): part 5 of its index codes.
    pub storage_unit: Option<StorageUnitCode>,
    /// The HTTP doors of the nodes it talks to.
    pub peers: BTreeMap<Role, String>,
}

/// The line a node prints on standard output once its doors are open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// What the node is.
    pub role: Role,
    /// Its process.
    pub pid: u32,
    /// Its HTTP door.
    pub http: SocketAddr,
    /// Its transfer door, where it has one.
    pub transfer: Option<SocketAddr>,
}

/// What every role holds: its options, its keys and whom it trusts.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) options: Options,
    pub(crate) trust: Trust,
}

impl Context {
    /// The HTTP door of the node with this role.
    pub(crate) fn peer(&self, role: Role) -> Result<&str, Problem> {
        self.options
            .peers
            .get(&role)
            .map(String::as_str)
            .ok_or_else(|| {
                Problem::usage(
                    "node.peer",
                    format!(
                        "this {} was started without --peer {role}=URL",
                        self.options.role
                    ),
                )
            })
    }
}

/// Runs a node until its standard input ends.
///
/// # Errors
///
/// A state folder that cannot be used, keys that do not load, an address that is taken.
pub fn run(options: Options) -> Result<(), Problem> {
    std::fs::create_dir_all(&options.state)
        .map_err(|e| Problem::from(e).at(options.state.display()))?;
    let _sole = sole_user(&options.state)?;
    let trust = Trust::load(&options.state)?;
    let listener = TcpListener::bind(options.listen)
        .map_err(|e| Problem::from(e).at(format!("http door {}", options.listen)))?;
    let role = options.role;
    let http = listener.local_addr()?;
    let context = Arc::new(Context { options, trust });
    let (router, transfer) = match role {
        Role::Authority => (authority::open(&context)?, None),
        Role::Nation => (nation::open(&context)?, None),
        Role::Province => {
            let (router, transfer) = province::open(&context)?;
            (router, Some(transfer))
        }
        Role::Hospital => (hospital::open(&context)?, None),
    };
    announce(&Ready {
        role,
        pid: std::process::id(),
        http,
        transfer,
    })?;
    server::serve(listener, router, stdin_ends)
}

/// Makes sure that no other process uses the state; held as long as the file is.
pub(crate) fn sole_user(state: &Path) -> Result<File, Problem> {
    let path = state.join("lock");
    let file = File::create(&path).map_err(|e| Problem::from(e).at(path.display()))?;
    file.try_lock().map_err(|_| {
        Problem::usage("state.in_use", "another process uses this state").at(state.display())
    })?;
    Ok(file)
}

/// Prints the ready line; the only thing a node writes to standard output.
#[expect(
    clippy::print_stdout,
    reason = "the ready line is the node's one output"
)]
fn announce(ready: &Ready) -> Result<(), Problem> {
    println!("{}", serde_json::to_string(ready)?);
    std::io::stdout().flush()?;
    Ok(())
}

/// Returns when standard input ends: the parent has closed it or is gone.
fn stdin_ends() {
    let mut sink = [0; 64];
    let mut stdin = std::io::stdin().lock();
    while matches!(stdin.read(&mut sink), Ok(n) if n > 0) {}
}
