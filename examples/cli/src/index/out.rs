//! Standard output, many lines at a time unless a person watches.

use std::fmt::Arguments;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};

use mic_platform::problem::Problem;
use serde::Serialize;

/// Bytes gathered before they are written.
const BUFFER_LEN: usize = 64 * 1024;

/// Standard output. Who reads may stop reading (`mic … | head`): that ends the program quietly.
pub(super) struct Out {
    out: BufWriter<StdoutLock<'static>>,
    /// Someone types and waits for the answer of each line.
    at_once: bool,
}

impl Out {
    pub(super) fn new() -> Self {
        Self {
            out: BufWriter::with_capacity(BUFFER_LEN, io::stdout().lock()),
            at_once: io::stdout().is_terminal() || io::stdin().is_terminal(),
        }
    }

    /// Prints one line.
    pub(super) fn line(&mut self, text: Arguments<'_>) -> Result<(), Problem> {
        self.write(|out| {
            out.write_fmt(text)?;
            out.write_all(b"\n")
        })
    }

    /// Prints `value` as one line of JSON.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), Problem> {
        self.write(|out| {
            serde_json::to_writer(&mut *out, value)?;
            out.write_all(b"\n")
        })
    }

    /// Writes what was gathered.
    pub(super) fn flush(&mut self) -> Result<(), Problem> {
        self.write(|out| out.flush())
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>,
    ) -> Result<(), Problem> {
        let done = write(&mut self.out).and_then(|()| {
            if self.at_once {
                self.out.flush()
            } else {
                Ok(())
            }
        });
        match done {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
            done => Ok(done?),
        }
    }
}
