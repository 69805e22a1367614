//! Layers from JSON, with the line of every fault.

use alloc::{
    borrow::ToOwned,
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{tag, take, take_while, take_while1},
    character::complete::char,
    combinator::{recognize, value},
    multi::many0_count,
    sequence::{delimited, preceded},
};

use super::{
    error::{BookError, BookErrorKind},
    layer::{FILE_BYTES_MAX, Layer},
};

impl Layer {
    /// Reads a layer from JSON, as [`Layer::from_toml`](Self::from_toml) does from TOML: faults
    /// have their lines. (serde reads the same, without lines.)
    ///
    /// ```
    /// use mic_billing::Layer;
    ///
    /// let error = Layer::from_json("{ \"format\": \"mic-billing-book/1\",\n  \"level\": \"village\" }").unwrap_err();
    /// assert_eq!(error.line(), Some(2));
    /// ```
    ///
    /// # Errors
    /// [`BookErrorKind::Syntax`] with its line.
    pub fn from_json(text: &str) -> Result<Self, BookError> {
        let fault = |line, message: &str| {
            let message = message.to_owned();
            BookError::of_text("", line, BookErrorKind::Syntax { message })
        };
        if text.len() > FILE_BYTES_MAX {
            return Err(fault(None, "expected a file of at most 1 MiB"));
        }
        let mut layer: Self = serde_json::from_str(text).map_err(|error| {
            let whole = error.to_string();
            // serde_json puts the place behind the message; the line is told apart.
            let message = whole.rsplit_once(" at line ").map_or(&*whole, |cut| cut.0);
            fault(u32::try_from(error.line()).ok(), message)
        })?;
        let mut places = Places {
            newlines: text.match_indices('\n').map(|(at, _)| at).collect(),
            len: text.len(),
            lines: BTreeMap::new(),
        };
        // It is JSON, so this reads it to the end; a line that were missing would be a line untold.
        let _ = places.value(text, "");
        layer.lines = places.lines;
        Ok(layer)
    }
}

/// Notes the line of every key and element.
struct Places {
    newlines: Vec<usize>,
    len: usize,
    lines: BTreeMap<String, u32>,
}

impl Places {
    fn note(&mut self, path: &str, rest: &str) {
        let at = self.len.saturating_sub(rest.len());
        let before = self.newlines.partition_point(|end| *end < at);
        let line = u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1);
        self.lines.insert(path.to_owned(), line);
    }

    /// `value = object / array / string / other`; serde_json has bounded the depth.
    fn value<'a>(&mut self, input: &'a str, path: &str) -> IResult<&'a str, ()> {
        let (rest, _) = blank(input)?;
        let (rest, ()) = match rest.chars().next() {
            Some('{') => self.object(rest, path)?,
            Some('[') => self.array(rest, path)?,
            Some('"') => value((), string).parse(rest)?,
            _ => value((), take_while1(|c| !",]} \t\r\n".contains(c))).parse(rest)?,
        };
        value((), blank).parse(rest)
    }

    /// `object = "{" [ string ":" value *( "," string ":" value ) ] "}"`
    fn object<'a>(&mut self, input: &'a str, path: &str) -> IResult<&'a str, ()> {
        let (mut rest, _) = (char('{'), blank).parse(input)?;
        while !rest.starts_with('}') {
            let (after, key) = string(rest)?;
            let path = if path.is_empty() {
                key.to_owned()
            } else {
                alloc::format!("{path}.{key}")
            };
            self.note(&path, rest);
            let (after, _) = (blank, char(':')).parse(after)?;
            (rest, ()) = self.value(after, &path)?;
            rest = rest.strip_prefix(',').unwrap_or(rest);
            (rest, _) = blank(rest)?;
        }
        value((), char('}')).parse(rest)
    }

    /// `array = "[" [ value *( "," value ) ] "]"`
    fn array<'a>(&mut self, input: &'a str, path: &str) -> IResult<&'a str, ()> {
        let (mut rest, _) = (char('['), blank).parse(input)?;
        let mut at = 0_usize;
        while !rest.starts_with(']') {
            let path = alloc::format!("{path}[{at}]");
            self.note(&path, rest);
            (rest, ()) = self.value(rest, &path)?;
            rest = rest.strip_prefix(',').unwrap_or(rest);
            (rest, _) = blank(rest)?;
            at = at.saturating_add(1);
        }
        value((), char(']')).parse(rest)
    }
}

fn blank(input: &str) -> IResult<&str, &str> {
    take_while(|c| " \t\r\n".contains(c)).parse(input)
}

/// The text between the quotes, as it is written: the names of a book have no escapes.
fn string(input: &str) -> IResult<&str, &str> {
    let escape = preceded(char('\\'), take(1_usize));
    let plain = take_while1(|c| c != '"' && c != '\\');
    delimited(
        tag("\""),
        recognize(many0_count(alt((plain, escape)))),
        tag("\""),
    )
    .parse(input)
}
