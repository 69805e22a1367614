//! What must not compile: claims before the signature, permits made or copied, a policy by default.
//!
//! Files whose messages list private fields or the types that implement a trait are in `listed`: such lists change
//! with every new type and say nothing, so they are doc tests alone.
//!
//! The same files run as doc tests on any compiler. Here their messages are compared as well, which belongs
//! to one compiler and builds the dependencies once more, so it is run on request:
//! `cargo test -p mic-consent --all-features --test compile_fail -- --ignored`.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]

#[test]
#[ignore = "builds the dependencies once more and compares messages of one compiler; the doc tests cover the rest"]
fn err_misuse_does_not_compile_and_says_why() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
