//! The example of the national standard, and signatures of its key that are wrong.

use mic_consent::*;
use serde_json::json;

use crate::file::read;

#[test]
fn ok_sm2_vectors_of_the_national_standard() {
    for case in read("sm2.json")["cases"].as_array().unwrap() {
        let input = &case["input"];
        let bytes = |name: &str| hex::decode(input[name].as_str().unwrap()).unwrap();
        let key = PublicKey::sm2(
            &bytes("public_key").try_into().unwrap(),
            input["distid"].as_str().unwrap(),
        );
        let found = match key {
            Err(error) => json!({ "err": error.to_string() }),
            Ok(key) => {
                let signature = Signature::from_bytes(bytes("signature").try_into().unwrap());
                match key.verify(&bytes("message"), &signature) {
                    Ok(()) => json!({ "ok": true }),
                    Err(error) => json!({ "err": error.to_string() }),
                }
            }
        };
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}
