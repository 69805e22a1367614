//! The books that come with the crate, each fact with its document.
//!
//! The files are in `books/`. What the public facts don't say is an assumption there, marked
//! `verified = false`, and a province changes it by stating the fact in its own layer.

use crate::book::{BookError, Layer};

/// The nation: price of 5 yuan, retention of 15 and 30 years, and the working assumptions that a
/// region may override. It can't be loaded alone.
///
/// ```
/// assert_eq!(mic_billing::books::national()?.id(), "nation");
/// # Ok::<(), mic_billing::BookError>(())
/// ```
///
/// # Errors
/// None as long as the shipped file is whole, which a test checks.
pub fn national() -> Result<Layer, BookError> {
    Layer::from_toml(include_str!("../books/nation.toml"))
}

/// Guangdong (广东省): the price notice of 2025; the exam concerned is reduced by 5 yuan.
///
/// ```
/// assert_eq!(mic_billing::books::guangdong()?.region(), "440000");
/// # Ok::<(), mic_billing::BookError>(())
/// ```
///
/// # Errors
/// None as long as the shipped file is whole, which a test checks.
pub fn guangdong() -> Result<Layer, BookError> {
    Layer::from_toml(include_str!("../books/guangdong.toml"))
}

/// Shenzhen (深圳市): 5 yuan are deducted per case whose index is not uploaded in compliance.
///
/// ```
/// assert_eq!(mic_billing::books::shenzhen()?.region(), "440300");
/// # Ok::<(), mic_billing::BookError>(())
/// ```
///
/// # Errors
/// None as long as the shipped file is whole, which a test checks.
pub fn shenzhen() -> Result<Layer, BookError> {
    Layer::from_toml(include_str!("../books/shenzhen.toml"))
}

/// A made-up region with a separate item, to show the other sign of the 5 yuan. No document
/// stands behind it.
///
/// ```
/// assert!(mic_billing::books::fictional_separate_item()?.is_fictional());
/// # Ok::<(), mic_billing::BookError>(())
/// ```
///
/// # Errors
/// None as long as the shipped file is whole, which a test checks.
pub fn fictional_separate_item() -> Result<Layer, BookError> {
    Layer::from_toml(include_str!("../books/fictional-separate-item.toml"))
}
