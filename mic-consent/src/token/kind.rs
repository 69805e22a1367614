//! The types of token: name, prefix, external text, role, greatest size.

use crate::{
    key::Role,
    limits::{KEY_SET_BYTES_MAX, STATUS_LIST_BYTES_MAX, TOKEN_BYTES_MAX},
};

macro_rules! token_types {
    ($( $(#[$doc:meta])* $name:ident = $letter:literal, $prefix:literal, $role:ident, $most:ident; )*) => {
        /// The types of token.
        ///
        /// ```
        /// use mic_consent::TokenType;
        /// assert_eq!(TokenType::Request.name(), "mic-q");
        /// assert_eq!(TokenType::Grant.prefix(), "MICG1:");
        /// assert_eq!(TokenType::from_name("mic-n"), Some(TokenType::Narrowed));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum TokenType { $( $(#[$doc])* $name, )* }

        impl TokenType {
            /// All types.
            pub const ALL: &'static [Self] = &[ $( Self::$name, )* ];

            /// The text in the `typ` header.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$name => concat!("mic-", $letter), )* }
            }

            /// The prefix of the text form.
            #[must_use]
            pub const fn prefix(self) -> &'static str {
                match self { $( Self::$name => $prefix, )* }
            }

            /// The external text under the signature: no signature of one type fits another (CST-15).
            #[must_use]
            pub const fn external(self) -> &'static str {
                match self { $( Self::$name => concat!("mic-consent/1/mic-", $letter), )* }
            }

            /// The role a key needs to sign it.
            #[must_use]
            pub const fn role(self) -> Role {
                match self { $( Self::$name => Role::$role, )* }
            }

            /// Bytes that a token of this type has at most.
            #[must_use]
            pub const fn bytes_max(self) -> usize {
                match self { $( Self::$name => $most, )* }
            }
        }
    };
}

token_types! {
    /// `mic-q`: a hospital asks.
    Request = "q", "MICQ1:", Request, TOKEN_BYTES_MAX;
    /// `mic-o`: the patient's phone shows a handle that a hospital may ask with.
    Offer = "o", "MICO1:", Grant, TOKEN_BYTES_MAX;
    /// `mic-g`: a consent authority grants.
    Grant = "g", "MICG1:", Grant, TOKEN_BYTES_MAX;
    /// `mic-n`: the holder of a grant narrows it.
    Narrowed = "n", "MICN1:", Request, TOKEN_BYTES_MAX;
    /// `mic-p`: the hospital proves that it uses the grant, here and now.
    Proof = "p", "MICP1:", Request, TOKEN_BYTES_MAX;
    /// `mic-d`: the person declined.
    Refusal = "d", "MICD1:", Grant, TOKEN_BYTES_MAX;
    /// `mic-w`: a grant is withdrawn or suspended.
    Withdrawal = "w", "MICW1:", Grant, TOKEN_BYTES_MAX;
    /// `mic-e`: a hospital's emergency role takes access without consent.
    Emergency = "e", "MICE1:", Emergency, TOKEN_BYTES_MAX;
    /// `mic-l`: a body with the power of law orders access without consent.
    Order = "l", "MICL1:", Order, TOKEN_BYTES_MAX;
    /// `mic-s`: which grants of one list are withdrawn or suspended.
    StatusList = "s", "MICS1:", Status, STATUS_LIST_BYTES_MAX;
    /// `mic-k`: the keys to be trusted.
    KeySet = "k", "MICK1:", Root, KEY_SET_BYTES_MAX;
    /// `mic-r`: a node says what it served.
    Receipt = "r", "MICR1:", Log, TOKEN_BYTES_MAX;
    /// `mic-v`: a reviewer judges an emergency access.
    Review = "v", "MICV1:", Review, TOKEN_BYTES_MAX;
    /// `mic-h`: the head of an access log.
    Checkpoint = "h", "MICH1:", Log, TOKEN_BYTES_MAX;
}

impl TokenType {
    /// The type with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::from_ascii(name.as_bytes())
    }

    pub(crate) fn from_ascii(name: &[u8]) -> Option<Self> {
        let same = |kind: &Self| kind.name().as_bytes() == name;
        Self::ALL.iter().copied().find(same)
    }

    /// The type with this prefix.
    #[must_use]
    pub fn from_prefix(prefix: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.prefix() == prefix)
    }

    /// Whether it is a document of the platform, larger than any token.
    #[must_use]
    pub const fn is_document(self) -> bool {
        self.bytes_max() > TOKEN_BYTES_MAX
    }
}
