//! How results are printed.

use mic_platform::problem::Problem;
use serde::Serialize;

/// Prints `value` as one JSON document.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Problem> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints `value` as one line of JSON.
pub(crate) fn json_line(value: &impl Serialize) -> Result<(), Problem> {
    println!("{}", serde_json::to_string(value)?);
    Ok(())
}
