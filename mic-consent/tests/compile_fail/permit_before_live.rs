use mic_consent::{Grant, Signed};

fn skip(grant: &Signed<Grant>) {
    let _ = grant.permit();
}

fn main() {}
