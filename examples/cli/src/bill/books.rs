//! Policy books on the command line: `shenzhen`, `my-city.toml`, `guangdong+shenzhen+contract.json`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use mic_billing::{Book, BookError, Layer, Level, books};
use mic_platform::problem::Problem;
use serde_json::{Value, json};

use crate::output::{self, say};

/// Layers joined by `+`: shipped ones by name, others as TOML or JSON files. The national layer is
/// added where none of them is one.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// `nation`, `guangdong`, `shenzhen`, `fictional-separate-item`, or files, joined by `+`.
    book: String,
    /// One JSON document.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(&self) -> Result<ExitCode, Problem> {
        let (read, mut faults) = layers(&self.book)?;
        let about: Vec<Value> = read.iter().map(about).collect();
        if faults.is_empty()
            && let Err(errors) = Book::load(read)
        {
            faults.extend(errors.iter().cloned());
        }
        if self.json {
            let told: Vec<Value> = faults
                .iter()
                .map(|fault| json!({ "layer": fault.layer(), "path": fault.path(), "line": fault.line(), "fault": fault.kind().to_string() }))
                .collect();
            output::json(&json!({ "layers": about, "faults": told }))?;
        } else {
            for layer in &about {
                say!(
                    "{} ({}, {}): {} versions, {} facts, {} of them verified",
                    layer["id"].as_str().unwrap_or_default(),
                    layer["level"].as_str().unwrap_or_default(),
                    layer["region"].as_str().unwrap_or_default(),
                    layer["versions"],
                    layer["facts"],
                    layer["verified"]
                )?;
            }
            faults.iter().try_for_each(|fault| say!("{fault}"))?;
            if faults.is_empty() {
                say!("the book holds together")?;
            }
        }
        Ok(ExitCode::from(u8::from(!faults.is_empty())))
    }
}

/// A layer in numbers, from its own JSON form.
fn about(layer: &Layer) -> Value {
    let whole = serde_json::to_value(layer).unwrap_or_default();
    let versions = whole["version"].as_array().cloned().unwrap_or_default();
    let facts = || {
        versions
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|version| version.values())
            .filter(|fact| fact.get("value").is_some())
    };
    json!({
        "id": layer.id(), "name": layer.name(), "level": layer.level().name(), "region": layer.region(),
        "fictional": layer.is_fictional(), "versions": versions.len(), "facts": facts().count(),
        "verified": facts().filter(|fact| fact["verified"] == true).count(),
    })
}

/// The layers a text names, the national one included, and the faults of files that are none.
fn layers(names: &str) -> Result<(Vec<Layer>, Vec<BookError>), Problem> {
    let (mut read, mut faults) = (Vec::new(), Vec::new());
    for name in names.split('+') {
        match layer(name)? {
            Ok(layer) => read.push(layer),
            Err(fault) => faults.push(fault),
        }
    }
    let shipped_alone = names == "nation";
    if !shipped_alone && read.iter().all(|layer| layer.level() != Level::Nation) {
        match books::national() {
            Ok(nation) => read.insert(0, nation),
            Err(fault) => faults.push(fault),
        }
    }
    Ok((read, faults))
}

fn layer(name: &str) -> Result<Result<Layer, BookError>, Problem> {
    Ok(match name {
        "nation" => books::national(),
        "guangdong" => books::guangdong(),
        "shenzhen" => books::shenzhen(),
        "fictional-separate-item" => books::fictional_separate_item(),
        path => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                let known = "nation, guangdong, shenzhen, fictional-separate-item or a file";
                Problem::usage("bill.book", format!("{path}: expected {known}: {error}"))
            })?;
            if Path::new(path).extension().is_some_and(|end| end == "json") {
                Layer::from_json(&text)
            } else {
                Layer::from_toml(&text)
            }
        }
    })
}

/// The book a text names; the faults in one problem, each with its place.
pub(super) fn load(names: &str) -> Result<Book, Problem> {
    let (read, faults) = layers(names)?;
    if let Some(fault) = faults.first() {
        return Err(Problem::data("bill.book", fault));
    }
    Book::load(read).map_err(|errors| Problem::data("bill.book", errors))
}
