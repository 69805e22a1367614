//! Layers from TOML, with the line of every fault.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use toml::de::{DeTable, DeValue};

use super::{
    error::{BookError, BookErrorKind},
    layer::{FILE_BYTES_MAX, Layer},
};

impl Layer {
    /// Reads a layer from TOML. What it says is checked later, by [`Book::load`](crate::Book::load);
    /// here only form and types are.
    ///
    /// ```
    /// use mic_billing::Layer;
    ///
    /// let error = Layer::from_toml("format = \"mic-billing-book/1\"\nlevel = \"village\"").unwrap_err();
    /// assert_eq!(error.line(), Some(2));
    /// ```
    ///
    /// # Errors
    /// [`BookErrorKind::Syntax`] with its line.
    pub fn from_toml(text: &str) -> Result<Self, BookError> {
        if text.len() > FILE_BYTES_MAX {
            let message = "expected a file of at most 1 MiB".to_string();
            return Err(BookError::of_text(
                "",
                None,
                BookErrorKind::Syntax { message },
            ));
        }
        let mut layer: Self = ::toml::from_str(text).map_err(|error| syntax(text, &error))?;
        let table = DeTable::parse(text).map_err(|error| syntax(text, &error))?;
        let newlines = Newlines::of(text);
        places(table.get_ref(), "", &newlines, &mut layer.lines);
        Ok(layer)
    }
}

fn syntax(text: &str, error: &::toml::de::Error) -> BookError {
    let line = error.span().map(|span| Newlines::of(text).line(span.start));
    let message = error.message().to_string();
    BookError::of_text("", line, BookErrorKind::Syntax { message })
}

/// The byte of every line end, so that a line is found by search: a file may have many keys.
struct Newlines(Vec<usize>);

impl Newlines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The line of a byte, from one.
    fn line(&self, at: usize) -> u32 {
        let before = self.0.partition_point(|end| *end < at);
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// Notes the line of every key.
fn places(table: &DeTable<'_>, prefix: &str, text: &Newlines, lines: &mut BTreeMap<String, u32>) {
    for (key, value) in table {
        let path = if prefix.is_empty() {
            key.get_ref().to_string()
        } else {
            alloc::format!("{prefix}.{}", key.get_ref())
        };
        lines.insert(path.clone(), text.line(key.span().start));
        place(value.get_ref(), &path, text, lines);
    }
}

fn place(value: &DeValue<'_>, path: &str, text: &Newlines, lines: &mut BTreeMap<String, u32>) {
    match value {
        DeValue::Table(table) => places(table, path, text, lines),
        DeValue::Array(array) => {
            for (at, item) in array.iter().enumerate() {
                let path = alloc::format!("{path}[{at}]");
                lines.insert(path.clone(), text.line(item.span().start));
                place(item.get_ref(), &path, text, lines);
            }
        }
        _ => {}
    }
}
