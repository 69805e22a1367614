//! Any signature over any message: with and without the key's table the same verdict. The first byte chooses
//! the key: three of the standards' examples, or three that sign here and whose signature is then changed.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mic_consent::*;

type Keys = (
    [PreparedKey; 6],
    Sm2SigningKey,
    Es256SigningKey,
    Ed25519SigningKey,
);

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let point = |text: &str| {
        let byte = |at: usize| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).expect("a byte");
        std::array::from_fn::<u8, 64, _>(byte)
    };
    let ed25519 = Ed25519SigningKey::from_secret_bytes(&[0x32; 32]).expect("a key");
    let sm2 = Sm2SigningKey::from_secret_bytes(&[0x22; 32]).expect("a key");
    let es256 = Es256SigningKey::from_secret_bytes(&[0x42; 32]).expect("a key");
    let mut bases = BaseTables::new();
    let keys = [
        PublicKey::sm2(&point(GBT_32918_5), "1234567812345678").expect("a point"),
        PublicKey::es256(&point(RFC_6979)).expect("a point"),
        sm2.public_key().clone(),
        es256.public_key().clone(),
        PublicKey::ed25519(&RFC_8032).expect("a point"),
        ed25519.public_key().clone(),
    ];
    (
        keys.map(|key| PreparedKey::new(key, &mut bases)),
        sm2,
        es256,
        ed25519,
    )
});
const GBT_32918_5: &str = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
                           ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
const RFC_6979: &str = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
                        7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
const RFC_8032: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

fuzz_target!(|input: (u8, [u8; 64], &[u8])| {
    let (which, mut bytes, message) = input;
    let which = usize::from(which % 6);
    let signed = match which {
        2 => KEYS.1.sign(message).ok(),
        3 => KEYS.2.sign(message).ok(),
        5 => KEYS.3.sign(message).ok(),
        _ => None,
    };
    if let Some(signed) = signed {
        bytes
            .iter_mut()
            .zip(signed.as_bytes())
            .for_each(|(byte, of)| *byte ^= of);
    }
    let (key, signature) = (&KEYS.0[which], Signature::from_bytes(bytes));
    let plain = key.public_key().verify(message, &signature);
    assert_eq!(key.verify(message, &signature), plain);
    if signed == Some(signature) {
        assert_eq!(plain, Ok(()));
    }
});
