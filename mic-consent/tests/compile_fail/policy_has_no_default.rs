fn main() {
    let _ = mic_consent::Policy::default();
}
