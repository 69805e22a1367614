//! Making tokens: what can go wrong, and the one path from claims to signed bytes.

use alloc::vec::Vec;

#[cfg(feature = "es256")]
use crate::key::with_low_s;
use crate::{
    claims::binding::CommitError,
    cose::{self, Header, SigningInput},
    denial::Reason,
    encoded::Encoded,
    key::KeyId,
    signer::{AsyncSigner, SignError, Signature, Signer},
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
    /// The narrowed grant would give more than what it narrows.
    #[error("expected {what} within the grant")]
    WiderThanGrant {
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
    /// The review is signed for another organisation than the emergency access names.
    #[error("expected the organisation that the emergency access names for its review")]
    NotTheReviewer,
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
    let mut input = SigningInput::empty();
    let unsigned = Unsigned::new(
        &mut input,
        token_type,
        payload,
        signer.suite(),
        signer.key_id(),
    )?;
    let signature = signer.sign(input.as_bytes())?;
    unsigned.complete(payload, signature)
}

/// The same, waiting for a signer that is somewhere else.
pub(crate) async fn seal_async(
    token_type: TokenType,
    payload: &[u8],
    signer: &impl AsyncSigner,
) -> Result<Encoded, IssueError> {
    let mut input = SigningInput::empty();
    let unsigned = Unsigned::new(
        &mut input,
        token_type,
        payload,
        signer.suite(),
        signer.key_id(),
    )?;
    let signature = signer.sign(input.as_bytes()).await?;
    unsigned.complete(payload, signature)
}

/// A token but for its signature.
struct Unsigned {
    token_type: TokenType,
    suite: Suite,
    protected: Vec<u8>,
}

impl Unsigned {
    fn new(
        input: &mut SigningInput,
        token_type: TokenType,
        payload: &[u8],
        suite: Suite,
        key_id: KeyId,
    ) -> Result<Self, IssueError> {
        let header = Header {
            suite,
            key_id,
            token_type,
        };
        let protected = cose::protected_bytes(&header);
        input.fill(token_type, &protected, payload)?;
        Ok(Self {
            token_type,
            suite,
            protected,
        })
    }

    /// Takes the signature. Zeros are what a module leaves in a buffer that it did not fill, and no signature
    /// of any suite (CST-23); a module's high s becomes the lower one (CST-28).
    fn complete(self, payload: &[u8], signature: Signature) -> Result<Encoded, IssueError> {
        if signature.as_bytes().iter().all(|byte| *byte == 0) {
            return Err(SignError::Failed.into());
        }
        let signature = match self.suite {
            #[cfg(feature = "es256")]
            Suite::Esp256 => with_low_s(signature),
            _ => signature,
        };
        let token = cose::assemble(&self.protected, payload, &signature);
        Encoded::from_signed(self.token_type, token).map_err(|denial| denial.reason().into())
    }
}
