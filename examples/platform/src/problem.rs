//! What goes wrong between a user, a node and its neighbours, told once and in one shape.
//!
//! Over HTTP a [`Problem`] is an `application/problem+json` document (RFC 9457); on the command line
//! it is a line of text and an exit code.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

/// Whose fault a [`Problem`] is; the exit code and the HTTP status follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// The data are wrong: a damaged file, a token that does not hold, a malformed code.
    Data,
    /// The caller asked for something that cannot be asked: an unknown option, path or state.
    Use,
    /// Who asks may not have it.
    Denied,
    /// The machine, the network or a neighbour failed.
    System,
}

impl Fault {
    /// The exit code of a program that ends with this fault: 1 for the data, 2 for the rest.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Data | Self::Denied => 1,
            Self::Use | Self::System => 2,
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Data => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Use => StatusCode::BAD_REQUEST,
            Self::Denied => StatusCode::FORBIDDEN,
            Self::System => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// One thing that went wrong: whose fault, a stable code for programs, a sentence for people.
///
/// The text never carries a person code, a name or a whole index code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// Whose fault it is.
    pub fault: Fault,
    /// Stable, dotted, lower case: `intake.no_study_uid`, `consent.signature`.
    pub code: String,
    /// What, where, and what was expected.
    pub detail: String,
    /// The number of a consent denial, by which its specification names the step that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u16>,
}

impl Problem {
    /// The data are at fault.
    pub fn data(code: impl Into<String>, detail: impl ToString) -> Self {
        Self::new(Fault::Data, code, detail)
    }

    /// The caller is at fault.
    pub fn usage(code: impl Into<String>, detail: impl ToString) -> Self {
        Self::new(Fault::Use, code, detail)
    }

    /// The caller may not have what it asks for.
    pub fn denied(code: impl Into<String>, detail: impl ToString) -> Self {
        Self::new(Fault::Denied, code, detail)
    }

    /// The machine, the network or a neighbour failed.
    pub fn system(code: impl Into<String>, detail: impl ToString) -> Self {
        Self::new(Fault::System, code, detail)
    }

    fn new(fault: Fault, code: impl Into<String>, detail: impl ToString) -> Self {
        Self {
            fault,
            code: code.into(),
            detail: detail.to_string(),
            number: None,
        }
    }

    /// The same problem with the place put before the text.
    #[must_use]
    pub fn at(mut self, place: impl core::fmt::Display) -> Self {
        self.detail = format!("{place}: {}", self.detail);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.fault.status(), Json(self)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Self::system("io", error)
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::system("store", error)
    }
}

impl From<serde_json::Error> for Problem {
    /// The place alone: serde's own words repeat what was found, which may be a person code.
    fn from(error: serde_json::Error) -> Self {
        let kind = match error.classify() {
            Category::Io => "unreadable",
            Category::Syntax => "not JSON",
            Category::Data => "not of the expected shape",
            Category::Eof => "cut short",
        };
        Self::data(
            "json",
            format!("{kind} at line {}, column {}", error.line(), error.column()),
        )
    }
}
