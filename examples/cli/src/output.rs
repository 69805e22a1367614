//! How results are printed. Who reads may stop reading (`mic … | head`): that ends the program quietly.

use std::io::{ErrorKind, Write};

use mic_platform::problem::Problem;
use serde::Serialize;

/// Prints a line for people.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::output::line(format_args!($($text)*))
    };
}
pub(crate) use say;

/// Prints `value` as one JSON document.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Problem> {
    line(format_args!("{}", serde_json::to_string_pretty(value)?))
}

/// Prints `value` as one line of JSON.
pub(crate) fn json_line(value: &impl Serialize) -> Result<(), Problem> {
    line(format_args!("{}", serde_json::to_string(value)?))
}

/// Prints one line.
pub(crate) fn line(text: core::fmt::Arguments<'_>) -> Result<(), Problem> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        done => Ok(done?),
    }
}
