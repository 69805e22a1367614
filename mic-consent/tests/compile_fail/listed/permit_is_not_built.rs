use mic_consent::Permit;

// Names no field, so that it fails for nothing but their privacy.
fn forge<'a>(permit: Permit<'a>) -> Permit<'a> {
    Permit { ..permit }
}

fn main() {}
