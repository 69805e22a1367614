use mic_consent::Permit;

fn twice(permit: Permit<'_>) {
    let _ = permit.clone();
}

fn main() {}
