use mic_consent::{Live, Grant, Permit};

fn forge(grant: &Live<Grant>) -> Permit<'_> {
    Permit { grant }
}

fn main() {}
