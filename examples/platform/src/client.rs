//! The calling side of the nodes' HTTP doors: JSON or bytes out, JSON or bytes in, signed if the
//! caller has a key.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::http::Response;

use crate::problem::Problem;
use crate::signature;
use crate::trust::NodeKey;

/// How long a call may take in all; sealing many studies takes longest.
const CALL_TIME_MAX: Duration = Duration::from_secs(600);
/// The largest answer taken: a list of some hundred thousand exams or a picture.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// A client of one node's HTTP door; keeps its connections open. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    key: Option<NodeKey>,
}

impl Client {
    /// A client for the door at `base` (`http://host:port`), signing with `key` if there is one.
    #[must_use]
    pub fn new(base: impl Into<String>, key: Option<NodeKey>) -> Self {
        let agent = agent(CALL_TIME_MAX);
        let mut base = base.into();
        base.truncate(base.trim_end_matches('/').len());
        Self { agent, base, key }
    }

    /// The same client for calls that must not take longer than `time_max`.
    #[must_use]
    pub fn within(mut self, time_max: Duration) -> Self {
        self.agent = agent(time_max);
        self
    }

    /// Posts `body` as JSON to `path` and reads the JSON answer.
    ///
    /// # Errors
    ///
    /// The door's own [`Problem`], or a system fault if it cannot be reached or understood.
    pub fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, Problem> {
        let body = serde_json::to_vec(body)?;
        self.post_bytes(path, "application/json", &body)
    }

    /// Posts `body` as it is to `path` and reads the JSON answer.
    ///
    /// # Errors
    ///
    /// As [`Client::post`].
    pub fn post_bytes<A: DeserializeOwned>(
        &self,
        path: &str,
        media_type: &str,
        body: &[u8],
    ) -> Result<A, Problem> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("content-type", media_type);
        if let Some(key) = &self.key {
            for (name, value) in signature::sign(key, "POST", path, body)? {
                request = request.header(name, value);
            }
        }
        let answer = self.taken(path, request.send(body))?;
        serde_json::from_slice(&answer).map_err(|e| self.odd(path, e))
    }

    /// Reads the JSON document at `path`.
    ///
    /// # Errors
    ///
    /// As [`Client::post`].
    pub fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, Problem> {
        serde_json::from_slice(&self.get_bytes(path)?).map_err(|e| self.odd(path, e))
    }

    /// Reads the document at `path` as bytes.
    ///
    /// # Errors
    ///
    /// As [`Client::post`].
    pub fn get_bytes(&self, path: &str) -> Result<Vec<u8>, Problem> {
        let called = self.agent.get(format!("{}{path}", self.base)).call();
        self.taken(path, called)
    }

    fn taken(
        &self,
        path: &str,
        called: Result<Response<ureq::Body>, ureq::Error>,
    ) -> Result<Vec<u8>, Problem> {
        let unreachable = |e: ureq::Error| {
            Problem::system("client.unreachable", format!("{}{path}: {e}", self.base))
        };
        let mut response = called.map_err(unreachable)?;
        let ok = response.status().is_success();
        let bytes = response
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES_MAX)
            .read_to_vec()
            .map_err(unreachable)?;
        if ok {
            return Ok(bytes);
        }
        Err(serde_json::from_slice(&bytes).unwrap_or_else(|_| {
            let status = response.status();
            let text = String::from_utf8_lossy(&bytes);
            Problem::system(
                "client.answer",
                format!("{}{path} answered {status}: {}", self.base, text.trim()),
            )
        }))
    }

    fn odd(&self, path: &str, error: serde_json::Error) -> Problem {
        Problem::system(
            "client.answer",
            format!(
                "{}{path} gave an answer of another shape: {error}",
                self.base
            ),
        )
    }
}

fn agent(time_max: Duration) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        // The nodes are reached as they are named: nothing of a patient goes through a proxy of
        // the environment, or to where a redirection points.
        .proxy(None)
        .max_redirects(0)
        .timeout_global(Some(time_max))
        .max_idle_connections_per_host(8)
        .build()
        .into()
}
