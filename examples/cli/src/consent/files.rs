//! Files of `mic consent`: tokens, one a line; secrets that only their owner reads; nothing overwritten.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use mic_consent::{Encoded, Reason, TokenKind, TokenType, Untrusted};
use mic_platform::problem::Problem;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::outcome::Failure;

/// Bytes that are read of any file: a key set is the largest thing there is.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn read(name: &str) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let odd = |e: std::io::Error| Problem::usage("consent.file", format!("{name}: {e}"));
    let mut bytes = Zeroizing::new(Vec::new());
    let source: &mut dyn std::io::Read = match name {
        "-" => &mut std::io::stdin().lock(),
        _ => &mut File::open(name).map_err(odd)?,
    };
    source
        .take(FILE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(odd)?;
    Ok(bytes)
}

/// Codes of persons and records come from files alone: a command line is seen by everybody on the machine.
pub(crate) fn secret_line(name: &str, what: &str) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut lines = secret_lines(name, what)?;
    match (lines.pop(), lines.is_empty()) {
        (Some(line), true) => Ok(line),
        _ => Err(Problem::data(
            "consent.file",
            format!("{name}: expected one line with {what}"),
        )),
    }
}

/// The lines of a file that are not empty.
pub(crate) fn secret_lines(name: &str, what: &str) -> Result<Vec<Zeroizing<Vec<u8>>>, Problem> {
    let bytes = read(name)?;
    let lines: Vec<_> = bytes
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
        .map(|line| Zeroizing::new(line.to_vec()))
        .collect();
    match lines.is_empty() {
        true => Err(Problem::data(
            "consent.file",
            format!("{name}: expected {what}, found an empty file"),
        )),
        false => Ok(lines),
    }
}

/// Whether it is a token's text and not the name of a file.
fn is_text(name: &str) -> bool {
    name.get(..6).is_some_and(|prefix| {
        TokenType::from_prefix(prefix).is_some()
            || (prefix.starts_with("MIC") && prefix.ends_with(':'))
    })
}

/// A token: its text, the name of a file that holds it as text or bytes, or `-`.
pub(crate) fn token(name: &str) -> Result<Encoded, Failure> {
    if is_text(name) {
        return Ok(Encoded::from_text(name)?);
    }
    decode(&read(name)?)
}

/// A token of one type.
pub(crate) fn token_of<T: TokenKind>(name: &str) -> Result<Untrusted<T>, Failure> {
    Ok(token(name)?.untrusted()?)
}

/// Whether it begins as a COSE_Sign1 does, and no text.
fn is_bytes(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0xd2)
}

/// Blanks are characters of base45, so that only the end of the line is taken off.
fn decode(bytes: &[u8]) -> Result<Encoded, Failure> {
    if is_bytes(bytes) {
        return Ok(match Encoded::document_from_bytes(bytes) {
            Err(denial) if denial.reason() == Reason::OtherType => Encoded::from_bytes(bytes)?,
            document => document?,
        });
    }
    let text = core::str::from_utf8(bytes).unwrap_or_default();
    Ok(Encoded::from_text(text.trim_end_matches(['\n', '\r']))?)
}

/// One entry of a file: where it stands, what a node noted beside it, and the token.
pub(crate) struct Entry {
    pub(crate) line: usize,
    /// Node and moment, in a file of what was heard.
    pub(crate) noted: Option<(String, String)>,
    pub(crate) token: Result<Encoded, Failure>,
}

/// All tokens of a file: one document, or one token a line, each perhaps behind a node and a moment.
pub(crate) fn entries(name: &str) -> Result<Vec<Entry>, Problem> {
    if is_text(name) {
        return Ok(vec![entry(1, name)]);
    }
    let bytes = read(name)?;
    if is_bytes(&bytes) {
        return Ok(vec![Entry {
            line: 1,
            noted: None,
            token: decode(&bytes),
        }]);
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().enumerate();
    Ok(lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(n, line)| entry(n + 1, line))
        .collect())
}

fn entry(line: usize, text: &str) -> Entry {
    let mut parts = text.splitn(3, ' ');
    let noted = match (parts.next(), parts.next(), parts.next()) {
        (Some(node), Some(at), Some(token)) if !is_text(text) && is_text(token) => {
            Some((node.to_owned(), at.to_owned(), token))
        }
        _ => None,
    };
    let token = noted.as_ref().map_or(text, |(_, _, token)| token);
    Entry {
        line,
        token: Encoded::from_text(token).map_err(Failure::from),
        noted: noted.map(|(node, at, _)| (node, at)),
    }
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    Everybody,
    Owner,
}

/// A file that is there stays as it is.
pub(crate) fn must_be_new(path: Option<&Path>) -> Result<(), Problem> {
    match path {
        Some(path) if path.exists() => Err(is_there(path)),
        _ => Ok(()),
    }
}

fn is_there(path: &Path) -> Problem {
    let why = format!(
        "{}: is there already and is not overwritten",
        path.display()
    );
    Problem::usage("consent.file", why)
}

/// Writes a new file; one that is there stays as it is.
pub(crate) fn write_new(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Problem> {
    let odd = |e: std::io::Error| match e.kind() {
        ErrorKind::AlreadyExists => is_there(path),
        _ => Problem::usage("consent.file", format!("{}: {e}", path.display())),
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut file = restrict(&mut options, readers).open(path).map_err(odd)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(odd)
}

/// The options with the rights of a new file.
#[cfg(unix)]
pub(crate) fn restrict(options: &mut OpenOptions, readers: Readers) -> &OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(match readers {
        Readers::Owner => 0o600,
        Readers::Everybody => 0o644,
    })
}

/// The options as they are: the system has no such rights.
#[cfg(not(unix))]
pub(crate) fn restrict(options: &mut OpenOptions, _: Readers) -> &OpenOptions {
    options
}

/// Adds a line to a file and has it on the disk before it returns; one process at a time.
pub(crate) fn append_line(path: &Path, line: &str) -> Result<(), Problem> {
    let odd =
        |e: std::io::Error| Problem::system("consent.file", format!("{}: {e}", path.display()));
    let mut file = open_shared(path, Readers::Everybody)?;
    file.write_all(format!("{line}\n").as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(odd)
}

/// Opens a file to read and to add to, made if it is not there, and waits until no other process has it.
pub(crate) fn open_shared(path: &Path, readers: Readers) -> Result<File, Problem> {
    let odd =
        |e: std::io::Error| Problem::usage("consent.file", format!("{}: {e}", path.display()));
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    let file = restrict(&mut options, readers).open(path).map_err(odd)?;
    file.lock().map_err(odd)?;
    Ok(file)
}

/// Text that is wiped from memory and not shown.
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The 32 bytes that it is in hexadecimal.
    pub(crate) fn bytes(&self) -> Option<Zeroizing<[u8; 32]>> {
        hex32(self.0.as_bytes())
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// 32 bytes from 64 hexadecimal digits.
pub(crate) fn hex32(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(hex::decode(text).ok()?);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}
