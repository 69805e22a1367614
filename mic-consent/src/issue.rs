//! Making tokens: what can go wrong, and the one path from claims to signed bytes.

use alloc::vec::Vec;

use crate::{
    claims::binding::CommitError,
    cose::{self, Header, SigningInput},
    denial::Reason,
    encoded::Encoded,
    signer::{SignError, Signer},
    suite::Suite,
    token::TokenType,
};

/// Why no token was made. Always the caller's to put right, except [`Sign`](Self::Sign).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// Facts are missing; all of them are listed.
    #[error("expected these facts as well: {}", missing.join(", "))]
    Missing {
        /// The setters that were not called.
        missing: Vec<&'static str>,
    },
    /// The claims break a rule that every checker would refuse.
    #[error("the claims would be refused: {}", reason.english())]
    Rule {
        /// The rule, as a checker would say it.
        reason: Reason,
    },
    /// A chosen scope in a request: the salt for its commitments does not exist yet.
    #[error("expected a request for a list, all exams or a filter, found chosen records")]
    ChosenInRequest,
    /// The request was over before the grant was signed: the hospital has to ask again.
    #[error("expected a request that is not over yet")]
    RequestOver,
    /// The grant would give more than was asked for.
    #[error("expected {what} within the request")]
    WiderThanRequest {
        /// What is wider.
        what: &'static str,
    },
    /// The signer's suite differs from what the token is bound to.
    #[error("expected a signer of suite {expected}, found {found}")]
    OtherSuite {
        /// The suite expected.
        expected: Suite,
        /// The suite of the signer.
        found: Suite,
    },
    /// The signer's key differs from what the token is bound to.
    #[error("expected the key that the grant names as its holder")]
    NotTheGrantee,
    /// A commitment could not be made.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The signer failed: nothing was issued.
    #[error("nothing was signed: {0}")]
    Sign(#[from] SignError),
}

impl From<Reason> for IssueError {
    fn from(reason: Reason) -> Self {
        Self::Rule { reason }
    }
}

/// Signs a payload.
pub(crate) fn seal(
    token_type: TokenType,
    payload: &[u8],
    signer: &dyn Signer,
) -> Result<Encoded, IssueError> {
    let header = Header {
        suite: signer.suite(),
        key_id: signer.key_id(),
        token_type,
    };
    let protected = cose::protected_bytes(&header);
    let input = SigningInput::new(token_type, &protected, payload)?;
    let signature = signer.sign(input.as_bytes())?;
    let token = cose::assemble(&protected, payload, &signature);
    Encoded::from_vec(token).map_err(|denial| denial.reason().into())
}
