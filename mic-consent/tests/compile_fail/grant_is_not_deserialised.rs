fn read<T: serde::de::DeserializeOwned>() {}

fn main() {
    read::<mic_consent::Signed<mic_consent::Grant>>();
    read::<mic_consent::GrantClaims>();
}
