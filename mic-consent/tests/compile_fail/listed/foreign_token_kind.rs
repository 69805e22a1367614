use mic_consent::{GrantClaims, TokenKind, TokenType};

struct Mine;

impl TokenKind for Mine {
    const TYPE: TokenType = TokenType::Request;
    type Claims = GrantClaims;
}

fn main() {}
