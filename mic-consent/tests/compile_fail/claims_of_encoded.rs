use mic_consent::Encoded;

fn peek(token: &Encoded) {
    let _ = token.claims();
}

fn main() {}
