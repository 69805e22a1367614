//! Texts from the command line, or line by line from standard input.

use std::io::{self, BufRead, BufReader, Read};

use mic_platform::problem::Problem;

/// Bytes read at a time.
const BUFFER_LEN: usize = 256 * 1024;

/// Bytes of a line that are looked at. What is beyond is no code anyway and is passed over.
const LINE_LEN_MAX: usize = 64 * 1024;

/// Whether the only argument is `-`.
pub(super) fn is_stdin(texts: &[String]) -> bool {
    texts == ["-"]
}

/// Gives each text to `each`, with its number from one on. A line of standard input may be empty or no
/// UTF-8; its line end is taken away.
pub(super) fn each(
    texts: &[String],
    mut each: impl FnMut(u64, &[u8]) -> Result<(), Problem>,
) -> Result<(), Problem> {
    if !is_stdin(texts) {
        for (number, text) in (1..).zip(texts) {
            each(number, text.as_bytes())?;
        }
        return Ok(());
    }
    let mut input = BufReader::with_capacity(BUFFER_LEN, io::stdin().lock());
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        (&mut input)
            .take(LINE_LEN_MAX as u64)
            .read_until(b'\n', &mut line)?;
        if line.is_empty() {
            break;
        }
        if line.pop_if(|last| *last == b'\n').is_none() && line.len() == LINE_LEN_MAX {
            input.skip_until(b'\n')?;
        }
        line.pop_if(|last| *last == b'\r');
        each(number, &line)?;
    }
    Ok(())
}
