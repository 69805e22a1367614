use mic_consent::{Grant, Untrusted};

fn peek(token: &Untrusted<Grant>) {
    let _ = token.claims();
}

fn main() {}
